//! A node that is connected and too slow: what the log forgot before the node had
//! read it is noticed and counted, and it goes on with the rest.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;
use tuskgate::mailbox::Domain;
use tuskgate::told::{Heard, Told};

use super::Node;
use super::flushed;
use crate::support::redis::{Make, Server};

/// In one go: what a node has room for.
const PART: u64 = 8000;

/// Far more than the log keeps and the ear has room for.
const TOLD: u64 = 5 * PART;

fn missed() -> u64 {
    let text = tuskgate::telemetry::render().expect("text");
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("tuskgate_shared_missed_total "));
    count.map_or(0, |count| count.parse().expect("a number"))
}

async fn tell(node: &Node, from: u64) {
    for number in from..from + PART {
        let domain = Domain::new(&format!("d{number}.example")).expect("a domain");
        node.store.tell(Told::Confirm(domain, 1_790_000_000));
    }
    flushed(&node.store).await;
}

/// Counts what it hears until that and what was missed is everything, or time is up.
async fn hear(ear: &mut Receiver<Heard>, before: u64, all: u64) -> u64 {
    let mut heard = 0;
    let begun = Instant::now();
    while heard + missed() - before < all && begun.elapsed() < Duration::from_secs(60) {
        let next = tokio::time::timeout(Duration::from_millis(100), ear.recv()).await;
        if let Ok(Some(Heard::Told(told))) = next {
            heard += told.len() as u64;
        }
    }
    heard
}

async fn what_is_trimmed_is_noticed(make: Make) {
    let server = Server::start(make, &[]);
    let slow = Node::join(&server.url(), Duration::from_secs(1)).await;
    let other = Node::join(&server.url(), Duration::from_secs(1)).await;
    let mut ear = slow.store.listen().expect("it shares");
    // The first is heard while it keeps up.
    tell(&other, 0).await;
    let before = missed();
    assert_eq!(hear(&mut ear, before, PART).await, PART);
    for part in 1..5 {
        tell(&other, part * PART).await;
    }
    let heard = hear(&mut ear, before, TOLD - PART).await;
    let missed = missed() - before;
    assert!(missed > PART, "{missed} missed");
    assert_eq!(
        heard + missed,
        TOLD - PART,
        "{heard} heard, {missed} missed"
    );
    // And it hears what comes next.
    tell(&other, TOLD).await;
    assert_eq!(hear(&mut ear, before + missed, PART).await, PART);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_trims_is_noticed_while_connected() {
    what_is_trimmed_is_noticed(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_valkey_trims_is_noticed_while_connected() {
    what_is_trimmed_is_noticed(Make::Valkey).await;
}
