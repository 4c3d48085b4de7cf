//! Learning: which app, which token came of a reply; whose an unknown bearer
//! is; and that nobody can switch it off.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use tuskgate::app::{App, AppSource, ClientId};
use tuskgate::event::{Event, Outcome};
use tuskgate::judge::limit::Limit;
use tuskgate::secret::Purpose;
use tuskgate::verdict::{Mode, Rule};

use crate::support::actor::{Actor, Asked, json};
use crate::support::caller::HOST;
use crate::support::judged::{ANA, BEN, Credential, House, Person, Plan, wait_until};
use crate::support::ports::Port;

const INFO: &str = "/oauth/token/info";
const VERIFY: &str = "/api/v1/apps/verify_credentials";

fn known(house: &House, id: &str) -> Option<App> {
    let store = house.judge.store().clone();
    let id = ClientId::new(id);
    let app = house.block(async move { store.app(&id).await });
    app.map(|app| app.as_ref().clone())
}

fn token_app(house: &House, token: &str) -> Option<String> {
    let store = house.judge.store().clone();
    let hash = store.key().hash(Purpose::Token, &[token.as_bytes()]);
    let id = house.block(async move { store.token_app(hash).await });
    id.map(|id| id.to_string())
}

fn distinct_tokens(house: &House, id: &str) -> u64 {
    let store = house.judge.store().clone();
    let id = ClientId::new(id);
    house.block(async move { store.token_count(&id).await })
}

#[test]
fn an_app_is_learned_from_the_reply() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    let made = person.post(
        "/api/v1/apps",
        &[
            ("client_name", "Weekend project"),
            ("redirect_uris", "https://weekend.example/cb"),
            ("website", "https://weekend.example"),
        ],
    );
    let made = Credential::of(&made);
    wait_until("the app is learned", || known(&house, &made.id).is_some());
    let app = known(&house, &made.id).expect("learned");
    assert_eq!(app.name.as_str(), "Weekend project");
    assert_eq!(app.redirect_uris, ["https://weekend.example/cb"]);
    assert_eq!(app.website.as_deref(), Some("https://weekend.example"));
    assert_eq!(
        app.creator,
        Some("203.0.113.7/32".parse().expect("a network"))
    );
    assert_eq!(app.source, AppSource::Learn);
    assert!(app.credential.is_some());
}

#[test]
fn tokens_are_learned_and_counted_once_each() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    let app = person.app("One");
    let token = person.token(&app);
    wait_until("the token is learned", || {
        token_app(&house, &token).is_some()
    });
    assert_eq!(token_app(&house, &token).as_deref(), Some(app.id.as_str()));
    assert_eq!(
        person.token(&app),
        token,
        "Mastodon issues the same one again"
    );
    let signed_up = person.sign_up(&token, "ana", "ana@good.example");
    let user = signed_up.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_ne!(user, token);
    wait_until("the person's token is learned", || {
        token_app(&house, &user).is_some()
    });
    assert_eq!(token_app(&house, &user).as_deref(), Some(app.id.as_str()));
    wait_until("two are counted", || distinct_tokens(&house, &app.id) == 2);
    assert_eq!(house.reached(INFO), 0, "nothing had to be asked");
    let event = house.last_event();
    assert_eq!(event.client_id.map(|id| id.to_string()), Some(app.id));
    assert_eq!(
        event.app_name.map(|name| name.as_str().to_owned()),
        Some("One".into())
    );
}

/// A token from before the gate: asked for once, its app's name once.
#[test]
fn an_unknown_bearer_is_resolved_once() {
    let house = Plan::default().build();
    let mut around = Person::new(house.stage.mastodon.address(), ANA);
    let app = around.app("Older than the gate");
    let token = around.token(&app);
    for n in 0..4 {
        let mut person = house.person(BEN);
        let email = format!("ben{n}@good.example");
        let made = person.sign_up(&token, &format!("ben{n}"), &email);
        assert_eq!(made.status, 200, "{}", made.text());
    }
    assert_eq!((house.reached(INFO), house.reached(VERIFY)), (1, 1));
    let asked = house.stage.asked(INFO);
    let asked = asked.first().expect("asked");
    assert_eq!(asked.header("host"), Some(HOST));
    assert_eq!(asked.header("x-forwarded-for"), Some(BEN));
    let learned = known(&house, &app.id).expect("learned");
    assert_eq!(learned.source, AppSource::Ask);
    assert_eq!(learned.name.as_str(), "Older than the gate");
}

#[test]
fn a_bearer_that_is_nobodys_is_asked_for_once_and_shares_a_bucket() {
    let house = Plan::default()
        .with_limits(&[(Limit::SignUpPerApp, "3/1h")])
        .build();
    let mut statuses = Vec::new();
    for n in 0..5 {
        let mut person = house.person(&format!("45.0.{n}.1"));
        let email = format!("x{n}@good.example");
        let bearer = if n < 3 { "made-up" } else { "another" };
        statuses.push(person.sign_up(bearer, &format!("x{n}"), &email).status);
    }
    assert_eq!(house.reached(INFO), 2, "one question for each");
    // What comes to nothing is given back, so an invented token refuses nobody.
    assert_eq!(statuses, [401; 5]);
}

/// Strangers cannot make the gate ask the upstream as often as they like.
#[test]
fn questions_are_bounded_for_each_network() {
    let house = Plan::default()
        .with_limits(&[(Limit::LookUpPerNetwork, "3/1h")])
        .build();
    for n in 0..10 {
        let mut person = house.person(ANA);
        person.sign_up(&format!("made-up-{n}"), "x", "x@good.example");
    }
    assert_eq!(house.reached(INFO), 3);
    house
        .person(BEN)
        .sign_up("made-up-11", "x", "x@good.example");
    assert_eq!(house.reached(INFO), 4, "another network has its own");
}

/// Whoever hangs up right after sending is learned from all the same: one that
/// is gone before the gate has read its request never reaches the upstream, and
/// whatever does is on record, with its outcome, and known.
#[test]
fn a_client_that_hangs_up_does_not_switch_learning_off() {
    let plan = Plan::default().with_limits(&[]);
    let house = plan.with_mode(Rule::AppCluster, Mode::Off).build();
    let body = "client_name=Hasty&redirect_uris=urn:x";
    let hasty = |n: usize| {
        let mut stream = std::net::TcpStream::connect(house.gate.address).expect("a connection");
        let request = format!(
            "POST /api/v1/apps HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-For: 45.0.{n}.1\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("a reader");
    };
    let mut sent = 0..200;
    let made = || house.stage.mastodon.apps();
    wait_until("some are quick enough", || {
        sent.by_ref().take(5).for_each(hasty);
        made() >= 10
    });
    let store = house.judge.store().clone();
    wait_until("every app that was made is learned", || {
        let store = store.clone();
        let named = house.block(async move { store.apps_named("hasty", 1000).await });
        named.is_ok_and(|apps| apps.len() == made())
    });
    wait_until("every outcome is known", || {
        let events = house.events();
        let created = |event: &Event| event.outcome == Some(Outcome::Create);
        events.len() == made() && events.iter().all(created)
    });
}

/// A house whose upstream answers every `POST` with `reply`.
fn with_reply(reply: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> (House, Actor) {
    let actor = Actor::new(reply);
    let plan = Plan {
        upstream: Some(actor.address),
        ..Plan::default()
    };
    (plan.build(), actor)
}

/// Odd replies reach the client unchanged and teach nothing.
#[test]
fn odd_replies_are_skipped_without_harm() {
    let big = format!(
        "{{\"client_id\":\"big\",\"name\":\"{}\"}}",
        "x".repeat(200_000)
    );
    let gzip =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00";
    let replies = [
        json("200 OK", "{\"client_id\":"),
        json("200 OK", "[]"),
        json("200 OK", "{\"client_id\":7,\"name\":null}"),
        json("200 OK", "{\"client_id\":\"\",\"name\":\"x\"}"),
        json("200 OK", ""),
        json("418 I'm a teapot", "{\"client_id\":\"tea\",\"name\":\"x\"}"),
        json("500 Internal Server Error", "{\"error\":\"x\"}"),
        json("200 OK", &big),
        gzip.to_vec(),
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        let expected = reply.clone();
        let (house, _actor) = with_reply(move |_| reply.clone());
        let answer = house.person(ANA).post(
            "/api/v1/apps",
            &[("client_name", "x"), ("redirect_uris", "y:z")],
        );
        assert!(expected.ends_with(&answer.body), "{number}");
        wait_until("the outcome is known", || {
            house.last_event().outcome.is_some()
        });
        let named = |id: &str| known(&house, id);
        assert!(named("tea").is_none() && named("big").is_none(), "{number}");
        assert_ne!(house.last_event().outcome, None, "{number}");
        let again = house
            .person(ANA)
            .post("/oauth/token", &[("grant_type", "x")]);
        assert!(
            expected.ends_with(&again.body),
            "{number}: the gate goes on"
        );
    }
}

/// An upstream that answers questions with rubbish, or not at all, holds nobody up.
#[test]
fn odd_answers_to_questions_are_no_answer() {
    for (number, answer) in [
        json("200 OK", "{\"application\":{\"uid\":null}}"),
        json("200 OK", "<html>"),
        json("503 Service Unavailable", "{}"),
        b"rubbish\r\n\r\n".to_vec(),
    ]
    .into_iter()
    .enumerate()
    {
        let (house, actor) = with_reply(move |asked| match asked.path() {
            INFO | VERIFY => answer.clone(),
            _ => json("200 OK", "{\"access_token\":\"t\"}"),
        });
        let made = house
            .person(ANA)
            .sign_up("unknown", "ana", "ana@good.example");
        assert_eq!(made.status, 200, "{number}: {}", made.text());
        assert_eq!(actor.asked(INFO).len(), 1, "{number}");
    }
    let (house, _actor) = with_reply(|asked| {
        if asked.path() == INFO {
            // For ever, as a test counts; the thread ends with the process.
            std::thread::sleep(Duration::from_secs(600));
        }
        json("200 OK", "{\"access_token\":\"t\"}")
    });
    let began = std::time::Instant::now();
    let made = house
        .person(ANA)
        .sign_up("unknown", "ana", "ana@good.example");
    assert_eq!(made.status, 200, "{}", made.text());
    // Two seconds by itself; what a busy machine adds is not the gate's.
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(20),
        "{took:?}: the deadline holds"
    );
}

/// A budget spent on a reply that never came is given back: the upstream never heard of it.
#[test]
fn an_upstream_that_is_down_costs_nobody_a_budget() {
    let nobody = Port::take();
    let plan = Plan {
        upstream: Some(nobody.address()),
        ..Plan::default().with_limits(&[(Limit::AppPerNetwork, "2/1h")])
    };
    let house = plan.build();
    for n in 0..5 {
        let fields = [("client_name", "x"), ("redirect_uris", "y:z")];
        let answer = house.person(ANA).post("/api/v1/apps", &fields);
        assert!(matches!(answer.status, 502 | 503), "{n}: {}", answer.text());
        assert!(
            answer.json()["error"].is_string(),
            "{n}: JSON for a program"
        );
        wait_until("it is settled", || house.last_event().outcome.is_some());
    }
}

/// What came of a reply that breaks off reaches the client: of nothing it would
/// have to think that nobody had heard of its request, and send it again.
#[test]
fn the_beginning_of_a_reply_that_breaks_off_is_passed_on() {
    let actor = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let upstream = actor.local_addr().expect("an address");
    let body = "client_name=x&redirect_uris=y:z";
    std::thread::spawn(move || {
        for mut gate in actor.incoming().flatten() {
            let mut asked = Vec::new();
            while !asked.ends_with(body.as_bytes()) {
                let mut part = [0; 4096];
                let read = gate.read(&mut part).expect("the gate asks");
                asked.extend_from_slice(part.get(..read).expect("a part"));
            }
            let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf of it";
            gate.write_all(begun).expect("the gate reads");
        }
    });
    let plan = Plan {
        upstream: Some(upstream),
        ..Plan::default().with_limits(&[])
    };
    let house = plan.with_mode(Rule::AppCluster, Mode::Off).build();
    for _ in 0..20 {
        let mut client = std::net::TcpStream::connect(house.gate.address).expect("a connection");
        let request = format!(
            "POST /api/v1/apps HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-For: {ANA}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes()).expect("a reader");
        let mut got = Vec::new();
        client.read_to_end(&mut got).expect("it ends");
        let got = String::from_utf8_lossy(&got);
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
        assert!(got.ends_with("\r\n\r\nhalf of it"), "{got}");
    }
    wait_until("it is settled", || {
        house.last_event().outcome == Some(Outcome::Unclear)
    });
}

/// One that hangs up instead of answering may have made what it was asked for.
#[test]
fn an_upstream_that_breaks_off_leaves_the_outcome_unclear() {
    let actor = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let upstream = actor.local_addr().expect("an address");
    std::thread::spawn(move || actor.incoming().for_each(drop));
    let plan = Plan {
        upstream: Some(upstream),
        ..Plan::default().with_limits(&[(Limit::AppPerNetwork, "2/1h")])
    };
    let house = plan.build();
    let statuses = [(); 3].map(|()| {
        let fields = [("client_name", "x"), ("redirect_uris", "y:z")];
        let answer = house.person(ANA).post("/api/v1/apps", &fields);
        if answer.status != 429 {
            wait_until("it is settled", || {
                house.last_event().outcome == Some(Outcome::Unclear)
            });
        }
        answer.status
    });
    assert_eq!(statuses, [502, 502, 429]);
}
