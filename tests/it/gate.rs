//! The gate as a layer: what passes it unchanged, what it cannot read, whom it
//! refuses everywhere, and what its switches do.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tuskgate::admin::ask::Target;
use tuskgate::ban::{Effect, Scopes};
use tuskgate::endpoint::{Endpoint, Voice};
use tuskgate::judge::doors::applies;
use tuskgate::proxy::gate::Bounds;
use tuskgate::verdict::{Mode, Rule};

use crate::support::caller::Encoding;
use crate::support::doors::{DOORS, Door};
use crate::support::judged::{ANA, BEN, House, Plan};

const ALL: Scopes = Scopes::ALL;

#[test]
fn a_client_banned_for_sign_up_is_refused_at_those_doors_alone() {
    let house = Plan::default().build();
    house.ban_network("203.0.113.0/24", Scopes::DEFAULT);
    for door in DOORS {
        let (reached, answer) = door.tries(&house, ANA, "ana@good.example");
        let refuses = applies(Rule::ClientBan, door.endpoint);
        assert_eq!(!reached, refuses, "{:?}: {}", door.endpoint, answer.text());
        if refuses {
            assert_eq!(answer.status, 403, "{:?}", door.endpoint);
        }
        let (reached, _) = door.tries(&house, BEN, "ben@good.example");
        assert!(reached, "another client at {:?}", door.endpoint);
    }
    assert_eq!(house.person(ANA).get("/health").status, 200);
    house.decide(
        Target::Network("203.0.113.7/32".parse().expect("a network")),
        Effect::Allow,
        Scopes::DEFAULT,
    );
    let (reached, _) = Door::of(Endpoint::SignUp).tries(&house, ANA, "ana@good.example");
    assert!(reached, "an allow entry for the very address");
}

#[test]
fn a_ban_on_mail_servers_is_none_on_clients() {
    let house = Plan::default().build();
    house.ban_network("203.0.113.0/24", Scopes::MAIL);
    for door in DOORS {
        let (reached, answer) = door.tries(&house, ANA, "ana@good.example");
        assert!(reached, "{:?}: {}", door.endpoint, answer.text());
    }
}

#[test]
fn a_client_banned_everywhere_gets_nothing() {
    let house = Plan::default().build();
    house.ban_network("203.0.113.0/24", ALL);
    for door in DOORS {
        let (reached, answer) = door.tries(&house, ANA, "ana@good.example");
        assert!(!reached, "{:?}", door.endpoint);
        assert_eq!(answer.status, 403, "{:?}", door.endpoint);
    }
    let mut banned = house.person(ANA);
    for target in [
        "/",
        "/health",
        "/@ana/1",
        "/inbox",
        "/api/v1/timelines/home",
    ] {
        let answer = banned.get(target);
        assert_eq!(answer.status, 403, "{target}");
        let reference = answer.header("x-tuskgate-reference").expect("a reference");
        assert!(answer.text().contains(reference), "{target}");
    }
    assert_eq!(house.stage.mastodon.asked(), 0);
    let event = house.last_event();
    assert_eq!((event.endpoint, event.admitted), (None, false));
    assert_eq!(house.person(BEN).get("/health").status, 200);
}

/// An address that stands for nobody: rules keyed by it abstain, others judge.
#[test]
fn a_private_client_address_is_nobodys() {
    let house = Plan::default().build();
    house.ban_network("10.0.0.0/8", ALL);
    house.ban(Target::MailDomain("listed.example".into()));
    for from in ["10.1.2.3", "192.168.1.1", "127.0.0.9", "not an address"] {
        let door = Door::of(Endpoint::SignUp);
        assert!(door.tries(&house, from, "ana@good.example").0, "{from}");
        let event = house.last_event();
        let abstained = |rule| {
            let mut said = event.verdicts.iter();
            said.any(|said| said.rule == rule && said.verdict == "abstain")
        };
        assert!(
            abstained(Rule::ClientBan) && abstained(Rule::Rate),
            "{from}"
        );
        assert!(!door.tries(&house, from, "eve@listed.example").0, "{from}");
    }
}

#[test]
fn a_guard_that_is_off_lets_everything_through() {
    for door in DOORS {
        let house = Plan::default().without_guard(door.endpoint).build();
        house.ban(Target::MailDomain("good.example".into()));
        house.ban(Target::AppName("Weekend project".into()));
        house.ban(Target::ClientId("some-client".into()));
        house.ban_network("203.0.113.0/24", Scopes::DEFAULT);
        let (reached, _) = door.tries(&house, ANA, "ana@good.example");
        assert!(reached, "{:?}", door.endpoint);
        assert!(house.events().is_empty(), "{:?}", door.endpoint);
    }
}

/// A verb hidden in a body that cannot be read does not pick the door whose
/// guard is off: all doors of a path must be unguarded for that.
#[test]
fn the_unreadable_passes_only_where_nothing_is_guarded() {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for (off, passes) in [
        (&[Endpoint::SignUp][..], false),
        (&[Endpoint::EmailChange], false),
        (&[Endpoint::SignUp, Endpoint::EmailChange], true),
    ] {
        let plan = off
            .iter()
            .fold(Plan::default(), |plan, door| plan.without_guard(*door));
        let house = plan.build();
        for body in [&b"_method=put&user[email]=%ff"[..], &[b'a'; 70_000]] {
            let sent = house.person(ANA).call("POST", "/auth", &form, body);
            let reached = house.reached("/auth") > 0;
            assert_eq!(
                reached,
                passes,
                "{off:?}: {}",
                sent.expect("an answer").status
            );
        }
    }
}

#[test]
fn a_rule_that_is_off_does_not_look() {
    let house = Plan::default()
        .with_mode(Rule::MailServer, Mode::Off)
        .with_mode(Rule::MailDomain, Mode::Off)
        .with_mode(Rule::ClientBan, Mode::Off)
        .with_mode(Rule::Rate, Mode::Off)
        .build();
    house.ban(Target::MailDomain("bot.example".into()));
    house.ban_network("45.9.9.0/24", Scopes::MAIL);
    house.ban_network("203.0.113.0/24", ALL);
    let (reached, _) = Door::of(Endpoint::SignUp).tries(&house, ANA, "bot@bot.example");
    assert!(reached);
    assert!(house.stage.dns.names().is_empty(), "nothing was looked up");
    assert!(house.last_event().verdicts.is_empty());
}

/// What cannot be read, and the answer it deserves.
const UNREADABLE: [(&str, &str, &[u8], u16); 8] = [
    (
        "form",
        "application/x-www-form-urlencoded",
        b"email=%ff%fe",
        400,
    ),
    (
        "form",
        "application/x-www-form-urlencoded",
        b"a=1&a[b]=2",
        400,
    ),
    ("json", "application/json", b"{\"email\":", 400),
    (
        "json",
        "application/json",
        b"{\"email\":[\"a@b.example\"]}",
        400,
    ),
    ("xml", "application/xml", b"<email>x</email>", 415),
    ("multipart", "multipart/form-data", b"--x", 400),
    (
        "address",
        "application/json",
        b"{\"email\":\"a@b@c.example\"}",
        422,
    ),
    (
        "address",
        "application/json",
        b"{\"email\":\"a@[192.0.2.1]\"}",
        422,
    ),
];

#[test]
fn what_cannot_be_read_is_refused_and_recorded() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    for (what, kind, body, status) in UNREADABLE {
        let text = String::from_utf8_lossy(body);
        let answer = person
            .call("POST", "/api/v1/accounts", &[("Content-Type", kind)], body)
            .expect("an answer");
        assert_eq!(answer.status, status, "{what} {text}: {}", answer.text());
        let reference = answer.header("x-tuskgate-reference").expect("a reference");
        let event = house.last_event();
        assert_eq!(event.id.to_string(), reference, "{what} {text}");
        assert_eq!(event.endpoint, Some(Endpoint::ApiSignUp));
        let said = event.verdicts.first().expect("a verdict");
        assert_eq!(said.rule, Rule::Unreadable);
        assert!(!said.fact.contains("example"), "{}", said.fact);
    }
    assert_eq!(house.stage.mastodon.asked(), 0);
}

#[test]
fn the_unreadable_is_refused_in_the_voice_of_the_door() {
    let house = Plan::default().build();
    let odd = [("Content-Type", "text/plain")];
    let mut seen = 0;
    for door in DOORS.iter().filter(|door| door.method == "POST") {
        let answer = house
            .person(ANA)
            .call("POST", door.target, &odd, b"anything")
            .expect("an answer");
        assert_eq!(answer.status, 415, "{:?}", door.endpoint);
        let kind = answer.header("content-type").expect("a type");
        let json = answer.json();
        match door.endpoint.voice() {
            Voice::Page => assert!(kind.starts_with("text/html"), "{:?}", door.endpoint),
            Voice::Api => assert!(json["error"].is_string(), "{:?}", door.endpoint),
            Voice::OAuth => assert_eq!(json["error"], "invalid_request"),
        }
        seen += 1;
    }
    assert_eq!(seen, 12);
    assert_eq!(house.stage.mastodon.asked(), 0);
}

#[test]
fn a_body_over_the_bound_is_413_whatever_its_framing() {
    let house = Plan::default().build();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = vec![b'a'; (64 << 10) + 1];
    let answer = house.person(ANA).call("POST", "/api/v1/apps", &form, &body);
    assert_eq!(answer.expect("an answer").status, 413);
    assert_eq!(chunked(&house, "/api/v1/apps", &body).0, 413);
    let fits = house
        .person(ANA)
        .call("POST", "/api/v1/apps", &form, &body[1..]);
    assert_ne!(fits.expect("an answer").status, 413);
    assert_eq!(house.reached("/api/v1/apps"), 1);
    let large = house
        .events()
        .iter()
        .filter(|event| !event.admitted)
        .count();
    assert_eq!(large, 2);
}

/// Sends a body in chunks, raw; status and head of the answer.
fn chunked(house: &House, target: &str, body: &[u8]) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(house.gate.address).expect("a connection");
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: mastodon.test\r\nX-Forwarded-For: {ANA}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("a reader");
    for chunk in body.chunks(1000) {
        let mut part = format!("{:x}\r\n", chunk.len()).into_bytes();
        part.extend_from_slice(chunk);
        part.extend_from_slice(b"\r\n");
        // The gate may have answered and stopped reading.
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (
        status.unwrap_or_else(|| panic!("no status: {answer:?}")),
        answer,
    )
}

#[test]
fn all_bodies_together_are_bounded() {
    let bounds = Bounds {
        one: 64 << 10,
        all: 40_000,
    };
    let house = Plan {
        bounds,
        ..Plan::default()
    }
    .build();
    let body = vec![b'a'; 60_000];
    let (status, head) = chunked(&house, "/api/v1/apps", &body);
    assert_eq!(status, 503, "{head}");
    assert!(head.to_lowercase().contains("retry-after:"), "{head}");
    assert_eq!(house.stage.mastodon.asked(), 0);
    for _ in 0..3 {
        assert_ne!(
            chunked(&house, "/api/v1/apps", &body[..9000]).0,
            503,
            "given back"
        );
    }
}

/// What goes on is what came: method, target, values of headers, body.
#[test]
fn an_admitted_request_is_forwarded_byte_for_byte() {
    let house = Plan::default().with_limits(&[]).build();
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    });
    let text = "[a-zA-Z0-9 äöü%&=+ß€;./?:@-]{0,40}";
    let local = "[a-z][a-z0-9]{0,12}";
    let tried = runner.run(
        &(text, local, 0..3_usize, "[a-z0-9=&.-]{0,20}", "[ -~]{0,30}"),
        |(free, local, encoding, query, value)| {
            let email = format!("{local}@good.example");
            let fields = [
                ("username", local.as_str()),
                ("email", email.as_str()),
                ("reason", free.as_str()),
                ("password", free.as_str()),
                ("agreement", "true"),
            ];
            let (kind, body) = Encoding::ALL[encoding].write(&fields);
            let value = value.trim();
            let target = format!("/api/v1/accounts?q={}", query.replace(['&', '='], "."));
            let headers = [
                ("Content-Type", kind),
                ("X-Odd", value),
                ("User-Agent", "Ivory/1.0 (é)"),
                ("Authorization", "Bearer unknown"),
            ];
            let before = house.reached("/api/v1/accounts");
            let answer = house
                .person(ANA)
                .call("POST", &target, &headers, &body)
                .expect("an answer");
            let all = house.stage.asked("/api/v1/accounts");
            prop_assert_eq!(all.len(), before + 1, "{}", answer.text());
            let sent = all.last().expect("a request");
            prop_assert_eq!(sent.method.as_str(), "POST");
            prop_assert_eq!(&sent.target, &target);
            prop_assert_eq!(sent.body(), body);
            for (name, value) in headers {
                let got = sent.headers.get(name).map(http::HeaderValue::as_bytes);
                prop_assert_eq!(got, Some(value.as_bytes()), "{}", name);
            }
            prop_assert_eq!(sent.header("host"), Some("mastodon.test"));
            prop_assert_eq!(sent.header("x-forwarded-for"), Some(ANA));
            Ok(())
        },
    );
    tried.expect("forwarded unchanged");
}

#[test]
fn a_guarded_request_is_forwarded_without_accept_encoding() {
    let house = Plan::default().build();
    let gzip = [("Accept-Encoding", "gzip, br")];
    let mut person = house.person(ANA);
    person.post_with(
        "/api/v1/apps",
        &gzip,
        &[("client_name", "x"), ("redirect_uris", "y:z")],
    );
    person
        .call("GET", "/health", &gzip, b"")
        .expect("an answer");
    let asked = |path: &str| house.stage.asked(path).last().cloned().expect("a request");
    assert_eq!(asked("/api/v1/apps").header("accept-encoding"), None);
    assert_eq!(asked("/health").header("accept-encoding"), Some("gzip, br"));
}
