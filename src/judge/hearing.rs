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
use crate::judge::wave::Wave;
use crate::judge::wave::live::Breaker;
use crate::store::Store;
use crate::told::{Heard, Told};
use crate::wave::{Counts, Newcomer};

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
                    Heard::Told(all) => {
                        let now = Timestamp::now().as_second();
                        breaker.work(|wave| take_in(wave, all, since, now));
                    }
                    Heard::ByHand(word) => breaker.hear(*word, store),
                    Heard::Anew => breaker.share(store),
                    Heard::Clusters(_) | Heard::Containable(_) | Heard::ContainAnew => {}
                }
            }
            hearer.hear(heard).await;
        }
    });
}

/// How old a count may be, in seconds: less than the breaker looks back.
const LATEST: i64 = 3000;

/// How old a newcomer may be: as old as evidence is.
const EVIDENCE: i64 = 6 * 3600;

/// What came to be at other gates. Counts since this one listens: the hour before
/// it is kept on its own disk, with what it had heard by then. What comes too late
/// to be of the last hour would look like a clock that was set back. Newcomers are
/// on no disk, so those of before it listened count, too.
fn take_in(wave: &mut Wave, all: &[Told], since: i64, now: i64) {
    let since = since.max(now - LATEST);
    for told in all {
        match told {
            Told::Wave(counts) if counts.at >= since => {
                let at = counts.at.min(now);
                wave.count(&Counts { at, ..*counts });
            }
            Told::Newcomer(newcomer) if newcomer.at >= now - EVIDENCE => {
                wave.signed_up(Newcomer {
                    at: newcomer.at.min(now),
                    ..newcomer.clone()
                });
            }
            _ => {}
        }
    }
}

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
        match heard {
            Heard::Containable(all) => self.contained.hear(all, &self.registers).await,
            Heard::ContainAnew => self.contained.pass_on_anew(&self.registers).await,
            heard => self.take_in(heard).await,
        }
    }

    async fn take_in(self, heard: Heard) {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ClientId;
    use crate::cluster::{Cluster, ClusterId, ClusterKind, Suspect};
    use crate::judge::wave::Settings;
    use crate::verdict::Mode;
    use crate::wave::{Kind, Step};

    /// On the minute.
    const NOW: i64 = 1_700_010_000;

    fn told(at: i64) -> Told {
        Told::Wave(Counts::one(Kind::SignUp, at))
    }

    /// Accounts within ten minutes, and within an hour.
    fn accounts(wave: &Wave, now: i64) -> [u32; 2] {
        let standing = wave.standing(now, Mode::Enforce);
        standing.rates.first().expect("accounts").now
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
        let heard = |since| {
            let mut wave = Wave::default();
            take_in(&mut wave, &all, since, NOW);
            accounts(&wave, NOW)
        };
        assert_eq!(heard(0), [2, 3], "what is ahead of us is taken for now");
        assert_eq!(heard(NOW - 60), [2, 2], "just started");
        assert_eq!(heard(NOW + 60), [1, 1]);
    }

    /// Another gate tells all of two hours at once, as one does that was cut off.
    #[test]
    fn what_is_told_late_sets_no_clock_back() {
        let mut wave = Wave::default();
        wave.count(&Counts::one(Kind::SignUp, NOW));
        let late: Vec<_> = (0..7200).map(|second| told(NOW - second)).collect();
        take_in(&mut wave, &late, 0, NOW);
        let [short, hour] = accounts(&wave, NOW);
        assert_eq!(hour, 1 + LATEST as u32 + 1);
        assert!((540..=600).contains(&short), "{short}");
    }

    /// Eight bursts of apps, condemned at `opened`, each of one app.
    fn bursts(opened: i64) -> Vec<Cluster> {
        let one = |number: u64| Cluster {
            name: Some(format!("burst{number}")),
            suspects: vec![Suspect {
                client_id: Some(app(number)),
                ..Suspect::at(opened - 600)
            }],
            revision: 1,
            ..Cluster::opened(
                ClusterId {
                    kind: ClusterKind::App,
                    number,
                },
                opened - 3600,
                opened,
                opened + 3600,
            )
        };
        (1..9).map(one).collect()
    }

    fn app(number: u64) -> ClientId {
        ClientId::new(&format!("app{number}"))
    }

    /// Forty accounts through these apps within a quarter of an hour, each at
    /// another of ten gates; what each of them tells.
    fn a_tenth_each(from: i64) -> Vec<(usize, i64, [Told; 2])> {
        let one = |number: i64| {
            let at = from + number * 20;
            let newcomer = Newcomer {
                at,
                app: Some(app(1 + number as u64 % 8)),
                condemned: false,
            };
            (
                number as usize % 10,
                at,
                [told(at), Told::Newcomer(newcomer)],
            )
        };
        (0..40).map(one).collect()
    }

    /// How far up ten breakers go, each of which saw a tenth of the wave.
    fn steps(hears: impl Fn(&Told) -> bool) -> Vec<Step> {
        let from = NOW - 900;
        let mut quiet = Wave::default();
        for hour in 1..=7 * 24 {
            let at = from - 3600 * (7 * 24 + 1 - hour);
            quiet.count(&Counts::one(Kind::SignUp, at));
        }
        let mut gates = vec![quiet; 10];
        for (place, at, all) in a_tenth_each(from) {
            for (number, gate) in gates.iter_mut().enumerate() {
                let heard: Vec<_> = all.iter().filter(|one| hears(one)).cloned().collect();
                let own = number == place;
                // What is its own a gate counts as it counts what it hears.
                take_in(gate, if own { &all } else { &heard }, 0, at);
            }
        }
        let clusters = bursts(NOW);
        let settled = gates.iter_mut().map(|gate| {
            for at in [NOW, NOW + 10] {
                let evidence = gate.weigh(at, clusters.iter(), false);
                gate.look(at, &Settings::default(), &evidence);
            }
            gate.step()
        });
        settled.collect()
    }

    #[test]
    fn ten_breakers_that_each_see_a_tenth_of_a_burst_s_accounts_step_as_one() {
        assert_eq!(steps(|_| true), [Step::Known; 10]);
        // Without each other's newcomers, whose clusters they share, none of them would.
        let alone = steps(|told| !matches!(told, Told::Newcomer(_)));
        assert_eq!(alone, [Step::Tighten; 10]);
    }

    #[test]
    fn a_gate_that_starts_hears_of_newcomers_as_old_as_evidence_is() {
        let newcomer = |at| {
            Told::Newcomer(Newcomer {
                at,
                app: Some(app(1)),
                condemned: false,
            })
        };
        let all = [
            newcomer(NOW - EVIDENCE - 1),
            newcomer(NOW - EVIDENCE),
            newcomer(NOW + 60),
        ];
        let mut wave = Wave::default();
        take_in(&mut wave, &all, NOW, NOW);
        let evidence = wave.weigh(NOW, bursts(NOW).iter(), false);
        assert_eq!((evidence.sign_ups, evidence.last), (2, Some(NOW)));
        assert!(evidence.apps);
    }
}
