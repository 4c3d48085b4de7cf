//! One look-up per domain at a time, however many wait for it.
//!
//! A flight runs on the control runtime and belongs to nobody: callers on any
//! runtime wait on a channel, and may leave. Past the caller's deadline it goes
//! on in the background if a place is free there, and what it finds is what the
//! retry is judged by.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::ask::Asker;
use super::cache::Cache;
use super::health::Health;
use super::lookup::{self, Caps, Looked};
use super::{DnsSettings, Finding, Lapse, LapseCause};
use crate::mailbox::Domain;
use crate::telemetry::dns::{LookedLabel, Outcome};
use crate::telemetry::metrics;

/// What a flight has come to, once it has.
pub(super) type Landing = watch::Receiver<Option<Result<Finding, Lapse>>>;

#[derive(Clone)]
pub(super) struct Flights(Arc<Inner>);

struct Inner {
    asker: Asker,
    cache: Arc<Cache>,
    health: Health,
    runtime: Handle,
    caps: Caps,
    timeout: Duration,
    background: Duration,
    waited_for: Arc<Semaphore>,
    in_background: Semaphore,
    /// Bounded by the two semaphores: who gets in has a permit.
    flying: Mutex<HashMap<Domain, Landing>>,
}

impl Flights {
    pub(super) fn new(
        settings: &DnsSettings,
        asker: Asker,
        cache: Arc<Cache>,
        health: Health,
        runtime: Handle,
    ) -> Self {
        Self(Arc::new(Inner {
            asker,
            cache,
            health,
            runtime,
            caps: Caps {
                hosts: settings.hosts,
                addresses: settings.addresses,
            },
            timeout: settings.timeout,
            background: settings.background.saturating_sub(settings.timeout),
            waited_for: Arc::new(places(settings.in_flight)),
            in_background: places(settings.in_background),
            flying: Mutex::new(HashMap::new()),
        }))
    }

    /// Joins the flight for `domain`, or starts one; `None` if there are too many.
    pub(super) fn board(&self, domain: &Domain) -> Option<Landing> {
        let mut flying = self.0.flying.lock();
        let vacant = match flying.entry(domain.clone()) {
            Entry::Occupied(flight) => return Some(flight.get().clone()),
            Entry::Vacant(vacant) => vacant,
        };
        let place = self.0.waited_for.clone().try_acquire_owned().ok()?;
        let (say, landing) = watch::channel(None);
        vacant.insert(landing.clone());
        drop(flying);
        let flight = Flight {
            inner: self.0.clone(),
            domain: domain.clone(),
            begun: Instant::now(),
        };
        metrics().dns.in_flight.inc();
        self.0.runtime.spawn(async move {
            let outcome = flight.fly(place).await;
            say.send_replace(Some(outcome));
        });
        Some(landing)
    }
}

fn places(many: usize) -> Semaphore {
    Semaphore::new(many.min(Semaphore::MAX_PERMITS))
}

/// Leaves the table of flights when dropped, so that a panic or the end of the
/// runtime cannot leave a domain forever in flight.
struct Flight {
    inner: Arc<Inner>,
    domain: Domain,
    begun: Instant,
}

impl Flight {
    async fn fly(self, place: OwnedSemaphorePermit) -> Result<Finding, Lapse> {
        let found = self.look_up(place).await;
        let now = Instant::now();
        let outcome = match found {
            Ok(Looked { finding, ttl }) => {
                let domain = self.domain.clone();
                self.inner.cache.found(domain, finding.clone(), ttl, now);
                Ok(finding)
            }
            Err(cause) => {
                let resolver_down = cause.may_be_ours() && self.inner.health.resolver_down().await;
                let domain = self.domain.clone();
                self.inner.cache.lapsed(domain, cause, resolver_down, now);
                Err(Lapse {
                    cause,
                    resolver_down,
                })
            }
        };
        self.count(&outcome);
        outcome
    }

    async fn look_up(&self, place: OwnedSemaphorePermit) -> Result<Looked, LapseCause> {
        let inner = &self.inner;
        let looking = lookup::mail_server(&inner.asker, &self.domain, inner.caps);
        tokio::pin!(looking);
        if let Ok(found) = timeout(inner.timeout, &mut looking).await {
            return found;
        }
        drop(place);
        let _place = inner
            .in_background
            .try_acquire()
            .map_err(|_| LapseCause::Deadline)?;
        timeout(inner.background, looking)
            .await
            .unwrap_or(Err(LapseCause::Deadline))
    }

    fn count(&self, outcome: &Result<Finding, Lapse>) {
        let outcome = match outcome {
            Ok(Finding::Server(server)) if server.implicit => Outcome::Implicit,
            Ok(Finding::Server(_)) => Outcome::Server,
            Ok(Finding::Null) => Outcome::Null,
            Ok(Finding::Nowhere) => Outcome::Nowhere,
            Err(_) => Outcome::Lapse,
        };
        let dns = &metrics().dns;
        dns.looked.get_or_create(&LookedLabel { outcome }).inc();
        dns.seconds.observe(self.begun.elapsed().as_secs_f64());
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.inner.flying.lock().remove(&self.domain);
        metrics().dns.in_flight.dec();
    }
}
