//! Heads and small bodies, both ways.

use proptest::prelude::*;
use tuskgate::stand_in::upstream::StandIn;

use crate::support::gate::{Gate, settings};
use crate::support::script::Script;
use crate::support::wire::{Wire, fields};

/// Sends `request` through a gate and `reply` back; gives what the upstream and the client saw.
async fn pass(request: &str, reply: &[u8]) -> (String, crate::support::wire::Reply) {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client.send(request).await;
    let mut mastodon = upstream.accept().await;
    let head = mastodon.head().await.expect("the request's head");
    mastodon.send(reply).await;
    let method = request.split(' ').next().expect("a method");
    (head, client.reply_to(method).await.expect("the reply"))
}

#[tokio::test]
async fn a_head_keeps_its_target_and_its_values_in_order() {
    let (head, reply) = pass(
        "GET /a//b;c/%2e%2E/?q=%20&x[]=\u{e9}|^`&y={'1'} HTTP/1.1\r\nHost: Example.COM:8080\r\n\
         Accept: a\r\nCookie: one\r\nX-Odd: \t spaced  out \t\r\nCookie: two\r\nX-Empty:\r\n\
         Accept: b\r\nSignature: keyId=\"https://a.example/#main-key\",headers=\"(request-target)\"\r\n\r\n",
        b"HTTP/1.1 299 Quite Fine\r\nSet-Cookie: a=1\r\nX-Name: caf\xe9\r\nSet-Cookie: b=2\r\n\
          Date: Tue, 15 Nov 1994 08:12:31 GMT\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let target = "GET /a//b;c/%2e%2E/?q=%20&x[]=\u{e9}|^`&y={'1'} HTTP/1.1\r\n";
    assert!(head.starts_with(target), "{head}");
    assert_eq!(fields(&head, "host"), ["Example.COM:8080"]);
    assert_eq!(fields(&head, "cookie"), ["one", "two"]);
    assert_eq!(fields(&head, "accept"), ["a", "b"]);
    assert_eq!(fields(&head, "x-odd"), ["spaced  out"]);
    assert_eq!(fields(&head, "x-empty"), [""]);
    assert_eq!(
        fields(&head, "signature"),
        ["keyId=\"https://a.example/#main-key\",headers=\"(request-target)\""]
    );
    assert!(reply.head.starts_with("HTTP/1.1 299 Quite Fine\r\n"));
    assert_eq!(reply.headers("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(reply.headers("date"), ["Tue, 15 Nov 1994 08:12:31 GMT"]);
    assert!(
        reply.head.contains("caf\u{fffd}"),
        "one byte over ASCII passes"
    );
}

#[tokio::test]
async fn nothing_is_added_to_a_reply() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (_, reply) = pass(request, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(reply.head, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
}

#[tokio::test]
async fn replies_without_a_body_keep_what_they_state() {
    for (method, reply, length) in [
        ("HEAD", "200 OK\r\nContent-Length: 1234", Some("1234")),
        ("HEAD", "200 OK\r\nTransfer-Encoding: chunked", None),
        ("HEAD", "200 OK\r\nX: y", None),
        (
            "GET",
            "304 Not Modified\r\nContent-Length: 1234",
            Some("1234"),
        ),
        ("GET", "304 Not Modified\r\nETag: \"a\"", None),
        ("GET", "204 No Content\r\nX: y", None),
        ("DELETE", "200 OK\r\nContent-Length: 0", Some("0")),
    ] {
        let upstream = Script::new().await;
        let gate = Gate::start(settings(upstream.address));
        let mut client = Wire::to(gate.address).await;
        let mut mastodon = None;
        for _twice_on_one_connection in 0..2 {
            client
                .send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"))
                .await;
            if mastodon.is_none() {
                mastodon = Some(upstream.accept().await);
            }
            let mastodon = mastodon.as_mut().expect("accepted");
            mastodon.head().await.expect("a request");
            mastodon.send(format!("HTTP/1.1 {reply}\r\n\r\n")).await;
            let got = client.reply_to(method).await.expect("a reply");
            let status = reply.split_once("\r\n").expect("a status line").0;
            assert!(
                got.head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{}",
                got.head
            );
            assert_eq!(got.header("content-length"), length, "{method} {reply}");
            assert_eq!(got.header("transfer-encoding"), None, "{method} {reply}");
        }
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_its_kind_of_reply() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
    let mut mastodon = upstream.accept().await;
    let head = mastodon.head().await.expect("a request");
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    mastodon
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        .await;
    let all = client.rest().await;
    let all = String::from_utf8_lossy(&all);
    assert!(all.starts_with("HTTP/1.0 200 OK\r\n"), "{all}");
    assert!(!all.contains("chunked"), "{all}");
    assert!(all.ends_with("\r\n\r\nok"), "{all}");
}

#[tokio::test]
async fn an_upstream_of_http_1_0_is_not_kept() {
    let upstream = Script::new().await;
    let gate = Gate::start(settings(upstream.address));
    let mut client = Wire::to(gate.address).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut mastodon = upstream.accept().await;
        mastodon.head().await.expect("a request");
        mastodon
            .send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
            .await;
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply.head, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        open.push(mastodon); // it would take another request, were it asked
    }
}

#[tokio::test]
async fn informational_replies_are_dropped() {
    let (_, reply) = pass(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("link"), None);
}

/// How a body is framed on the way in.
#[derive(Clone, Debug)]
enum Framing {
    Length,
    Chunks(Vec<usize>),
}

fn framed(body: &[u8], framing: &Framing) -> Vec<u8> {
    match framing {
        Framing::Length => {
            let mut out = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
            out.extend(body);
            out
        }
        Framing::Chunks(sizes) => {
            let mut out = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
            let mut rest = body;
            for &size in sizes.iter().cycle() {
                let (chunk, left) = rest.split_at(size.min(rest.len()));
                rest = left;
                out.extend(format!("{:x};ext=1\r\n", chunk.len()).bytes());
                out.extend(chunk);
                out.extend(b"\r\n");
                if chunk.is_empty() {
                    return out;
                }
            }
            out
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Forwarded body = received body, byte for byte, and so the way back.
    #[test]
    fn bodies_pass_byte_for_byte(
        body in prop::collection::vec(any::<u8>(), 0..70_000),
        framing in prop_oneof![
            Just(Framing::Length),
            prop::collection::vec(1_usize..9000, 1..5).prop_map(Framing::Chunks),
        ],
        method in prop_oneof![Just("POST"), Just("PUT"), Just("GET"), Just("DELETE")],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(async {
            let upstream = StandIn::start().await.expect("a free port");
            let gate = Gate::start(settings(upstream.address()));
            let mut client = Wire::to(gate.address).await;
            client.send(format!("{method} /stand-in/echo HTTP/1.1\r\nHost: a\r\n")).await;
            client.send(framed(&body, &framing)).await;
            let reply = client.reply().await.expect("a reply");
            (upstream.requests(), reply)
        });
        let (requests, reply) = outcome;
        prop_assert_eq!(requests.len(), 1);
        prop_assert_eq!(requests[0].body(), body.clone());
        prop_assert_eq!(reply.body, body);
    }
}
