//! Moving what a store holds: to a file and back, to a shared store and back,
//! counted on both sides.
//!
//! Read from the files alone, without the lock on the folder, so a running
//! gate can be exported. Events stay where they are: they are a record of one
//! node. Taking in merges and never empties: of two bans on one subject the
//! later holds, of two buckets the emptier, of two words on a mail domain what
//! both know. What the breaker has learned is taken by a store that has learned
//! nothing yet. What is counted of look-alike apps is in memory alone.

mod files;
mod lines;

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clusters::moved::{self, SignUpIdentity};
use super::limiter::SavedSlot;
use super::{NamedApp, Store, StoreError, bans::changes::Entry};
use crate::account::KnownAccount;
use crate::app::ClientId;
use crate::ban::{Effect, Subject};
use crate::cluster::{Cluster, ClusterKind, SeenDomain, SignUp};
use crate::mailbox::Domain;
use crate::secret::KeyedHash;

pub use super::shared::for_shared;
pub use files::{Examined, Reading, examine};
pub use lines::{LinesError, read_lines, write_lines};

/// One thing that a store holds. What is in it is the store's own affair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record(pub(super) Content);

/// See [`Record`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Content {
    Ban(Entry),
    App(Box<NamedApp>),
    Credential(ClientId, KeyedHash),
    Token(KeyedHash, ClientId),
    Budget(SavedSlot),
    Cluster(Box<Cluster>),
    SignUp(u64, SignUp),
    Domain(Domain, SeenDomain),
    Account(i64, KnownAccount),
    Heard(KeyedHash, i64),
    Wave(String),
}

impl Record {
    /// The same in the words of this release.
    fn canonical(self) -> Self {
        match self.0 {
            Content::Ban(entry) => Self(Content::Ban(entry.canonical())),
            _ => self,
        }
    }
}

/// How many records of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Bans and allow entries.
    pub bans: u64,
    /// Bans that were lifted, as far as it is still remembered.
    pub lifted: u64,
    /// Apps.
    pub apps: u64,
    /// Credentials of apps.
    pub credentials: u64,
    /// Tokens.
    pub tokens: u64,
    /// Budgets that are not full.
    pub budgets: u64,
    /// Condemnations, those that have ended included.
    #[serde(default)]
    pub clusters: u64,
    /// Sign-ups that are counted.
    #[serde(default)]
    pub sign_ups: u64,
    /// Mail domains that have been seen.
    #[serde(default)]
    pub domains: u64,
    /// Accounts that webhooks told of.
    #[serde(default)]
    pub accounts: u64,
    /// Webhooks that were heard.
    #[serde(default)]
    pub heard: u64,
    /// What the breaker has learned, and how it stands.
    #[serde(default)]
    pub breakers: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, record: &Record) {
        let count = match &record.0 {
            Content::Ban(entry) if entry.ban.is_some() => &mut self.bans,
            Content::Ban(_) => &mut self.lifted,
            Content::App(_) => &mut self.apps,
            Content::Credential(..) => &mut self.credentials,
            Content::Token(..) => &mut self.tokens,
            Content::Budget(_) => &mut self.budgets,
            Content::Cluster(_) => &mut self.clusters,
            Content::SignUp(..) => &mut self.sign_ups,
            Content::Domain(..) => &mut self.domains,
            Content::Account(..) => &mut self.accounts,
            Content::Heard(..) => &mut self.heard,
            Content::Wave(_) => &mut self.breakers,
        };
        *count += 1;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} bans and allow entries, {} liftings, {} apps, {} credentials, {} tokens, {} budgets, {} clusters, {} sign-ups, {} mail domains, {} accounts, {} webhooks heard, {} breakers",
            self.bans,
            self.lifted,
            self.apps,
            self.credentials,
            self.tokens,
            self.budgets,
            self.clusters,
            self.sign_ups,
            self.domains,
            self.accounts,
            self.heard,
            self.breakers
        )
    }
}

/// Which of the records given are not there: by what they are about, whatever
/// is said of it. What has ended meanwhile is not missed.
#[must_use]
pub fn missing(given: &[Record], there: &[Record]) -> Counts {
    let now = jiff::Timestamp::now();
    let soon = now.as_nanosecond().unsigned_abs() as u64 + SOON.as_nanos() as u64;
    let there: HashSet<About<'_>> = there.iter().map(About::of).collect();
    let mut counts = Counts::default();
    for record in given {
        let over = match &record.0 {
            Content::Ban(entry) => entry.is_over(now),
            Content::Budget(slot) => slot.full_at <= soon,
            Content::App(_)
            | Content::Credential(..)
            | Content::Token(..)
            | Content::Cluster(_)
            | Content::SignUp(..)
            | Content::Domain(..)
            | Content::Account(..)
            | Content::Heard(..)
            | Content::Wave(_) => false,
        };
        if !over && !there.contains(&About::of(record)) {
            counts.add(record);
        }
    }
    counts
}

/// How long moving may take.
const SOON: Duration = Duration::from_secs(60);

/// What a record is about.
#[derive(PartialEq, Eq, Hash)]
enum About<'a> {
    Ban(&'a Subject, Effect),
    App(&'a ClientId),
    Credential(&'a ClientId),
    Token(KeyedHash),
    Budget(KeyedHash),
    Cluster((ClusterKind, i64, String)),
    SignUp(SignUpIdentity),
    Domain(&'a Domain),
    Account(i64),
    Heard(KeyedHash),
    Wave,
}

impl<'a> About<'a> {
    fn of(record: &'a Record) -> Self {
        match &record.0 {
            Content::Ban(entry) => Self::Ban(&entry.subject, entry.effect),
            Content::App(app) => Self::App(&app.app.client_id),
            Content::Credential(id, _) => Self::Credential(id),
            Content::Token(token, _) => Self::Token(*token),
            Content::Budget(slot) => Self::Budget(slot.key),
            Content::Cluster(cluster) => Self::Cluster(moved::identity(cluster)),
            Content::SignUp(_, sign_up) => Self::SignUp(moved::sign_up_identity(sign_up)),
            Content::Domain(name, _) => Self::Domain(name),
            Content::Account(id, _) => Self::Account(*id),
            Content::Heard(hash, _) => Self::Heard(*hash),
            Content::Wave(_) => Self::Wave,
        }
    }
}

impl Store {
    /// Takes records in; they are on the disk when this returns. Returns how
    /// many of each kind were given.
    ///
    /// # Errors
    /// If they cannot be written: then some may have been.
    pub async fn take_in(
        &self,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        let now = jiff::Timestamp::now().as_microsecond().unsigned_abs();
        let (mut bans, mut apps, mut budgets) = (Vec::new(), Vec::new(), Vec::new());
        let mut clusters = Vec::new();
        for record in records {
            counts.add(&record);
            match record.0 {
                Content::Ban(entry) => bans.push(entry),
                Content::App(app) => apps.push(*app),
                Content::Credential(id, hash) => self.0.register.take_credential(id, hash).await?,
                Content::Token(token, id) => self.0.register.take_token(token, id).await?,
                Content::Budget(slot) => budgets.push(slot),
                Content::Wave(kept) => _ = self.0.wave.take_in(kept).await?,
                content @ (Content::Cluster(_)
                | Content::SignUp(..)
                | Content::Domain(..)
                | Content::Account(..)
                | Content::Heard(..)) => clusters.push(content),
            }
        }
        self.0.clusters.take_in(clusters).await?;
        self.0.bans.merge(bans).await?;
        self.0.register.import(apps).await?;
        self.0.limiter.import(budgets, now);
        self.0.register.flush().await?;
        self.0.budgets.flush().await?;
        Ok(counts)
    }
}
