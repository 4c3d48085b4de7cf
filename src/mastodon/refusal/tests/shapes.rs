//! Our answers beside Mastodon's recorded ones: same status, same keys, same
//! kind of content, no header missing that a client could read.

use std::collections::BTreeSet;

use super::*;
use crate::mastodon::reply::wire;

/// Headers that are not the answer's but the server's, the throttle's or the clock's.
const NOT_OURS: &[&str] = &[
    "server",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

fn keys(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![("".to_owned(), value)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(map) => {
                open.extend(
                    map.iter()
                        .map(|(key, inner)| (format!("{path}.{key}"), inner)),
                );
            }
            Value::Array(list) => {
                open.extend(list.iter().map(|inner| (format!("{path}[]"), inner)))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                found.insert(path);
            }
        }
    }
    found
}

fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default()
}

fn compare(answer: &Response<Bytes>, name: &str) {
    let recorded = wire::last(name);
    assert_eq!(answer.status(), recorded.status, "{name}");
    let theirs: Value = serde_json::from_str(&recorded.body).expect(name);
    assert_eq!(keys(&json(answer)), keys(&theirs), "{name}");
    let kind = recorded.headers["content-type"].to_str().expect(name);
    assert_eq!(
        essence(header(answer, "content-type")),
        essence(kind),
        "{name}"
    );
    for header in recorded.headers.keys() {
        if !NOT_OURS.contains(&header.as_str()) {
            assert!(answer.headers().contains_key(header), "{name} has {header}");
        }
    }
}

/// Mastodon's text, with the reference before its end.
fn same_text(ours: &Value, theirs: &Value) {
    let (ours, theirs) = (ours.as_str().expect("text"), theirs.as_str().expect("text"));
    assert_eq!(ours, format!("{theirs} (reference {REFERENCE})"));
}

#[test]
fn the_sign_up_api_answers_as_mastodon_does() {
    for (rule, because, name, code) in [
        (
            Rule::MailDomain,
            Because::Ban,
            "accounts-blocked-domain",
            "ERR_BLOCKED",
        ),
        (
            Rule::MailServer,
            Because::Ban,
            "accounts-blocked-by-mx",
            "ERR_BLOCKED",
        ),
        (
            Rule::Address,
            Because::Mailbox,
            "accounts-taken-email",
            "ERR_TAKEN",
        ),
        (
            Rule::MailServer,
            Because::Undeliverable,
            "accounts-nxdomain",
            "ERR_UNREACHABLE",
        ),
        (
            Rule::Unreadable,
            Because::Unreadable(Unreadable::Address),
            "accounts-invalid-email",
            "ERR_INVALID",
        ),
    ] {
        for endpoint in [Endpoint::ApiSignUp, Endpoint::Subscription] {
            let answer = refuse(Some(endpoint), rule, because, &app());
            compare(&answer, name);
            let theirs: Value = serde_json::from_str(&wire::last(name).body).expect(name);
            let (ours, theirs) = (
                &json(&answer)["details"]["email"][0],
                &theirs["details"]["email"][0],
            );
            assert_eq!(ours["error"], code);
            assert_eq!(ours["error"], theirs["error"], "{name}");
            same_text(&ours["description"], &theirs["description"]);
        }
    }
    let answer = refuse(
        Some(Endpoint::ApiSignUp),
        Rule::ClientBan,
        Because::Ban,
        &app(),
    );
    compare(&answer, "ipblock-sign-up-block-accounts");
    let theirs: Value =
        serde_json::from_str(&wire::last("ipblock-sign-up-block-accounts").body).expect("JSON");
    same_text(&json(&answer)["error"], &theirs["error"]);
}

#[test]
fn trying_again_is_said_at_the_address() {
    let answer = refuse(Some(Endpoint::ApiSignUp), Rule::MailServer, MINUTE, &app());
    compare(&answer, "accounts-nxdomain");
    let fault = &json(&answer)["details"]["email"][0];
    let description = fault["description"].as_str().expect("text");
    assert!(description.contains("please try again in a minute"));
    assert_ne!(
        fault["error"], "ERR_UNREACHABLE",
        "apps would say that it does not exist"
    );
    assert_eq!(header(&answer, "retry-after"), "60");
    assert_eq!(
        header(&answer, "x-ratelimit-reset"),
        "",
        "client libraries would retry at once"
    );
}

#[test]
fn an_e_mail_change_by_an_app_has_no_details() {
    let door = Some(Endpoint::ApiEmailChange);
    let name = "emails-confirmations-change-email-blocked";
    let answer = refuse(door, Rule::MailDomain, Because::Ban, &app());
    compare(&answer, name);
    let theirs: Value = serde_json::from_str(&wire::last(name).body).expect(name);
    same_text(&json(&answer)["error"], &theirs["error"]);
    compare(
        &refuse(door, Rule::ClientBan, Because::Ban, &app()),
        "emails-confirmations-app-token",
    );
    for (rule, because) in refusals() {
        assert!(
            json(&refuse(door, rule, because, &app()))
                .get("details")
                .is_none()
        );
    }
}

#[test]
fn a_spent_budget_answers_as_mastodons_throttles_do() {
    for (endpoint, asker, name) in [
        (Endpoint::ApiSignUp, app(), "accounts-rate-limited"),
        (
            Endpoint::ApiSignUp,
            web_app(),
            "accounts-rate-limited-origin",
        ),
        (Endpoint::AppCreate, app(), "apps-rate-limited"),
        (
            Endpoint::ApiEmailChange,
            app(),
            "emails-confirmations-rate-limited",
        ),
    ] {
        let answer = refuse(Some(endpoint), Rule::Rate, spent(120), &asker);
        compare(&answer, name);
        let recorded = wire::last(name);
        assert_eq!(header(&answer, "x-ratelimit-remaining"), "0");
        assert_eq!(header(&answer, "x-ratelimit-limit"), "5");
        let reset = header(&answer, "x-ratelimit-reset");
        assert_eq!(reset, "2026-11-22T07:00:00.000000Z");
        assert_eq!(reset.len(), recorded.headers["x-ratelimit-reset"].len());
        assert_eq!(header(&answer, "retry-after"), "120");
        let error = json(&answer)["error"].as_str().expect("text").to_owned();
        assert!(error.starts_with("Too many requests. "), "{error}");
    }
}

#[test]
fn an_app_is_refused_as_mastodon_refuses_apps() {
    let door = Some(Endpoint::AppCreate);
    compare(
        &refuse(door, Rule::AppBan, Because::Ban, &app()),
        "apps-empty",
    );
    compare(
        &refuse(door, Rule::AppBan, Because::Ban, &app()),
        "apps-bad-redirect-uri",
    );
    let banned = refuse(door, Rule::ClientBan, Because::Ban, &app());
    compare(&banned, "ipblock-sign-up-block-accounts");
}

#[test]
fn other_origins_may_read_what_mastodon_lets_them_read() {
    let recorded = wire::last("accounts-rate-limited-origin").headers;
    let expose = "access-control-expose-headers";
    for endpoint in [
        Endpoint::ApiSignUp,
        Endpoint::AppCreate,
        Endpoint::ApiEmailChange,
    ] {
        for (rule, because) in refusals() {
            let answer = refuse(Some(endpoint), rule, because, &web_app());
            let theirs = recorded[expose].to_str().expect("ASCII");
            for name in theirs.split(", ") {
                assert!(header(&answer, expose).contains(name), "{name}");
            }
            for name in ["origin", "methods"].map(|end| format!("access-control-allow-{end}")) {
                assert_eq!(
                    header(&answer, &name),
                    recorded[&name].to_str().expect("ASCII")
                );
            }
        }
    }
    let token = refuse(Some(Endpoint::Token), Rule::Rate, spent(9), &web_app());
    let recorded = wire::last("token-cors-preflight").headers;
    for name in [
        "access-control-allow-origin",
        "access-control-allow-methods",
    ] {
        assert_eq!(
            header(&token, name),
            recorded[name].to_str().expect("ASCII")
        );
    }
    let page = refuse(Some(Endpoint::SignUp), Rule::Rate, spent(9), &web_app());
    assert_eq!(header(&page, "access-control-allow-origin"), "");
    let same = refuse(Some(Endpoint::ApiSignUp), Rule::Rate, spent(9), &app());
    assert_eq!(header(&same, "access-control-allow-origin"), "");
}

#[test]
fn the_token_door_never_makes_an_app_throw_its_credentials_away() {
    for language in Language::all() {
        let asker = Asker { language, ..app() };
        for (rule, because) in refusals() {
            let answer = refuse(Some(Endpoint::Token), rule, because, &asker);
            assert!(!text(&answer).contains("invalid_client"));
            assert!(!text(&answer).contains("invalid_grant"));
            assert_ne!(answer.status(), StatusCode::UNAUTHORIZED);
            let theirs = wire::last("token-wrong-secret");
            let theirs: Value = serde_json::from_str(&theirs.body).expect("JSON");
            assert_eq!(keys(&json(&answer)), keys(&theirs));
            assert_eq!(header(&answer, "pragma"), "no-cache");
            let error = json(&answer)["error"].as_str().expect("text").to_owned();
            assert!(error.is_ascii(), "RFC 6749 §5.2: {error}");
        }
    }
    for (rule, because, status, error) in [
        (Rule::AppBan, Because::Ban, 403, "access_denied"),
        (Rule::ClientBan, Because::Ban, 403, "access_denied"),
        (Rule::Rate, spent(86_400), 429, "Too many requests"),
        (
            Rule::Unreadable,
            Because::Unreadable(Unreadable::Malformed),
            400,
            "invalid_request",
        ),
        (
            Rule::Unreadable,
            Because::Unreadable(Unreadable::TooLarge),
            413,
            "invalid_request",
        ),
        (
            Rule::Unreadable,
            Because::Unreadable(Unreadable::Unsupported),
            415,
            "invalid_request",
        ),
    ] {
        let answer = refuse(Some(Endpoint::Token), rule, because, &app());
        assert_eq!(
            (answer.status().as_u16(), &json(&answer)["error"]),
            (status, &error.into())
        );
    }
    let long = refuse(Some(Endpoint::Token), Rule::Rate, spent(86_400), &app());
    assert_eq!(
        header(&long, "retry-after"),
        "540",
        "a code lives ten minutes"
    );
    assert_eq!(
        header(&long, "x-ratelimit-reset"),
        "2026-11-22T07:07:00.000000Z"
    );
}

/// Every door with every reason: `door: status kind` for each of [`refusals`].
#[test]
fn every_cell_has_its_status_and_kind() {
    const STATUSES: [u16; 14] = [
        403, 403, 422, 422, 422, 422, 422, 422, 403, 429, 400, 413, 415, 422,
    ];
    for endpoint in doors() {
        for (cell, (rule, because)) in refusals().into_iter().enumerate() {
            let answer = refuse(endpoint, rule, because, &browser());
            let status = match (endpoint, rule, because) {
                (
                    Some(Endpoint::AppCreate | Endpoint::AppSettings),
                    Rule::AppBan | Rule::AppCluster,
                    _,
                ) => 422,
                (Some(Endpoint::Token), _, Because::TryAgain { .. }) => 429,
                _ => STATUSES[cell],
            };
            assert_eq!(
                answer.status().as_u16(),
                status,
                "{endpoint:?} {rule} {because:?}"
            );
            let kind = match endpoint.map(Endpoint::voice) {
                Some(Voice::Api | Voice::OAuth) => "application/json; charset=utf-8",
                Some(Voice::Page) | None => "text/html; charset=utf-8",
            };
            assert_eq!(header(&answer, "content-type"), kind, "{endpoint:?}");
            let waits = matches!(because, Because::Spent { .. } | Because::TryAgain { .. });
            assert_eq!(answer.headers().contains_key("retry-after"), waits);
        }
    }
}
