//! What the black-box tests stand on: the gate as a running proxy, raw
//! sockets to speak to it, and scripted upstreams to stand behind it.

use std::time::{Duration, Instant};

pub(crate) mod actor;
pub(crate) mod bots;
pub(crate) mod caller;
pub(crate) mod chain;
pub(crate) mod dnsmasq;
pub(crate) mod doors;
pub(crate) mod gate;
pub(crate) mod judged;
pub(crate) mod nginx;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod rails;
pub(crate) mod redis;
pub(crate) mod script;
pub(crate) mod wire;

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

pub(crate) use process::PATIENCE;

/// How often a promise of time is tried.
pub(crate) const TRIES: usize = 5;

/// Holds a promise of time to the quickest of several tries: on a machine with
/// too much to do one of them may be late, but not all.
pub(crate) fn assert_once_within(limit: Duration, took: &[Duration]) {
    let quickest = took.iter().min();
    assert!(
        quickest.is_some_and(|quickest| *quickest < limit),
        "{took:?}"
    );
}

/// Waits until `true_yet`, looking again and again.
pub(crate) async fn until(what: &str, mut true_yet: impl FnMut() -> bool) {
    let began = Instant::now();
    while !true_yet() {
        assert!(began.elapsed() < PATIENCE, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn found<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "never found: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
