//! The configuration as used: defaulted, resolved and checked.
//!
//! Plain types on purpose, so that the rooms that live by these settings need
//! not know this one. Every default stands here once; `config/tuskgate.toml`
//! shows them all and is tested to say the same.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::endpoint::Endpoint;
use crate::judge::cluster::size::DEFAULT_SIZE;
use crate::judge::limit::{Budget, Limit};
use crate::judge::policy::Modes;
use crate::judge::wave;
use crate::lists::Files;
use crate::secret::Secret;
use crate::store::SharedSettings;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Judge everything, refuse nothing.
    pub observe: bool,
    /// Where the gate listens, and to whom it listens about addresses.
    pub listen: Listen,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// How much may be held.
    pub bounds: Bounds,
    /// Mastodon.
    pub upstream: Upstream,
    /// How the gate itself is spoken to.
    pub admin: Admin,
    /// Where Mastodon tells what came to be.
    pub webhooks: Webhooks,
    /// Whether the web sites of fresh domains behind suspicious servers are looked at.
    pub probe: Probe,
    /// Where what outlives a request is kept.
    pub store: Store,
    /// What is remembered.
    pub events: Events,
    /// How mail servers are looked up.
    pub dns: Dns,
    /// The list files, as absolute paths or relative to the current folder.
    pub lists: Files,
    /// What each rule does.
    pub rules: Modes,
    /// What the rules about clusters remember.
    pub clusters: Clusters,
    /// What the breaker does by itself.
    pub breaker: wave::Settings,
    /// How much of everything.
    pub limits: Limits,
    /// Which doors are guarded.
    pub guards: Guards,
    /// What is written to standard error.
    pub log: Log,
}

/// `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where nginx connects to.
    pub address: ListenAddress,
    /// Peers whose `X-Forwarded-For` and `-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Threads that serve.
    pub workers: NonZeroUsize,
    /// Connections held at once, all workers together.
    pub max_connections: NonZeroUsize,
}

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// TCP.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: ListenAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 3080))),
            trusted_proxies: vec![
                Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
                Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into(),
            ],
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_connections: NonZeroUsize::new(20_000).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// `[timeouts]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A client connection without a request.
    pub client_idle: Duration,
    /// A request's head, from its first byte.
    pub request_head: Duration,
    /// A request's body without a byte.
    pub body_stall: Duration,
    /// Connecting to the upstream.
    pub connect: Duration,
    /// The upstream's head of a reply.
    pub reply_head: Duration,
    /// A reply's body without a byte; never on event streams and upgrades.
    pub reply_stall: Duration,
    /// Requests in flight after SIGTERM.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            client_idle: Duration::from_secs(75),
            request_head: Duration::from_secs(10),
            body_stall: Duration::from_secs(30),
            connect: Duration::from_secs(2),
            reply_head: Duration::from_secs(120),
            reply_stall: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

/// `[bounds]`, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// One guarded body.
    pub body: usize,
    /// All guarded bodies held at once.
    pub bodies: usize,
    /// One head.
    pub head: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body: 64 * KIB,
            bodies: 64 * MIB,
            head: 64 * KIB,
        }
    }
}

/// `[upstream]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Mastodon's web server.
    pub address: UpstreamAddress,
    /// Mastodon's streaming server, if the gate is to reach it itself.
    pub streaming: Option<UpstreamAddress>,
}

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamAddress {
    /// TCP, address known.
    Tcp(SocketAddr),
    /// TCP, by a host name that the system resolves, again and again.
    Name(String, u16),
    /// A unix socket.
    Unix(PathBuf),
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            address: UpstreamAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))),
            streaming: None,
        }
    }
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where health and metrics are served; `None` for nowhere.
    pub address: Option<SocketAddr>,
    /// The unix socket of the command line.
    pub socket: PathBuf,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            address: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9300))),
            socket: Store::default().path.join("admin.sock"),
        }
    }
}

/// `[webhooks]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Where Mastodon's Sidekiq reaches the gate; `None` for nowhere.
    pub address: Option<SocketAddr>,
    /// The signing secrets of the webhooks, any of which is right.
    pub secrets: Vec<Secret>,
    /// A file with such secrets, one on each line.
    pub secret_file: Option<PathBuf>,
    /// Whether accounts come to be beside the gate day by day, as they should.
    pub sign_ups_elsewhere: bool,
}

/// `[probe]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Off unless somebody says so: it makes the gate speak to strangers' servers.
    pub enabled: bool,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// A folder.
    pub path: PathBuf,
    /// What several nodes share; `None` for a node on its own.
    pub shared: Option<SharedSettings>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: "/var/lib/tuskgate".into(),
            shared: None,
        }
    }
}

/// `[events]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events {
    /// Whether unguarded requests are logged too.
    pub access: bool,
    /// How long an event is kept.
    pub retention: Duration,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            access: false,
            retention: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

/// `[dns]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The resolvers to ask; the system's if empty.
    pub servers: Vec<SocketAddr>,
    /// For all questions about one address together.
    pub timeout: Duration,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_millis(1500),
        }
    }
}

/// `[clusters]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clusters {
    /// How many bytes the registers may take.
    pub register_size: usize,
}

impl Default for Clusters {
    fn default() -> Self {
        Self {
            register_size: DEFAULT_SIZE,
        }
    }
}

/// `[limits]`, for every limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits(pub BTreeMap<Limit, Budget>);

impl Limits {
    /// The budget of `limit`.
    #[must_use]
    pub fn budget(&self, limit: Limit) -> Budget {
        let own = self.0.get(&limit).copied();
        own.unwrap_or_else(|| limit.default_budget())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self(
            Limit::ALL
                .map(|limit| (limit, limit.default_budget()))
                .into(),
        )
    }
}

/// `[guards]`, for every door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards(pub BTreeMap<Endpoint, bool>);

impl Guards {
    /// Whether `endpoint` is guarded.
    #[must_use]
    pub fn on(&self, endpoint: Endpoint) -> bool {
        self.0.get(&endpoint).copied().unwrap_or(true)
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self(Endpoint::ALL.map(|endpoint| (endpoint, true)).into())
    }
}

/// `[log]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// The least important event that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// What stops the gate or a part of it.
    Error,
    /// What an admin should look at.
    Warn,
    /// What happens in a normal day.
    #[default]
    Info,
    /// Each decision's way.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word in the configuration, which `tracing` reads too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
