//! Requests on whose end or meaning two readers might disagree: each is refused
//! or reaches the upstream as one request with one meaning.

use tuskgate::stand_in::upstream::StandIn;

use crate::support::Outcome;
use crate::support::gate::{Gate, settings};
use crate::support::wire::Wire;

/// The status that `request` gets, and the upstream behind the gate.
async fn status(request: impl AsRef<[u8]>) -> (u16, StandIn) {
    let upstream = StandIn::start().await.expect("a free port");
    let gate = Gate::start(settings(upstream.address()));
    let mut client = Wire::to(gate.address).await;
    client.send(request).await;
    let reply = client.reply().await.expect("a reply");
    (reply.status, upstream)
}

#[tokio::test]
async fn what_cannot_be_read_one_way_is_refused() {
    for (request, expected) in [
        // Framing.
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\na",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
        (
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        // Lines.
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n leading\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : spaced\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        // Hosts and targets.
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ] {
        let (got, upstream) = status(request).await;
        assert_eq!(got, expected, "{request:?}");
        assert_eq!(upstream.asked(), 0, "{request:?}");
    }
}

/// The targets that hyper cuts or refuses, as ARCHITECTURE.md lists them.
#[tokio::test]
async fn targets_that_are_not_passed_as_they_are() {
    for target in ["/a<", "/a>", "/a`", "/a\x7f", "/a?\"", "/a?<", "/a?>"] {
        let (got, upstream) = status(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!((got, upstream.asked()), (400, 0), "{target}");
    }
    for place in [
        &b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"GET /?\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let (got, _) = status(place).await;
        assert_eq!(got, 400, "no UTF-8");
    }
    for (target, kept) in [
        ("/health#fragment", "/health"),
        ("/health?a#fragment?b", "/health?a"),
        ("/\u{e9}?\u{e9}", "/\u{e9}?\u{e9}"),
        ("/%zz%00%", "/%zz%00%"),
        ("/\"{}|\\^[]?`{}|\\^[]'", "/\"{}|\\^[]?`{}|\\^[]'"),
        ("http://a/health", "/health"),
    ] {
        let (_, upstream) = status(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(upstream.requests()[0].target, kept);
    }
    let (_, upstream) = status("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(upstream.requests()[0].target, "*");
}

#[tokio::test]
async fn heads_are_bounded() {
    let line = |n: usize| format!("X-{n}: {}\r\n", "v".repeat(1000));
    let huge: String = (0..70).map(line).collect();
    let (got, upstream) = status(format!("GET / HTTP/1.1\r\nHost: a\r\n{huge}\r\n")).await;
    assert_eq!((got, upstream.asked()), (431, 0), "over 64 KiB");
    let large: String = (0..60).map(line).collect();
    let (got, _) = status(format!("GET /health HTTP/1.1\r\nHost: a\r\n{large}\r\n")).await;
    assert_eq!(got, 200, "under 64 KiB");
    let many: String = (0..100).map(|n| format!("X-{n}: v\r\n")).collect();
    let (got, _) = status(format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n")).await;
    assert_eq!(got, 431, "over a hundred lines");
    let long = "a".repeat(66_000);
    let (got, _) = status(format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert!(matches!(got, 414 | 431), "{got}");
}

#[tokio::test]
async fn a_length_beside_chunks_is_dropped_and_the_connection_closed() -> Outcome {
    for lines in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: CHUNKED\r\nContent-Length: nonsense\r\n",
    ] {
        let upstream = StandIn::start().await?;
        let gate = Gate::start(settings(upstream.address()));
        let mut client = Wire::to(gate.address).await;
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        client
            .send(format!(
                "POST /stand-in/echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n4\r\nbody\r\n0\r\n\r\n{smuggled}"
            ))
            .await;
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply.text(), "body", "{lines}");
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(client.rest().await.is_empty());
        let requests = upstream.requests();
        assert_eq!(requests.len(), 1, "{lines}");
        assert_eq!(requests[0].header("content-length"), None);
        assert_eq!(requests[0].header("transfer-encoding"), Some("chunked"));
    }
    Ok(())
}

#[tokio::test]
async fn broken_chunks_never_reach_the_upstream_as_a_whole_body() -> Outcome {
    for chunks in [
        "x\r\nbody\r\n0\r\n\r\n",
        "4\r\nbodyX\r\n0\r\n\r\n",
        "4 4\r\nbody\r\n0\r\n\r\n",
        "-4\r\nbody\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nbody\r\n0\r\n\r\n",
    ] {
        let upstream = StandIn::start().await?;
        let gate = Gate::start(settings(upstream.address()));
        let mut client = Wire::to(gate.address).await;
        client
            .send(format!(
                "POST /stand-in/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            ))
            .await;
        let reply = client.reply().await;
        assert!(reply.is_none_or(|reply| reply.status == 400), "{chunks:?}");
        assert!(client.rest().await.is_empty(), "the connection ends");
        assert!(
            upstream
                .requests()
                .iter()
                .all(|request| request.received() <= 4)
        );
    }
    Ok(())
}

/// hyper takes a bare LF for a line's end, as nginx does; what is passed on
/// has been written anew with CRLF, so no second reader can disagree.
#[tokio::test]
async fn bare_line_feeds_are_read_once_and_written_anew() {
    let (got, upstream) = status("GET /health HTTP/1.1\nHost: a\nX: y\n\n").await;
    assert_eq!(got, 200);
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("x"), Some("y"));
}
