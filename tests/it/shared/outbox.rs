//! What a node has to send while the shared store is away: a flush says so at
//! once, nothing is dropped for it, and all of it arrives later.

use std::time::{Duration, Instant};

use tuskgate::app::ClientId;
use tuskgate::mailbox::Domain;
use tuskgate::store::StoreError;
use tuskgate::told::Told;

use super::{Node, charge, flushed, settings, take};
use crate::support::redis::{Make, Server};
use crate::support::until;

/// A flush waits a second at most; the rest is what a busy machine may add.
const PROMPT: Duration = Duration::from_secs(3);

const TOLD: u64 = 300;

fn tell(node: &Node) {
    for number in 0..TOLD {
        let domain = Domain::new(&format!("d{number}.example")).expect("a domain");
        node.store.tell(Told::Confirm(domain, 1_790_000_000));
    }
}

fn log_length(server: &Server) -> u64 {
    let length = server.ask(&["XLEN", "{tuskgate}:counted"]);
    length.parse().expect("a number")
}

/// How much a flush says has not been sent.
async fn unsent(node: &Node) -> u64 {
    let begun = Instant::now();
    let outcome = node.store.flush().await;
    assert!(begun.elapsed() < PROMPT, "{:?}", begun.elapsed());
    match outcome {
        Ok(()) => 0,
        Err(StoreError::Unsent { count }) => count,
        Err(other) => panic!("{other}"),
    }
}

async fn everything_arrives(node: &Node, server: &Server) {
    let begun = Instant::now();
    while unsent(node).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "never sent");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(log_length(server), TOLD);
}

async fn a_flush_is_honest_while_the_store_is_gone(make: Make) {
    let mut server = Server::start(make, &[]);
    let node = Node::join(&server.url(), Duration::from_secs(1)).await;
    assert_eq!(unsent(&node).await, 0, "nothing was handed in");
    assert_eq!(take(&node, &[charge("a", "x", "9/1h")], 3).await, (3, 3));
    flushed(&node.store).await;
    server.kill();
    until("it is known to be gone", || !node.store.is_shared()).await;
    tell(&node);
    // The one that comes while a batch is being tried again, and one after it.
    assert_eq!(unsent(&node).await, TOLD);
    assert_eq!(unsent(&node).await, TOLD);
    server.start_again();
    everything_arrives(&node, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_is_honest_while_redis_is_gone() {
    a_flush_is_honest_while_the_store_is_gone(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_is_honest_while_valkey_is_gone() {
    a_flush_is_honest_while_the_store_is_gone(Make::Valkey).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_is_honest_while_redis_hangs() {
    let server = Server::start(Make::Redis, &[]);
    let node = Node::join(&server.url(), Duration::from_secs(1)).await;
    server.signal("STOP");
    tell(&node);
    assert_eq!(unsent(&node).await, TOLD);
    server.signal("CONT");
    everything_arrives(&node, &server).await;
}

/// Lessons are a bridge, not an archive: given up at once, and a flush does not wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_learned_is_passed_on_before_a_flush_returns() {
    let server = Server::start(Make::Redis, &[]);
    let node = Node::join(&server.url(), Duration::from_secs(1)).await;
    for number in 0..200 {
        let id = ClientId::new(&format!("id-{number}"));
        let token = tuskgate::secret::KeyedHash([number; 16]);
        node.store.learn_token(token, &id).await;
    }
    flushed(&node.store).await;
    let all = server.ask(&["EVAL", "return #redis.call('KEYS', '*:token:*')", "0"]);
    assert_eq!(all, "200");
    let alone = Node::start(settings("unix:///nowhere/redis.sock"));
    let token = tuskgate::secret::KeyedHash([1; 16]);
    alone.store.learn_token(token, &ClientId::new("id")).await;
    assert_eq!(unsent(&alone).await, 0, "given up, and counted as that");
}
