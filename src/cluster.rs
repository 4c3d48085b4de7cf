//! A cluster: what many sign-ups or apps have in common that is dear to vary.
//!
//! For mail that is the server behind many domains, joined over any of its
//! [`MailKey`]s, so that rotating one of them does not help. A condemned
//! cluster has a number under which it is shown, explained and released whole.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::account::KnownAccount;
use crate::app::ClientId;
use crate::mailbox::Domain;
use crate::secret::KeyedHash;

/// One thing by which mail servers are told to be the same.
///
/// All of them are chosen by whoever registered the domain; what is dear to
/// vary is all of them at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum MailKey {
    /// The name of an MX host.
    Host(Domain),
    /// The registrable domain of an MX host, by the public-suffix list.
    Registrable(Domain),
    /// An address of an MX host.
    Address(IpAddr),
    /// Its /24, or /48 for IPv6.
    Network(IpNet),
    /// Its /20, or /40: what one cheap hoster rents out; takes far more to be condemned.
    Range(IpNet),
}

impl fmt::Display for MailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => write!(f, "{name}"),
            Self::Registrable(name) => write!(f, "*.{name}"),
            Self::Address(ip) => write!(f, "{ip}"),
            Self::Network(net) | Self::Range(net) => write!(f, "{net}"),
        }
    }
}

/// What a cluster is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterKind {
    /// Sign-ups whose addresses lie behind one mail server.
    Mail,
    /// Apps that look alike.
    App,
}

/// The number of a cluster, such as `M7` or `A3`; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterId {
    /// What it is made of.
    pub kind: ClusterKind,
    /// Its number among those of its kind.
    pub number: u64,
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            ClusterKind::Mail => 'M',
            ClusterKind::App => 'A',
        };
        write!(f, "{letter}{}", self.number)
    }
}

/// Clusters of a gate that is one of several have numbers from here on: see
/// `judge::cluster::numbers`.
pub const TAGGED: u64 = 1_000_000;

/// The text is not the number of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cluster is a letter and a number, such as M7 or A3")]
pub struct NotAClusterId;

impl FromStr for ClusterId {
    type Err = NotAClusterId;

    fn from_str(text: &str) -> Result<Self, NotAClusterId> {
        let mut letters = text.chars();
        let kind = match letters.next().map(|letter| letter.to_ascii_uppercase()) {
            Some('M') => ClusterKind::Mail,
            Some('A') => ClusterKind::App,
            Some(_) | None => return Err(NotAClusterId),
        };
        let number = letters.as_str().parse().map_err(|_| NotAClusterId)?;
        Ok(Self { kind, number })
    }
}

impl TryFrom<String> for ClusterId {
    type Error = NotAClusterId;

    fn try_from(text: String) -> Result<Self, NotAClusterId> {
        text.parse()
    }
}

impl From<ClusterId> for String {
    fn from(id: ClusterId) -> Self {
        id.to_string()
    }
}

/// A condemnation: what it covers, why, until when. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its number.
    pub id: ClusterId,
    /// What it is recognised by; any of them is enough. For apps: the folded name.
    pub keys: Vec<MailKey>,
    /// The folded name of look-alike apps.
    pub name: Option<String>,
    /// Only what was first seen from here on is hit.
    pub since: i64,
    /// When it was condemned.
    pub opened: i64,
    /// When it ends by itself.
    pub until: i64,
    /// The how-manieth condemnation of the same server this is.
    pub times: u32,
    /// Why, with numbers.
    pub evidence: String,
    /// When and why it ended before its time.
    pub ended: Option<(i64, String)>,
    /// What was let in before and shares the key; at most a few hundred.
    pub suspects: Vec<Suspect>,
    /// How many attempts it has refused.
    pub refused: u64,
    /// Whether the tokens of its fresh apps are answered with 401.
    #[serde(default)]
    pub contained: bool,
    /// How often an admin has said so or otherwise: the last word counts, whatever
    /// else has changed meanwhile.
    #[serde(default)]
    pub marks: u32,
    /// How many of its suspects are known to have confirmed their address.
    pub confirmed: u32,
    /// What else led to the same server; its sign-ups so far condemn nothing more.
    #[serde(default)]
    pub around: Vec<MailKey>,
    /// The one that two gates had condemned at once, and that stands for both.
    #[serde(default)]
    pub same_as: Option<u64>,
    /// How often it has been changed: of two versions the later one holds.
    #[serde(default)]
    pub revision: u32,
    /// What was found of its suspects' web sites, where that is looked at.
    #[serde(default)]
    pub sites: Sites,
}

/// What was found of web sites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sites {
    /// Domains looked at.
    pub looked: u32,
    /// Those where nothing answers.
    pub dead: u32,
}

impl Sites {
    /// Counts one more.
    pub const fn add(&mut self, alive: bool) {
        self.looked = self.looked.saturating_add(1);
        self.dead = self.dead.saturating_add(!alive as u32);
    }
}

impl Cluster {
    /// A first condemnation of which only times are known yet.
    #[must_use]
    pub const fn opened(id: ClusterId, since: i64, opened: i64, until: i64) -> Self {
        Self {
            id,
            keys: Vec::new(),
            name: None,
            since,
            opened,
            until,
            times: 1,
            evidence: String::new(),
            ended: None,
            suspects: Vec::new(),
            refused: 0,
            contained: false,
            marks: 0,
            confirmed: 0,
            around: Vec::new(),
            same_as: None,
            revision: 0,
            sites: Sites { looked: 0, dead: 0 },
        }
    }

    /// Whether it is in force at `now`.
    #[must_use]
    pub const fn in_force(&self, now: i64) -> bool {
        self.ended.is_none() && now < self.until
    }

    /// Whether the tokens of its fresh apps are answered with 401 now.
    #[must_use]
    pub const fn contains(&self) -> bool {
        self.contained && self.ended.is_none()
    }

    /// An admin has said whether the tokens of its fresh apps are to be contained.
    pub const fn mark(&mut self, contained: bool) {
        self.contained = contained;
        self.marks = self.marks.saturating_add(1);
    }

    /// A decision of this gate about it: to be written down and told.
    #[must_use]
    pub fn change(&mut self) -> Change {
        self.revision += 1;
        Change::Cluster(Box::new(self.clone()))
    }
}

/// What Mastodon told of the account that came of a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameToBe {
    /// Mastodon's number of it.
    pub id: i64,
    /// Whether its address is confirmed.
    pub confirmed: bool,
}

/// Somebody let in before the cluster was condemned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// When.
    pub at: i64,
    /// The domain of the address.
    pub domain: Option<Domain>,
    /// The client's network.
    pub client: Option<IpNet>,
    /// The app it came through, or that was made.
    pub client_id: Option<ClientId>,
    /// The user name asked for.
    pub username: Option<String>,
    /// The account, where webhooks told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<CameToBe>,
}

impl Suspect {
    /// Somebody let in then, of whom nothing is known yet.
    #[must_use]
    pub const fn at(at: i64) -> Self {
        Self {
            at,
            domain: None,
            client: None,
            client_id: None,
            username: None,
            account: None,
        }
    }
}

/// A sign-up that was let in, as the register of mail servers keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUp {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The domain of the address.
    pub domain: Domain,
    /// What its mail server is recognised by; empty for a shared provider's.
    pub keys: Arc<[MailKey]>,
    /// The client's network.
    pub client: Option<IpNet>,
    /// The app.
    pub client_id: Option<ClientId>,
    /// The user name asked for.
    pub username: Option<String>,
    /// The account, where webhooks told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<CameToBe>,
}

impl SignUp {
    /// The same as a suspect.
    #[must_use]
    pub fn suspect(&self) -> Suspect {
        Suspect {
            at: self.at,
            domain: Some(self.domain.clone()),
            client: self.client,
            client_id: self.client_id.clone(),
            username: self.username.clone(),
            account: self.account,
        }
    }
}

/// What is remembered of a mail domain beyond the windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDomain {
    /// When an account was first let in with it, in seconds since 1970.
    pub first: i64,
    /// When last.
    pub last: i64,
    /// How many accounts.
    pub accounts: u32,
    /// How many of them are known to have confirmed.
    pub confirmed: u32,
    /// Its mail server's keys when last seen.
    pub keys: Arc<[MailKey]>,
}

/// What was counted of apps that look alike. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppStep {
    /// An app was let be made.
    Made {
        /// Its look.
        look: String,
        /// When.
        at: i64,
        /// By whom.
        creator: Option<IpNet>,
    },
    /// It has its `client_id`.
    Named {
        /// Its look.
        look: String,
        /// When it was made.
        at: i64,
        /// By whom.
        #[serde(default)]
        creator: Option<IpNet>,
        /// The `client_id`.
        id: ClientId,
    },
    /// A token was let be given.
    Token {
        /// The app's look.
        look: String,
        /// When.
        at: i64,
        /// The app; `None` if it came out of a condemned look's ration.
        id: Option<ClientId>,
        /// Whether the app had it for itself.
        #[serde(default)]
        own: bool,
    },
    /// An app came to nothing.
    Unmade {
        /// Its look.
        look: String,
        /// When it was counted.
        at: i64,
    },
    /// A token came to nothing.
    Untaken {
        /// The app's look.
        look: String,
        /// When it was counted.
        at: i64,
    },
}

impl AppStep {
    /// When it was counted.
    #[must_use]
    pub const fn at(&self) -> i64 {
        match self {
            Self::Made { at, .. }
            | Self::Named { at, .. }
            | Self::Token { at, .. }
            | Self::Unmade { at, .. }
            | Self::Untaken { at, .. } => *at,
        }
    }
}

/// Something that must outlive the process, or that other gates must know.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A sign-up was let in, under this serial number.
    SignUp(u64, SignUp),
    /// It came to nothing.
    Withdraw(u64),
    /// A domain as it is known now; `None` if it is unknown again.
    Domain(Domain, Option<SeenDomain>),
    /// An account with an address of this domain is known to have confirmed, since then.
    Confirm(Domain, i64),
    /// Something was counted of apps.
    App(AppStep),
    /// A cluster as this gate has decided about it.
    Cluster(Box<Cluster>),
    /// An account that the webhooks told of, by Mastodon's number.
    Account(i64, KnownAccount),
    /// A webhook was heard: the hash of its body, and when it says that it was made.
    Heard(KeyedHash, i64),
    /// A cluster as another gate has decided about it.
    Adopt(Box<Cluster>),
}

/// All that was kept, as read at a start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// Sign-ups of the last week, oldest first.
    pub sign_ups: Vec<(u64, SignUp)>,
    /// Domains.
    pub domains: Vec<(Domain, SeenDomain)>,
    /// Clusters.
    pub clusters: Vec<Cluster>,
    /// Accounts, the one heard of longest ago first.
    pub accounts: Vec<(i64, KnownAccount)>,
    /// Webhooks.
    pub heard: Vec<(KeyedHash, i64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        for text in ["M7", "A3", "M18446744073709551615"] {
            let id: ClusterId = text.parse().expect("a number");
            assert_eq!(id.to_string(), text);
        }
        for text in ["", "M", "7", "X7", "M-1", "M7x"] {
            assert!(text.parse::<ClusterId>().is_err(), "{text}");
        }
    }
}
