//! Eight nodes at once: never above N + ⌈N·W/P⌉ together, never half a
//! reservation, one round trip for each.

use std::sync::Arc;
use std::time::Duration;

use super::{Node, charge, flushed, micros, take};
use crate::support::redis::{Make, Server};

const NODES: usize = 8;

/// A hundred thousand each on demand.
fn charges_each() -> usize {
    let long = std::env::var("TUSKGATE_TEST_CHARGES").ok();
    long.and_then(|count| count.parse().ok()).unwrap_or(1500)
}

async fn nodes(server: &Server) -> Vec<Arc<Node>> {
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let node = Node::join(&server.url(), Duration::from_secs(10)).await;
        nodes.push(Arc::new(node));
    }
    nodes
}

async fn never_pass_the_bound(make: Make) {
    let server = Server::start(make, &[]);
    let nodes = nodes(&server).await;
    let start = micros();
    let tasks: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(number, node)| {
            let node = Arc::clone(node);
            tokio::spawn(async move {
                let charges = [
                    charge("narrow", &number.to_string(), "400/200ms"),
                    charge("wide", "all", "300/100ms"),
                ];
                let mut mine = Vec::new();
                for turn in 0..charges_each() {
                    if number == 0 && turn % 1000 == 999 {
                        println!("progress {} of {} charges each", turn + 1, charges_each());
                    }
                    let before = micros();
                    let Ok(held) = node.store.reserve(&charges, before).await else {
                        continue;
                    };
                    assert!(held.is_shared(), "the test machine was too slow");
                    node.store.settle(held, |_| turn % 3 == 0);
                    if turn % 3 != 0 {
                        mine.push((before, micros()));
                    }
                }
                mine
            })
        })
        .collect();
    let mut admitted = Vec::new();
    for task in tasks {
        admitted.extend(task.await.expect("no panic"));
    }
    let span = micros() - start;
    let bound = |span: u64| 300 + (300 * span).div_ceil(100_000);
    assert!(admitted.len() >= 300, "only {} passed", admitted.len());
    assert!(
        admitted.len() as u64 <= bound(span),
        "{} in {span} µs",
        admitted.len()
    );
    // An admission lies somewhere between its asking and its answer: any 600
    // of them took place within the span from the first asking to the last answer.
    admitted.sort_unstable();
    for run in admitted.windows(600) {
        let last = run.iter().map(|(_, after)| *after).max().unwrap_or(0);
        let span = last - run[0].0;
        assert!(600 <= bound(span), "600 passed in {span} µs");
    }
    println!(
        "outcome {NODES} nodes, {} charges each, {} admitted in {:.1} s, {} allowed",
        charges_each(),
        admitted.len(),
        span as f64 / 1e6,
        bound(span)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_nodes_on_redis_never_pass_the_bound() {
    never_pass_the_bound(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_nodes_on_valkey_never_pass_the_bound() {
    never_pass_the_bound(Make::Valkey).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_by_the_wide_limit_costs_the_narrow_one_nothing() {
    let server = Server::start(Make::Redis, &[]);
    let nodes = nodes(&server).await;
    let wide = charge("wide", "all", "100/1h");
    let tasks: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(number, node)| {
            let node = Arc::clone(node);
            tokio::spawn(async move {
                let narrow = charge("narrow", &number.to_string(), "150/1h");
                let (together, _) = take(&node, &[narrow, wide], 60).await;
                let (alone, shared) = take(&node, &[narrow], 200).await;
                assert_eq!(alone, shared);
                assert_eq!(together + alone, 150, "a refused request was charged");
                together
            })
        })
        .collect();
    let mut passed = 0;
    for task in tasks {
        passed += task.await.expect("no panic");
    }
    assert_eq!(passed, 100);
}

#[tokio::test]
async fn one_round_trip_for_each_request() {
    let server = Server::start(Make::Redis, &[]);
    let node = Node::join(&server.url(), Duration::from_secs(10)).await;
    let charges: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"]
        .map(|name| charge("each", name, "10000/1h"))
        .into();
    take(&node, &charges, 1).await;
    flushed(&node.store).await;
    server.ask(&["CONFIG", "RESETSTAT"]);
    for _ in 0..50 {
        let held = node.store.reserve(&charges, micros()).await.expect("room");
        assert!(held.is_shared());
        // Not settled: that is off the path, and in other calls.
        drop(held);
    }
    let stats = server.ask(&["INFO", "commandstats"]);
    let calls = |command: &str| {
        let line = stats
            .lines()
            .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
        let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
        calls.map_or(0, |calls| calls.parse().expect("a number"))
    };
    assert_eq!(calls("evalsha"), 50, "{stats}");
    assert_eq!(calls("eval"), 0, "{stats}");
}

#[tokio::test]
async fn what_is_given_back_is_there_again_on_every_node() {
    let server = Server::start(Make::Redis, &[]);
    let one = Node::join(&server.url(), Duration::from_secs(10)).await;
    let other = Node::join(&server.url(), Duration::from_secs(10)).await;
    let charges = [charge("client", "x", "5/1h"), charge("shared", "x", "2/1h")];
    for _ in 0..2 {
        let held = one.store.reserve(&charges, micros()).await.expect("room");
        one.store.settle(held, |index| index == 1);
    }
    flushed(&one.store).await;
    assert_eq!(take(&other, &charges, 10).await, (2, 2));
    assert_eq!(take(&other, &charges[..1], 10).await, (1, 1));
}
