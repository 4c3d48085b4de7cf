//! Refusals as clients get them, through the whole gate: status, form, headers
//! and a reference that leads the admin to the reason.

use tuskgate::admin::ask::Target;
use tuskgate::ban::Scopes;
use tuskgate::endpoint::{Endpoint, Voice};
use tuskgate::judge::doors::family;
use tuskgate::judge::limit::Limit;

use crate::support::caller::Answer;
use crate::support::doors::{DOORS, Door};
use crate::support::judged::{ANA, BEN, House, Plan};

fn reference(answer: &Answer) -> String {
    let header = answer.header("x-tuskgate-reference").expect("a reference");
    assert_eq!(header.len(), 12);
    assert!(answer.text().contains(header), "{}", answer.text());
    header.to_owned()
}

/// Every budget that a door draws on, spent after one.
fn one_each() -> Plan {
    let limits = Limit::ALL.map(|limit| (limit, "1/1h"));
    Plan::default().with_limits(&limits)
}

#[test]
fn a_spent_budget_is_429_with_when_to_come_back() {
    let mut seen = 0;
    for door in DOORS.iter().filter(|door| family(door.endpoint).is_some()) {
        let house = one_each().build();
        let (reached, _) = door.tries(&house, ANA, "ana@good.example");
        assert!(reached, "{:?}", door.endpoint);
        let (reached, answer) = door.tries(&house, ANA, "ana@good.example");
        assert!(!reached, "{:?}", door.endpoint);
        assert_eq!(answer.status, 429, "{:?}", door.endpoint);
        reference(&answer);
        let number = |name: &str| {
            let text = answer.header(name).unwrap_or_else(|| panic!("{name}"));
            text.parse::<u64>()
                .unwrap_or_else(|_| panic!("{name}: {text}"))
        };
        let after = number("retry-after");
        let longest = match door.endpoint {
            // A code lives ten minutes.
            Endpoint::Token => 540,
            Endpoint::InviteCreate => 86_400,
            _ => 3600,
        };
        assert!(
            (1..=longest).contains(&after),
            "{:?}: {after}",
            door.endpoint
        );
        assert_eq!(number("x-ratelimit-limit"), 1);
        assert_eq!(number("x-ratelimit-remaining"), 0);
        let reset = answer.header("x-ratelimit-reset").expect("when");
        let reset: jiff::Timestamp = reset.parse().expect("a time");
        assert!(reset > jiff::Timestamp::now());
        match door.endpoint.voice() {
            Voice::Page => assert!(answer.text().starts_with("<!DOCTYPE html>")),
            Voice::Api => assert!(answer.json()["error"].is_string()),
            Voice::OAuth => assert!(answer.json()["error_description"].is_string()),
        }
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn the_sign_up_api_says_it_at_the_address() {
    let house = Plan::default().build();
    house.ban(Target::MailDomain("listed.example".into()));
    house.ban(Target::Address("eve@good.example".into()));
    for (email, code) in [
        ("x@listed.example", "ERR_BLOCKED"),
        ("eve@good.example", "ERR_TAKEN"),
        ("x@nowhere.example", "ERR_UNREACHABLE"),
        ("a@b@c", "ERR_INVALID"),
    ] {
        let (_, answer) = Door::of(Endpoint::ApiSignUp).tries(&house, ANA, email);
        assert_eq!(answer.status, 422, "{email}");
        let said = &answer.json()["details"]["email"][0];
        assert_eq!(said["error"], code, "{email}");
        let text = said["description"].as_str().expect("a description");
        assert!(text.contains(&reference(&answer)), "{email}");
        assert!(
            !answer.text().contains("listed"),
            "the admin's facts stay the admin's"
        );
    }
    let (_, change) = Door::of(Endpoint::ApiEmailChange).tries(&house, ANA, "x@listed.example");
    let json = change.json();
    assert!(
        json["error"]
            .as_str()
            .is_some_and(|error| error.starts_with("Validation failed"))
    );
    assert!(json.get("details").is_none());
}

/// Apps throw their credentials away on `invalid_client` and `invalid_grant`.
#[test]
fn the_token_door_never_blames_the_credential() {
    let house = one_each().build();
    let app = house.person(ANA).app("One");
    house.ban(Target::ClientId("banned".into()));
    let banned = house.person(BEN).post(
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "banned"),
            ("code", "x"),
        ],
    );
    assert_eq!(banned.status, 403);
    assert_eq!(banned.json()["error"], "access_denied");
    let mut person = house.person("45.1.2.3");
    assert_eq!(
        person.ask_token(&app, "client_credentials", "read").status,
        200
    );
    let spent = person.ask_token(&app, "client_credentials", "read");
    assert_eq!(spent.status, 429);
    let odd = person.post("/oauth/token", &[("grant_type[]", "x")]);
    assert_eq!(odd.status, 400);
    for answer in [&banned, &spent, &odd] {
        let error = answer.json()["error"]
            .as_str()
            .expect("an error")
            .to_owned();
        assert!(
            !matches!(&*error, "invalid_client" | "invalid_grant"),
            "{error}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        reference(answer);
    }
}

#[test]
fn a_page_speaks_the_readers_language_and_runs_nothing() {
    let house = Plan::default().build();
    house.ban(Target::MailDomain("listed.example".into()));
    let fields = [("user[email]", "<b>x</b>@listed.example")];
    let german = [
        ("Accept-Language", "de-AT,de;q=0.9,en;q=0.5"),
        ("Accept", "text/html"),
    ];
    let answer =
        house
            .person(ANA)
            .post_with("/auth", &german, &[("user[email]", "x@listed.example")]);
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("lang=\"de\""), "{page}");
    assert!(!page.contains("<script"));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'"));
    let json = [("Accept", "application/json")];
    let answer = house.person(ANA).post_with("/auth", &json, &fields);
    assert!(!answer.text().contains("<b>"));
    assert!(answer.json()["error"].is_string());
}

#[test]
fn other_origins_may_read_refusals_where_mastodon_lets_them() {
    let house = Plan::default().build();
    house.ban_network("203.0.113.0/24", Scopes::ALL);
    let origin = [("Origin", "https://elk.example")];
    for (target, open) in [
        ("/api/v1/accounts", true),
        ("/oauth/token", true),
        ("/auth", false),
        ("/api/v1/timelines/home", true),
    ] {
        let answer = house.person(ANA).post_with(target, &origin, &[("a", "b")]);
        assert_eq!(answer.status, 403, "{target}");
        let allowed = answer.header("access-control-allow-origin") == Some("*");
        assert_eq!(allowed, open, "{target}");
    }
    let head = house.person(ANA).call("HEAD", "/auth/sign_up", &[], b"");
    let head = head.expect("an answer");
    assert_eq!((head.status, head.body.len()), (403, 0));
}

/// The reference is the way to the reason, the facts and the remedy.
#[test]
fn the_reference_leads_to_the_event() {
    let house = Plan::default().build();
    let ban = house.ban(Target::MailDomain("listed.example".into()));
    let (_, answer) = Door::of(Endpoint::ApiSignUp).tries(&house, ANA, "x@a.listed.example");
    let event = explain(&house, &reference(&answer));
    assert!(!event.admitted);
    assert_eq!(event.client, Some(ANA.parse().expect("an address")));
    assert_eq!(event.username.as_deref(), Some("ana"));
    assert_eq!(
        event.mail_domain.map(|domain| domain.to_string()),
        Some("a.listed.example".into())
    );
    let said = event.verdicts.last().expect("a verdict");
    assert!(
        said.fact.contains("listed.example") && said.fact.contains("a test"),
        "{}",
        said.fact
    );
    assert_eq!(said.undo, Some(format!("tuskgate unban --id {}", ban.id)));
}

fn explain(house: &House, reference: &str) -> tuskgate::event::Event {
    let id = reference.parse().expect("a reference");
    let store = house.judge.store().clone();
    let event = house.block(async move { store.event(id).await });
    event.expect("a readable record").expect("an event")
}
