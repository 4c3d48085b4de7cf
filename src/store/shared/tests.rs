//! The shared limiter against the embedded one, on real servers: whatever
//! happens in whatever order, both decide the same and promise the same wait.

#[path = "../../../tests/it/support/ports.rs"]
#[allow(dead_code, reason = "the black-box tests use the rest")]
mod ports;
#[path = "../../../tests/it/support/process.rs"]
#[allow(dead_code, reason = "the black-box tests use the rest")]
mod process;
#[path = "../../../tests/it/support/redis.rs"]
#[allow(dead_code, reason = "the black-box tests use the rest")]
mod server;

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::reservation::Reservation;
use super::script::SETTLE;
use super::settle::Settlement;
use super::{Core, SharedSettings, connect, limiter, link::Link};
use crate::secret::{HashKey, KeyedHash};
use crate::store::limiter::{self as embedded, Charge, Limiter, Spent, Taken};
use crate::verdict::Mode;
use server::{Make, Server};

const START: u64 = 1_790_000_000_000_000;

/// One limiter on a server, with a clock that the test turns.
struct Distant {
    runtime: Runtime,
    core: Core,
    link: Link,
}

impl Distant {
    fn new(server: &Server, keys: usize) -> Self {
        static FRESH: AtomicU64 = AtomicU64::new(0);
        let settings = SharedSettings {
            prefix: format!("case-{}", FRESH.fetch_add(1, Ordering::Relaxed)),
            keys,
            ..SharedSettings::new(server.url())
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let core = Core::new(settings, &HashKey::new(&[7; 32]));
        let link = runtime.block_on(connect::link(&core.settings));
        Self {
            link: link.expect("it is up"),
            runtime,
            core,
        }
    }

    fn reserve(&self, charges: &[Charge], now: u64) -> Result<Reservation, Spent> {
        let asked = limiter::Asked::new(charges, &self.core).at(now);
        let outcome = self
            .runtime
            .block_on(asked.ask(&self.core, self.link.clone()));
        outcome.expect("it answers")
    }

    fn settle(&self, held: &Reservation, back: impl Fn(usize) -> bool, now: u64) {
        let batch: Vec<Settlement> = Settlement::all(held, back).collect();
        if batch.is_empty() {
            return;
        }
        let fill = |cmd: &mut redis::Cmd| super::settle::fill(cmd, &self.core, &batch, now);
        let done = self.runtime.block_on(SETTLE.run(self.link.clone(), fill));
        done.expect("it answers");
    }
}

/// T is a whole count of microseconds, so that both reckon alike.
fn charge(number: u64, burst: u32, interval_us: u64) -> Charge {
    let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let period = std::time::Duration::from_micros(interval_us * u64::from(burst));
    Charge {
        limit: "test",
        key: KeyedHash(spread.to_be_bytes()),
        quota: crate::quota::Quota::new(burst.try_into().expect("not zero"), period)
            .expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    SetBack(u64),
    Reserve(Vec<u64>),
    Settle(prop::sample::Index, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u64..3_000_000).prop_map(Step::Wait),
        2 => (0_u64..20_000).prop_map(Step::Wait),
        1 => (0_u64..7_200_000_000).prop_map(Step::SetBack),
        9 => prop::collection::vec(0_u64..3, 3).prop_map(Step::Reserve),
        6 => (any::<prop::sample::Index>(), 0_u8..8).prop_map(|(which, back)| Step::Settle(which, back)),
    ]
}

type Case = (Vec<(u32, u64, bool)>, Vec<Step>);

fn case() -> impl Strategy<Value = Case> {
    let dimension = (1_u32..8, 1_000_u64..2_000_000, prop::bool::weighted(0.8));
    (
        prop::collection::vec(dimension, 3),
        prop::collection::vec(step(), 1..120),
    )
}

/// Runs a case on both and compares every decision.
fn same(server: &Server, (dimensions, steps): Case) -> Result<(), TestCaseError> {
    let distant = Distant::new(server, 1000);
    let own = Limiter::new(1024);
    let mut now = START;
    let mut held: Vec<(Reservation, embedded::Reservation)> = Vec::new();
    for step in steps {
        match step {
            Step::Wait(micros) => now += micros,
            Step::SetBack(micros) => now -= micros,
            Step::Reserve(numbers) => {
                let charges: Vec<Charge> = dimensions
                    .iter()
                    .zip(&numbers)
                    .zip(0..)
                    .map(
                        |(((burst, interval, enforces), number), dimension)| Charge {
                            mode: if *enforces {
                                Mode::Enforce
                            } else {
                                Mode::Observe
                            },
                            ..charge(dimension * 10 + number, *burst, *interval)
                        },
                    )
                    .collect();
                match (distant.reserve(&charges, now), own.reserve(&charges, now)) {
                    (Ok(there), Ok(here)) => {
                        prop_assert_eq!(there.observed(), here.observed());
                        for index in 0..charges.len() {
                            prop_assert_eq!(there.taken(index), here.taken(index));
                        }
                        held.push((there, here));
                    }
                    (Err(there), Err(here)) => prop_assert_eq!(there, here),
                    (there, here) => prop_assert!(false, "{there:?} is not {here:?}"),
                }
            }
            Step::Settle(which, back) if !held.is_empty() => {
                let (there, here) = held.remove(which.index(held.len()));
                let back = |index: usize| back & 1 << index != 0;
                if Settlement::all(&there, back).count() > 0 {
                    // The embedded one settles at the latest time it has read.
                    let read = own.reserve(&[], now).expect("no charge");
                    own.keep(read);
                    distant.settle(&there, back, now);
                }
                own.give_back(here, back);
            }
            Step::Settle(..) => {}
        }
    }
    Ok(())
}

fn decides_as_the_embedded_one_does(make: Make) {
    let server = Server::start(make, &[]);
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&case(), |case| same(&server, case))
        .unwrap_or_else(|fault| panic!("{make:?}: {fault}"));
}

#[test]
fn redis_decides_as_the_embedded_limiter_does() {
    decides_as_the_embedded_one_does(Make::Redis);
}

#[test]
fn valkey_decides_as_the_embedded_limiter_does() {
    decides_as_the_embedded_one_does(Make::Valkey);
}

#[test]
fn a_flood_of_keys_stays_within_the_cap_and_room_comes_back() {
    let server = Server::start(Make::Redis, &[]);
    let distant = Distant::new(&server, 300);
    let wide = charge(1 << 40, 1_000_000, 1000);
    let mut wider = 0;
    for number in 0..400 {
        let narrow = Charge {
            wider: Some(1),
            ..charge(number, 2, 30_000_000)
        };
        let held = distant.reserve(&[narrow, wide], START).expect("fresh");
        wider += u64::from(held.taken(0) == Some(Taken::Wider));
        distant.settle(&held, |_| false, START);
    }
    assert_eq!(
        wider,
        400 - 200 + 1,
        "keys with a wider one leave a third free"
    );
    let taken = |number| {
        let held = distant
            .reserve(&[charge(number, 2, 30_000_000)], START)
            .expect("fresh");
        held.taken(0)
    };
    let outcomes: Vec<_> = (1000..1200).map(taken).collect();
    let own = outcomes
        .iter()
        .filter(|taken| **taken == Some(Taken::Own))
        .count();
    assert_eq!(own, 100);
    assert_eq!(outcomes.last(), Some(&Some(Taken::Unlimited)));
    let size: usize = server.ask(&["DBSIZE"]).parse().expect("a number");
    assert!(size <= 302, "{size} keys");
    // All have filled up and are forgotten: the count follows, a minute coarse.
    let later = START + 900_000_000;
    let held = distant
        .reserve(&[charge(5000, 2, 30_000_000)], later)
        .expect("fresh");
    assert_eq!(held.taken(0), Some(Taken::Own));
}

#[test]
fn every_key_ends_by_itself() {
    let server = Server::start(Make::Redis, &[]);
    let distant = Distant::new(&server, 300);
    for number in 0..20 {
        let held = distant
            .reserve(&[charge(number, 2, 1_000_000)], 0)
            .expect("fresh");
        distant.settle(&held, |index| index % 2 == 0 && number % 3 == 0, 0);
    }
    let listed = server.ask(&["--scan"]);
    let keys = listed.lines().count();
    assert!(keys > 10, "{listed}");
    let ending = server.ask(&[
        "EVAL",
        "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) > 0 then n = n + 1 end end return n",
        "0",
    ]);
    assert_eq!(ending, keys.to_string(), "{listed}");
    assert!(
        listed
            .lines()
            .all(|key| key.starts_with("{case-") || key.starts_with('"')),
        "{listed}"
    );
}
