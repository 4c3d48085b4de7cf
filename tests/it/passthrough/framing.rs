//! Trailers, `Expect`, pipelining, upgrades.

use tuskgate::stand_in::upstream::StandIn;

use crate::support::Outcome;
use crate::support::gate::{Gate, settings};
use crate::support::script::Script;
use crate::support::wire::{Wire, fields};

#[tokio::test]
async fn declared_trailers_pass_both_ways() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    let mut client = Wire::to(gate.address).await;
    client
        .send(
            "POST /stand-in/echo HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTE: trailers\r\n\
             Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\nX-Sneaked: 1\r\n\r\n",
        )
        .await;
    assert_eq!(client.reply().await.expect("a reply").text(), "body");
    let trailers = upstream.requests()[0].trailers().expect("trailers");
    assert_eq!(trailers.get("x-sum").expect("declared"), "7");
    assert_eq!(trailers.len(), 1, "the undeclared one is dropped");
    assert_eq!(upstream.requests()[0].header("te"), Some("trailers"));

    client
        .send("GET /stand-in/trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n")
        .await;
    let reply = client.reply().await.expect("a reply");
    assert_eq!(reply.text(), "body");
    assert_eq!(reply.header("trailer"), Some("x-checksum"));
    assert_eq!(reply.trailers, "x-checksum: abc\n");
    Ok(())
}

#[tokio::test]
async fn the_gate_answers_expect_and_removes_it() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    let mut mastodon = upstream.accept().await;
    let head = mastodon.head().await.expect("a request");
    assert!(fields(&head, "expect").is_empty(), "{head}");
    let go_on = client.head().await.expect("an answer to Expect");
    assert_eq!(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body").await;
    assert_eq!(mastodon.exactly(4).await.as_deref(), Some(&b"body"[..]));
    mastodon
        .send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.expect("a reply").status, 201);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    let mut client = Wire::to(gate.address).await;
    let mut all = String::new();
    for n in 0..20 {
        let body = format!("body {n}");
        all += &format!(
            "POST /stand-in/echo?{n} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    client.send(all).await;
    for n in 0..20 {
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply.text(), format!("body {n}"));
    }
    let targets: Vec<_> = upstream
        .requests()
        .iter()
        .map(|r| r.target.clone())
        .collect();
    let expected: Vec<_> = (0..20).map(|n| format!("/stand-in/echo?{n}")).collect();
    assert_eq!(targets, expected);
    Ok(())
}

const UPGRADE: &str = "GET /stand-in/upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    let mut client = Wire::to(gate.address).await;
    client.send(UPGRADE).await;
    client.send("sent before the answer").await;
    let head = client.head().await.expect("an answer");
    assert!(
        head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{head}"
    );
    assert_eq!(fields(&head, "upgrade"), ["websocket"]);
    assert_eq!(fields(&head, "connection"), ["upgrade"]);
    let echo = client.exactly(22).await.expect("an echo");
    assert_eq!(echo, b"sent before the answer");
    for size in [1, 5000, 100_000] {
        let message = vec![7; size];
        client.send(&message).await;
        assert!(client.exactly(size).await.expect("an echo") == message);
    }
    let key = upstream.requests()[0]
        .header("sec-websocket-key")
        .map(str::to_owned);
    assert_eq!(key.as_deref(), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    Ok(())
}

#[tokio::test]
async fn a_refused_upgrade_leaves_the_connection_in_use() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client.send(UPGRADE).await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    mastodon
        .send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert_eq!(client.reply().await.expect("a reply").status, 401);
    client.send("GET /after HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = mastodon.head().await.expect("on the same connection");
    assert!(head.starts_with("GET /after "), "{head}");
    mastodon
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.expect("a reply").status, 200);
}

#[tokio::test]
async fn a_101_that_nobody_asked_for_is_a_bad_gateway() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ] {
        let mut client = Wire::to(gate.address).await;
        client.send(request).await;
        let mut mastodon = upstream.accept().await;
        let head = mastodon.head().await.expect("a request");
        assert!(fields(&head, "upgrade").is_empty(), "{head}");
        mastodon
            .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
            .await;
        assert_eq!(client.reply().await.expect("a reply").status, 502);
    }
}
