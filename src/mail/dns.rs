//! The mail server behind a domain: MX hosts and all their addresses.
//!
//! RFC 5321 §5.1, RFC 7505, through the recursive resolver that the admin names
//! or the system has. The domain's own name server belongs to the attacker: it may
//! stall, answer with fifty hosts, or change its answer. So everything is
//! bounded ([`DnsSettings`]), a lapse says whether the resolver as such
//! is down or only this domain does not answer, and a look-up that outlasts its caller is finished
//! in the background for the retry. No DNSSEC: the resolver is trusted as
//! Mastodon trusts it. Addresses are kept as they come, private ones too, because bans may cover them.

mod ask;
mod cache;
mod flight;
mod health;
mod lookup;
mod settings;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::mailbox::Domain;
use crate::telemetry::dns::{LapseLabel, LapseOf};
use crate::telemetry::metrics;

use ask::{Answer, Asker};
use cache::{Cache, Lives, Recall};
use flight::{Flights, Landing};
use health::Health;

pub use settings::{Bounds, DnsSettings};

/// One host that takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MxHost {
    /// Its name; octets that no host name has are written `_`.
    pub name: Domain,
    /// Lower is preferred.
    pub preference: u16,
    /// Every A and AAAA address, ascending, IPv4-mapped ones as IPv4; empty if the name leads nowhere.
    pub ips: Vec<IpAddr>,
}

/// The hosts that take mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// By preference, at least one of them with an address.
    pub hosts: Vec<MxHost>,
    /// There is no MX, so the domain itself is the host.
    pub implicit: bool,
}

/// What the DNS says of a domain's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It goes there.
    Server(Arc<MailServer>),
    /// The domain says that it takes none (RFC 7505).
    Null,
    /// There is no such domain, or no host of it has an address.
    Nowhere,
}

/// Why nothing could be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LapseCause {
    /// No answer in time.
    Deadline,
    /// An answer that is none: SERVFAIL, REFUSED, malformed.
    Failure,
    /// The resolver cannot be reached.
    Unreachable,
    /// The domain names more MX hosts than are looked at.
    TooManyHosts,
    /// A host of it has more addresses than are looked at.
    TooManyAddresses,
    /// Too many look-ups are under way.
    TooBusy,
}

impl LapseCause {
    /// Whether a dead resolver could show like this.
    const fn may_be_ours(self) -> bool {
        match self {
            Self::Deadline | Self::Failure | Self::Unreachable | Self::TooBusy => true,
            Self::TooManyHosts | Self::TooManyAddresses => false,
        }
    }

    const fn label(self) -> LapseOf {
        match self {
            Self::Deadline => LapseOf::Deadline,
            Self::Failure => LapseOf::Failure,
            Self::Unreachable => LapseOf::Unreachable,
            Self::TooManyHosts => LapseOf::TooManyHosts,
            Self::TooManyAddresses => LapseOf::TooManyAddresses,
            Self::TooBusy => LapseOf::TooBusy,
        }
    }
}

impl fmt::Display for LapseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadline => "its name server did not answer in time",
            Self::Failure => "its name server answered with an error",
            Self::Unreachable => "the resolver cannot be reached",
            Self::TooManyHosts => "it names too many mail hosts",
            Self::TooManyAddresses => "a mail host of it has too many addresses",
            Self::TooBusy => "too many look-ups are under way",
        })
    }
}

/// A look-up that came to nothing. Whoever owns the domain can bring this about,
/// except for `resolver_down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// Why.
    pub cause: LapseCause,
    /// Names that no attacker owns are not answered for either.
    pub resolver_down: bool,
}

/// Looks mail servers up. Clones share cache, caps and look-ups in flight.
#[derive(Clone)]
pub struct Resolver {
    asker: Asker,
    addresses: usize,
    cache: Arc<Cache>,
    flights: Flights,
    health: Health,
    timeout: Duration,
    background: Duration,
}

impl Resolver {
    /// A resolver whose work is done on `runtime`. Callers may wait on any tokio
    /// runtime that keeps time.
    ///
    /// # Errors
    /// If no servers are given and the system's cannot be read, or a control name is too long.
    pub fn new(settings: &DnsSettings, runtime: Handle) -> Result<Self, ResolverError> {
        let asker = Asker::new(settings)?;
        let remembered = NonZeroUsize::new(settings.remembered).unwrap_or(NonZeroUsize::MIN);
        let cache = Arc::new(Cache::new(remembered, Lives::from(settings)));
        let health = Health::new(settings, asker.clone(), runtime.clone())?;
        let flights = Flights::new(
            settings,
            asker.clone(),
            cache.clone(),
            health.clone(),
            runtime,
        );
        Ok(Self {
            asker,
            addresses: settings.addresses,
            cache,
            flights,
            health,
            timeout: settings.timeout,
            background: settings.background,
        })
    }

    /// What is known of `domain` within its TTL, without asking anybody.
    #[must_use]
    pub fn cached(&self, domain: &Domain) -> Option<Finding> {
        match self.cache.recall(domain, Instant::now()) {
            Recall::Fresh(finding) => {
                metrics().dns.cache_hits.inc();
                Some(finding)
            }
            Recall::Stale { .. } | Recall::Lapsed(_) | Recall::Nothing => None,
        }
    }

    /// The mail server of `domain`: out of the cache, from a look-up under way, or
    /// from a new one. Answers within the time-out.
    ///
    /// # Errors
    /// A lapse, if it cannot be told in time or at all.
    pub async fn look(&self, domain: &Domain) -> Result<Finding, Lapse> {
        match self.cache.recall(domain, Instant::now()) {
            Recall::Fresh(finding) => {
                metrics().dns.cache_hits.inc();
                Ok(finding)
            }
            Recall::Stale { finding, look } => {
                metrics().dns.stale_served.inc();
                if look {
                    drop(self.flights.board(domain));
                }
                Ok(finding)
            }
            Recall::Lapsed(cause) => Err(self.lapse(cause).await),
            Recall::Nothing => self.fly(domain, self.timeout).await,
        }
    }

    /// As [`Self::look`], but never out of the cache, whose entry it replaces, and
    /// patient: it waits until the look-up has ended in the background too.
    ///
    /// # Errors
    /// A lapse, if it cannot be told.
    pub async fn look_again(&self, domain: &Domain) -> Result<Finding, Lapse> {
        let patience = self.background.saturating_add(self.timeout);
        self.fly(domain, patience).await
    }

    /// Every address of a host, uncached; none if there is no such name. For the
    /// control side: whoever calls keeps to a few at a time.
    ///
    /// # Errors
    /// If it cannot be told within the time-out, or there are too many.
    pub async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, LapseCause> {
        let name = lookup::absolute(host.as_str()).ok_or(LapseCause::Failure)?;
        let asking = self.asker.addresses(&name);
        match timeout(self.timeout, asking).await {
            Ok(Ok(Answer::Records(ips, _))) if ips.len() > self.addresses => {
                Err(LapseCause::TooManyAddresses)
            }
            Ok(Ok(Answer::Records(ips, _))) => Ok(ips),
            Ok(Ok(Answer::Empty(_) | Answer::NoName(_))) => Ok(Vec::new()),
            Ok(Err(cause)) => Err(cause),
            Err(_) => Err(LapseCause::Deadline),
        }
    }

    /// Whether names that no attacker owns are not answered for: for health checks,
    /// not needed to judge, since each [`Lapse`] says it. Asked anew every few seconds at most.
    pub async fn resolver_down(&self) -> bool {
        self.health.resolver_down().await
    }

    async fn fly(&self, domain: &Domain, patience: Duration) -> Result<Finding, Lapse> {
        let Some(mut landing) = self.flights.board(domain) else {
            return Err(self.lapse(LapseCause::TooBusy).await);
        };
        let half = patience / 2;
        if let Some(outcome) = wait(&mut landing, half).await {
            return self.landed(outcome);
        }
        // So that the verdict on the resolver is there when the caller's time is up.
        self.health.probe();
        match wait(&mut landing, patience.saturating_sub(half)).await {
            Some(outcome) => self.landed(outcome),
            None => Err(self.lapse(LapseCause::Deadline).await),
        }
    }

    fn landed(&self, outcome: Result<Finding, Lapse>) -> Result<Finding, Lapse> {
        outcome.inspect_err(|lapse| count(lapse.cause))
    }

    async fn lapse(&self, cause: LapseCause) -> Lapse {
        count(cause);
        Lapse {
            cause,
            resolver_down: cause.may_be_ours() && self.health.resolver_down().await,
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

fn count(cause: LapseCause) {
    let label = LapseLabel {
        cause: cause.label(),
    };
    metrics().dns.lapses.get_or_create(&label).inc();
}

/// What the flight came to within `patience`; a flight that died is a lapse.
async fn wait(landing: &mut Landing, patience: Duration) -> Option<Result<Finding, Lapse>> {
    let landed = timeout(patience, landing.wait_for(Option::is_some)).await;
    match landed.ok()? {
        Ok(outcome) => outcome.clone(),
        Err(_) => Some(Err(Lapse {
            cause: LapseCause::Deadline,
            resolver_down: false,
        })),
    }
}

/// Why there can be no resolver.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// `/etc/resolv.conf` cannot be read.
    #[error("no dns servers are configured and /etc/resolv.conf cannot be read")]
    SystemFile(#[source] std::io::Error),
    /// `/etc/resolv.conf` names no server.
    #[error("no dns servers are configured and /etc/resolv.conf has none")]
    System(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The resolver library refuses.
    #[error("the dns resolver cannot be built")]
    Build(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A control name leaves no room for a label below it.
    #[error("a dns control name is too long")]
    Control,
}
