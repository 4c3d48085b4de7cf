//! What the command line asks of a running gate, and what it answers: one JSON
//! value a line each way, over the admin socket or straight on the store.

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ban::{Ban, Effect, Scopes};
use crate::cluster::{Cluster, ClusterId};
use crate::event::{Event, EventId};
use crate::judge::cluster::servers::ServerReport;
use crate::proxy::probe::Sighting;

/// A request. Attacker-reachable only through the filesystem: the socket is mode 0600.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Ask {
    /// Ban or allow something.
    Ban(NewBan),
    /// Take a ban or an allow entry back.
    Unban(Which),
    /// List bans and allow entries.
    Bans,
    /// One event with its verdicts.
    Explain {
        /// The reference that a refused person was shown.
        id: EventId,
    },
    /// Swap configuration and lists.
    Reload,
    /// What the gate is doing.
    Status,
    /// Find out what the gate sees of a request's sender.
    Probe {
        /// Arm, read or end.
        step: ProbeStep,
    },
    /// What the gate condemned by itself.
    Clusters,
    /// One of those.
    Cluster {
        /// Its number.
        id: ClusterId,
    },
    /// Take a condemnation back.
    Release {
        /// Its number.
        id: ClusterId,
        /// Why.
        why: String,
    },
    /// Contain the tokens of a cluster, or let them go.
    Contain {
        /// Its number.
        id: ClusterId,
        /// Whether to contain.
        contain: bool,
    },
    /// What is known of a mail server.
    MailServer {
        /// A host name or an address, as typed.
        server: String,
    },
    /// Apps older than the gate.
    ImportApps {
        /// At most a few hundred at a time.
        apps: Vec<crate::app::App>,
    },
}

/// A ban as asked for: subjects as typed, not yet read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewBan {
    /// What.
    pub target: Target,
    /// Refuse or allow.
    pub effect: Effect,
    /// Networks only.
    pub scopes: Scopes,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub source: String,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// What a ban is aimed at, as typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum Target {
    /// A CIDR or one address.
    Network(IpNet),
    /// An e-mail domain.
    MailDomain(String),
    /// A mail server's host name.
    MailServer(String),
    /// A mailbox exactly as written.
    Address(String),
    /// A mailbox and all its spellings with dots and tags.
    AddressWithVariants(String),
    /// An app's `client_id`.
    ClientId(String),
    /// An app's name, folded.
    AppName(String),
    /// The host of a redirect URI, or a whole URI.
    RedirectUri(String),
    /// The host of an app's website.
    Website(String),
}

/// Which entry to take back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// By its number.
    Id(u64),
    /// By what it is about.
    Target(Target, Effect),
}

/// The steps of a probe; see [`crate::proxy::probe`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeStep {
    /// Arm one.
    Arm,
    /// What was seen under this nonce so far?
    Seen(String),
    /// End it.
    End(String),
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "kebab-case")]
pub enum Answer {
    /// The ban, now on disk and in force.
    Ban(Ban),
    /// What was taken back; none if there was no such entry.
    Unban(Option<Ban>),
    /// All entries.
    Bans(Vec<Ban>),
    /// The event, if it is still kept.
    Explain(Option<Box<Event>>),
    /// The new configuration is in force; what needs a restart to change.
    Reload(Vec<String>),
    /// What the gate is doing.
    Status(Box<Status>),
    /// The nonce of a probe, and what was seen under it so far.
    Probe(String, Vec<Sighting>),
    /// How many apps were new.
    ImportApps(usize),
    /// Every cluster, newest first.
    Clusters(Vec<Cluster>),
    /// One cluster, if there is such a one.
    Cluster(Option<Box<Cluster>>),
    /// How many tokens are contained in all; none if there is no such cluster.
    Contain(Option<usize>),
    /// What is known of a mail server, by each of its keys.
    MailServer(Vec<ServerReport>),
    /// It could not be done, and why.
    Fault(String),
}

/// What a running gate says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Where it listens, as bound: `127.0.0.1:3080` or `unix:/path`.
    pub listen: Vec<String>,
    /// Where health and metrics are, if anywhere.
    pub admin: Option<String>,
    /// The upstream.
    pub upstream: String,
    /// Since when it runs.
    pub since: Option<Timestamp>,
    /// Whether nothing is refused.
    pub observe: bool,
    /// What is wrong, in words; empty is well.
    pub troubles: Vec<String>,
    /// Bans and allow entries in force.
    pub bans: usize,
}
