//! Threads at the limiter: never above the bound, never half a reservation.

use std::sync::Mutex;

use jiff::Timestamp;
use tuskgate::secret::{HashKey, Purpose};
use tuskgate::store::limiter::{Charge, Limiter};
use tuskgate::verdict::Mode;

const THREADS: usize = 8;
const CHARGES: usize = 20_000;

fn micros() -> u64 {
    Timestamp::now().as_microsecond().unsigned_abs()
}

fn charge(key: &HashKey, limit: &'static str, name: &str, quota: &str) -> Charge {
    Charge {
        limit,
        key: key.hash(Purpose::Limit, &[limit.as_bytes(), name.as_bytes()]),
        quota: quota.parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    }
}

#[test]
fn eight_threads_never_pass_the_bound() {
    let key = HashKey::new(&[7; 32]);
    let limiter = Limiter::new(1 << 12);
    let admitted = Mutex::new(Vec::new());
    let start = micros();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (key, limiter, admitted) = (&key, &limiter, &admitted);
            scope.spawn(move || {
                let charges = [
                    charge(key, "narrow", &thread.to_string(), "100/200ms"),
                    charge(key, "wide", "all", "300/100ms"),
                ];
                let mut mine = Vec::new();
                for number in 0..CHARGES {
                    let now = micros();
                    if let Ok(reservation) = limiter.reserve(&charges, now) {
                        if number % 3 == 0 {
                            limiter.give_back(reservation, |_| true);
                        } else {
                            limiter.keep(reservation);
                            mine.push((now, micros()));
                        }
                    }
                }
                admitted.lock().expect("no panic").extend(mine);
            });
        }
    });
    let span = micros() - start;
    let mut admitted = admitted.into_inner().expect("no panic");
    admitted.sort_unstable();
    assert!(admitted.len() >= 300, "only {} passed", admitted.len());
    let bound = |span: u64| 300 + (300 * span).div_ceil(100_000);
    assert!(admitted.len() as u64 <= bound(span));
    // A thread may be held up between reading the clock and being admitted: any
    // 600 admissions took place between the first reading and the last answer.
    for run in admitted.windows(600) {
        let last = run.iter().map(|(_, after)| *after).max().unwrap_or(0);
        let span = last - run[0].0;
        assert!(600 <= bound(span), "600 passed in {span} µs");
    }
}

#[test]
fn a_refusal_by_the_wide_limit_costs_the_narrow_one_nothing() {
    let key = HashKey::new(&[7; 32]);
    let limiter = Limiter::new(1 << 12);
    let wide = charge(&key, "wide", "all", "100/1h");
    let now = micros();
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let narrow = charge(&key, "narrow", &thread.to_string(), "1000/1h");
                let limiter = &limiter;
                scope.spawn(move || {
                    let count = (0..500)
                        .filter(|_| {
                            limiter
                                .reserve(&[narrow, wide], now)
                                .map(|reservation| limiter.keep(reservation))
                                .is_ok()
                        })
                        .count();
                    let alone = (0..2000)
                        .filter(|_| limiter.reserve(&[narrow], now).is_ok())
                        .count();
                    assert_eq!(count + alone, 1000, "a refused request was charged");
                    count
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    assert_eq!(passed, 100);
}

#[test]
fn a_flood_of_keys_stays_in_its_bounds() {
    let key = HashKey::new(&[7; 32]);
    let limiter = Limiter::new(1 << 16);
    let now = micros();
    let wide = charge(&key, "wide", "all", "1000000/1m");
    let mut fell_back = 0;
    for number in 0..200_000_u64 {
        let narrow = Charge {
            wider: Some(1),
            ..charge(&key, "narrow", &number.to_string(), "3/1h")
        };
        let reservation = limiter.reserve(&[narrow, wide], now).expect("fresh keys");
        fell_back +=
            u64::from(reservation.taken(0) == Some(tuskgate::store::limiter::Taken::Wider));
        limiter.keep(reservation);
    }
    let occupancy = limiter.occupancy();
    assert_eq!(occupancy.taken, occupancy.room);
    assert_eq!(occupancy.bytes, 32 << 16);
    assert_eq!(occupancy.fallbacks, fell_back);
    assert_eq!(fell_back, 200_000 - occupancy.room as u64 + 1);
}
