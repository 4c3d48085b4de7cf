//! The limiter's own time, which never steps back, from a wall clock that may.
//!
//! Charges must survive a restart, so their clock is the wall clock; an admin
//! or NTP may set it. A step back of more than [`REORDER`] is taken out: the
//! limiter's time goes on from where it was, so nobody is locked out for the
//! size of the step and nobody gains by it. A smaller one is two threads whose
//! readings crossed: time is held until the wall clock has caught up, which
//! delays an admission by at most [`REORDER`]. A step forward cannot be told
//! from a quiet night: it refills, that is, it admits at most one burst more per
//! key and step.

/// How far readings may cross without being taken for a step, in nanoseconds.
pub(super) const REORDER: u64 = 1_000_000_000;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    latest: u64,
    offset: u64,
}

/// A moment in the limiter's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Nanoseconds.
    pub(super) now: u64,
    /// How far the caller's reading is behind, in nanoseconds: what a promised
    /// wait must be longer by.
    pub(super) lag: u64,
}

impl Timeline {
    /// Takes a reading of the wall clock.
    pub(super) fn read(&mut self, micros: u64) -> Moment {
        let reading = self.of_wall(micros.saturating_mul(1000));
        let behind = self.latest.saturating_sub(reading);
        if behind > REORDER {
            self.offset = self.offset.saturating_add(behind);
        }
        self.latest = self.latest.max(reading);
        Moment {
            now: self.latest,
            lag: if behind > REORDER { 0 } else { behind },
        }
    }

    /// The newest moment read.
    pub(super) const fn now(&self) -> u64 {
        self.latest
    }

    /// Own time of a wall-clock time in nanoseconds.
    pub(super) const fn of_wall(&self, nanos: u64) -> u64 {
        nanos.saturating_add(self.offset)
    }

    /// Wall-clock time of an own time.
    pub(super) const fn wall_of(&self, nanos: u64) -> u64 {
        nanos.saturating_sub(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn time_is_held_over_crossed_readings() {
        let mut time = Timeline::default();
        let first = time.read(100 * SECOND);
        let crossed = time.read(100 * SECOND - 300);
        assert_eq!(crossed.now, first.now);
        assert_eq!(crossed.lag, 300_000);
        assert_eq!(time.read(100 * SECOND + 1).now, first.now + 1000);
    }

    #[test]
    fn a_step_back_is_taken_out() {
        let mut time = Timeline::default();
        let before = time.read(10_000 * SECOND);
        let after = time.read(6_400 * SECOND);
        assert_eq!(
            after,
            Moment {
                now: before.now,
                lag: 0
            }
        );
        assert_eq!(time.read(6_401 * SECOND).now, before.now + 1000 * SECOND);
        assert_eq!(time.wall_of(time.latest), 6_401 * SECOND * 1000);
    }

    #[test]
    fn a_step_forward_is_believed() {
        let mut time = Timeline::default();
        time.read(SECOND);
        assert_eq!(time.read(86_400 * SECOND).now, 86_400 * SECOND * 1000);
        assert_eq!(time.read(2 * SECOND).now, 86_400 * SECOND * 1000);
    }
}
