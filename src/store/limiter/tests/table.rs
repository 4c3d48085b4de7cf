//! The bounded table: what a flood of keys can and cannot do; saving.

use super::{START, charge, key, quota, state, take};
use crate::store::limiter::{Charge, Cursor, Limiter, Taken};

const SLOTS: usize = 1024;

#[test]
fn a_flood_of_keys_stays_within_the_table_and_in_use_keys_survive() {
    let limiter = Limiter::new(SLOTS);
    let quota = quota(2, 3_600_000);
    for number in 0..400 {
        assert!(take(&limiter, charge(number, quota), START));
        assert!(take(&limiter, charge(number, quota), START));
    }
    let wide = charge(1 << 40, self::quota(1_000_000, 3_600_000));
    let mut wider = 0;
    for number in 400..(10 * SLOTS as u64) {
        let narrow = Charge {
            wider: Some(1),
            ..charge(number, quota)
        };
        let reservation = limiter
            .reserve(&[narrow, wide], START + number)
            .expect("a fresh key");
        wider += u64::from(reservation.taken(0) == Some(Taken::Wider));
        assert_eq!(reservation.taken(1), Some(Taken::Own));
        limiter.keep(reservation);
    }
    let full = limiter.occupancy();
    assert_eq!((full.taken, full.slots), (SLOTS / 2, SLOTS));
    assert_eq!(full.fallbacks, wider);
    assert_eq!(wider, 10 * SLOTS as u64 - SLOTS as u64 / 2 + 1);
    for number in 0..400 {
        assert!(
            !take(&limiter, charge(number, quota), START + 20_000),
            "{number} forgot"
        );
    }
}

#[test]
fn keys_without_a_wider_one_have_a_reserve_and_then_go_unlimited() {
    let limiter = Limiter::new(SLOTS);
    let quota = quota(1, 3_600_000);
    for number in 0..SLOTS as u64 {
        assert!(take(&limiter, charge(number, quota), START));
    }
    let full = limiter.occupancy();
    assert_eq!(full.taken, SLOTS / 4 * 3);
    assert_eq!(full.unlimited, SLOTS as u64 / 4);
    assert!(take(&limiter, charge(u64::MAX, quota), START));
    assert!(take(&limiter, charge(u64::MAX, quota), START));
}

#[test]
fn an_observed_wider_key_does_not_cover_an_enforced_one() {
    let limiter = Limiter::new(SLOTS);
    let quota = quota(1, 3_600_000);
    for number in 0..SLOTS as u64 / 2 {
        assert!(take(&limiter, charge(number, quota), START));
    }
    let narrow = Charge {
        wider: Some(1),
        ..charge(1 << 30, quota)
    };
    let wide = Charge {
        mode: crate::verdict::Mode::Observe,
        ..charge(1 << 31, quota)
    };
    let reservation = limiter.reserve(&[narrow, wide], START).expect("fresh");
    assert_eq!(reservation.taken(0), Some(Taken::Own));
}

#[test]
fn slots_are_given_up_after_their_period_and_the_next_flood_finds_room() {
    let limiter = Limiter::new(SLOTS);
    let quota = quota(5, 60_000);
    for flood in 0..20_u64 {
        let now = START + flood * 120_000_000;
        for number in 0..SLOTS as u64 / 3 {
            assert!(take(
                &limiter,
                charge(flood << 32 | number, quota),
                now + number
            ));
        }
    }
    let after = limiter.occupancy();
    assert_eq!((after.fallbacks, after.unlimited), (0, 0));
    assert!(after.expired > 15 * SLOTS as u64 / 3, "{}", after.expired);
}

#[test]
fn an_open_reservation_holds_its_slot() {
    let limiter = Limiter::new(16);
    let quota = quota(1, 1_000);
    let held = limiter.reserve(&[charge(1, quota)], START).expect("fresh");
    let later = START + 30_000_000;
    for number in 2..50 {
        take(&limiter, charge(number, quota), later + number * 5_000_000);
    }
    assert!(state(&limiter).iter().any(|slot| slot.key == key(1)));
    limiter.give_back(held, |_| true);
    for number in 50..100 {
        take(&limiter, charge(number, quota), later + number * 5_000_000);
    }
    assert!(state(&limiter).iter().all(|slot| slot.key != key(1)));
}

#[test]
fn what_is_exported_in_parts_and_imported_decides_the_same() {
    let limiter = Limiter::new(SLOTS);
    let quota = quota(3, 60_000);
    for number in 0..300 {
        for _ in 0..=(number % 3) {
            assert!(take(&limiter, charge(number, quota), START + number));
        }
    }
    let restored = Limiter::new(SLOTS);
    let mut cursor = Some(Cursor::default());
    let mut count = 0;
    while let Some(from) = cursor {
        let (slots, next) = limiter.export(from, 100);
        count += restored.import(slots, START + 1_000);
        cursor = next;
    }
    assert_eq!(count, 300);
    assert!(state(&restored) == state(&limiter), "something was lost");
    for number in 0..300 {
        let left = |limiter: &Limiter| {
            (0..5)
                .filter(|_| take(limiter, charge(number, quota), START + 1_000))
                .count()
        };
        assert_eq!(left(&restored), left(&limiter));
    }
}

#[test]
fn an_import_from_a_clock_that_was_ahead_heals_within_a_period() {
    let limiter = Limiter::new(SLOTS);
    let charge = charge(1, quota(2, 10_000));
    let ahead = Limiter::new(SLOTS);
    assert!(take(&ahead, charge, START + 86_400_000_000));
    assert!(take(&ahead, charge, START + 86_400_000_000));
    limiter.import(state(&ahead), START);
    assert!(!take(&limiter, charge, START));
    assert!(take(&limiter, charge, START + 5_000_000));
}
