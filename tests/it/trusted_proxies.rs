//! Which address, scheme and name of a request the upstream is told, and whom
//! the gate believes about them.

use tuskgate::proxy::ProxySettings;
use tuskgate::stand_in::upstream::StandIn;

use crate::support::Outcome;
use crate::support::gate::{Gate, behind_nginx, settings};
use crate::support::wire::Wire;

/// What the upstream was told of `header`, for a request with these header lines.
async fn told(trusting: bool, lines: &str, header: &str) -> Vec<String> {
    let upstream = StandIn::start().await.expect("a free port");
    let settings = if trusting {
        behind_nginx(upstream.address())
    } else {
        settings(upstream.address())
    };
    let gate = Gate::start(settings);
    let mut client = Wire::to(gate.address).await;
    client
        .send(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"))
        .await;
    client.reply().await.expect("a reply");
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    let values = requests[0].headers.get_all(header).iter();
    values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}

#[tokio::test]
async fn one_canonical_address_goes_upstream() {
    for (lines, address) in [
        ("", "127.0.0.1"),
        ("X-Forwarded-For: 203.0.113.5\r\n", "203.0.113.5"),
        ("X-Forwarded-For: 6.6.6.6, 203.0.113.5\r\n", "203.0.113.5"),
        (
            "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.5\r\n",
            "203.0.113.5",
        ),
        ("X-Forwarded-For: 203.0.113.5, 127.0.0.1\r\n", "203.0.113.5"),
        ("X-Forwarded-For: ::ffff:203.0.113.5\r\n", "203.0.113.5"),
        ("X-Forwarded-For: 203.0.113.5:4711\r\n", "203.0.113.5"),
        ("X-Forwarded-For: [2001:0DB8::0001]:4711\r\n", "2001:db8::1"),
        ("X-Forwarded-For: 203.0.113.5, garbage\r\n", "127.0.0.1"),
        ("X-Forwarded-For: 10.0.0.9\r\n", "10.0.0.9"),
        ("X_Forwarded_For: 6.6.6.6\r\n", "127.0.0.1"),
        (
            "Connection: X-Forwarded-For\r\nX-Forwarded-For: 203.0.113.5\r\n",
            "203.0.113.5",
        ),
    ] {
        assert_eq!(
            told(true, lines, "x-forwarded-for").await,
            [address],
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn an_untrusted_peer_is_who_it_is() {
    for lines in [
        "X-Forwarded-For: 203.0.113.5\r\n",
        "X-Forwarded-For: 203.0.113.5, 127.0.0.1\r\n",
        "Forwarded: for=203.0.113.5\r\nClient-Ip: 203.0.113.5\r\nX-Real-Ip: 203.0.113.5\r\n",
    ] {
        assert_eq!(
            told(false, lines, "x-forwarded-for").await,
            ["127.0.0.1"],
            "{lines:?}"
        );
    }
    let https = "X-Forwarded-Proto: https\r\n";
    assert_eq!(told(false, https, "x-forwarded-proto").await, ["http"]);
}

#[tokio::test]
async fn a_trusted_proxy_names_the_scheme() {
    for (lines, scheme) in [
        ("", "http"),
        ("X-Forwarded-Proto: https\r\n", "https"),
        ("X-Forwarded-Proto: HTTPS\r\n", "https"),
        ("X-Forwarded-Proto: https, http\r\n", "https"),
        (
            "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n",
            "http",
        ),
        ("X_Forwarded_Proto: https\r\n", "http"),
        (
            "Connection: X-Forwarded-Proto\r\nX-Forwarded-Proto: https\r\n",
            "https",
        ),
        (
            "Forwarded: proto=https\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-Scheme: https\r\n",
            "http",
        ),
    ] {
        assert_eq!(
            told(true, lines, "x-forwarded-proto").await,
            [scheme],
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn what_rails_would_believe_is_dropped_whoever_sends_it() {
    let lines = "Forwarded: for=6.6.6.6\r\nClient-Ip: 6.6.6.6\r\nX-Real-Ip: 6.6.6.6\r\nProxy: x\r\n\
                 X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Scheme: x\r\n\
                 X-Forwarded-Ssl: on\r\nX_Odd: 1\r\nContent_Length: 5\r\n";
    for name in [
        "forwarded",
        "client-ip",
        "x-real-ip",
        "proxy",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-scheme",
        "x-forwarded-ssl",
        "x_odd",
        "content_length",
    ] {
        for trusting in [true, false] {
            assert!(told(trusting, lines, name).await.is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_request_has_one_name() {
    let kept = told(true, "X-Request-Id: abc-123@x\r\n", "x-request-id").await;
    assert_eq!(kept, ["abc-123@x"]);
    for lines in [
        "",
        "X-Request-Id: a b\r\n",
        "X-Request-Id: a\r\nX-Request-Id: b\r\n",
    ] {
        let made = told(true, lines, "x-request-id").await;
        assert_eq!(made.len(), 1, "{lines:?}");
        assert_eq!(made[0].len(), 32, "{lines:?}");
    }
}

#[tokio::test]
async fn the_peer_is_looked_at_again_on_every_connection() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(ProxySettings {
        trusted_proxies: vec!["127.0.0.2/32".parse()?],
        ..settings(upstream.address())
    });
    for (from, expected) in [("127.0.0.2:0", "203.0.113.5"), ("127.0.0.3:0", "127.0.0.3")] {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(from.parse()?)?;
        let mut client = Wire::over(socket.connect(gate.address).await?);
        client
            .send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n")
            .await;
        client.reply().await.expect("a reply");
        let requests = upstream.requests();
        let last = requests.last().expect("a request");
        assert_eq!(last.header("x-forwarded-for"), Some(expected));
    }
    Ok(())
}
