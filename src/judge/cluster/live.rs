//! The registers in the live gate: behind a lock, with the disk behind them.
//!
//! The lock is held for microseconds and never across an await. A condemnation
//! counts at once; the request that caused it waits until it is on the disk.

mod hear;
mod tidy;

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::app::ClientId;
use crate::cluster::{CameToBe, Change, Cluster, ClusterId, ClusterKind, Kept, SignUp, Suspect};
use crate::judge::cluster::apps::{self, Apps};
use crate::judge::cluster::measure::Measured;
use crate::judge::cluster::servers::{ServerReport, Servers, Sighting, Ticket};
use crate::judge::cluster::tuning::Tuning;
use crate::mailbox::Domain;
use crate::secret::KeyedHash;
use crate::store::Store;
use crate::told::Told;

/// The registers of a running gate.
#[derive(Debug)]
pub struct Registers {
    pub(super) servers: Mutex<Servers>,
    pub(super) apps: Mutex<Apps>,
    pub(super) measured: Mutex<Measured>,
    tidied: Mutex<tidy::Tidied>,
    store: Store,
}

impl Registers {
    /// The registers as they were kept; `store` keeps what changes.
    #[must_use]
    pub fn restore(store: &Store, mut kept: Kept) -> Self {
        let (mail, app) = std::mem::take(&mut kept.clusters)
            .into_iter()
            .partition(|cluster| cluster.id.kind == ClusterKind::Mail);
        kept.clusters = mail;
        let apps: Vec<Cluster> = app;
        let mut servers = Servers::restore_under(Tuning::default(), kept, store.key());
        let mut apps = Apps::restore(apps::Tuning::default(), apps);
        if let Some(dice) = hear::dice(store) {
            servers.join_others(dice);
            apps.join_others(dice);
        }
        let measured = Measured::before(servers.every().chain(apps.every()));
        let tidied = tidy::Tidied::of(servers.every().chain(apps.every()));
        Self {
            measured: Mutex::new(measured),
            tidied: Mutex::new(tidied),
            apps: Mutex::new(apps),
            servers: Mutex::new(servers),
            store: store.clone(),
        }
    }

    /// The store behind them.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Judges and counts sign-ups, one for each domain of an address: all or none.
    pub async fn enter(&self, sign_ups: Vec<SignUp>) -> Vec<Sighting> {
        let (sightings, changes) = {
            let mut servers = self.servers.lock();
            let sightings: Vec<_> = sign_ups
                .into_iter()
                .map(|sign_up| servers.enter(sign_up))
                .collect();
            if sightings
                .iter()
                .any(|s| matches!(s, Sighting::Condemned { .. }))
            {
                for ticket in tickets(&sightings) {
                    servers.withdraw(ticket);
                }
            }
            (sightings, servers.changes())
        };
        let condemned = changes
            .iter()
            .any(|change| matches!(change, Change::Cluster(_)));
        tell(&changes);
        self.keep(changes);
        if condemned && let Err(error) = self.store.flush_clusters().await {
            tracing::error!(%error, "a condemnation is in force but not on the disk");
        }
        sightings
    }

    /// Somebody signs up with an address at a listed provider.
    pub fn meet_listed(&self, at: jiff::Timestamp) {
        self.servers.lock().meet_listed(at.as_second());
        self.store.tell(Told::Listed(at.as_second()));
    }

    /// Takes counted sign-ups back: nothing came of them.
    pub fn withdraw(&self, counted: &Counted) {
        if !counted.servers.is_empty() {
            let tickets = counted.servers.iter();
            self.change(|servers| tickets.for_each(|ticket| servers.withdraw(*ticket)));
        }
        if !counted.apps.is_empty() {
            let tickets = counted.apps.iter();
            self.apps(|apps| tickets.for_each(|ticket| apps.withdraw(ticket)));
        }
    }

    /// Works on the register of apps and keeps what changed.
    pub fn apps<T>(&self, work: impl FnOnce(&mut Apps) -> T) -> T {
        let mut apps = self.apps.lock();
        let done = work(&mut apps);
        let changes = apps.changes();
        drop(apps);
        tell(&changes);
        self.keep(changes);
        done
    }

    /// From now on the registers may take `size` bytes, all together.
    pub fn resize(&self, size: usize) {
        self.servers.lock().resize(size);
        self.apps.lock().resize(size);
    }

    /// An account with an address of this domain is known to have confirmed.
    pub fn confirm(&self, domain: &Domain, now: i64) {
        self.change(|servers| servers.confirm(domain, now));
    }

    /// An account with this domain that came through this app, made at `made`, has confirmed.
    pub fn credit_app(&self, app: &ClientId, domain: &Domain, made: i64) {
        let server = self.servers.lock().group(domain);
        self.apps(|apps| apps.confirm(app, server, made));
    }

    /// The same by a link that seemed to work: weak.
    pub fn confirm_by_link(&self, domain: &Domain, now: i64) {
        self.change(|servers| servers.confirm_by_link(domain, now));
    }

    /// An account came of a sign-up, or has confirmed since.
    pub fn name_account(&self, domain: &Domain, at: i64, username: &str, account: CameToBe) {
        self.change(|servers| servers.name_account(domain, at, username, account));
    }

    /// Somebody whose word weighs something reported an account with this domain.
    pub fn report(&self, domain: &Domain, by: KeyedHash, target: i64, now: i64) {
        self.change(|servers| servers.hear_report(domain, by, target, now));
    }

    /// Whether a domain's web site is worth a look: fresh, behind a suspicious server.
    #[must_use]
    pub fn is_worth_a_look(&self, domain: &Domain, now: i64) -> bool {
        self.servers.lock().is_worth_a_look(domain, now)
    }

    /// What was found there.
    pub fn note_site(&self, domain: &Domain, alive: bool) {
        self.change(|servers| servers.note_site(domain, alive));
    }

    /// Every cluster that is remembered, newest first.
    #[must_use]
    pub fn clusters(&self) -> Vec<Cluster> {
        let mut all = self.servers.lock().clusters();
        all.extend(self.apps.lock().clusters());
        all.sort_by_key(|cluster| std::cmp::Reverse(cluster.opened));
        all
    }

    /// One cluster.
    #[must_use]
    pub fn cluster(&self, id: ClusterId) -> Option<Cluster> {
        match id.kind {
            ClusterKind::Mail => self.servers.lock().cluster(id.number).cloned(),
            ClusterKind::App => self.apps.lock().cluster(id.number).cloned(),
        }
    }

    /// Lets a cluster go as a whole.
    ///
    /// # Errors
    /// If that is not on the disk; it is in force all the same.
    pub async fn release(
        &self,
        id: ClusterId,
        now: i64,
        why: &str,
    ) -> Result<Option<Cluster>, crate::store::StoreError> {
        self.measured.lock().released(id);
        let released = match id.kind {
            ClusterKind::Mail => self.change(|servers| servers.release(id.number, now, why)),
            ClusterKind::App => self.apps(|apps| apps.release(id.number, now, why)),
        };
        self.store.flush_clusters().await?;
        Ok(released)
    }

    /// Marks whether a cluster's tokens are contained.
    ///
    /// # Errors
    /// If that is not on the disk; it is in force all the same.
    pub async fn mark_contained(
        &self,
        id: ClusterId,
        contain: bool,
    ) -> Result<Option<Cluster>, crate::store::StoreError> {
        let marked = match id.kind {
            ClusterKind::Mail => self.change(|servers| servers.contain(id.number, contain)),
            ClusterKind::App => self.apps(|apps| apps.contain(id.number, contain)),
        };
        self.store.flush_clusters().await?;
        Ok(marked)
    }

    /// The sign-ups through one of these apps, behind servers that are counted.
    #[must_use]
    pub fn sign_ups_through(&self, apps: &BTreeSet<ClientId>) -> Vec<Suspect> {
        self.servers.lock().sign_ups_through(apps)
    }

    /// Works on both registers as they are at one moment.
    pub fn both<T>(&self, look: impl FnOnce(&Servers, &Apps) -> T) -> T {
        let servers = self.servers.lock();
        let apps = self.apps.lock();
        look(&servers, &apps)
    }

    /// What is known of a mail server, by name or address.
    #[must_use]
    pub fn server(&self, text: &str, now: i64) -> Option<Vec<ServerReport>> {
        let servers = self.servers.lock();
        if let Ok(ip) = text.parse() {
            return Some(servers.report_address(ip, now));
        }
        let name = crate::mail::domain::read(text).ok()?;
        Some(servers.report_name(&name, now))
    }

    fn change<T>(&self, work: impl FnOnce(&mut Servers) -> T) -> T {
        let mut servers = self.servers.lock();
        let done = work(&mut servers);
        let changes = servers.changes();
        drop(servers);
        self.keep(changes);
        done
    }

    fn keep(&self, changes: Vec<Change>) {
        for change in changes {
            self.store.keep_cluster(change);
        }
    }
}

/// Says aloud what has just been condemned.
fn tell(changes: &[Change]) {
    for change in changes {
        if let Change::Cluster(cluster) = change
            && cluster.ended.is_none()
            && cluster.refused == 0
        {
            tracing::warn!(cluster = %cluster.id, evidence = %cluster.evidence, "a cluster is condemned");
        }
    }
}

/// What a judgement counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Sign-ups, by mail server.
    pub servers: Vec<Ticket>,
    /// Apps made and tokens given, by look.
    pub apps: Vec<apps::Ticket>,
}

/// The tickets among what was said.
pub fn tickets(sightings: &[Sighting]) -> impl Iterator<Item = Ticket> {
    sightings.iter().filter_map(|sighting| match sighting {
        Sighting::Learned(ticket) | Sighting::Counted(ticket) => Some(*ticket),
        Sighting::Exempt | Sighting::Condemned { .. } => None,
    })
}
