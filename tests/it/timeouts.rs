//! Slow clients and silent upstreams are cut off, each by its own phase.

use std::time::{Duration, Instant};

use tuskgate::proxy::{ProxySettings, Timeouts};
use tuskgate::stand_in::upstream::StandIn;

use crate::support::gate::{Gate, settings};
use crate::support::script::Script;
use crate::support::wire::Wire;
use crate::support::{Outcome, PATIENCE};

const SHORT: Duration = Duration::from_millis(200);
/// Between two parts of what is slow but steady.
const STEP: Duration = Duration::from_millis(100);
/// No pause on a busy machine is as long, and what is steady takes longer in all.
const STEADY: Duration = Duration::from_secs(4);
/// The others must not be what cuts.
const LONG: Duration = Duration::from_secs(600);

fn with(upstream: std::net::SocketAddr, change: impl Fn(&mut Timeouts)) -> ProxySettings {
    let mut settings = settings(upstream);
    settings.timeouts = Timeouts {
        idle: LONG,
        head: LONG,
        body_stall: LONG,
        connect: LONG,
        reply_head: LONG,
        reply_stall: LONG,
        drain: Duration::from_secs(1),
    };
    change(&mut settings.timeouts);
    settings
}

/// Everything that comes until the gate closes, which is not before [`SHORT`].
async fn cut_off(client: &mut Wire, since: Instant) -> String {
    let said = client.rest().await;
    assert!(
        since.elapsed() >= SHORT,
        "cut off too early: {:?}",
        since.elapsed()
    );
    assert!(since.elapsed() < PATIENCE);
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn an_idle_client_is_let_go() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(with(upstream.address(), |t| t.idle = SHORT));
    let since = Instant::now();
    let mut silent = Wire::to(gate.address).await;
    assert_eq!(cut_off(&mut silent, since).await, "");
    let mut client = Wire::to(gate.address).await;
    let since = Instant::now();
    client.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.reply().await.expect("a reply").status, 200);
    assert_eq!(cut_off(&mut client, since).await, "");
    Ok(())
}

#[tokio::test]
async fn a_head_has_its_time_from_its_first_byte() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(with(upstream.address(), |t| t.head = SHORT));
    let mut client = Wire::to(gate.address).await;
    // Idle for longer than a head may take, twice, once parked and once not.
    tokio::time::sleep(2 * SHORT).await;
    client.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.reply().await.expect("a reply").status, 200);
    tokio::time::sleep(2 * SHORT).await;
    let since = Instant::now();
    client.send("GET /health HTTP/1.1\r\nHost: a\r\n").await;
    for _ in 0..40 {
        // Trickling does not help.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, b"X: y\r\n").await;
        tokio::time::sleep(SHORT / 20).await;
    }
    let said = cut_off(&mut client, since).await;
    assert!(
        said.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{said}"
    );
    assert_eq!(upstream.asked(), 1);
    Ok(())
}

#[tokio::test]
async fn a_stalled_body_is_answered_408() {
    let upstream = Script::new().await;
    let gate = Gate::start(with(upstream.address, |t| t.body_stall = SHORT));
    let mut client = Wire::to(gate.address).await;
    let since = Instant::now();
    client
        .send("POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        .await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    let said = cut_off(&mut client, since).await;
    assert!(
        said.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{said}"
    );
    assert!(said.contains("{\"error\":"), "{said}");
    assert_eq!(mastodon.rest().await, b"half", "and upstream it breaks off");
}

#[tokio::test]
async fn a_slow_but_steady_body_passes() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(with(upstream.address(), |t| {
        t.body_stall = STEADY;
        t.reply_head = STEADY;
    }));
    let mut client = Wire::to(gate.address).await;
    client
        .send("POST /stand-in/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n")
        .await;
    for _ in 0..50 {
        client.send("x").await;
        tokio::time::sleep(STEP).await;
    }
    assert_eq!(client.reply().await.expect("a reply").text(), "50");
    Ok(())
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let upstream = Script::new().await;
    let gate = Gate::start(with(upstream.address, |t| t.body_stall = SHORT));
    let mut client = Wire::to(gate.address).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    mastodon
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        .await;
    let part = vec![0; 1 << 20];
    let began = Instant::now();
    // Ends with an error once the gate has given the client up.
    while tokio::io::AsyncWriteExt::write_all(&mut mastodon.stream, &part)
        .await
        .is_ok()
    {
        assert!(began.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn a_silent_upstream_is_a_gateway_timeout() {
    let upstream = Script::new().await;
    let gate = Gate::start(with(upstream.address, |t| t.reply_head = SHORT));
    for request in [
        "GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
    ] {
        let mut client = Wire::to(gate.address).await;
        let since = Instant::now();
        client.send(request).await;
        let mut mastodon = upstream.accept().await;
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply.status, 504, "{request}");
        assert!(since.elapsed() >= SHORT);
        mastodon.rest().await; // and the request is cancelled
    }
}

#[tokio::test]
async fn a_reply_that_stalls_breaks_off_unless_it_is_an_event_stream() {
    let upstream = Script::new().await;
    let gate = Gate::start(with(upstream.address, |t| t.reply_stall = SHORT));
    for (kind, endless) in [("text/plain", false), ("text/event-stream", true)] {
        let mut client = Wire::to(gate.address).await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        let since = Instant::now();
        mastodon
            .send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
            ))
            .await;
        assert!(client.head().await.is_some());
        assert_eq!(client.chunk().await.as_deref(), Some(&b"half"[..]));
        if endless {
            tokio::time::sleep(4 * SHORT).await;
            mastodon.send("5\r\nother\r\n0\r\n\r\n").await;
            assert_eq!(client.chunk().await.as_deref(), Some(&b"other"[..]));
        } else {
            assert_eq!(cut_off(&mut client, since).await, "");
            mastodon.rest().await;
        }
    }
}

#[tokio::test]
async fn a_quiet_tunnel_outlives_every_time_out() -> Outcome {
    // Until the tunnel is there they all count: longer than a busy machine pauses.
    let short = 5 * SHORT;
    let upstream = StandIn::start().await?;
    let gate = Gate::start(with(upstream.address(), |t| {
        t.idle = short;
        t.head = short;
        t.body_stall = short;
        t.reply_head = short;
        t.reply_stall = short;
    }));
    let mut client = Wire::to(gate.address).await;
    client
        .send("GET /stand-in/upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        .await;
    assert!(client.head().await.expect("an answer").contains(" 101 "));
    tokio::time::sleep(3 * short).await;
    client.send("still here").await;
    assert_eq!(
        client.exactly(10).await.as_deref(),
        Some(&b"still here"[..])
    );
    Ok(())
}
