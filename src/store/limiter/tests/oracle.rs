//! The same admissions and the same waits as governor.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::{Quota as GovernorQuota, RateLimiter};
use proptest::prelude::*;

use super::{START, charge, key, quota};
use crate::store::limiter::pace::Pace;
use crate::store::limiter::{Charge, Limiter};

/// governor's quota of the interval that ours works with.
fn governors(burst: u32, interval: u64) -> GovernorQuota {
    GovernorQuota::with_period(Duration::from_nanos(interval))
        .expect("not zero")
        .allow_burst(NonZeroU32::new(burst).expect("not zero"))
}

proptest! {
    #[test]
    fn decides_and_promises_as_governor_does(
        burst in 1_u32..40,
        period_ms in 1_u64..100_000,
        steps in prop::collection::vec((0_u64..3, 0_u64..5_000_000), 1..200),
    ) {
        let quota = quota(burst, period_ms);
        let clock = FakeRelativeClock::default();
        let theirs = RateLimiter::hashmap_with_clock(governors(burst, Pace::new(quota).interval()), clock.clone());
        let ours = Limiter::new(64);
        let mut now = START;
        for (number, pause) in steps {
            let pause = pause % (2 * period_ms * 1000 / u64::from(burst) + 1);
            now += pause;
            clock.advance(Duration::from_micros(pause));
            match (theirs.check_key(&number), ours.reserve(&[charge(number, quota)], now)) {
                (Ok(()), Ok(reservation)) => ours.keep(reservation),
                (Err(refusal), Err(spent)) => {
                    let wait = refusal.wait_time_from(clock.now());
                    let micros = u64::try_from(wait.as_nanos().div_ceil(1000)).expect("short");
                    prop_assert_eq!(spent.after, Duration::from_micros(micros));
                }
                (theirs, ours) => prop_assert!(false, "{theirs:?} is not {ours:?}"),
            }
        }
    }

    /// The wait is over all dimensions, and it is exact: one microsecond
    /// earlier the same charges are refused.
    #[test]
    fn the_promised_wait_is_exactly_when_it_passes(
        quotas in prop::collection::vec((1_u32..20, 1_u64..50_000), 1..6),
        pauses in prop::collection::vec(0_u64..200_000, 1..60),
    ) {
        let limiter = Limiter::new(64);
        let charges: Vec<Charge> = (0..)
            .zip(&quotas)
            .map(|(number, (burst, period))| charge(number, quota(*burst, *period)))
            .collect();
        let mut now = START;
        for pause in pauses {
            now += pause;
            let Err(spent) = limiter.reserve(&charges, now) else { continue };
            prop_assert_eq!(charges[spent.index].key, key(spent.index as u64));
            let wait = u64::try_from(spent.after.as_micros()).expect("short");
            prop_assert!(wait > 0);
            prop_assert!(limiter.reserve(&charges, now + wait - 1).is_err());
            prop_assert!(limiter.reserve(&charges, now + wait).is_ok());
            now += wait;
        }
    }
}
