//! What is wrong with the set-up right now, in words: shown by `/readyz`,
//! `tuskgate status` and `doctor`.
//!
//! A trouble is raised by whoever meets it and goes by itself [`LASTING`]
//! after it was last met, so nobody has to remember to clear it.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long after its last sighting a trouble is still shown.
pub const LASTING: Duration = Duration::from_secs(300);

/// The kinds of trouble. Each has one line at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Requests arrive without a client address that stands for one client.
    ClientUnknown,
    /// The DNS resolver does not answer.
    ResolverDown,
    /// The upstream cannot be reached.
    UpstreamDown,
    /// The store could not be opened as it was, or cannot be written.
    Store,
    /// The store that several nodes share cannot be used.
    Shared,
    /// A task that must not end has ended.
    TaskEnded,
    /// An account came to be that the gate never let through.
    Bypass,
    /// Webhooks come that cannot be taken.
    Webhook,
}

/// A kind, when it was last met, and what was said of it.
type Sighting = (Trouble, Instant, String);

static SEEN: Mutex<Vec<Sighting>> = Mutex::new(Vec::new());

/// Notes a trouble; `true` if it was not known already, so that it is logged once.
pub fn raise(trouble: Trouble, text: impl Into<String>) -> bool {
    let now = Instant::now();
    let mut seen = SEEN.lock();
    seen.retain(|(_, at, _)| now.duration_since(*at) < LASTING);
    if let Some(known) = seen.iter_mut().find(|(kind, ..)| *kind == trouble) {
        known.1 = now;
        known.2 = text.into();
        return false;
    }
    seen.push((trouble, now, text.into()));
    true
}

/// Forgets a trouble that is known to be over.
pub fn clear(trouble: Trouble) {
    SEEN.lock().retain(|(kind, ..)| *kind != trouble);
}

/// Every trouble of the last while.
#[must_use]
pub fn current() -> Vec<String> {
    let now = Instant::now();
    let seen = SEEN.lock();
    let fresh = seen
        .iter()
        .filter(|(_, at, _)| now.duration_since(*at) < LASTING);
    fresh.map(|(.., text)| text.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn said_once_and_cleared() {
        assert!(raise(Trouble::TaskEnded, "gone"));
        assert!(!raise(Trouble::TaskEnded, "gone"));
        assert!(current().contains(&"gone".to_owned()));
        clear(Trouble::TaskEnded);
        assert!(!current().contains(&"gone".to_owned()));
    }
}
