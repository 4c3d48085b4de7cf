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
            if let (Some(breaker), Heard::Told(all)) = (breaker.upgrade(), &heard) {
                count_in_wave(&breaker, all, since);
            }
            hearer.hear(heard).await;
        }
    });
}

/// What came to be at other gates since this one listens: the hour before it is
/// kept on its own disk, with what it had heard by then. What comes too late to
/// be of the last hour would look like a clock that was set back.
fn count_in_wave(breaker: &Breaker, all: &[Told], since: i64) {
    for counts in in_time(all, since, Timestamp::now().as_second()) {
        breaker.count(&counts);
    }
}

/// What is told of the time since `since` and lately, none of it of a time to come.
fn in_time(all: &[Told], since: i64, now: i64) -> impl Iterator<Item = Counts> {
    let since = since.max(now - LATEST);
    let counts = all.iter().filter_map(|told| match told {
        Told::Wave(counts) => Some(*counts),
        _ => None,
    });
    counts
        .filter(move |counts| counts.at >= since)
        .map(move |counts| Counts {
            at: counts.at.min(now),
            ..counts
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::wave::Wave;
    use crate::wave::Kind;

    const NOW: i64 = 1_700_010_000;

    fn told(at: i64) -> Told {
        Told::Wave(Counts::one(Kind::SignUp, at))
    }

    fn times(all: &[Told], since: i64) -> Vec<i64> {
        in_time(all, since, NOW).map(|counts| counts.at).collect()
    }

    #[test]
    fn the_breaker_hears_of_the_time_it_has_listened_to_and_looks_back_on() {
        let all = [
            told(NOW - LATEST - 1),
            told(NOW - LATEST),
            Told::Listed(NOW - 60),
            told(NOW - 30),
            told(NOW + 200),
        ];
        let lately = vec![NOW - LATEST, NOW - 30, NOW];
        assert_eq!(times(&all, 0), lately);
        assert_eq!(times(&all, NOW - 60), [NOW - 30, NOW], "just started");
        assert_eq!(times(&[], 0), [0; 0]);
    }

    /// Another gate tells all of two hours at once, as one does that was cut off.
    #[test]
    fn what_is_told_late_sets_no_clock_back() {
        let mut wave = Wave::default();
        wave.count(&Counts::one(Kind::SignUp, NOW));
        let late: Vec<_> = (0..7200).map(|second| told(NOW - second)).collect();
        for counts in in_time(&late, 0, NOW) {
            wave.count(&counts);
        }
        let standing = wave.standing(NOW, crate::verdict::Mode::Enforce);
        let accounts = standing.rates.first().expect("accounts");
        assert_eq!(accounts.now[1], 1 + LATEST as u32 + 1);
        assert!((540..=600).contains(&accounts.now[0]), "{accounts:?}");
    }
}
