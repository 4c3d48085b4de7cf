//! The server killed, paused, slow, full, refusing, of another key, emptied:
//! nobody waits long, each node goes on by itself within a stated bound, and
//! all of them find back by themselves.

use std::time::{Duration, Instant};

use tuskgate::store::SharedSettings;
use tuskgate::told::{Heard, Told};

use super::slow::Slow;
use super::waits::{TIMEOUT, Waits};
use crate::shared::{Node, charge, flushed, take};
use crate::support::redis::{Make, Server};
use crate::support::{PATIENCE, until};

/// Waits until this node is back, then shows that it is.
async fn back(node: &Node, name: &str) {
    until("the shared store is in use again", || {
        node.store.is_shared()
    })
    .await;
    let begun = Instant::now();
    loop {
        // One late answer on a busy machine is no failure.
        if take(node, &[charge("after", name, "100/1h")], 1).await == (1, 1) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "it never decides again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again() {
    let mut server = Server::start(Make::Redis, &[]);
    // What is counted here, every answer of the server must be waited for.
    let patient = Duration::from_secs(5);
    let nodes = [
        Node::join(&server.url(), patient).await,
        Node::join(&server.url(), patient).await,
        Node::join(&server.url(), patient).await,
    ];
    let budget = [charge("budget", "x", "10/1h")];
    let mut admitted = 0;
    for node in &nodes {
        admitted += take(node, &budget, 4).await.0;
    }
    assert_eq!(admitted, 10);
    server.kill();
    for node in &nodes {
        Waits::of(node, 20).await.assert_short();
        assert!(!node.store.is_shared());
        admitted += take(node, &budget, 40).await.0;
    }
    // What a node has let through itself counts on: three times N in all, not four.
    assert_eq!(admitted, 30);
    server.start_again();
    for (number, node) in nodes.iter().enumerate() {
        back(node, &number.to_string()).await;
        admitted += take(node, &budget, 40).await.1;
    }
    // It came back empty, as a Redis without persistence does: once more N.
    assert!(admitted <= 40, "{admitted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused() {
    let server = Server::start(Make::Redis, &[]);
    let node = Node::join(&server.url(), TIMEOUT).await;
    server.signal("STOP");
    Waits::of(&node, 200).await.assert_short();
    server.signal("CONT");
    back(&node, "x").await;
    // What was charged while nobody listened any more is given back.
    flushed(&node.store).await;
    until("late charges are undone", || {
        let held = "return #redis.call('KEYS', '*')";
        server
            .ask(&["EVAL", held, "0"])
            .parse::<usize>()
            .is_ok_and(|keys| keys <= 6)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow() {
    let server = Server::start(Make::Redis, &[]);
    let line = Slow::start(&server.url(), Duration::ZERO);
    let node = Node::join(&line.url(), TIMEOUT).await;
    line.delay(Duration::from_millis(50));
    Waits::of(&node, 200).await.assert_short();
    line.delay(Duration::ZERO);
    back(&node, "x").await;
}

/// Waits until an admin is told so, in plain words: what is wrong, what gates do
/// meanwhile, which setting mends it; and nothing in those of the client library.
async fn said(mend: &str) {
    let mut all = String::new();
    let begun = Instant::now();
    while !all.contains(mend) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{mend}: {all}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        all = tuskgate::telemetry::trouble::current().join("\n");
    }
    assert!(all.contains("each gate goes by its own limits"), "{all}");
    for raw in [
        "Index",
        "error:",
        "ErrorKind",
        "Server(",
        "OOM",
        "WRONGPASS",
        "READONLY",
    ] {
        assert!(!all.contains(raw), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_and_why() {
    let replica = Server::start(Make::Redis, &["--replicaof", "127.0.0.1", "1"]);
    let lone_shard = Server::start(Make::Valkey, &["--cluster-enabled", "yes"]);
    let strict = Server::start(Make::Redis, &["--requirepass", "right"]);
    let narrow = Server::start(
        Make::Redis,
        &["--user", "gate", "on", ">right", "~other:*", "+@all"],
    );
    let as_gate = format!("{}?user=gate&pass=right", narrow.url());
    for (url, mend) in [
        (replica.url(), "store.url must name the master"),
        (lone_shard.url(), "CLUSTER INFO"),
        (strict.url(), "put them into store.url"),
        (
            format!("{}?pass=wrong", strict.url()),
            "does not take the user or password",
        ),
        (as_gate, "give it the ACL of deploy/SCALING.md"),
        ("unix:///nowhere/redis.sock".to_owned(), "store.url"),
    ] {
        let node = Node::start(SharedSettings::new(url));
        said(mend).await;
        assert!(!node.store.is_shared());
        drop(node);
        tuskgate::telemetry::trouble::clear(tuskgate::telemetry::trouble::Trouble::Shared);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full() {
    full_and_said_so(Make::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_valkey() {
    full_and_said_so(Make::Valkey).await;
}

async fn full_and_said_so(make: Make) {
    let server = Server::start(make, &["--maxmemory-policy", "noeviction"]);
    let node = Node::join(&server.url(), Duration::from_secs(1)).await;
    let budget = [charge("a", "x", "5/1h"), charge("b", "x", "5/1h")];
    assert_eq!(take(&node, &budget, 2).await, (2, 2));
    server.ask(&["CONFIG", "SET", "maxmemory", "100kb"]);
    // Its own limiter knows of the two.
    assert_eq!(take(&node, &budget, 10).await, (3, 0));
    until("it is known to be full", || !node.store.is_shared()).await;
    said("raise maxmemory").await;
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    back(&node, "x").await;
    // Nothing was half charged while it was full.
    assert_eq!(take(&node, &budget, 10).await, (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_the_right_one() {
    // The user that deploy/SCALING.md tells to make, and no more rights.
    let page = std::fs::read_to_string("deploy/SCALING.md").expect("the page is there");
    let line = page
        .lines()
        .find_map(|line| line.trim().strip_prefix("ACL SETUSER "));
    let line = line.expect("it tells").replace(">PASSWORD", ">right");
    let mut words = vec!["--user"];
    words.extend(line.split(' '));
    let server = Server::start(Make::Redis, &words);
    let with = |password: &str| format!("{}?user=tuskgate&pass={password}", server.url());
    let wrong = Node::start(SharedSettings::new(with("wrong")));
    Waits::of(&wrong, 5).await.assert_short();
    let right = Node::join(&with("right"), Duration::from_secs(1)).await;
    assert_eq!(take(&right, &[charge("a", "x", "5/1h")], 10).await, (5, 5));
    assert!(!wrong.store.is_shared());
    // Everything else works with these rights as well: bans, tokens.
    let (id, token) = (
        tuskgate::app::ClientId::new("id-1"),
        tuskgate::secret::KeyedHash([1; 16]),
    );
    right.store.learn_token(token, &id).await;
    let ban = crate::shared::bans::ban("first.example");
    right.store.ban(ban).await.expect("on the disk");
    let mut ear = right.store.listen().expect("it shares");
    let domain = tuskgate::mailbox::Domain::new("a.example").expect("a domain");
    right.store.tell(Told::Confirm(domain, 7));
    assert_eq!(
        ear.recv().await,
        Some(Heard::Anew),
        "clusters were looked for"
    );
    until("it is told", || {
        server.ask(&["OBJECT", "ENCODING", "{tuskgate}:counted"]) == "stream"
    })
    .await;
    until("token and ban are shared", || {
        server.ask(&[
            "--user",
            "tuskgate",
            "--pass",
            "right",
            "--no-auth-warning",
            "EVAL",
            "return redis.call('EXISTS', KEYS[1], KEYS[2])",
            "2",
            "{tuskgate}:bans",
            &format!("{{tuskgate}}:token:{token}"),
        ]) == "2"
    })
    .await;
    let errors = server.ask(&["INFO", "errorstats"]);
    assert!(!errors.contains("NOPERM"), "{errors}");
    let said = tuskgate::telemetry::trouble::current().join("\n");
    assert!(!said.contains("wrong"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_is_kept_out() {
    let server = Server::start(Make::Redis, &[]);
    let ours = Node::join(&server.url(), Duration::from_secs(1)).await;
    let stranger = Node::under_key("08", SharedSettings::new(server.url()));
    Waits::of(&stranger, 20).await.assert_short();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!stranger.store.is_shared());
    assert!(ours.store.is_shared());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emptied_and_its_scripts_forgotten() {
    let server = Server::start(Make::Redis, &[]);
    let node = Node::join(&server.url(), Duration::from_secs(5)).await;
    let budget = [charge("a", "x", "5/1h")];
    assert_eq!(take(&node, &budget, 10).await, (5, 5));
    server.ask(&["FLUSHALL"]);
    server.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(take(&node, &budget, 10).await, (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("unix://{}/none", folder.path().display());
    let node = Node::start(SharedSettings::new(url));
    Waits::of(&node, 50).await.assert_short();
}
