//! The limiter against its promises: the bound on any span, governor, all or
//! none, giving back, the bounded table, and clocks that are set.

mod oracle;
mod promise;
mod settle;
mod table;

use crate::quota::Quota;
use crate::secret::KeyedHash;
use crate::store::limiter::{Charge, Limiter};
use crate::verdict::Mode;

/// Some moment of 2026 in microseconds.
const START: u64 = 1_790_000_000_000_000;

fn quota(burst: u32, period_ms: u64) -> Quota {
    let burst = burst.try_into().expect("not zero");
    Quota::new(burst, std::time::Duration::from_millis(period_ms)).expect("a quota")
}

/// A key that falls anywhere in the table.
fn key(number: u64) -> KeyedHash {
    let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    KeyedHash((spread ^ spread >> 61).to_be_bytes())
}

fn charge(number: u64, quota: Quota) -> Charge {
    Charge {
        limit: "test",
        key: key(number),
        quota,
        wider: None,
        mode: Mode::Enforce,
    }
}

/// Charges one budget for good.
fn take(limiter: &Limiter, charge: Charge, now: u64) -> bool {
    match limiter.reserve(&[charge], now) {
        Ok(reservation) => {
            limiter.keep(reservation);
            true
        }
        Err(_) => false,
    }
}

/// Everything in the table.
fn state(limiter: &Limiter) -> Vec<crate::store::limiter::SavedSlot> {
    let (mut slots, end) = limiter.export(crate::store::limiter::Cursor::default(), usize::MAX);
    assert_eq!(end, None);
    slots.sort_by_key(|slot| slot.key);
    slots
}

/// N + ⌈N·W/P⌉ for every span between two of `admitted` (microseconds, rising).
fn within_the_bound(admitted: &[u64], quota: Quota) -> bool {
    let burst = u128::from(quota.burst().get());
    admitted.iter().enumerate().all(|(first, start)| {
        admitted[first..].iter().enumerate().all(|(count, end)| {
            let span = u128::from(end - start);
            let bound = burst + (burst * span).div_ceil(quota.period().as_micros());
            (count as u128) < bound
        })
    })
}
