//! Listens to the other gates for as long as the judge lives.
//!
//! What breaks on one message is said and skipped: a gate that hears nothing
//! more would count alone, and nobody would know.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::judge::cluster::live::Registers;
use crate::judge::contained::Contained;
use crate::judge::wave::live::Breaker;
use crate::store::Store;
use crate::told::{Heard, Told};
use crate::wave::Counts;

/// Begins to listen, if the store shares its state.
pub(super) fn start(
    store: &Store,
    registers: &Arc<Registers>,
    contained: &Arc<Contained>,
    breaker: &Arc<Breaker>,
    control: &Handle,
) {
    let Some(mut ear) = store.listen() else {
        return;
    };
    // It must not keep store and files open after the judge has gone.
    let (registers, contained) = (Arc::downgrade(registers), Arc::downgrade(contained));
    let (breaker, since) = (Arc::downgrade(breaker), Timestamp::now().as_second());
    control.spawn(async move {
        while let Some(heard) = ear.recv().await {
            let Some(hearer) = Hearer::of(&registers, &contained) else {
                return;
            };
            if let Some(breaker) = breaker.upgrade() {
                let store = hearer.registers.store();
                match &heard {
                    Heard::Told(all) => count_in_wave(&breaker, all, since),
                    Heard::ByHand(word) => breaker.hear(*word, store),
                    Heard::Anew => breaker.share(store),
                    Heard::Clusters(_) => {}
                }
            }
            hearer.hear(heard).await;
        }
    });
}

/// What came to be at other gates since this one listens: the hour before it is
/// kept on its own disk, with what it had heard by then. What comes too late to
/// be of the last hour would look like a clock that was set back.
fn count_in_wave(breaker: &Breaker, all: &[Told], since: i64) {
    let now = Timestamp::now().as_second();
    let since = since.max(now - LATEST);
    for told in all {
        if let Told::Wave(counts) = told
            && counts.at >= since
        {
            let at = counts.at.min(now);
            breaker.count(&Counts { at, ..*counts });
        }
    }
}

/// How old a count may be, in seconds: less than the breaker looks back.
const LATEST: i64 = 3000;

struct Hearer {
    registers: Arc<Registers>,
    contained: Arc<Contained>,
}

impl Hearer {
    fn of(registers: &Weak<Registers>, contained: &Weak<Contained>) -> Option<Self> {
        Some(Self {
            registers: registers.upgrade()?,
            contained: contained.upgrade()?,
        })
    }

    async fn hear(self, heard: Heard) {
        self.learn_tokens(&heard).await;
        let now = Timestamp::now().as_second();
        let many = matches!(&heard, Heard::Told(all) if all.len() > 100);
        let work = AssertUnwindSafe(|| self.registers.hear(heard, now));
        let Ok(changed) = catch_unwind(work) else {
            tracing::error!("what another gate told could not be taken in");
            return;
        };
        let store = self.registers.store();
        if many {
            // A backlog is written down at the pace of the disk, or its queue would overflow.
            drop(store.flush_clusters().await);
        }
        if changed {
            let done = self.contained.bring_in_line(&self.registers, store);
            if let Err(fault) = done.await {
                tracing::error!(%fault, "tokens cannot be contained as another gate told");
            }
        }
    }

    /// Tokens of apps that are contained, here or soon.
    async fn learn_tokens(&self, heard: &Heard) {
        let Heard::Told(all) = heard else {
            return;
        };
        for told in all {
            let Told::Tokens(app, tokens) = told else {
                continue;
            };
            for token in tokens {
                self.registers.store().learn_token(*token, app).await;
            }
            self.contained.learn(app, tokens);
        }
    }
}
