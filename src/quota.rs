//! How much of something in how long: `"30/10m"`.
//!
//! N per P as a bucket of N that refills evenly over P (GCRA with burst N):
//! any span W admits at most N + ⌈N·W/P⌉. Both parts are non-zero, so a limit
//! that admits nothing or everything cannot be built.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// N per P.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    burst: NonZeroU32,
    period: Duration,
}

/// The longest period a quota may have.
pub const LONGEST_PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Quota {
    /// `burst` per `period`; `None` if the period is zero, over [`LONGEST_PERIOD`],
    /// or so short that one unit takes less than a microsecond.
    #[must_use]
    pub fn new(burst: NonZeroU32, period: Duration) -> Option<Self> {
        let unit = period.as_micros() / u128::from(burst.get());
        (unit > 0 && period <= LONGEST_PERIOD).then_some(Self { burst, period })
    }

    /// `times` as much in the same period; unchanged if that would be too fast to count.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        let burst = self
            .burst
            .saturating_mul(NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN));
        Self::new(burst, self.period).unwrap_or(self)
    }

    /// N.
    #[must_use]
    pub const fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// A third of N, one at least, per P.
    #[must_use]
    pub fn third(self) -> Self {
        let burst = NonZeroU32::new(self.burst.get() / 3).unwrap_or(NonZeroU32::MIN);
        Self { burst, ..self }
    }

    /// P.
    #[must_use]
    pub const fn period(self) -> Duration {
        self.period
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.burst, spell(self.period))
    }
}

impl FromStr for Quota {
    type Err = NotAQuota;

    fn from_str(text: &str) -> Result<Self, NotAQuota> {
        let (burst, period) = text.split_once('/').ok_or(NotAQuota)?;
        let burst = burst.trim().parse().map_err(|_| NotAQuota)?;
        let period = read_duration(period.trim()).ok_or(NotAQuota)?;
        Self::new(burst, period).ok_or(NotAQuota)
    }
}

/// The text is not `N/PERIOD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a count and a period, such as \"30/10m\" or \"5/1h\"")]
pub struct NotAQuota;

/// Reads `"250ms"`, `"10s"`, `"10m"`, `"1h"`, `"7d"` or a sum such as `"1h30m"`.
#[must_use]
pub fn read_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, tail) = rest.split_at_checked(digits)?;
        let count: u32 = count.parse().ok()?;
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(86_400),
            _ => return None,
        };
        total = total.checked_add(unit.checked_mul(count)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// Writes what [`read_duration`] reads, in the largest unit that fits evenly.
#[must_use]
pub fn spell(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
    ] {
        if ms > 0 && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for text in ["30/10m", "5/1h", "1/1s", "200/7d", "3/90m"] {
            assert_eq!(text.parse::<Quota>().expect(text).to_string(), text);
        }
        assert_eq!(read_duration("1h30m"), Some(Duration::from_secs(5400)));
        for text in [
            "",
            "30",
            "/10m",
            "0/10m",
            "30/",
            "30/0s",
            "30/10",
            "-1/1s",
            "30/31d",
            "5000000/1s",
            "1/m",
        ] {
            assert_eq!(text.parse::<Quota>(), Err(NotAQuota), "{text}");
        }
    }
}
