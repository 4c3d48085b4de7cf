//! The bound on any span, whatever the schedule, the replies and the clock do.

use proptest::prelude::*;

use super::{START, charge, quota, take, within_the_bound};
use crate::store::limiter::timeline::REORDER;
use crate::store::limiter::{Limiter, Reservation};

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(u64),
    Reserve,
    Keep(prop::sample::Index),
    GiveBack(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0_u64..2_000_000).prop_map(Step::Wait),
        1 => (0_u64..20_000).prop_map(Step::Wait),
        6 => Just(Step::Reserve),
        2 => any::<prop::sample::Index>().prop_map(Step::Keep),
        2 => any::<prop::sample::Index>().prop_map(Step::GiveBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is not given back stays within N + ⌈N·W/P⌉ over every span, also
    /// for somebody who holds replies open to time the giving back.
    #[test]
    fn any_span_admits_no_more_than_promised(
        burst in 1_u32..12,
        period_ms in 1_u64..20_000,
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let quota = quota(burst, period_ms);
        let limiter = Limiter::new(64);
        let mut now = START;
        let mut held: Vec<(u64, Reservation)> = Vec::new();
        let mut admitted = Vec::new();
        for step in steps {
            match step {
                Step::Wait(micros) => now += micros,
                Step::Reserve => {
                    if let Ok(reservation) = limiter.reserve(&[charge(1, quota)], now) {
                        held.push((now, reservation));
                    }
                }
                Step::Keep(which) if !held.is_empty() => {
                    let (at, reservation) = held.remove(which.index(held.len()));
                    limiter.keep(reservation);
                    admitted.push(at);
                }
                Step::GiveBack(which) if !held.is_empty() => {
                    let (_, reservation) = held.remove(which.index(held.len()));
                    limiter.give_back(reservation, |_| true);
                }
                Step::Keep(_) | Step::GiveBack(_) => {}
            }
        }
        admitted.extend(held.iter().map(|(at, _)| *at));
        admitted.sort_unstable();
        prop_assert!(within_the_bound(&admitted, quota));
    }

    /// A wall clock that jumps: measured in true time, a step back admits
    /// nothing more, and nobody waits longer than a period and a second.
    #[test]
    fn a_clock_set_back_neither_admits_nor_locks_out(
        burst in 1_u32..12,
        period_ms in 1_000_u64..20_000,
        steps in prop::collection::vec((0_u64..3_000_000, prop::option::weighted(0.1, 0_u64..86_400_000_000)), 1..200),
    ) {
        let quota = quota(burst, period_ms);
        let limiter = Limiter::new(64);
        let (mut wall, mut truth) = (START, 0);
        let mut admitted = Vec::new();
        for (pause, back) in steps {
            truth += pause;
            wall = wall + pause - back.unwrap_or(0);
            match limiter.reserve(&[charge(1, quota)], wall) {
                Ok(_) => admitted.push(truth),
                Err(spent) => {
                    let longest = quota.period() + std::time::Duration::from_nanos(REORDER);
                    prop_assert!(spent.after <= longest, "{:?}", spent.after);
                }
            }
        }
        prop_assert!(within_the_bound(&admitted, quota));
    }
}

#[test]
fn the_clock_goes_back_an_hour_and_the_budget_refills_as_ever() {
    let limiter = Limiter::new(64);
    let charge = charge(1, quota(2, 10_000));
    assert!(take(&limiter, charge, START));
    assert!(take(&limiter, charge, START));
    let back = START - 3_600_000_000;
    assert!(!take(&limiter, charge, back));
    assert!(!take(&limiter, charge, back + 4_999_999));
    assert!(take(&limiter, charge, back + 5_000_000));
    assert!(!take(&limiter, charge, back + 9_999_999));
    assert!(take(&limiter, charge, back + 10_000_000));
}

#[test]
fn a_step_forward_admits_one_burst_more_and_no_second_one_on_the_way_back() {
    let limiter = Limiter::new(64);
    let charge = charge(1, quota(3, 60_000));
    let burst = |now| (0..10).filter(|_| take(&limiter, charge, now)).count();
    assert_eq!(burst(START), 3);
    assert_eq!(burst(START + 86_400_000_000), 3);
    assert_eq!(burst(START + 1), 0);
    assert_eq!(
        burst(START + 86_400_000_000),
        3,
        "each step forward is one burst"
    );
}

#[test]
fn a_faster_quota_after_a_reload_frees_a_key_at_once() {
    let limiter = Limiter::new(64);
    let slow = charge(1, quota(1, 86_400_000));
    let fast = charge(1, quota(1, 1_000));
    assert!(take(&limiter, slow, START));
    assert!(!take(&limiter, fast, START));
    assert!(!take(&limiter, fast, START + 999_999));
    assert!(take(&limiter, fast, START + 1_000_000));
}
