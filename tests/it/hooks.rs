//! Mastodon's webhooks on the wire, signed by openssl: what they teach, and what
//! becomes of forged, repeated, oversized, slow and malformed ones. The built
//! binary end to end; the listener alone where it is about its bounds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use tuskgate::admin::webhooks::{Ear, serve};
use tuskgate::cluster::{Change, SeenDomain};
use tuskgate::event::Note;
use tuskgate::judge::cluster::keys;
use tuskgate::mail::dns::{MailServer, MxHost};
use tuskgate::mailbox::Domain;
use tuskgate::secret::Secret;
use tuskgate::store::{Store, StoreSettings};

use super::support::judged::{ANA, BEN, House, Plan, Stage, wait_until, zone};
use super::support::program::Program;

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
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a socket");
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

const PATIENT: Duration = Duration::from_secs(20);

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
    let address = ear(&house, Duration::from_millis(700));
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
    assert!(began.elapsed() < Duration::from_secs(20));
    for stream in &mut held {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a socket");
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(
            ended.is_ok() || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
}

#[test]
fn an_account_that_the_gate_never_saw_is_a_bypass() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let created = |id, email| hook("account.created", &account(id, email, false), now());
    // The gate has just come to be: it cannot tell.
    assert_eq!(deliver(address, &created(1, "early@good.example")), 200);
    assert_eq!(house.judge.heard().bypasses, 0);

    let mut ana = house.person(ANA);
    assert_eq!(ana.web_sign_up("ana", "ana@good.example").status, 302);
    assert_eq!(deliver(address, &created(2, "Ana@good.example")), 200);
    assert_eq!(house.judge.heard().bypasses, 0, "let through");
    // A later word of somebody unknown says nothing of where they came from.
    let updated = hook(
        "account.updated",
        &account(3, "zoe@good.example", true),
        now(),
    );
    assert_eq!(deliver(address, &updated), 200);
    assert_eq!(house.judge.heard().bypasses, 0);

    let beside = created(4, "eve@good.example");
    assert_eq!(deliver(address, &beside), 200);
    assert_eq!(deliver(address, &beside), 200);
    assert_eq!(house.judge.heard().bypasses, 1);
    let noted: Vec<_> = house
        .events()
        .into_iter()
        .filter(|e| e.note == Some(Note::Bypass))
        .collect();
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].username.as_deref(), Some("eve"));
    assert!(!format!("{noted:?}").contains("eve@"));
    // Whoever came in beside the gate vouches for nothing.
    assert_eq!(
        deliver(
            address,
            &hook(
                "account.approved",
                &account(4, "eve@good.example", true),
                now()
            )
        ),
        200
    );
    assert_eq!(house.judge.heard().confirmed, 0);
    let remote = {
        let mut remote = account(5, "x@good.example", false);
        remote["domain"] = json!("far.example");
        hook("account.created", &remote, now())
    };
    assert_eq!(deliver(address, &remote), 200);
    assert_eq!(
        house.judge.heard().bypasses,
        1,
        "remote accounts are nobody's sign-up"
    );
}

#[test]
fn what_the_gate_let_in_unread_is_no_bypass() {
    let house = Plan::default().observing().build();
    let address = ear(&house, PATIENT);
    let mut ana = house.person(ANA);
    assert_eq!(ana.web_sign_up("ana", "ana@good.example").status, 302);
    let odd = [("Content-Type", "text/plain")];
    ana.call("POST", "/auth", &odd, b"user[email]=b@good.example")
        .expect("an answer");
    let body = hook(
        "account.created",
        &account(9, "b@good.example", false),
        now(),
    );
    assert_eq!(deliver(address, &body), 200);
    assert_eq!(house.judge.heard().bypasses, 0);
}

#[test]
fn links_count_anonymously_until_mastodon_tells() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let mut ana = house.person(ANA);
    assert_eq!(ana.web_sign_up("ana", "ana@good.example").status, 302);
    wait_until("it is counted", || house.judge.heard().admitted == 1);
    let link = |token: &str| format!("/auth/confirmation?confirmation_token={token}");
    assert_eq!(ana.get(&link("bad1")).status, 200);
    assert_eq!(house.judge.heard().links, 0);
    for _ in 0..3 {
        assert_eq!(ana.get(&link("good1")).status, 302);
    }
    assert_eq!(house.judge.heard().links, 1, "a token counts once");
    let mut ben = house.person(BEN);
    for number in 0..50 {
        assert_eq!(ben.get(&link(&format!("good-ben{number}"))).status, 302);
    }
    assert_eq!(house.judge.heard().links, 9, "a network a few times a day");
    assert_eq!(house.judge.heard().confirmed, 0);
    let body = hook(
        "account.approved",
        &account(2, "ana@good.example", true),
        now(),
    );
    assert_eq!(deliver(address, &body), 200);
    assert_eq!(house.judge.heard().confirmed, 1);
}

/// A hoster with customers whom the gate has known for a month.
fn hoster() -> Stage {
    let mut zone = zone();
    for number in 0..20 {
        zone.mx(&format!("new{number}.example"), 10, "mx.hoster.example");
        zone.mx(&format!("village{number}.example"), 10, "mx.hoster.example");
    }
    zone.ip("mx.hoster.example", [45, 9, 10, 9]);
    Stage::new(zone)
}

fn remember_villages(program: &Program) {
    let hosts = vec![MxHost {
        name: Domain::new("mx.hoster.example").expect("a domain"),
        preference: 10,
        ips: vec!["45.9.10.9".parse().expect("an address")],
    }];
    let keys = keys::keys(&MailServer {
        hosts,
        implicit: false,
    });
    let path = program.folder().join("store");
    let store = Store::open(&StoreSettings::new(path)).expect("a store");
    let month_ago = (now() - Span::new().hours(24 * 30)).as_second();
    for number in 0..4 {
        let domain = Domain::new(&format!("village{number}.example")).expect("a domain");
        let seen = SeenDomain {
            first: month_ago,
            last: month_ago,
            accounts: 1,
            confirmed: 0,
            keys: Arc::clone(&keys),
        };
        store.keep_cluster(Change::Domain(domain, Some(seen)));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(store.flush()).expect("a disk");
}

fn serving_hooks(stage: &Stage) -> Program {
    let secret = format!("secret = \"{SECRET}\"\n");
    let tables = format!(
        "[webhooks]\naddress = \"127.0.0.1:0\"\n{secret}[rules.mail-cluster]\nmode = \"enforce\"\n"
    );
    let mut program = Program::idle(stage, "", &tables);
    remember_villages(&program);
    program.serve(&[]);
    program
}

fn status(program: &Program) -> Value {
    serde_json::from_str(&program.does(&["status", "--json"])).expect("JSON")
}

fn hooks_at(program: &Program) -> SocketAddr {
    let at = status(program)["webhooks"]
        .as_str()
        .expect("it listens")
        .parse();
    at.expect("an address")
}

#[test]
fn confirmations_lift_a_condemnation_end_to_end() {
    let stage = hoster();
    let mut program = serving_hooks(&stage);
    let address = hooks_at(&program);
    let sign_up = |program: &Program, name: &str, domain: &str| {
        let mut person = program.person(ANA);
        person.web_sign_up(name, &format!("{name}@{domain}")).status
    };
    let mut refused = 0;
    for number in 0..12 {
        let (name, domain) = (format!("n{number}"), format!("new{number}.example"));
        match sign_up(&program, &name, &domain) {
            302 => {
                let body = hook(
                    "account.created",
                    &account(100 + number, &format!("{name}@{domain}"), false),
                    now(),
                );
                assert_eq!(deliver(address, &body), 200);
            }
            422 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused > 4, "{refused} refused");
    let shown = program.does(&["clusters", "show", "M1"]);
    assert!(
        shown.contains("100 unconfirmed") && shown.contains("n0"),
        "{shown}"
    );
    assert!(
        shown.contains("5 domains") && shown.contains("1 client networks"),
        "{shown}"
    );

    // A suspect confirms: that lifts nothing, and is shown.
    let suspect = hook(
        "account.approved",
        &account(100, "n0@new0.example", true),
        now(),
    );
    assert_eq!(deliver(address, &suspect), 200);
    assert!(
        program
            .does(&["clusters", "show", "M1"])
            .contains("100 confirmed")
    );
    assert_eq!(sign_up(&program, "x", "new15.example"), 422);

    for number in 0..3 {
        let (name, domain) = (format!("v{number}"), format!("village{number}.example"));
        assert_eq!(
            sign_up(&program, &name, &domain),
            302,
            "who was here before passes"
        );
        let email = format!("{name}@{domain}");
        for (event, confirmed) in [("account.created", false), ("account.approved", true)] {
            let body = hook(event, &account(200 + number, &email, confirmed), now());
            assert_eq!(deliver(address, &body), 200);
            assert_eq!(deliver(address, &body), 200);
        }
        let lifted = program.does(&["clusters", "--all"]).contains("ended");
        assert_eq!(
            lifted,
            number == 2,
            "three people, however often it is said"
        );
    }
    assert_eq!(sign_up(&program, "y", "new16.example"), 302);

    // A recorded body is of no use after a restart either.
    let replayed = hook(
        "account.approved",
        &account(203, "v3@village3.example", true),
        now(),
    );
    assert_eq!(deliver(address, &replayed), 200);
    program.cut();
    program.serve(&[]);
    let address = hooks_at(&program);
    assert_eq!(deliver(address, &replayed), 200);
    assert_eq!(status(&program)["heard"]["events"], 0, "heard before");
    let told = program.does(&["status"]);
    assert!(told.contains("webhooks on http://127.0.0.1:"), "{told}");
    assert!(!program.log().contains(SECRET) && !program.log().contains("v3@"));
}

#[test]
fn a_bypass_is_said_in_status_log_and_metrics() {
    let stage = hoster();
    let program = serving_hooks(&stage);
    let address = hooks_at(&program);
    assert_eq!(
        program
            .person(ANA)
            .web_sign_up("a", "a@good.example")
            .status,
        302
    );
    for number in 0..3 {
        let body = hook(
            "account.created",
            &account(300 + number, &format!("eve{number}@good.example"), false),
            now(),
        );
        assert_eq!(deliver(address, &body), 200);
    }
    let told = program.does(&["status"]);
    assert!(
        told.contains("3 accounts came to be beside the gate"),
        "{told}"
    );
    assert!(
        told.contains("trouble: an account came to be beside the gate: @eve0"),
        "{told}"
    );
    let metrics = program.admin("/metrics").text();
    assert!(metrics.contains("tuskgate_bypasses_total 3"), "{metrics}");
    let log = program.log();
    assert_eq!(
        log.matches("beside the gate").count(),
        1,
        "said once: {log}"
    );
    let id = log
        .split("event ")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .expect("a reference");
    assert!(program.does(&["explain", id]).contains("eve0"));
}
