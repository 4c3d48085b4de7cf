//! One reservation as a script call, and what its answer means.
//!
//! Intervals are whole microseconds, rounded up (nanoseconds in the embedded
//! limiter): a limit of a hundred thousand a second would admit up to a tenth
//! less than it says, one of a thousand an hour a millionth of a percent.

use std::time::Duration;

use redis::{RedisResult, Value};

use super::super::limiter::{Charge, Spent, Taken, count_spent, count_taken};
use super::link::Link;
use super::reservation::{Part, Reservation};
use super::script::{RESERVE, SERVER_TIME};
use super::{Core, keeper, words};
use crate::telemetry::metrics;
use crate::verdict::Mode;

/// What is asked of the script, free of the request it is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    charges: Vec<Charge>,
    names: Vec<Vec<u8>>,
    rooms: [usize; 2],
    now: u64,
}

impl Asked {
    pub(super) fn new(charges: &[Charge], core: &Core) -> Self {
        let counted = charges.iter().filter(|charge| charge.mode != Mode::Off);
        let names = counted.map(|charge| core.keys.budget(charge.key)).collect();
        let keys = core.settings.keys;
        Self {
            charges: charges.to_vec(),
            names,
            // As in the embedded table: keys with a wider one leave the last third to others.
            rooms: [keys / 3 * 2, keys],
            now: SERVER_TIME,
        }
    }

    /// The same, asked at `now` (microseconds) by the caller's clock.
    #[cfg(test)]
    pub(super) fn at(self, now: u64) -> Self {
        Self { now, ..self }
    }

    /// Asks; what is wrong with the store is noted.
    pub(super) async fn ask(
        self,
        core: &Core,
        link: Link,
    ) -> Result<Result<Reservation, Spent>, ()> {
        let begun = std::time::Instant::now();
        let answer = RESERVE.run(link, |cmd| self.fill(cmd, core)).await;
        let read = answer.and_then(|value| self.read(value));
        match read {
            Ok(outcome) => {
                let took = begun.elapsed();
                metrics().shared.reserved(took);
                if took <= core.settings.timeout {
                    core.health.answered();
                }
                self.count(&outcome);
                Ok(outcome)
            }
            Err(fault) => {
                core.health
                    .lapsed(keeper::lapse(&fault), &words::say(&fault));
                Err(())
            }
        }
    }

    fn fill(&self, cmd: &mut redis::Cmd, core: &Core) {
        cmd.arg(self.names.len() + 2)
            .arg(core.keys.clock())
            .arg(core.keys.minutes());
        for name in &self.names {
            cmd.arg(name.as_slice());
        }
        cmd.arg(self.now).arg(&self.rooms);
        for charge in self.counted() {
            cmd.arg(interval(charge))
                .arg(charge.quota.burst().get())
                .arg(u8::from(charge.mode == Mode::Enforce))
                .arg(self.wider(charge));
        }
    }

    fn counted(&self) -> impl Iterator<Item = &Charge> {
        self.charges
            .iter()
            .filter(|charge| charge.mode != Mode::Off)
    }

    /// The place, from one and among those counted, of the charge that covers this one.
    fn wider(&self, charge: &Charge) -> usize {
        let Some((place, wider)) = charge
            .wider
            .and_then(|index| Some((index, self.charges.get(index)?)))
        else {
            return 0;
        };
        let covers = wider.mode == Mode::Enforce
            || (wider.mode == Mode::Observe && charge.mode == Mode::Observe);
        if !covers {
            return 0;
        }
        let before = self.charges.iter().take(place);
        before.filter(|charge| charge.mode != Mode::Off).count() + 1
    }

    fn read(&self, value: Value) -> RedisResult<Result<Reservation, Spent>> {
        let numbers: Vec<i64> = redis::from_redis_value(value)?;
        let mut numbers = numbers.into_iter().map(i64::unsigned_abs);
        let mut next = || numbers.next().unwrap_or(0);
        let (at, keys, place, after) = (next(), next(), next(), next());
        metrics().shared.keys.set(keys as i64);
        if place > 0 {
            return Ok(Err(self.spent(place, after)));
        }
        let mut reservation = Reservation {
            at,
            parts: Vec::with_capacity(self.charges.len()),
            observed: Vec::new(),
        };
        for (index, charge) in self.charges.iter().enumerate() {
            let taken = match charge.mode {
                Mode::Off => Taken::Pass,
                Mode::Enforce | Mode::Observe => {
                    let (taken, wait) = (next(), next());
                    if wait > 0 {
                        reservation.observed.push(spent(index, charge, wait));
                    }
                    taken_of(taken)
                }
            };
            reservation.parts.push(Part {
                key: charge.key,
                interval: interval(charge),
                taken,
            });
        }
        Ok(Ok(reservation))
    }

    fn count(&self, outcome: &Result<Reservation, Spent>) {
        match outcome {
            Err(spent) => count_spent(spent),
            Ok(reservation) => {
                let taken = reservation.parts.iter().map(|part| part.taken);
                count_taken(&self.charges, taken, &reservation.observed);
            }
        }
    }

    fn spent(&self, place: u64, after: u64) -> Spent {
        let counted = self.charges.iter().enumerate();
        let mut counted = counted.filter(|(_, charge)| charge.mode != Mode::Off);
        let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
        let (index, charge) = counted
            .nth(place)
            .expect("the script names a place among the charges it was given");
        spent(index, charge, after)
    }
}

fn spent(index: usize, charge: &Charge, wait: u64) -> Spent {
    Spent {
        index,
        limit: charge.limit,
        burst: charge.quota.burst(),
        after: Duration::from_micros(wait),
    }
}

const fn taken_of(number: u64) -> Taken {
    match number {
        1 => Taken::Own,
        2 => Taken::Wider,
        3 => Taken::Unlimited,
        _ => Taken::Pass,
    }
}

/// T in microseconds.
fn interval(charge: &Charge) -> u64 {
    let period = u64::try_from(charge.quota.period().as_micros())
        .expect("a quota's period is at most thirty days");
    period.div_ceil(u64::from(charge.quota.burst().get()))
}
