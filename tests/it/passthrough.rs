//! What goes through, goes through unchanged.

use crate::support::gate::{Gate, settings};
use crate::support::script::Script;
use crate::support::wire::Wire;

#[tokio::test]
async fn a_request_and_its_reply() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client
        .send("GET /a?b=c%20d HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n")
        .await;
    let mut mastodon = upstream.accept().await;
    let head = mastodon.head().await.expect("a head");
    eprintln!("{head}");
    assert!(head.starts_with("GET /a?b=c%20d HTTP/1.1\r\n"), "{head}");
    mastodon
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok")
        .await;
    let reply = client.reply().await.expect("a reply");
    eprintln!("{}", reply.head);
    assert_eq!((reply.status, &*reply.body), (200, &b"ok"[..]));
}
