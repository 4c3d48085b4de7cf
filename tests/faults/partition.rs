//! The network between gates and their server parts: nothing arrives, nothing
//! is closed. With root's rights that is real: the server in a network
//! namespace of its own, at the other end of a cable that is pulled. Without
//! them a stand-in takes its place that stops forwarding and closes nothing.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::slow::Slow;
use super::waits::{TIMEOUT, Waits};
use crate::shared::{Node, charge, take};
use crate::support::redis::{Make, Server};
use crate::support::{PATIENCE, until};

static LAID: AtomicU32 = AtomicU32::new(0);

/// A network namespace at the end of a cable of its own.
struct Cable {
    space: String,
    near: String,
    subnet: u16,
}

fn ip(words: &str) -> bool {
    let ran = Command::new("ip").args(words.split(' ')).output();
    ran.is_ok_and(|output| output.status.success())
}

impl Cable {
    /// `None` without the rights or the tools.
    fn lay() -> Option<Self> {
        // Tests of one process may run side by side.
        let own = std::process::id();
        let number = LAID.fetch_add(1, Ordering::Relaxed);
        let cable = Self {
            space: format!("tuskgate{own}-{number}"),
            near: format!("tg{own}-{number}"),
            subnet: u16::try_from(own.wrapping_mul(4).wrapping_add(number) % 16_000).unwrap_or(0),
        };
        let (space, near) = (&cable.space, &cable.near);
        let laid = ip(&format!("netns add {space}"))
            && ip(&format!(
                "link add {near} type veth peer name far netns {space}"
            ))
            && ip(&format!("addr add {}/30 dev {near}", cable.address(1)))
            && ip(&format!("link set {near} up"))
            && ip(&format!(
                "-n {space} addr add {}/30 dev far",
                cable.address(2)
            ))
            && ip(&format!("-n {space} link set far up"));
        laid.then_some(cable)
    }

    /// One of the two ends.
    fn address(&self, end: u16) -> String {
        let [high, low] = (self.subnet * 4 + end).to_be_bytes();
        format!("10.213.{high}.{low}")
    }

    fn pull(&self) {
        assert!(ip(&format!("-n {} link set far down", self.space)));
    }

    fn plug_in(&self) {
        assert!(ip(&format!("-n {} link set far up", self.space)));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.near));
        ip(&format!("netns del {}", self.space));
    }
}

enum Line {
    Cable(Cable),
    StandIn(Slow),
}

impl Line {
    fn cut(&self) {
        match self {
            Self::Cable(cable) => cable.pull(),
            Self::StandIn(line) => line.delay(Duration::MAX),
        }
    }

    fn mend(&self) {
        match self {
            Self::Cable(cable) => cable.plug_in(),
            Self::StandIn(line) => line.delay(Duration::ZERO),
        }
    }
}

/// A server, the line to it, and its URL from this side.
fn far_away() -> (Server, Line, String) {
    let Some(cable) = Cable::lay() else {
        println!("no rights to make a network namespace: a stand-in stops forwarding instead");
        let server = Server::start(Make::Redis, &[]);
        let line = Slow::start(&server.url(), Duration::ZERO);
        let url = line.url();
        return (server, Line::StandIn(line), url);
    };
    let address = cable.address(2);
    let server = Server::start_within(&cable.space, &address);
    let url = format!("redis://{address}:6379");
    (server, Line::Cable(cable), url)
}

/// `count` nodes and a limit of `burst`, cut off and back again.
async fn each_has_its_own_limits(count: usize, burst: usize) {
    let (server, line, url) = far_away();
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Node::join(&url, TIMEOUT).await);
    }
    let budget = [charge("budget", "x", &format!("{burst}/30d"))];
    line.cut();
    let mut admitted = 0;
    for node in &nodes {
        Waits::of(node, 60).await.assert_short();
        until("it is known to be away", || !node.store.is_shared()).await;
        admitted += take(node, &budget, 4 * burst).await.0;
    }
    // The bound that the docs state, M·(N + ⌈N·W/P⌉), and not one more.
    println!("{count} nodes, a limit of {burst}: {admitted} passed while they were apart");
    assert_eq!(admitted, count * burst);
    line.mend();
    for (number, node) in nodes.iter().enumerate() {
        until("it is in use again", || node.store.is_shared()).await;
        let begun = Instant::now();
        let after = [charge("after", &number.to_string(), "100/1h")];
        while take(node, &after, 1).await != (1, 1) {
            assert!(begun.elapsed() < PATIENCE, "it never decides again");
        }
    }
    drop((nodes, server, line));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_long_and_each_has_its_own_limits() {
    each_has_its_own_limits(3, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_apart_admit_eight_times_the_limit_and_not_one_more() {
    each_has_its_own_limits(8, 100).await;
}
