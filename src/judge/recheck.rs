//! Looking again after the judgement: a bot's own name server may change its
//! answer once the address has been let in.
//!
//! Every domain that is *fresh* (not admitted before, as far as memory goes) is
//! resolved again, uncached, some time after its first admission. If the new
//! answer is banned, an event says so: whoever came through it is a suspect.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;

use crate::attempt::Attempt;
use crate::event::{Event, VerdictRecord};
use crate::judge::Judge;
use crate::judge::rules::mail_server;
use crate::mailbox::Domain;
use crate::verdict::{Because, Mode, Rule, Verdict};

/// How long after its admission a fresh domain is looked at again.
pub const DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(600)];

/// Domains remembered as no longer fresh.
const REMEMBER: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// Domains waiting to be looked at again; beyond it, the oldest memory is all there is.
const WAITING: usize = 8192;

/// Which domains have been admitted, and which wait for another look.
#[derive(Debug)]
pub(super) struct Recheck {
    delays: Vec<Duration>,
    admitted: Mutex<LruCache<Domain, ()>>,
    places: Arc<tokio::sync::Semaphore>,
}

impl Recheck {
    pub(super) fn new(delays: Vec<Duration>) -> Self {
        Self {
            delays,
            admitted: Mutex::new(LruCache::new(REMEMBER)),
            places: Arc::new(tokio::sync::Semaphore::new(WAITING)),
        }
    }

    fn fresh(&self, domain: &Domain) -> bool {
        self.admitted.lock().put(domain.clone(), ()).is_none()
    }
}

impl Judge {
    /// Schedules another look at each fresh domain of an admitted attempt.
    pub fn look_again_later(self: &Arc<Self>, attempt: &Attempt, admitted: &Event) {
        for domain in attempt
            .mail_domains()
            .filter(|domain| self.recheck.fresh(domain))
        {
            let Ok(place) = Arc::clone(&self.recheck.places).try_acquire_owned() else {
                tracing::warn!(%domain, "too many fresh domains wait for another look; this one is skipped");
                return;
            };
            let judge = Arc::clone(self);
            let domain = domain.clone();
            let admitted = admitted.clone();
            self.control.spawn(async move {
                let mut waited = Duration::ZERO;
                for delay in judge.recheck.delays.clone() {
                    tokio::time::sleep(delay.saturating_sub(waited)).await;
                    waited = delay;
                    if judge.look_again(&domain, &admitted).await {
                        break;
                    }
                }
                drop(place);
            });
        }
    }

    /// Whether the new answer is banned, which is then on record.
    async fn look_again(&self, domain: &Domain, admitted: &Event) -> bool {
        let answer = self.resolver.look_again(domain).await;
        if answer.is_err() {
            return false;
        }
        let facts = mail_server::look(domain, answer, &self.sight(Timestamp::now()));
        let Verdict::Refuse(reason) = mail_server::judge(&[facts]) else {
            return false;
        };
        if reason.because != Because::Ban {
            return false;
        }
        tracing::warn!(%domain, fact = %reason.fact, event = %admitted.id, "a domain changed its mail server after it was let in");
        let mut event = admitted.clone();
        event.id = self.fresh_id();
        event.at = Timestamp::now();
        event.verdicts = vec![VerdictRecord {
            rule: Rule::MailServer,
            mode: Mode::Observe,
            verdict: "suspect".into(),
            fact: format!("after it was let in as {}: {}", admitted.id, reason.fact),
            undo: reason.undo.map(|undo| undo.to_string()),
        }];
        self.store.record(event);
        true
    }
}
