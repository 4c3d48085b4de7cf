//! The arithmetic of one bucket: GCRA (ITU-T I.371) in nanoseconds.
//!
//! A bucket is one number, its *theoretical arrival time*: the moment at which
//! it is full again. One unit moves it on by the interval T = ⌈P/N⌉, so that
//! rounding can only admit less than promised: any span W admits at most
//! N + ⌊W/T⌋ ≤ N + ⌈N·W/P⌉. Nanoseconds, because T of a fast limit in
//! microseconds would be far off. Pure: knows neither keys nor clocks.

use crate::quota::Quota;

/// A quota as GCRA needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    burst: u64,
    interval: u64,
    period: u64,
}

impl Pace {
    pub(super) fn new(quota: Quota) -> Self {
        let burst = u64::from(quota.burst().get());
        let period = u64::try_from(quota.period().as_nanos())
            .expect("a quota's period is at most thirty days");
        Self {
            burst,
            interval: period.div_ceil(burst),
            period,
        }
    }

    /// T.
    pub(super) const fn interval(self) -> u64 {
        self.interval
    }

    /// P.
    pub(super) const fn period(self) -> u64 {
        self.period
    }

    /// The bucket after one more unit, or the moment from which one would fit.
    pub(super) fn spend(self, full_at: u64, now: u64) -> Result<u64, u64> {
        let fits_from = full_at.saturating_sub(self.interval * (self.burst - 1));
        if fits_from > now {
            return Err(fits_from);
        }
        Ok(full_at.max(now).saturating_add(self.interval))
    }

    /// How many units fit at `now`.
    pub(super) fn left(self, full_at: u64, now: u64) -> u64 {
        let missing = full_at.saturating_sub(now).div_ceil(self.interval);
        self.burst.saturating_sub(missing)
    }

    /// No bucket is ever emptier than empty. One that says so was filled under
    /// a slower quota (before a reload), or by a clock that was ahead (restored).
    pub(super) fn at_most_empty(self, full_at: u64, now: u64) -> u64 {
        full_at.min(now.saturating_add(self.interval * self.burst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_rounded_up_so_that_no_more_passes_than_promised() {
        let pace = Pace::new("7/1s".parse().expect("a quota"));
        assert_eq!(pace.interval(), 142_857_143);
        assert!(pace.interval() * 7 >= pace.period());
    }

    #[test]
    fn the_burst_passes_and_one_more_does_not() {
        let pace = Pace::new("3/3s".parse().expect("a quota"));
        let now = 50_000_000_000;
        let mut bucket = 0;
        for spent in 0..3 {
            assert_eq!(pace.left(bucket, now), 3 - spent);
            bucket = pace.spend(bucket, now).expect("within the burst");
        }
        assert_eq!(pace.left(bucket, now), 0);
        assert_eq!(pace.spend(bucket, now), Err(now + 1_000_000_000));
        assert!(pace.spend(bucket, now + 999_999_999).is_err());
        assert!(pace.spend(bucket, now + 1_000_000_000).is_ok());
    }

    #[test]
    fn a_bucket_from_a_slower_quota_is_at_most_empty() {
        let pace = Pace::new("3/3s".parse().expect("a quota"));
        assert_eq!(pace.at_most_empty(u64::MAX, 10), 3_000_000_010);
        assert_eq!(pace.at_most_empty(7, 10), 7);
    }
}
