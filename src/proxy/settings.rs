//! What the proxy may be told: addresses, time-outs by phase, bounds.
//!
//! Everything here has a default that suits Mastodon behind nginx on one
//! machine; `config` maps its keys onto it and owns their documentation for
//! admins. Nothing here is validated beyond its types.

use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::IpNet;

use super::origin::Address;

/// Everything that [`serve()`](super::serve()) needs to know.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Worker threads, each with its own listener, runtime and upstream pool.
    pub workers: NonZeroUsize,
    /// Client connections open at once, over all workers; beyond it accepting
    /// pauses and clients wait in the kernel's backlog.
    pub max_connections: usize,
    /// Peers whose `X-Forwarded-For` and `-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest request or reply head in bytes, at least 8 KiB; 431 beyond.
    pub max_head: usize,
    /// Where requests go.
    pub upstream: Address,
    /// Where requests under `/api/v1/streaming` go, if elsewhere.
    pub streaming: Option<Address>,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// Kept upstream connections.
    pub pool: PoolSettings,
}

/// How long each phase of a connection may take.
///
/// All but `connect` are watched by a coarse ticker, so a phase may last up to
/// two ticks longer (a tick is an eighth of the shortest of them, at most 250 ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A client connection between two requests.
    pub idle: Duration,
    /// A request head, from its first byte; 408.
    pub head: Duration,
    /// No byte of the request body comes, or none of the reply is taken; 408
    /// while an answer is still possible.
    pub body_stall: Duration,
    /// One attempt to reach one address of the upstream; 503.
    pub connect: Duration,
    /// The upstream is silent after the request, or takes nothing of its body; 504.
    pub reply_head: Duration,
    /// The upstream is silent within a reply; never for event streams or upgrades.
    pub reply_stall: Duration,
    /// What requests in flight are given at shutdown.
    pub drain: Duration,
}

/// Bounds of one worker's pool of upstream connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// How long a connection may lie unused. Puma closes at 20 s.
    pub idle: Duration,
    /// How many may lie unused in one worker.
    pub connections: usize,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_connections: 16_384,
            trusted_proxies: loopback(),
            max_head: 64 * 1024,
            upstream: Address::loopback(3000),
            streaming: None,
            timeouts: Timeouts::default(),
            pool: PoolSettings::default(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(75),
            head: Duration::from_secs(10),
            body_stall: Duration::from_secs(30),
            connect: Duration::from_secs(2),
            reply_head: Duration::from_secs(120),
            reply_stall: Duration::from_secs(120),
            drain: Duration::from_secs(30),
        }
    }
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            connections: 64,
        }
    }
}

impl Timeouts {
    /// How often the ticker looks.
    #[must_use]
    pub fn tick(&self) -> Duration {
        [
            self.idle,
            self.head,
            self.body_stall,
            self.reply_head,
            self.reply_stall,
        ]
        .into_iter()
        .min()
        .map_or(LONGEST_TICK, |shortest| shortest / 8)
        .clamp(SHORTEST_TICK, LONGEST_TICK)
    }
}

const SHORTEST_TICK: Duration = Duration::from_millis(5);
const LONGEST_TICK: Duration = Duration::from_millis(250);

fn loopback() -> Vec<IpNet> {
    vec![
        IpNet::new_assert([127, 0, 0, 0].into(), 8),
        IpNet::new_assert(std::net::Ipv6Addr::LOCALHOST.into(), 128),
    ]
}
