//! Bodies that are never held: uploads, downloads, event streams, hang-ups.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tuskgate::stand_in::upstream::StandIn;

use crate::support::gate::{Gate, settings};
use crate::support::script::Script;
use crate::support::wire::Wire;
use crate::support::{Outcome, PATIENCE, until};

const MIB: usize = 1024 * 1024;
const UPLOAD: usize = 99 * MIB;
/// Four loopback sockets' buffers at the kernel's usual most, and nothing of ours.
const IN_THE_KERNEL: usize = 24 * MIB;

#[tokio::test]
async fn an_upload_waits_for_an_upstream_that_does_not_read() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    let head = format!("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD}\r\n\r\n");
    client.send(head).await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    let part = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    // Nobody reads, so writing must come to a halt.
    while let Ok(written) =
        tokio::time::timeout(Duration::from_millis(500), client.stream.write(&part)).await
    {
        sent += written.expect("the gate keeps the connection");
        assert!(
            sent < IN_THE_KERNEL,
            "{sent} bytes went nowhere but into memory"
        );
    }
    let reading = tokio::spawn(async move {
        for _ in 0..UPLOAD / MIB {
            let body = mastodon.exactly(MIB).await.expect("the whole upload");
            assert!(body.iter().all(|&byte| byte == b'x'));
        }
        mastodon
            .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await;
        mastodon
    });
    while sent < UPLOAD {
        let n = part.len().min(UPLOAD - sent);
        client.send(&part[..n]).await;
        sent += n;
    }
    assert_eq!(client.reply().await.expect("a reply").status, 200);
    reading.await.expect("the upstream read it all");
}

#[tokio::test]
async fn a_download_waits_for_a_client_that_does_not_read() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client.send("GET /d HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    mastodon
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = [b"10000\r\n", &vec![b'y'; 0x10000][..], b"\r\n"].concat();
    let mut sent = 0;
    while let Ok(written) = tokio::time::timeout(
        Duration::from_millis(500),
        mastodon.stream.write_all(&chunk),
    )
    .await
    {
        written.expect("the gate keeps the connection");
        sent += chunk.len();
        assert!(
            sent < IN_THE_KERNEL,
            "{sent} bytes went nowhere but into memory"
        );
    }
    assert!(sent > 0);
}

#[tokio::test]
async fn events_arrive_one_by_one() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    let mut client = Wire::to(gate.address).await;
    client
        .send("GET /stand-in/events HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let head = client.head().await.expect("a head before the end");
    assert!(head.contains("text/event-stream"), "{head}");
    for n in 0..5 {
        let event = client.chunk().await.expect("an event");
        assert_eq!(event, format!("event: update\ndata: {n}\n\n").as_bytes());
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_its_request() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    for request in [
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
    ] {
        let mut client = Wire::to(gate.address).await;
        client.send(request).await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        drop(client);
        mastodon.rest().await; // ends, or the test runs out of patience
    }
    let mut client = Wire::to(gate.address).await;
    client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    mastodon
        .send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        .await;
    assert!(client.head().await.is_some());
    drop(client);
    mastodon.rest().await;
}

#[tokio::test]
async fn an_upstream_that_hangs_up_breaks_its_reply() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    ] {
        let mut client = Wire::to(gate.address).await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        mastodon.send(reply).await;
        assert!(client.head().await.is_some());
        drop(mastodon);
        let rest = client.rest().await;
        let text = String::from_utf8_lossy(&rest);
        assert!(
            text.contains("half") && !text.contains("\r\n0\r\n"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_early_refusal_reaches_a_client_that_is_still_sending() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client
        .send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\nsome")
        .await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    mastodon
        .send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
        .await;
    drop(mastodon);
    let part = vec![0; 64 * 1024];
    for _ in 0..64 {
        client.send(&part).await; // fails on a reset
    }
    let reply = client.reply().await.expect("the reply before any reset");
    assert_eq!((reply.status, reply.text().as_str()), (413, "big"));
}

#[tokio::test]
async fn half_of_a_download_is_enough_to_keep_nothing() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    let mut client = Wire::to(gate.address).await;
    client
        .send("GET /stand-in/sized/3000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let reply = client.reply().await.expect("a reply");
    assert_eq!(reply.body.len(), 3_000_000);
    assert!(
        reply
            .body
            .iter()
            .enumerate()
            .all(|(at, &b)| usize::from(b) == at % 251)
    );
    client
        .send("GET /stand-in/die HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert!(client.head().await.is_some());
    let rest = tokio::time::timeout(PATIENCE, client.rest()).await?;
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    until("both requests were heard", || upstream.asked() == 2).await;
    Ok(())
}
