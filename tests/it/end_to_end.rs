//! Real clients through the whole chain: Mastodon.py and toot, a WebSocket, a
//! signed federation post and a large upload, through nginx, the gate and Rails.
//!
//! Each of them also runs with the gate left out: what passes there and fails
//! through the gate is the gate's doing.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::support::caller::{Encoding, HOST, read_head};
use super::support::chain::{Chain, Record};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The domain of every honest person here, with a mail server of its own.
const DOMAIN: &str = "honest.example";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(5, 9, 10, 11));

fn zone() -> [Record; 2] {
    [
        Record::mx(DOMAIN, "mx.honest.example"),
        Record::address("mx.honest.example", [5, 9, 200, 1]),
    ]
}

#[test]
fn clients_straight_to_rails() {
    clients(&Chain::direct());
}

#[test]
fn clients_through_the_gate() {
    clients(&Chain::gated(&zone(), ""));
}

#[test]
fn wire_straight_to_rails() {
    wire(&Chain::direct());
}

#[test]
fn wire_through_the_gate() {
    wire(&Chain::gated(&zone(), ""));
}

/// The client libraries, and what they must have left behind at Rails.
fn clients(chain: &Chain) {
    let told = python(chain, "mastodon_py.py");
    let state = chain.state();
    let digest = told.split_whitespace().last().unwrap_or_default();
    assert_eq!(
        state["media"],
        json!([{"bytes": 5 << 20, "sha256": digest}]),
        "the upload arrived whole"
    );
    assert_eq!(names(&state["users"], "username"), ["pat"]);
    assert_eq!(
        reached(&state, "Api::V1::AccountsController#create", "200"),
        1
    );
    assert_eq!(
        reached(&state, "Api::V1::AccountsController#create", "422"),
        1,
        "a name that is taken is told by Rails"
    );

    python(chain, "toot_cli.py");
    let state = chain.state();
    assert_eq!(names(&state["users"], "username"), ["pat", "tess"]);
    assert_eq!(
        reached(&state, "Auth::RegistrationsController#create", "302"),
        1
    );
    let apps = names(&state["apps"], "name");
    assert!(
        apps.contains(&"Mastodon.py in tests") && apps.contains(&"toot - a Mastodon CLI client"),
        "{apps:?}"
    );
    let posts: Vec<&str> = state["statuses"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        posts.contains(&"toot by code") && posts.contains(&"toot by password"),
        "{posts:?}"
    );
}

/// What no client library shows: bytes, addresses, upgrades.
fn wire(chain: &Chain) {
    client_address(chain);
    signed_post(chain);
    web_socket(chain);
    let answer = chain.caller(CLIENT).get("/health").expect("an answer");
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
}

fn client_address(chain: &Chain) {
    let headers = [
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=9.9.9.9"),
        ("X_Forwarded_For", "127.0.0.1"),
    ];
    let answer = chain
        .caller(CLIENT)
        .call("GET", "/__echo/a%2Fb?q=%41&q=b", &headers, b"")
        .expect("an answer");
    let echo = answer.json();
    assert_eq!(echo["remote_ip"], CLIENT.to_string(), "{echo}");
    assert_eq!(
        echo["target"], "/__echo/a%2Fb?q=%41&q=b",
        "the target is not rewritten"
    );
    assert_eq!(echo["headers"]["HTTP_HOST"], HOST);
}

/// A signature over method, path, host, date and body digest still verifies.
fn signed_post(chain: &Chain) {
    let body: Vec<u8> = (0..20_000_u32).flat_map(|n| n.to_be_bytes()).collect();
    let digest = format!("SHA-256={}", STANDARD.encode(Sha256::digest(&body)));
    let date = "Sun, 22 Nov 2026 07:00:00 GMT";
    let target = "/users/pat/inbox?x=%7e";
    let text =
        format!("(request-target): post {target}\nhost: {HOST}\ndate: {date}\ndigest: {digest}");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"tuskgate-test").expect("any key length");
    mac.update(text.as_bytes());
    let signature = format!(
        "keyId=\"https://far.example/actor#main-key\",headers=\"(request-target) host date digest\",signature=\"{}\"",
        STANDARD.encode(mac.finalize().into_bytes())
    );
    let headers = [
        ("Date", date),
        ("Digest", digest.as_str()),
        ("Signature", signature.as_str()),
        ("Content-Type", "application/activity+json"),
    ];
    let answer = chain
        .caller(CLIENT)
        .call("POST", target, &headers, &body)
        .expect("an answer");
    assert_eq!((answer.status, answer.text().trim()), (202, "verified"));
    let changed = [&body, &b"x"[..]].concat();
    let answer = chain
        .caller(CLIENT)
        .call("POST", target, &headers, &changed)
        .expect("an answer");
    assert_eq!(answer.status, 401, "the check itself tells a changed body");
}

/// An upgraded connection carries a status from another client as a frame.
fn web_socket(chain: &Chain) {
    let stream = TcpStream::connect(chain.entry).expect("nginx listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a bound can be set");
    let mut socket = BufReader::new(stream);
    let request = format!(
        "GET /api/v1/streaming?stream=public HTTP/1.1\r\nHost: {HOST}\r\nX-Test-Client: {CLIENT}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket
        .get_mut()
        .write_all(request.as_bytes())
        .expect("sent");
    let (status, headers) = read_head(&mut socket).expect("a head");
    assert_eq!(status, 101, "{headers:?}");
    let accept = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"));
    // The example of RFC 6455 §1.3.
    assert_eq!(
        accept.map(|(_, value)| value.as_str()),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );

    post_a_status(chain, "through the socket");
    let mut head = [0_u8; 4];
    socket.read_exact(&mut head).expect("a frame");
    assert_eq!(
        &head[..2],
        [0x81, 126],
        "one text frame of a length in two bytes"
    );
    let mut payload = vec![0_u8; usize::from(u16::from_be_bytes([head[2], head[3]]))];
    socket.read_exact(&mut payload).expect("its payload");
    assert!(String::from_utf8_lossy(&payload).contains("through the socket"));
}

/// A person signs up by API, confirms and posts.
fn post_a_status(chain: &Chain, text: &str) {
    let mut caller = chain.caller(CLIENT);
    let app = [
        ("client_name", "Wire"),
        ("redirect_uris", "urn:ietf:wg:oauth:2.0:oob"),
        ("scopes", "read write"),
    ];
    let app = caller
        .post("/api/v1/apps", Encoding::Json, &app, None)
        .expect("an answer")
        .json();
    let (id, secret) = (
        app["client_id"].as_str().unwrap_or_default(),
        app["client_secret"].as_str().unwrap_or_default(),
    );
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
        ("scope", "read write"),
    ];
    let token = caller
        .post("/oauth/token", Encoding::Urlencoded, &grant, None)
        .expect("an answer")
        .json();
    let email = format!("wire@{DOMAIN}");
    let person = [
        ("username", "wire"),
        ("email", email.as_str()),
        ("password", "correct-horse"),
        ("agreement", "true"),
    ];
    let answer = caller
        .post(
            "/api/v1/accounts",
            Encoding::Multipart,
            &person,
            token["access_token"].as_str(),
        )
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    chain.confirm(&email);
    let token = answer.json();
    let status = [("status", text)];
    let answer = caller.post(
        "/api/v1/statuses",
        Encoding::Urlencoded,
        &status,
        token["access_token"].as_str(),
    );
    assert_eq!(answer.expect("an answer").status, 200);
}

/// Runs one of the drivers in `tests/e2e` against the chain; what it printed.
fn python(chain: &Chain, driver: &str) -> String {
    let root = Path::new(ROOT).join("tests");
    let output = Command::new(root.join(".cache/venv/bin/python"))
        .arg(root.join("e2e").join(driver))
        .args([
            format!("http://{}", chain.entry),
            format!("http://{}", chain.rails),
            DOMAIN.to_owned(),
        ])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .expect("tests/setup has made the venv");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{driver}:\n{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    told
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry[key].as_str())
        .collect()
}

fn reached(state: &Value, action: &str, status: &str) -> u64 {
    state["reached"][action][status]
        .as_u64()
        .unwrap_or_default()
}
