//! Does our resolver work, or is it only this domain that does not answer?
//!
//! An attacker can make any number of domains of his own stall, so lapses alone,
//! however many and however unrelated they look, prove nothing. When one occurs the gate
//! asks a question that he has no hand in: a random label under each of a few
//! control names run by unrelated operators. Any answer, "no such name" included,
//! shows that the resolver works. Random, because a fixed name (or the root's
//! name servers) would be answered out of the resolver's cache long after its
//! way to the world is cut. Only if no control is answered is the resolver down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::proto::rr::Name;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ask::Asker;
use super::lookup::absolute;
use super::{DnsSettings, ResolverError};
use crate::mailbox::Domain;
use crate::telemetry::metrics;

#[derive(Clone)]
pub(super) struct Health(Arc<Inner>);

struct Inner {
    asker: Asker,
    controls: Vec<Domain>,
    /// How long a verdict holds.
    fresh: Duration,
    /// How long the controls have to answer.
    patience: Duration,
    runtime: Handle,
    last: Mutex<Option<Probe>>,
}

/// The latest probe, running or done.
struct Probe {
    begun: Instant,
    down: watch::Receiver<Option<bool>>,
}

impl Health {
    pub(super) fn new(
        settings: &DnsSettings,
        asker: Asker,
        runtime: Handle,
    ) -> Result<Self, ResolverError> {
        // Beside a random label of 16 digits there must be room for the control.
        if settings
            .controls
            .iter()
            .any(|name| fresh_label(name).is_none())
        {
            return Err(ResolverError::Control);
        }
        Ok(Self(Arc::new(Inner {
            asker,
            controls: settings.controls.clone(),
            fresh: settings.control_fresh,
            patience: settings.timeout / 2,
            runtime,
            last: Mutex::new(None),
        })))
    }

    /// Starts a probe, unless one is running or was just done.
    pub(super) fn probe(&self) {
        drop(self.current());
    }

    /// Whether no control is answered. Waits for a running probe, half the caller's time-out at most.
    pub(super) async fn resolver_down(&self) -> bool {
        let mut down = self.current();
        let verdict = down.wait_for(Option::is_some).await;
        // A probe that died without a word proves nothing against the resolver.
        verdict.ok().and_then(|verdict| *verdict).unwrap_or(false)
    }

    fn current(&self) -> watch::Receiver<Option<bool>> {
        let mut last = self.0.last.lock();
        if let Some(probe) = last.as_ref() {
            let running = probe.down.borrow().is_none() && probe.down.has_changed().is_ok();
            if running || probe.begun.elapsed() < self.0.fresh {
                return probe.down.clone();
            }
        }
        let (say, down) = watch::channel(None);
        let inner = self.0.clone();
        self.0.runtime.spawn(async move {
            let verdict = !inner.any_answers().await;
            metrics().dns.resolver_down.set(i64::from(verdict));
            if verdict {
                tracing::warn!("the DNS resolver does not answer for unrelated domains");
            }
            say.send_replace(Some(verdict));
        });
        *last = Some(Probe {
            begun: Instant::now(),
            down: down.clone(),
        });
        down
    }
}

impl Inner {
    async fn any_answers(self: &Arc<Self>) -> bool {
        let names: Vec<Name> = self.controls.iter().filter_map(fresh_label).collect();
        // Where nothing can be asked, nothing speaks against the resolver.
        if names.is_empty() {
            return true;
        }
        let mut asked = JoinSet::new();
        for name in names {
            let asker = self.asker.clone();
            asked.spawn(async move { asker.answers(&name).await });
        }
        let first = async {
            while let Some(answer) = asked.join_next().await {
                if answer.unwrap_or(false) {
                    return true;
                }
            }
            false
        };
        timeout(self.patience, first).await.unwrap_or(false)
    }
}

/// A name under `control` that nobody has asked for before.
fn fresh_label(control: &Domain) -> Option<Name> {
    let label = getrandom::u64().ok()?;
    absolute(&format!("{label:016x}.{control}"))
}
