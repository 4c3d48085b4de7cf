//! Whether the shared store is asked at all.
//!
//! While it is down nobody waits for it: each node decides alone, and only the
//! keeper looks whether it is back. One error takes it down at once, lateness
//! does so when [`PATIENCE`] answers in a row were late. Both ways are logged,
//! at most once a second and the same words at most once a minute.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::telemetry::metrics;
use crate::telemetry::shared::Lapse;
use crate::telemetry::trouble::{Trouble, clear, raise};

/// Late answers in a row until the store counts as down.
const PATIENCE: u32 = 3;

/// Between two warnings, and between two of the same words.
const QUIET: Duration = Duration::from_secs(1);
const QUIET_ABOUT: Duration = Duration::from_secs(60);

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Health {
    up: AtomicBool,
    late: AtomicU32,
    said: Mutex<Option<(Instant, String)>>,
    /// Told when the store went down.
    pub(super) went_down: Notify,
}

impl Health {
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    /// A request was decided by its own node, because the store is down.
    pub(super) fn passed_over(&self) {
        metrics().shared.lapsed(Lapse::Down);
    }

    /// A request was decided by its own node, because the store failed it.
    pub(super) fn lapsed(&self, lapse: Lapse, why: &str) {
        metrics().shared.lapsed(lapse);
        let late = match lapse {
            Lapse::Late => self.late.fetch_add(1, Ordering::Relaxed) + 1,
            Lapse::Broken | Lapse::Full | Lapse::Down => PATIENCE,
        };
        if late >= PATIENCE {
            self.down(why);
        }
    }

    /// It answered in time.
    pub(super) fn answered(&self) {
        self.late.store(0, Ordering::Relaxed);
    }

    /// It is not to be used until it has been looked at.
    pub(super) fn down(&self, why: &str) {
        let text = format!(
            "the shared store cannot be used: {why}. Meanwhile each gate goes by its own limits and counts, and what is banned on one reaches the others later"
        );
        raise(Trouble::Shared, &text);
        if self.up.swap(false, Ordering::AcqRel) {
            metrics().shared.up.set(0);
            self.went_down.notify_one();
        }
        self.say(&text);
    }

    /// It has been looked at and is well.
    pub(super) fn up(&self) {
        self.answered();
        clear(Trouble::Shared);
        if !self.up.swap(true, Ordering::AcqRel) {
            metrics().shared.up.set(1);
            tracing::info!("the shared store is in use");
        }
    }

    /// Warns, unless it has just done so.
    pub(super) fn say(&self, text: &str) {
        let now = Instant::now();
        let mut said = self.said.lock();
        let quiet = said.as_ref().is_some_and(|(at, words)| {
            let pause = if words == text { QUIET_ABOUT } else { QUIET };
            now.duration_since(*at) < pause
        });
        if !quiet {
            *said = Some((now, text.to_owned()));
            tracing::warn!("{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// However many requests meet it, and however many things are wrong in turn.
    #[test]
    fn there_is_one_warning_a_second_at_most() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || written.clone());
        let health = Health::default();
        let begun = Instant::now();
        tracing::subscriber::with_default(subscriber.finish(), || {
            health.up();
            for number in 0..10_000 {
                health.lapsed(Lapse::Broken, &format!("fault {}", number % 3));
                health.lapsed(Lapse::Late, "late");
            }
        });
        let most = 1 + begun.elapsed().as_secs() as usize;
        let text = String::from_utf8(lines.0.lock().clone()).expect("text");
        let warnings = text.lines().filter(|line| line.contains("WARN")).count();
        assert!((1..=most).contains(&warnings), "{text}");
    }
}
