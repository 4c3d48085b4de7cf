//! A Redis Cluster of three masters, started by the test: scripts find their
//! shard, bans are heard of from any node, a lost shard is a lapse.

use std::process::Command;
use std::time::Duration;

use tuskgate::app::ClientId;
use tuskgate::secret::{KeyedHash, Secret};
use tuskgate::store::{SharedSettings, Topology};

use super::bans::ban;
use super::{Node, charge, flushed, take};
use crate::support::redis::{Make, Server};
use crate::support::{found, until};

pub(super) fn masters(make: Make) -> Vec<Server> {
    let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
    let servers: Vec<_> = (0..3)
        .map(|_| Server::start_on_a_port(make, &options))
        .collect();
    let joined = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(
            servers
                .iter()
                .map(|server| format!("127.0.0.1:{}", server.port())),
        )
        .args(["--cluster-replicas", "0", "--cluster-yes"])
        .output()
        .expect("redis-cli is there");
    assert!(
        joined.status.success(),
        "{}",
        String::from_utf8_lossy(&joined.stdout)
    );
    servers
}

/// Two of the three as seeds; the third is learned.
pub(super) fn settings(servers: &[Server], prefix: &str) -> SharedSettings {
    let url = |server: &Server| Secret::new(format!("redis://127.0.0.1:{}", server.port()));
    SharedSettings {
        urls: servers.iter().take(2).map(url).collect(),
        topology: Topology::Cluster,
        prefix: prefix.to_owned(),
        timeout: Duration::from_secs(1),
        ..SharedSettings::new("")
    }
}

async fn join(servers: &[Server], prefix: &str) -> Node {
    let node = Node::start(settings(servers, prefix));
    until("the cluster is in use", || node.store.is_shared()).await;
    node
}

pub(super) async fn ready(servers: &[Server]) {
    until("the cluster agrees", || {
        servers.iter().all(|server| {
            server
                .ask(&["CLUSTER", "INFO"])
                .contains("cluster_state:ok")
        })
    })
    .await;
}

async fn holds_together(make: Make) {
    let mut servers = masters(make);
    ready(&servers).await;
    // Other prefixes fall on other shards.
    for prefix in ["tuskgate", "a", "b", "c", "d"] {
        let one = join(&servers, prefix).await;
        let other = join(&servers, prefix).await;
        let charges = [charge("narrow", "x", "7/1h"), charge("wide", "x", "10/1h")];
        let passed = take(&one, &charges, 5).await.1 + take(&other, &charges, 5).await.1;
        assert_eq!(passed, 7);
        flushed(&one.store).await;
        let (id, token) = (ClientId::new("id-1"), KeyedHash([9; 16]));
        one.store.learn_token(token, &id).await;
        one.store
            .ban(ban("bots.example"))
            .await
            .expect("on the disk");
        until("the ban is in force on the other node", || {
            other.store.bans().iter().count() == 1
        })
        .await;
        let token = async || other.store.token_app(token).await;
        assert_eq!(found("the token", token).await, id);
    }
    // One shard gone: that prefix's nodes go on alone, and find back.
    let node = join(&servers, "tuskgate").await;
    until("the ban is on its disk", || {
        node.store.bans().iter().count() == 1
    })
    .await;
    let owner = servers
        .iter()
        .position(|server| server.ask(&["EXISTS", "{tuskgate}:clock"]) == "1")
        .expect("one holds it");
    servers[owner].kill();
    let passed = take(&node, &[charge("after", "x", "5/1h")], 10).await;
    assert_eq!(passed.0, 5);
    until("it is known to be gone", || !node.store.is_shared()).await;
    servers[owner].start_again();
    ready(&servers).await;
    until("the shard is in use again", || node.store.is_shared()).await;
    // The bans came back from the node's own disk.
    until("bans are there again", || {
        servers[owner].ask(&["HLEN", "{tuskgate}:bans"]) == "1"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_masters_of_redis_hold_together() {
    holds_together(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_masters_of_valkey_hold_together() {
    holds_together(Make::Valkey).await;
}
