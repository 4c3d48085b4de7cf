//! A worker's coarse clock: milliseconds since its start, moved by its ticker.
//!
//! Deadlines on the pass-through path are compared against it, so that a
//! request costs no timer and no system call. Without a ticker (the layers
//! used inside another server) it reads the real clock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Milliseconds since some start, correct to one tick.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    now: AtomicU64,
    ticking: AtomicBool,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            now: AtomicU64::new(1),
            ticking: AtomicBool::new(false),
        }
    }

    /// Now; never zero, which stands for "no deadline" in `watch`.
    pub(super) fn now(&self) -> u64 {
        if self.ticking.load(Relaxed) {
            self.now.load(Relaxed)
        } else {
            self.exact()
        }
    }

    /// Moves the coarse time up to the real one, for a worker's ticker.
    pub(super) fn tick(&self) -> u64 {
        let now = self.exact();
        self.now.store(now, Relaxed);
        self.ticking.store(true, Relaxed);
        now
    }

    fn exact(&self) -> u64 {
        1 + millis(self.start.elapsed())
    }
}

/// Whole milliseconds, rounded up so that no span becomes zero.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_micros().div_ceil(1000)).unwrap_or(u64::MAX / 4)
}
