//! Recorded events under another policy, one question each.

use jiff::Timestamp;

use super::*;
use crate::app::AppSource;
use crate::ban::{Effect, Scopes, Subject};
use crate::endpoint::Endpoint;
use crate::event::facts::{AppFacts, Facts, HostFacts, MailFacts, MailFound};
use crate::event::{Event, EventId};
use crate::judge::limit::{Budget, Limit};
use crate::lists::Lists;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a moment")
}

fn domain(name: &str) -> Domain {
    Domain::new(name).expect("a domain")
}

fn event(endpoint: Endpoint, second: i64) -> Event {
    let id = EventId::from_number(second.unsigned_abs());
    Event {
        endpoint: Some(endpoint),
        client: Some([203, 0, 113, 7].into()),
        outcome: Some(Outcome::Create),
        facts: Some(Box::default()),
        ..Event::blank(id, at(second))
    }
}

/// A sign-up whose mail goes to 45.9.9.9.
fn sign_up(endpoint: Endpoint, second: i64) -> Event {
    let host = HostFacts {
        name: domain("mx.bot.example"),
        preference: 10,
        ips: vec![[45, 9, 9, 9].into()],
    };
    let facts = Facts {
        mail: vec![MailFacts {
            domain: domain("bot.example"),
            found: MailFound::Server(vec![host]),
        }],
        ..Facts::default()
    };
    Event {
        mail_domain: Some(domain("bot.example")),
        facts: Some(Box::new(facts)),
        ..event(endpoint, second)
    }
}

/// Through the app `id` that was made at `created`.
fn token(id: &str, created: i64, second: i64) -> Event {
    let app = AppFacts {
        redirect_uris: vec!["urn:x".into()],
        website: None,
        known: Some((at(created), AppSource::Learn)),
    };
    let facts = Facts {
        app: Some(app),
        proven: true,
        ..Facts::default()
    };
    Event {
        client_id: Some(ClientId::new(id)),
        app_name: Some(AppName::new("AaA")),
        grant: Some("client_credentials".into()),
        facts: Some(Box::new(facts)),
        ..event(Endpoint::Token, second)
    }
}

fn making(second: i64) -> Event {
    let app = AppFacts {
        redirect_uris: vec!["urn:x".into()],
        website: None,
        known: None,
    };
    let facts = Facts {
        app: Some(app),
        ..Facts::default()
    };
    Event {
        app_name: Some(AppName::new("AaA")),
        facts: Some(Box::new(facts)),
        ..event(Endpoint::AppCreate, second)
    }
}

fn ban(subject: Subject, made: i64) -> Ban {
    Ban {
        id: 1,
        subject,
        effect: Effect::Ban,
        scopes: Scopes::DEFAULT,
        reason: String::new(),
        source: "test".into(),
        created: at(made),
        expires: None,
    }
}

fn server_ban(made: i64) -> Ban {
    ban(Subject::Network("45.9.9.0/24".parse().expect("one")), made)
}

fn replay(bans: Vec<Ban>, limits: &[(Limit, &str)]) -> Replay {
    let limits = limits.iter().map(|(limit, quota)| {
        let budget = Budget {
            quota: quota.parse().expect("a quota"),
            mode: Mode::Enforce,
        };
        (*limit, budget)
    });
    let policy = Policy {
        limits: limits.collect(),
        ..Policy::default()
    };
    let sight = Sight {
        lists: Arc::new(Lists::empty()),
        bans: Arc::new(Overlay::new(bans.into_iter().map(Arc::new))),
        now: Timestamp::UNIX_EPOCH,
    };
    let past = Past::none(Tuning::default(), apps::Tuning::default());
    Replay::new(policy, sight, past, 64)
}

fn refused(replay: &mut Replay, event: &Event) -> Option<Rule> {
    let ruling = replay.again(event);
    let rule = ruling.refused.as_ref().map(|(rule, _)| *rule);
    replay.settle(ruling, Outcome::Create);
    rule
}

#[test]
fn a_mail_server_is_judged_by_what_dns_said_then() {
    let mut hindsight = replay(vec![server_ban(100)], &[]);
    let web = sign_up(Endpoint::SignUp, 10);
    assert_eq!(refused(&mut hindsight, &web), Some(Rule::MailServer));

    let mut then = replay(vec![server_ban(100)], &[]).without_hindsight();
    assert_eq!(refused(&mut then, &web), None, "not banned yet");
    let later = sign_up(Endpoint::SignUp, 100);
    assert_eq!(refused(&mut then, &later), Some(Rule::MailServer));
}

#[test]
fn what_was_not_recorded_is_not_guessed() {
    let mut replay = replay(vec![server_ban(0)], &[]);
    for facts in [None, Some(Box::default())] {
        let early = Event {
            facts,
            admitted: false,
            ..sign_up(Endpoint::SignUp, 10)
        };
        let ruling = replay.again(&early);
        assert_eq!(ruling.refused, None);
        assert_eq!(ruling.unknown, [Rule::MailServer, Rule::MailCluster]);
        replay.settle(ruling, Outcome::Unclear);
    }
}

#[test]
fn an_unchanged_address_passes_and_one_nobody_asked_about_is_unknown() {
    let mut replay = replay(vec![server_ban(0)], &[]);
    for (unchanged, expected) in [
        (Some(true), (None, false)),
        (Some(false), (Some(Rule::MailServer), false)),
        (None, (None, true)),
    ] {
        let mut change = sign_up(Endpoint::EmailChange, 10);
        change.facts.as_mut().expect("facts").unchanged = unchanged;
        let ruling = replay.again(&change);
        let rule = ruling.refused.as_ref().map(|(rule, _)| *rule);
        let unknown = ruling.unknown.contains(&Rule::MailServer);
        assert_eq!((rule, unknown), expected, "{unchanged:?}");
        replay.settle(ruling, Outcome::Create);
    }
}

#[test]
fn budgets_run_on_the_clock_of_the_record() {
    let mut replay = replay(Vec::new(), &[(Limit::TokenPerApp, "2/1h")]);
    let hits: Vec<_> = [0, 1, 2, 3, 7200]
        .into_iter()
        .map(|second| refused(&mut replay, &token("a", -200_000, second)).is_some())
        .collect();
    assert_eq!(hits, [false, false, true, true, false]);
}

#[test]
fn through_an_app_that_is_never_made_nothing_comes() {
    let mut replay = replay(Vec::new(), &[(Limit::AppPerName, "1/1h")]);
    assert_eq!(refused(&mut replay, &making(0)), None);
    assert_eq!(refused(&mut replay, &making(5)), Some(Rule::Rate));
    let first = replay.again(&token("first", 0, 10));
    assert!(!first.moot);
    replay.settle(first, Outcome::Create);
    let second = replay.again(&token("second", 5, 11));
    assert!(second.moot && second.refused.is_none());
    replay.settle(second, Outcome::Create);
}

#[test]
fn a_client_banned_everywhere_and_a_body_nobody_could_read() {
    let network = Subject::Network("203.0.113.0/24".parse().expect("one"));
    let everywhere = Ban {
        scopes: Scopes::ALL,
        ..ban(network, 0)
    };
    let said = |rule| crate::event::VerdictRecord {
        rule,
        mode: Mode::Observe,
        verdict: "refuse".into(),
        fact: "as it was".into(),
        undo: None,
    };
    let banned = Event {
        endpoint: None,
        facts: None,
        verdicts: vec![said(Rule::ClientBan)],
        ..event(Endpoint::Token, 1)
    };
    let unread = Event {
        endpoint: Some(Endpoint::Token),
        verdicts: vec![said(Rule::Unreadable)],
        ..banned.clone()
    };
    let mut now = replay(vec![everywhere], &[]);
    assert_eq!(refused(&mut now, &banned), Some(Rule::ClientBan));
    assert_eq!(refused(&mut now, &unread), Some(Rule::Unreadable));
    let mut lifted = replay(Vec::new(), &[]);
    assert_eq!(refused(&mut lifted, &banned), None);
    lifted.policy.modes.insert(Rule::Unreadable, Mode::Off);
    assert_eq!(refused(&mut lifted, &unread), None);
}

/// The record is JSON: what comes back must be judged the same.
#[test]
fn an_export_is_judged_like_the_record() {
    for event in [sign_up(Endpoint::SignUp, 1), token("a", -9, 2), making(3)] {
        let text = serde_json::to_string(&event).expect("JSON");
        let back: Event = serde_json::from_str(&text).expect("an event");
        assert_eq!(back, event);
    }
}
