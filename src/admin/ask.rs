//! What the command line asks of a running gate, and what it answers: one JSON
//! value a line each way, over the admin socket or straight on the store.

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::Heard;
use crate::admin::mail_domain::DomainReport;
use crate::app::{App, ClientId};
use crate::ban::{Ban, Effect, Scopes};
use crate::cluster::{Cluster, ClusterId};
use crate::endpoint::Endpoint;
use crate::event::{Event, EventId};
use crate::judge::cluster::servers::ServerReport;
use crate::judge::contained::Containment;
use crate::mailbox::Domain;
use crate::proxy::probe::Sighting;
use crate::store::events::{Filter, Onward};
use crate::store::{AppOrder, CountedApp};
use crate::verdict::Rule;
use crate::wave::{Standing, Step};

/// A request. Attacker-reachable only through the filesystem: the socket is mode 0600.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// Put a step of the breaker by hand, or let it go by itself again.
    Pin {
        /// Which; by itself if none.
        step: Option<Step>,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// What is known of a mail server.
    MailServer {
        /// A host name or an address, as typed.
        server: String,
    },
    /// What is known of a mail domain, and what is behind it.
    MailDomain {
        /// The domain of an address, as typed.
        domain: String,
    },
    /// A page of the record, oldest first.
    Events(PageOf),
    /// Apps that the gate knows.
    Apps(AppsWanted),
    /// One app.
    App {
        /// Its public id.
        id: ClientId,
    },
    /// Apps older than the gate.
    ImportApps {
        /// At most a few hundred at a time.
        apps: Vec<App>,
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

/// Which events, and where the page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageOf {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// This rule did not plainly pass.
    pub rule: Option<Rule>,
    /// This door.
    pub endpoint: Option<Endpoint>,
    /// This domain of the address.
    pub mail_domain: Option<Domain>,
    /// A client in this network.
    pub client: Option<IpNet>,
    /// Forwarded or not.
    pub admitted: Option<bool>,
    /// Behind this event; from the oldest on if none.
    pub behind: Option<(Timestamp, EventId)>,
    /// The other way: back from the newest, or from before the event that `behind` names.
    #[serde(default)]
    pub back: bool,
    /// At most so many.
    pub limit: usize,
}

impl PageOf {
    /// The same as the store asks for it.
    #[must_use]
    pub fn filter(self) -> Filter {
        let onward = match (self.behind, self.back) {
            (Some((at, id)), false) => Some(Onward::Behind(at, id)),
            (None, false) => Some(Onward::Start),
            (Some((at, id)), true) => Some(Onward::Before(at, id)),
            (None, true) => None,
        };
        Filter {
            since: self.since,
            until: self.until,
            rule: self.rule,
            endpoint: self.endpoint,
            mail_domain: self.mail_domain,
            client: self.client,
            admitted: self.admitted,
            limit: self.limit.min(LONGEST_PAGE),
            onward,
        }
    }
}

/// Events of one page at most.
pub const LONGEST_PAGE: usize = 500;

/// Which apps, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppsWanted {
    /// Names that hold this, whatever the case or look-alike letters.
    pub name: Option<String>,
    /// The order.
    pub order: AppOrder,
    /// At most so many.
    pub limit: usize,
}

/// All that is known of one app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppReport {
    /// The app and its tokens.
    #[serde(flatten)]
    pub counted: CountedApp,
    /// Its folded name, under which look-alikes share budgets.
    pub folded: String,
    /// The look by which bursts are told.
    pub look: String,
    /// Apps known under that folded name.
    pub namesakes: u64,
    /// The listed client that it is.
    pub listed: Option<String>,
    /// Whether it is called like a listed client but does not come back to it.
    pub poses: bool,
    /// Whether many honest people may share it, so that logins through it have no shared budget.
    pub established: bool,
    /// Whether its credential has been seen to be good.
    pub proven: bool,
    /// Bans and allow entries that are about it.
    pub entries: Vec<Ban>,
    /// The clusters that condemned its look, newest first; their evidence without the suspects.
    pub clusters: Vec<Cluster>,
    /// What is left of its budgets; none if no gate is running.
    pub budgets: Option<Vec<AppBudget>>,
    /// Whether this is one of several gates: then the figures are its own, the limits are not.
    #[serde(default)]
    pub shared: bool,
}

/// One budget that an app draws on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppBudget {
    /// Its name in `[limits]`.
    pub limit: String,
    /// As the configuration writes it.
    pub set: String,
    /// How many are left right now.
    pub left: u32,
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
    /// A page of events.
    Events(Vec<Event>),
    /// Apps, in the order asked for.
    Apps(Vec<CountedApp>),
    /// One app, if the gate knows it.
    App(Option<Box<AppReport>>),
    /// How many apps were new.
    ImportApps(usize),
    /// Every cluster, newest first.
    Clusters(Vec<Cluster>),
    /// One cluster, if there is such a one.
    Cluster(Option<Box<Cluster>>),
    /// What it came to; none if there is no such cluster.
    Contain(Option<Containment>),
    /// What is known of a mail server, by each of its keys.
    MailServer(Vec<ServerReport>),
    /// What is known of a mail domain.
    MailDomain(Box<DomainReport>),
    /// How the breaker stands now; a step put by hand is on the disk.
    Breaker(Box<Standing>),
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
    /// Where webhooks come in, if anywhere.
    #[serde(default)]
    pub webhooks: Option<String>,
    /// What was heard of what came to be.
    #[serde(default)]
    pub heard: Heard,
    /// How the breaker stands.
    #[serde(default)]
    pub breaker: Option<Standing>,
    /// How the shared store stands, if state is shared.
    #[serde(default)]
    pub shared: Option<SharedStanding>,
}

/// How the store that several gates share stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedStanding {
    /// It is in use.
    Up,
    /// It is away: this gate decides alone.
    Away,
}
