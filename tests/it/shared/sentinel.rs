//! A master, a replica and a sentinel: the master is killed, the replica takes
//! over, the nodes follow.

use std::time::Duration;

use tuskgate::secret::Secret;
use tuskgate::store::{SharedSettings, Topology};

use super::{Node, charge, flushed, take};
use crate::support::redis::{Make, Server};
use crate::support::until;

async fn nodes_follow_the_master(make: Make) {
    let mut master = Server::start_on_a_port(make, &[]);
    let of = format!("127.0.0.1 {}", master.port());
    let replica = Server::start_on_a_port(
        make,
        &["--replicaof", &of, "--repl-diskless-sync-delay", "0"],
    );
    until("the replica follows", || {
        replica
            .ask(&["INFO", "replication"])
            .contains("master_link_status:up")
    })
    .await;
    let sentinel = Server::sentinel(make, &master);
    until("the sentinel knows both", || {
        sentinel
            .ask(&["SENTINEL", "master", "mymaster"])
            .contains("num-slaves\n1")
    })
    .await;
    let node = Node::start(SharedSettings {
        urls: vec![Secret::new(format!(
            "redis://127.0.0.1:{}",
            sentinel.port()
        ))],
        topology: Topology::Sentinel("mymaster".to_owned()),
        timeout: Duration::from_secs(1),
        ..SharedSettings::new("")
    });
    until("the master is in use", || node.store.is_shared()).await;
    let budget = [charge("budget", "x", "10/1h")];
    assert_eq!(take(&node, &budget, 4).await, (4, 4));
    flushed(&node.store).await;
    until("the replica has it", || {
        replica.ask(&["DBSIZE"]) == master.ask(&["DBSIZE"])
    })
    .await;
    master.kill();
    // Meanwhile its own limiter decides, and knows of the four.
    let meanwhile = take(&node, &budget, 2).await;
    assert_eq!(meanwhile.0, 2);
    until("the replica has taken over", || {
        replica.ask(&["ROLE"]).starts_with("master")
    })
    .await;
    until("the new master is in use", || node.store.is_shared()).await;
    let rest = take(&node, &budget, 20).await;
    assert!(rest.0 <= 6, "{rest:?}: the new master has forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_follow_the_master_of_redis() {
    nodes_follow_the_master(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_follow_the_master_of_valkey() {
    nodes_follow_the_master(Make::Valkey).await;
}
