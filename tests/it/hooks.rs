//! Mastodon's webhooks on the wire, signed by openssl: what they teach, and what
//! becomes of forged, repeated, oversized, slow and malformed ones. The built
//! binary end to end; the listener alone where it is about its bounds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tuskgate::admin::webhooks::{Ear, serve};
use tuskgate::secret::Secret;

use super::support::judged::House;

mod binary;
mod bounds;
mod taught;

const SECRET: &str = "5f1d0c6e8b7a4932a1c0ffee5f1d0c6e8b7a4932";

/// What openssl makes of it, so that no mistake of ours signs as well as it checks.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-r", "-hmac", secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is there");
    let mut input = openssl.stdin.take().expect("piped");
    input.write_all(body).expect("it reads");
    drop(input);
    let output = openssl.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("hex");
    let hex = text.split_whitespace().next().expect("a digest");
    format!("sha256={hex}")
}

/// One request on a connection of its own; the status, or 0 if it was hung up on.
fn send(address: SocketAddr, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENT)).expect("a socket");
    // It may answer, and hang up, before all is sent.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).unwrap_or_default();
    status.parse().unwrap_or(0)
}

fn request(path: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Sends what Sidekiq would.
fn deliver(address: SocketAddr, body: &[u8]) -> u16 {
    let signed = format!("X-Hub-Signature: {}\r\n", signature(SECRET, body));
    send(address, &request("/webhooks", &signed, body))
}

fn account(id: u64, email: &str, confirmed: bool) -> Value {
    let username = email.split('@').next().expect("a local part");
    json!({
        "id": id.to_string(), "username": username, "domain": null,
        "created_at": Timestamp::now().to_string(), "email": email, "ip": "198.51.100.80",
        "confirmed": confirmed, "approved": true, "disabled": false, "silenced": false,
        "suspended": false, "sensitized": false, "locale": "en", "ips": [],
        "account": {"id": id.to_string(), "note": "<p>hi</p>", "emojis": []},
    })
}

fn hook(event: &str, object: &Value, at: Timestamp) -> Vec<u8> {
    let hook = json!({"event": event, "created_at": at.to_string(), "object": object});
    serde_json::to_vec(&hook).expect("JSON")
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// The listener before a judge of its own.
fn ear(house: &House, patience: Duration) -> SocketAddr {
    let judge = Arc::clone(&house.judge);
    house.block(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let ear = Ear::new(judge, vec![Secret::new(SECRET)]).patient_for(patience);
        tokio::spawn(serve(listener, Arc::new(ear)));
        address
    })
}

const PATIENT: Duration = Duration::from_secs(60);
