//! All or none over several dimensions, giving back, observing.

use proptest::prelude::*;

use super::{START, charge, key, quota, state, take};
use crate::store::limiter::{Charge, Limiter, SavedSlot, Taken};
use crate::verdict::Mode;

/// When a bucket charged at these moments (nanoseconds, rising) is full.
fn full_at(charges: &[u64], interval: u64) -> u64 {
    charges.iter().fold(0, |full, at| full.max(*at) + interval)
}

/// The buckets that are not full.
fn owing(limiter: &Limiter, now: u64) -> Vec<SavedSlot> {
    let mut slots = state(limiter);
    slots.retain(|slot| slot.full_at > now * 1000);
    slots
}

proptest! {
    /// Charged as one: after each request the state is that of limiters that
    /// were asked only if all of them would have agreed.
    #[test]
    fn all_are_charged_or_none(
        quotas in prop::collection::vec((1_u32..6, 1_u64..5_000), 2..6),
        requests in prop::collection::vec((prop::collection::vec(0_u64..3, 6), 0_u64..900_000), 1..80),
    ) {
        let joined = Limiter::new(256);
        let alone = Limiter::new(256);
        let mut now = START;
        for (numbers, pause) in requests {
            now += pause;
            let charges: Vec<Charge> = quotas.iter().zip(&numbers).enumerate()
                .map(|(dimension, ((burst, period), number))| {
                    charge(dimension as u64 * 10 + number, quota(*burst, *period))
                })
                .collect();
            let before = owing(&joined, now);
            match joined.reserve(&charges, now) {
                Ok(reservation) => {
                    joined.keep(reservation);
                    for charge in &charges {
                        prop_assert!(take(&alone, *charge, now));
                    }
                }
                Err(spent) => {
                    prop_assert_eq!(&owing(&joined, now), &before);
                    let copy = Limiter::new(256);
                    copy.import(before, now);
                    for (index, charge) in charges.iter().enumerate() {
                        let passes = copy.reserve(&[*charge], now).is_ok();
                        prop_assert!(passes || index >= spent.index);
                        prop_assert!(!(passes && index == spent.index));
                    }
                }
            }
        }
        prop_assert_eq!(owing(&joined, now), owing(&alone, now));
    }

    /// Given back in any order in the moment of charging, nothing remains of it.
    #[test]
    fn giving_back_at_once_restores_exactly(
        earlier in prop::collection::vec(0_u64..400_000, 0..10),
        count in 1_usize..10,
        order in any::<prop::sample::Index>(),
    ) {
        let limiter = Limiter::new(64);
        let charge = charge(1, quota(40, 4_000));
        let mut now = START;
        for pause in earlier {
            now += pause;
            take(&limiter, charge, now);
        }
        now += 1;
        let full = |limiter: &Limiter| state(limiter).first().map_or(0, |slot| slot.full_at).max(now * 1000);
        let before = full(&limiter);
        let mut held: Vec<_> = (0..count).filter_map(|_| limiter.reserve(&[charge], now).ok()).collect();
        while !held.is_empty() {
            let next = held.remove(order.index(held.len()));
            limiter.give_back(next, |_| true);
        }
        prop_assert_eq!(full(&limiter), before);
    }

    /// Given back later, the bucket is as if the charge had never been made:
    /// exactly so while few reservations are open.
    #[test]
    fn giving_back_later_is_as_if_it_had_never_been(
        steps in prop::collection::vec((10_000_u64..3_000_000, any::<bool>(), any::<bool>()), 1..28),
    ) {
        let limiter = Limiter::new(64);
        let quota = quota(30, 30_000);
        let mut now = START;
        let mut charges: Vec<(u64, bool)> = Vec::new();
        let mut held = Vec::new();
        for (pause, back, settle) in steps {
            now += pause;
            held.push((limiter.reserve(&[charge(1, quota)], now).expect("a wide burst"), back));
            charges.push((now * 1000, true));
            if settle {
                let middle = held.len() / 2;
                let (reservation, back) = held.remove(middle);
                let at = reservation.at;
                limiter.give_back(reservation, |_| back);
                if back {
                    let place = charges.iter().position(|(made, _)| *made == at).expect("made");
                    charges[place].1 = false;
                }
                let kept: Vec<u64> = charges.iter().filter(|(_, kept)| *kept).map(|(at, _)| *at).collect();
                let truth = full_at(&kept, 1_000_000_000).max(now * 1000);
                prop_assert_eq!(state(&limiter)[0].full_at.max(now * 1000), truth);
            }
        }
    }

    /// However many reservations are open, and known only roughly for that,
    /// never is more given back than was taken, and never is more kept.
    #[test]
    fn giving_back_never_goes_too_far(
        steps in prop::collection::vec((10_000_u64..200_000, any::<prop::sample::Index>(), 0_u8..4), 80..200),
    ) {
        let limiter = Limiter::new(64);
        let quota = quota(200, 20_000);
        let mut now = START;
        let mut charges: Vec<(u64, bool)> = Vec::new();
        let mut held = Vec::new();
        for (pause, which, what) in steps {
            now += pause;
            if let Ok(reservation) = limiter.reserve(&[charge(1, quota)], now) {
                held.push(reservation);
                charges.push((now * 1000, true));
            }
            if what == 0 {
                let reservation = held.remove(which.index(held.len()));
                for charge in &mut charges {
                    charge.1 &= charge.0 != reservation.at;
                }
                limiter.give_back(reservation, |_| true);
            }
            let kept: Vec<u64> = charges.iter().filter(|(_, kept)| *kept).map(|(at, _)| *at).collect();
            let all: Vec<u64> = charges.iter().map(|(at, _)| *at).collect();
            let full = state(&limiter)[0].full_at.max(now * 1000);
            prop_assert!(full >= full_at(&kept, 100_000_000).max(now * 1000));
            prop_assert!(full <= full_at(&all, 100_000_000).max(now * 1000));
        }
    }
}

#[test]
fn a_drained_charge_returns_nothing() {
    let limiter = Limiter::new(64);
    let charge = charge(1, quota(10, 10_000));
    let held: Vec<_> = (0..9)
        .map(|_| limiter.reserve(&[charge], START).expect("fresh"))
        .collect();
    let later = START + 9_000_000;
    let spent = (0..20).filter(|_| take(&limiter, charge, later)).count();
    assert_eq!(spent, 10);
    for reservation in held {
        limiter.give_back(reservation, |_| true);
    }
    assert!(!take(&limiter, charge, later), "spent twice");
}

#[test]
fn only_the_named_charges_are_given_back() {
    let limiter = Limiter::new(64);
    let pair = [charge(1, quota(1, 60_000)), charge(2, quota(1, 60_000))];
    let reservation = limiter.reserve(&pair, START).expect("fresh");
    limiter.give_back(reservation, |index| index == 1);
    assert!(!take(&limiter, pair[0], START));
    assert!(take(&limiter, pair[1], START));
}

#[test]
fn one_key_named_twice_is_charged_twice_or_not_at_all() {
    let limiter = Limiter::new(64);
    let charge = charge(1, quota(3, 60_000));
    let twice = [charge, charge];
    limiter.keep(limiter.reserve(&twice, START).expect("two of three"));
    assert!(limiter.reserve(&twice, START).is_err());
    assert!(take(&limiter, charge, START));
    assert!(!take(&limiter, charge, START));
}

#[test]
fn an_observed_limit_reports_and_does_not_refuse() {
    let limiter = Limiter::new(64);
    let enforced = charge(1, quota(100, 60_000));
    let observed = Charge {
        mode: Mode::Observe,
        limit: "watched",
        ..charge(2, quota(1, 60_000))
    };
    let first = limiter.reserve(&[observed, enforced], START).expect("room");
    assert_eq!(first.observed(), []);
    limiter.keep(first);
    let second = limiter
        .reserve(&[observed, enforced], START)
        .expect("observed");
    let would = second.observed()[0];
    assert_eq!((would.limit, would.index), ("watched", 0));
    assert_eq!(would.after, std::time::Duration::from_secs(60));
    assert_eq!(second.taken(0), Some(Taken::Pass));
    assert_eq!(second.taken(1), Some(Taken::Own));
    limiter.keep(second);
    assert_eq!(
        (0..200).filter(|_| take(&limiter, enforced, START)).count(),
        98
    );
}

#[test]
fn a_limit_that_is_off_is_passed_over() {
    let limiter = Limiter::new(64);
    let off = Charge {
        mode: Mode::Off,
        ..charge(1, quota(1, 60_000))
    };
    assert!((0..5).all(|_| take(&limiter, off, START)));
    assert_eq!(limiter.occupancy().taken, 0);
}

#[test]
fn a_bucket_is_saved_once_for_all_its_changes_and_again_for_the_next() {
    let limiter = Limiter::new(1 << 12);
    let quota = quota(1000, 3_600_000);
    assert!(take(&limiter, charge(1, quota), START));
    assert!(limiter.changes().is_empty(), "nobody saves them yet");
    limiter.note_changes();
    // More than one lock's worth, each charged, settled and charged again.
    for number in (0..100).chain(0..100) {
        assert!(take(&limiter, charge(number, quota), START));
    }
    let saved = limiter.changes();
    assert_eq!(saved.len(), 100);
    assert!(saved.is_sorted_by_key(|slot| slot.key.0));
    assert_eq!(state(&limiter).len(), 100);
    for slot in saved {
        let number = (0..100).find(|number| key(*number) == slot.key);
        let charges = 2 + u64::from(number == Some(1));
        // A thousand an hour: each charge takes 3.6 s to drain.
        let full_at = START * 1000 + charges * 3_600_000_000;
        assert_eq!(slot.full_at, full_at, "key {number:?}");
    }
    assert!(limiter.changes().is_empty());
    assert!(take(&limiter, charge(7, quota), START));
    let saved = limiter.changes();
    assert_eq!(
        saved.iter().map(|slot| slot.key).collect::<Vec<_>>(),
        [key(7)]
    );
}
