//! Bans on several nodes: in force everywhere within a second, on every disk,
//! and never lost to a Redis that is emptied, restored or away.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tuskgate::ban::{Ban, Effect};

use super::Node;
use crate::store::domain;
use crate::support::redis::{Make, Server};
use crate::support::{TRIES, assert_once_within, until};

const SOON: Duration = Duration::from_secs(1);

pub(crate) fn ban(name: &str) -> Ban {
    Ban {
        created: Timestamp::now(),
        ..crate::store::ban(domain(name))
    }
}

fn names(node: &Node) -> Vec<String> {
    let bans = node.store.bans();
    let mut names: Vec<String> = bans.iter().map(|ban| ban.subject.to_string()).collect();
    names.sort();
    names
}

async fn join(server: &Server) -> Node {
    Node::join(&server.url(), SOON).await
}

/// Waits until all nodes have exactly these.
async fn all_have(nodes: &[&Node], expected: &[&str]) {
    until(&format!("every node has {expected:?}"), || {
        nodes.iter().all(|node| names(node) == expected)
    })
    .await;
}

async fn distributes(make: Make) {
    let server = Server::start(make, &[]);
    let (a, b, c) = (
        join(&server).await,
        join(&server).await,
        join(&server).await,
    );
    a.store
        .ban(ban("first.example"))
        .await
        .expect("on the disk");
    all_have(&[&a, &b, &c], &["first.example"]).await;
    let (mut banned, mut lifted) = (Vec::new(), Vec::new());
    for _ in 0..TRIES {
        let begun = Instant::now();
        b.store
            .ban(ban("second.example"))
            .await
            .expect("on the disk");
        all_have(&[&a, &b, &c], &["first.example", "second.example"]).await;
        banned.push(begun.elapsed());
        let begun = Instant::now();
        let gone = c.store.unban(&domain("second.example"), Effect::Ban).await;
        assert!(gone.expect("on the disk").is_some());
        all_have(&[&a, &b, &c], &["first.example"]).await;
        lifted.push(begun.elapsed());
    }
    assert_once_within(SOON, &banned);
    assert_once_within(SOON, &lifted);
    // Replaced on another node than the one that made it, and on its disk too.
    let other = Ban {
        reason: "another".to_owned(),
        ..ban("first.example")
    };
    c.store.ban(other).await.expect("on the disk");
    let reason = |node: &Node| {
        node.store
            .bans()
            .iter()
            .next()
            .map(|ban| ban.reason.clone())
    };
    until("the reason is the new one", || {
        [&a, &b, &c]
            .iter()
            .all(|node| reason(node).as_deref() == Some("another"))
    })
    .await;
    let folder = b.leave();
    drop((a, c));
    let alone = super::open(folder.path());
    assert_eq!(alone.bans().iter().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_force_everywhere_within_a_second_on_redis() {
    distributes(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_force_everywhere_within_a_second_on_valkey() {
    distributes(Make::Valkey).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_publish_and_subscribe_as_well() {
    let server = Server::start(
        Make::Redis,
        &[
            "--user",
            "gate",
            "on",
            ">right",
            "~{tuskgate}*",
            "resetchannels",
            "+@all",
            "-subscribe",
        ],
    );
    let url = format!("{}?user=gate&pass=right", server.url());
    let (a, b) = (Node::join(&url, SOON).await, Node::join(&url, SOON).await);
    // PUBLISH is refused as well, and must not take the change with it.
    let (mut took, mut all) = (Vec::new(), Vec::new());
    for name in ["1.example", "2.example", "3.example", "4.example"] {
        all.push(name);
        let begun = Instant::now();
        a.store.ban(ban(name)).await.expect("on the disk");
        all_have(&[&a, &b], &all).await;
        took.push(begun.elapsed());
    }
    assert_once_within(SOON * 2, &took);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_while_it_was_away_is_made_up_for() {
    let mut server = Server::start(Make::Redis, &[]);
    let (a, b) = (join(&server).await, join(&server).await);
    a.store
        .ban(ban("before.example"))
        .await
        .expect("on the disk");
    all_have(&[&a, &b], &["before.example"]).await;
    server.kill();
    a.store
        .ban(ban("a.example"))
        .await
        .expect("acknowledged without Redis");
    b.store
        .ban(ban("b.example"))
        .await
        .expect("acknowledged without Redis");
    b.store
        .unban(&domain("before.example"), Effect::Ban)
        .await
        .expect("lifted");
    // It comes back empty: the outcome is the union, and what was lifted stays so.
    server.start_again();
    all_have(&[&a, &b], &["a.example", "b.example"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_empties_nobody_and_a_lifted_ban_stays_lifted() {
    let server = Server::start(Make::Redis, &[]);
    let (a, b) = (join(&server).await, join(&server).await);
    for name in ["one.example", "two.example"] {
        a.store.ban(ban(name)).await.expect("on the disk");
    }
    all_have(&[&a, &b], &["one.example", "two.example"]).await;
    let away = b.leave();
    a.store
        .unban(&domain("one.example"), Effect::Ban)
        .await
        .expect("lifted");
    server.ask(&["FLUSHALL"]);
    let fresh = join(&server).await;
    all_have(&[&a, &fresh], &["two.example"]).await;
    // The one that was away still has it on its disk, and is told otherwise.
    let b = Node::come_back(away, &server.url()).await;
    all_have(&[&a, &b, &fresh], &["two.example"]).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    all_have(&[&a, &b, &fresh], &["two.example"]).await;
}

/// A gate of an earlier release passes on networks as they were typed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapped_network_of_an_older_gate_is_one_network() {
    let server = Server::start(Make::Redis, &[]);
    let a = join(&server).await;
    let typed = tuskgate::ban::Subject::Network("::ffff:45.9.9.0/120".parse().expect("one"));
    let stamp = Timestamp::now().as_microsecond();
    let entry = serde_json::json!({
        "subject": typed, "effect": "ban", "stamp": stamp,
        "ban": Ban { subject: typed.clone(), ..ban("any.example") },
    });
    let field = format!("ban\tnetwork\t{typed}");
    server.ask(&[
        "HSET",
        "{tuskgate}:bans",
        &field,
        &format!("{stamp} {entry}"),
    ]);
    let version = server.ask(&["INCR", "{tuskgate}:bans:version"]);
    server.ask(&["ZADD", "{tuskgate}:bans:log", &version, &field]);
    let b = join(&server).await;
    all_have(&[&a, &b], &["45.9.9.0/24"]).await;
    until("it is kept under its one spelling", || {
        server.ask(&["HKEYS", "{tuskgate}:bans"]) == "ban\tnetwork\t45.9.9.0/24"
    })
    .await;
    let lifted = b.store.unban(&typed, Effect::Ban).await.expect("undone");
    assert!(lifted.is_some());
    all_have(&[&a, &b], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_ended_is_not_passed_on() {
    let server = Server::start(Make::Redis, &[]);
    let a = join(&server).await;
    let ended = Ban {
        expires: Some(Timestamp::now() - jiff::SignedDuration::from_secs(60)),
        ..ban("ended.example")
    };
    a.store.ban(ended).await.expect("on the disk");
    a.store
        .ban(ban("lasting.example"))
        .await
        .expect("on the disk");
    let b = join(&server).await;
    all_have(&[&b], &["lasting.example"]).await;
    assert_eq!(server.ask(&["HLEN", "{tuskgate}:bans"]), "1");
}
