//! What bounds a look-up. Every number is a bound on work or memory that an
//! attacker with a name server of his own could otherwise ask of the gate.

use std::net::SocketAddr;
use std::time::Duration;

use crate::mailbox::Domain;

/// How mail servers are looked up. [`DnsSettings::default`] is what `[dns]` defaults to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSettings {
    /// Recursive resolvers to ask; empty for the system's (`/etc/resolv.conf`).
    pub servers: Vec<SocketAddr>,
    /// How long a caller of `look` waits in all.
    pub timeout: Duration,
    /// How long a look-up goes on in all, its caller long gone.
    pub background: Duration,
    /// Most MX hosts of one domain; with more the domain lapses, none is left out silently.
    pub hosts: usize,
    /// Most A or AAAA addresses of one host; with more the domain lapses.
    pub addresses: usize,
    /// Most look-ups that somebody waits for. Each has at most two queries open, so
    /// that with the background ones we stay under the 150 that dnsmasq forwards at once.
    pub in_flight: usize,
    /// Most look-ups that go on after their caller's deadline; beyond it they are given up.
    pub in_background: usize,
    /// Domains remembered. With every cap exhausted one takes about 14 KiB.
    pub remembered: usize,
    /// Bounds of how long an answer is fresh, whatever TTL its owner chose.
    pub fresh: Bounds,
    /// Bounds of how long "there is no such mail server" is fresh.
    pub negative: Bounds,
    /// How long after it was fresh a mail server is still answered with, while it is looked up again.
    pub stale: Duration,
    /// First and longest time before a lapsed domain is asked for again; it doubles in between.
    pub retry: Bounds,
    /// Names under which a fresh label is asked for to see whether the resolver works.
    /// Run by unrelated and reliable operators; none means that it is never taken for down.
    pub controls: Vec<Domain>,
    /// How long the answer to that question holds.
    pub control_fresh: Duration,
}

/// A least and a greatest duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Nothing is shorter.
    pub least: Duration,
    /// Nothing is longer.
    pub most: Duration,
}

impl Bounds {
    /// `least` to `most`; a `most` below `least` counts as `least`.
    #[must_use]
    pub fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most: most.max(least),
        }
    }

    pub(super) fn clamp(self, duration: Duration) -> Duration {
        duration.min(self.most).max(self.least)
    }
}

impl Default for DnsSettings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            servers: Vec::new(),
            timeout: Duration::from_millis(1500),
            background: Duration::from_secs(30),
            hosts: 16,
            addresses: 32,
            in_flight: 48,
            in_background: 16,
            remembered: 4096,
            fresh: Bounds::new(Duration::from_secs(10), 60 * MINUTE),
            negative: Bounds::new(Duration::from_secs(10), 5 * MINUTE),
            stale: 10 * MINUTE,
            retry: Bounds::new(Duration::from_secs(1), 5 * MINUTE),
            controls: ["gmail.com", "outlook.com", "yahoo.com", "icloud.com"]
                .iter()
                .filter_map(|name| Domain::new(name).ok())
                .collect(),
            control_fresh: Duration::from_secs(2),
        }
    }
}
