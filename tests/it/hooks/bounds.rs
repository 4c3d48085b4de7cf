//! What the listener takes and what it does not: signatures, repetitions, sizes, time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use jiff::Span;
use serde_json::json;

use super::super::support::judged::Plan;
use super::{PATIENT, SECRET, account, deliver, ear, hook, now, request, send, signature};

#[test]
fn only_what_is_signed_and_fresh_is_taken_and_once() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let body = hook(
        "account.updated",
        &account(7, "a@good.example", false),
        now(),
    );
    let good = signature(SECRET, &body);
    for (header, status) in [
        (String::new(), 401),
        (
            format!(
                "X-Hub-Signature: {}\r\n",
                signature("another secret of some length", &body)
            ),
            401,
        ),
        (
            format!("X-Hub-Signature: {}\r\n", good.replace("sha256", "sha1")),
            401,
        ),
        (format!("X-Hub-Signature: {}0\r\n", good), 401),
        (
            format!("X-Hub-Signature: {good}\r\nX-Hub-Signature: {good}\r\n"),
            401,
        ),
        (format!("x-hub-signature: {good}\r\n"), 200),
        // The same again, as Sidekiq does if the answer was lost: well, and without effect.
        (format!("X-Hub-Signature: {good}\r\n"), 200),
    ] {
        assert_eq!(
            send(address, &request("/webhooks", &header, &body)),
            status,
            "{header}"
        );
    }
    let heard = house.judge.heard();
    assert_eq!((heard.events, heard.refused), (1, 5));
    let other = json!({"id": "1"});
    let two_days = now() - Span::new().hours(49);
    let four_days = now() - Span::new().hours(97);
    let soon = now() + Span::new().minutes(5);
    let future = now() + Span::new().hours(2);
    for (at, status) in [
        (two_days, 200),
        (soon, 200),
        (four_days, 410),
        (future, 503),
    ] {
        assert_eq!(
            deliver(address, &hook("status.created", &other, at)),
            status,
            "{at}"
        );
    }
}

#[test]
fn nothing_else_answers_and_nothing_else_is_read() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let body = hook(
        "account.updated",
        &account(7, "a@good.example", false),
        now(),
    );
    let signed = format!("X-Hub-Signature: {}\r\n", signature(SECRET, &body));
    for path in [
        "/",
        "/healthz",
        "/metrics",
        "/webhooks/",
        "/webhooks/x",
        "/api/v1/accounts",
    ] {
        assert_eq!(send(address, &request(path, &signed, &body)), 404, "{path}");
    }
    let get = b"GET /webhooks HTTP/1.1\r\nHost: gate\r\n\r\n";
    assert_eq!(send(address, get), 405);
    assert_eq!(send(address, b"\x16\x03\x01\x02\x00nonsense\r\n\r\n"), 400);
    for bad in [
        &b""[..],
        b"null",
        b"{",
        b"\xff\xfe",
        b"[[[[[[[[[[",
        br#"{"event":"account.created"}"#,
    ] {
        assert_eq!(deliver(address, bad), 422, "{bad:?}");
    }
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    assert_eq!(deliver(address, &deep), 422);
    let mut odd = account(9, "a@good.example", true);
    odd["id"] = json!([]);
    assert_eq!(deliver(address, &hook("account.created", &odd, now())), 422);
    assert_eq!(house.judge.heard().events, 0);
    assert_eq!(deliver(address, &body), 200, "it is still there");
}

#[test]
fn too_large_is_refused_by_its_length_and_by_its_bytes() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let told = b"POST /webhooks HTTP/1.1\r\nHost: gate\r\nContent-Length: 99999999\r\n\r\n";
    assert_eq!(send(address, told), 413);
    let mut chunked =
        b"POST /webhooks HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b'a'; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let status = send(address, &chunked);
    // Its answer may be lost when it hangs up on what is still being sent.
    assert!(matches!(status, 413 | 0), "{status}");
    let post = "x".repeat(900_000);
    let large = hook("status.created", &json!({ "content": post }), now());
    assert_eq!(deliver(address, &large), 200);
}

#[test]
fn the_slow_are_cut_off_and_hold_up_nobody_for_long() {
    let house = Plan::default().build();
    let address = ear(&house, Duration::from_secs(3));
    let began = Instant::now();
    let mut held: Vec<_> = (0..40)
        .map(|n| {
            let mut stream = TcpStream::connect(address).expect("it listens");
            let head = match n % 3 {
                0 => &b""[..],
                1 => b"POST /webhooks HTTP/1.1\r\nHost: g",
                _ => b"POST /webhooks HTTP/1.1\r\nHost: gate\r\nContent-Length: 100\r\n\r\n{",
            };
            stream.write_all(head).expect("it reads");
            stream
        })
        .collect();
    let body = hook("status.created", &json!({}), now());
    assert_eq!(deliver(address, &body), 200);
    assert!(began.elapsed() < PATIENT);
    for stream in &mut held {
        stream.set_read_timeout(Some(PATIENT)).expect("a socket");
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(
            ended.is_ok() || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
}
