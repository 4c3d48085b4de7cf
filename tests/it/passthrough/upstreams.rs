//! The upstream's connections: kept, stale, refused, named, streaming.

use tokio::net::TcpListener;
use tuskgate::proxy::{Address, Listener, ProxySettings};
use tuskgate::stand_in::upstream::StandIn;

use crate::support::Outcome;
use crate::support::gate::{Bare, Gate, settings};
use crate::support::ports::Port;
use crate::support::script::Script;
use crate::support::wire::{Reply, Wire};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn ask(gate: &Gate, request: &str) -> Reply {
    let mut client = Wire::to(gate.address).await;
    client.send(request).await;
    client.reply().await.expect("a reply")
}

#[tokio::test]
async fn connections_are_kept_over_requests_and_clients() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    for _ in 0..5 {
        for path in ["/health", "/stand-in/sized/100000", "/stand-in/status/204"] {
            ask(&gate, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        }
    }
    let requests = upstream.requests();
    assert_eq!(requests.len(), 15);
    assert!(requests.iter().all(|request| request.connection == 0));
    Ok(())
}

/// A gate, a client of it, and the upstream's end of the one connection it keeps.
async fn with_a_kept_connection() -> (Script, Gate, Wire, Wire) {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    mastodon.send(OK).await;
    assert_eq!(client.reply().await.expect("a reply").status, 200);
    (upstream, gate, client, mastodon)
}

/// A gate with one kept connection that the upstream closes when it reads `request`.
async fn on_a_stale_connection(request: &str) -> (Script, Gate, Wire) {
    let (upstream, gate, mut client, mut mastodon) = with_a_kept_connection().await;
    client.send(request).await;
    mastodon
        .head()
        .await
        .expect("the next one on the kept connection");
    drop(mastodon);
    (upstream, gate, client)
}

#[tokio::test]
async fn an_idempotent_request_is_sent_again_once() {
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let request = format!("{method} /again HTTP/1.1\r\nHost: a\r\nCookie: c\r\n\r\n");
        let (upstream, _gate, mut client) = on_a_stale_connection(&request).await;
        let mut fresh = upstream.accept().await;
        let head = fresh.head().await.expect("the same request");
        assert!(
            head.starts_with(&format!("{method} /again HTTP/1.1\r\n")),
            "{head}"
        );
        assert!(head.contains("cookie: c\r\n"), "{head}");
        drop(fresh); // a fresh connection that fails is no stale one
        assert_eq!(client.reply().await.expect("a reply").status, 502);
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_sent_again() {
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
        "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let (_upstream, _gate, mut client) = on_a_stale_connection(request).await;
        assert_eq!(
            client.reply().await.expect("a reply").status,
            502,
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_post_finds_a_fresh_connection_when_the_kept_one_is_closed() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    for _ in 0..20 {
        let mut client = Wire::to(gate.address).await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
            .await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        assert_eq!(mastodon.exactly(4).await.as_deref(), Some(&b"body"[..]));
        mastodon.send(OK).await;
        assert_eq!(client.reply().await.expect("a reply").status, 200);
        drop(mastodon); // and now the kept connection is gone
    }
}

#[tokio::test]
async fn a_form_leaves_in_one_packet_with_its_head() {
    let (_upstream, _gate, mut client, mut mastodon) = with_a_kept_connection().await;
    for _ in 0..50 {
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
            .await;
        assert!(mastodon.more().await, "the upstream reads once");
        let read = mastodon.held();
        assert!(read.ends_with(b"\r\n\r\nbody"), "{read:?}");
        mastodon.send(OK).await;
        assert_eq!(client.reply().await.expect("a reply").status, 200);
    }
}

#[tokio::test]
async fn a_connection_that_its_upstream_ends_is_not_kept() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut client = Wire::to(gate.address).await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            .await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        mastodon
            .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            .await;
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply.header("connection"), None, "that was between us two");
        open.push(mastodon);
    }
}

#[tokio::test]
async fn an_upstream_that_is_down_is_said_in_the_clients_form() {
    let nobody = Port::take();
    let gate = Gate::start(settings(nobody.address()));
    for (request, json) in [
        (
            "POST /api/v1/apps HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            true,
        ),
        (
            "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            true,
        ),
        (
            "GET /about HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n",
            false,
        ),
        (
            "GET /users/a HTTP/1.1\r\nHost: a\r\nAccept: application/activity+json\r\n\r\n",
            true,
        ),
    ] {
        let reply = ask(&gate, request).await;
        assert_eq!(reply.status, 503, "{request}");
        assert_eq!(reply.header("retry-after"), Some("5"));
        assert_eq!(reply.text().starts_with("{\"error\":\""), json, "{request}");
        assert_eq!(
            reply.text().starts_with("<!DOCTYPE html>"),
            !json,
            "{request}"
        );
    }
    // And it is found again as soon as it is back.
    let back = TcpListener::bind(nobody.address()).await;
    let back = back.expect("the port is ours");
    let answering = tokio::spawn(async move {
        let mut mastodon = Wire::over(back.accept().await.expect("the gate").0);
        mastodon.head().await.expect("a request");
        mastodon.send(OK).await;
    });
    let reply = ask(&gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(reply.status, 200);
    answering.await.expect("it answered");
}

#[tokio::test]
async fn what_is_no_http_is_a_bad_gateway() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    for nonsense in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "",
    ] {
        let mut client = Wire::to(gate.address).await;
        client.send("GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        mastodon.send(nonsense).await;
        drop(mastodon);
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply.status, 502, "{nonsense}");
        assert!(reply.text().starts_with("{\"error\":\""));
    }
}

#[tokio::test]
async fn a_name_is_resolved_and_every_address_tried() -> Outcome {
    // `localhost` is ::1 first where there is IPv6; the stand-in is on 127.0.0.1 only.
    let upstream = StandIn::start().await?;
    let named = format!("localhost:{}", upstream.address().port());
    let settings = ProxySettings {
        upstream: named.parse()?,
        ..settings(upstream.address())
    };
    let gate = Gate::start(settings);
    let reply = ask(&gate, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(reply.text(), "OK");
    Ok(())
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_an_upstream_that_is_down() -> Outcome {
    let settings = ProxySettings {
        upstream: "no-such-host.invalid:3000".parse()?,
        ..ProxySettings::default()
    };
    let gate = Gate::start(settings);
    let reply = ask(&gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(reply.status, 503);
    Ok(())
}

#[tokio::test]
async fn streaming_has_an_upstream_of_its_own() -> Outcome {
    let web = StandIn::start().await?;
    let streaming = StandIn::start().await?;
    let gate = Gate::start(ProxySettings {
        streaming: Some(Address::Socket(streaming.address())),
        ..settings(web.address())
    });
    for path in [
        "/api/v1/streaming",
        "/api/v1/streaming?stream=user",
        "/api/v1/streaming/health",
        "/api/v1/streamings",
        "/api/v1/timelines/home",
    ] {
        ask(&gate, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    }
    assert_eq!((web.asked(), streaming.asked()), (2, 3));
    Ok(())
}

#[tokio::test]
async fn unix_sockets_work_on_both_sides() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (front, back) = (folder.path().join("gate"), folder.path().join("puma"));
    let puma = tokio::net::UnixListener::bind(&back)?;
    let listener = Listener::unix(&front, 0o600)?;
    let settings = ProxySettings {
        upstream: Address::Unix(back),
        ..ProxySettings::default()
    };
    let mut gate = Gate::on(vec![listener], ([127, 0, 0, 1], 0).into(), settings, Bare);
    let mut client = tokio::net::UnixStream::connect(&front).await?;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Proto: https\r\n\r\n")
        .await?;
    let (mut mastodon, _) = puma.accept().await?;
    let mut head = vec![0; 4096];
    let n = mastodon.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..n]).into_owned();
    assert!(head.contains("x-forwarded-for: 203.0.113.5\r\n"), "{head}");
    assert!(head.contains("x-forwarded-proto: https\r\n"), "{head}");
    mastodon.write_all(OK.as_bytes()).await?;
    let mut reply = vec![0; 4096];
    let n = client.read(&mut reply).await?;
    assert!(reply[..n].starts_with(b"HTTP/1.1 200 OK\r\n"));
    gate.shut_down();
    gate.ended().await?;
    assert!(!front.exists(), "the socket's file goes with its listener");
    Ok(())
}
