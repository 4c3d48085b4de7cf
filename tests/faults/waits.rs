//! How long requests waited for a store that does not answer.

use std::time::{Duration, Instant};

use crate::shared::{Node, charge, take};

/// `store.timeout` in these tests, as it is by default.
pub(super) const TIMEOUT: Duration = Duration::from_millis(30);

/// What waiting for a thread may add on a busy machine, to the luckiest.
const SLACK: Duration = Duration::from_millis(120);

/// How long each of many requests waited.
pub(super) struct Waits(Vec<Duration>);

impl Waits {
    /// Of `count` requests, one after the other, none of which may be refused.
    pub(super) async fn of(node: &Node, count: usize) -> Self {
        let mut all = Vec::new();
        for number in 0..count {
            let begun = Instant::now();
            let passed = take(node, &[charge("each", &number.to_string(), "5/1h")], 1).await;
            assert_eq!(passed.0, 1, "an outage of the store refused somebody");
            all.push(begun.elapsed());
        }
        all.sort_unstable();
        Self(all)
    }

    /// Only few waited at all, and those for the time-out: three do, the others
    /// are not made to. On a busy machine some are held up by that besides.
    pub(super) fn assert_short(&self) {
        let few = self.0.len() / 10 + 3;
        let many = self.0.len().saturating_sub(few);
        let (most, rest) = self.0.split_at(many);
        assert!(most.iter().all(|wait| *wait < TIMEOUT), "{:?}", self.0);
        let first = rest.iter().find(|wait| **wait >= TIMEOUT);
        assert!(first.is_none_or(|wait| *wait < TIMEOUT + SLACK), "{rest:?}");
        // Nobody was left to a store that says nothing.
        assert!(rest.iter().all(|wait| *wait < 100 * TIMEOUT), "{rest:?}");
    }
}
