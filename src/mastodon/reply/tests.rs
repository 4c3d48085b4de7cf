use std::collections::BTreeSet;

use http::header::{CONTENT_ENCODING, COOKIE, LOCATION, SET_COOKIE};
use proptest::prelude::*;

use super::*;
use crate::event::Outcome::{Create, Fail, Unclear};

/// A recording, then one word for each of its exchanges: the door and what it
/// taught, or `-` where it is at no door.
const TEACH: &str = "
accounts-bad-token api-sign-up:fail
accounts-blocked-by-mx api-sign-up:fail
accounts-blocked-domain api-sign-up:fail
accounts-invalid-email api-sign-up:fail
accounts-nxdomain api-sign-up:fail
accounts-ok api-sign-up:create
accounts-ok-json api-sign-up:create
accounts-rate-limited api-sign-up:fail
accounts-rate-limited-origin api-sign-up:fail
accounts-registrations-closed api-sign-up:fail
accounts-taken-email api-sign-up:fail
apps-bad-redirect-uri app-create:fail
apps-cors-preflight -
apps-empty app-create:fail
apps-form app-create:create
apps-form-with-origin app-create:create
apps-json app-create:create
apps-malformed-json app-create:fail
apps-rate-limited app-create:fail
apps-two-redirect-uris app-create:create
apps-verify-credentials -
apps-verify-credentials-bad-token -
apps-verify-credentials-no-token -
emails-confirmations-app-token api-email-change:fail
emails-confirmations-change-email api-email-change:create
emails-confirmations-change-email-blocked api-email-change:fail
emails-confirmations-rate-limited api-email-change:fail
ipblock-no-access-accounts api-sign-up:fail
ipblock-no-access-web sign-up-form:fail
ipblock-sign-up-block-accounts api-sign-up:fail
ipblock-sign-up-block-web-post sign-up:fail
oauth-authorize authorize:fail authorize:create authorize:fail
oauth-authorize-unknown-client authorize:fail
oauth-authorize-unknown-client-logged-out authorize:fail
token-authorization-code token:create
token-authorization-code-invalid token:fail
token-client-credentials token:create
token-client-credentials-json token:create
token-cors-preflight -
token-empty token:fail
token-info -
token-malformed-json token:fail
token-password token:create
token-wrong-secret token:fail
web-auth-setup-change-email - email-setup:create
web-sign-in-ok - sign-in:create
web-sign-in-wrong-password - sign-in:fail
web-sign-up-accept-json-406-but-created sign-up:create
web-sign-up-auth-json-406-but-created sign-up:create
web-sign-up-auth-json-error sign-up:fail
web-sign-up-bad-csrf sign-up-form:unclear sign-up:fail
web-sign-up-blocked-domain sign-up-form:unclear sign-up:fail
web-sign-up-closed-post sign-up:fail
web-sign-up-get-signed-in sign-up-form:unclear
web-sign-up-invite-closed-good sign-up-form:unclear sign-up:create
web-sign-up-no-session-no-csrf sign-up:fail
web-sign-up-ok sign-up-form:unclear sign-up:create
web-sign-up-rate-limited sign-up:fail
web-sign-up-too-quick sign-up-form:unclear sign-up:fail
";

fn learn(endpoint: Endpoint, exchange: &wire::Exchange) -> Lesson {
    lesson(
        endpoint,
        &Session::of_request(&exchange.asked),
        exchange.status,
        &exchange.headers,
        Body::Whole(exchange.body.as_bytes()),
    )
}

fn plain(endpoint: Endpoint, status: u16, body: Body<'_>) -> Lesson {
    let status = StatusCode::from_u16(status).expect("a status");
    lesson(
        endpoint,
        &Session::default(),
        status,
        &HeaderMap::new(),
        body,
    )
}

fn redirect(endpoint: Endpoint, to: &str) -> Outcome {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, to.parse().expect("a header value"));
    let none = Session::default();
    lesson(endpoint, &none, StatusCode::FOUND, &headers, Body::Cut(&[])).outcome
}

#[test]
fn every_recording_teaches_what_really_came_to_be() {
    let rows: Vec<Vec<&str>> = TEACH
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split(' ').collect())
        .collect();
    let listed: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    let recorded = wire::names();
    assert!(recorded.len() > 50, "the recordings are there");
    assert_eq!(
        listed,
        recorded.iter().map(String::as_str).collect(),
        "the table and the folder name the same recordings"
    );
    for row in rows {
        let exchanges = wire::read(row[0]);
        assert_eq!(exchanges.len(), row.len() - 1, "{row:?}");
        for (exchange, word) in exchanges.iter().zip(&row[1..]) {
            if *word != "-" {
                assert_eq!(taught(word, exchange), *word, "{row:?}");
            }
        }
    }
}

/// `door:outcome` as the exchange teaches it at the door of `word`.
fn taught(word: &str, exchange: &wire::Exchange) -> String {
    let (door, _) = word.split_once(':').expect("a door and an outcome");
    let endpoint = Endpoint::ALL.into_iter().find(|e| e.name() == door);
    let endpoint = endpoint.expect("a door's name");
    let lesson = learn(endpoint, exchange);
    let creates = lesson.outcome == Create;
    let issues = matches!(endpoint, Endpoint::Token | Endpoint::ApiSignUp);
    assert_eq!(lesson.token.is_some(), creates && issues, "{word}");
    let registers = endpoint == Endpoint::AppCreate;
    assert_eq!(lesson.app.is_some(), creates && registers, "{word}");
    format!("{door}:{:?}", lesson.outcome).to_lowercase()
}

#[test]
fn a_token_is_taken_from_the_reply_and_masked() {
    let lesson = learn(Endpoint::Token, &wire::last("token-client-credentials"));
    let token = lesson.token.as_ref().expect("a token").expose();
    assert_eq!(token, "bj6tN-_1aEGYNnIhuY2LS2Cv6fXHlpxgEdm1KxmTnu4");
    assert!(!format!("{lesson:?}").contains("bj6tN"));
}

#[test]
fn an_app_is_taken_from_the_reply() {
    let app = learn(Endpoint::AppCreate, &wire::last("apps-form")).app;
    let app = app.expect("an app");
    assert_eq!(
        app.client_id.as_str(),
        "M_XaKkWlIkh_WWmSFhvDSAQC9HeDoUDlrAo5mPUh5oo"
    );
    assert!(app.client_secret.is_some());
    assert_eq!(app.name.as_str(), "Test App");
    assert_eq!(app.redirect_uris, ["urn:ietf:wg:oauth:2.0:oob"]);
    assert_eq!(app.website.as_deref(), Some("https://app.example"));
    assert_eq!(app.id, Some(10));
    let two = learn(Endpoint::AppCreate, &wire::last("apps-two-redirect-uris")).app;
    let two = two.expect("an app");
    assert_eq!(
        two.redirect_uris,
        ["urn:ietf:wg:oauth:2.0:oob", "https://a.example/cb"]
    );
    assert_eq!(two.website, None);
}

#[test]
fn an_app_as_todays_main_writes_it() {
    let body = br#"{"id":"7","name":"AaA","website":"","scopes":["read"],"redirect_uris":["a:b","c:d"],
        "redirect_uri":"a:b\nc:d","client_id":"i","client_secret":"s","client_secret_expires_at":0}"#;
    let app = plain(Endpoint::AppCreate, 200, Body::Whole(body)).app;
    let app = app.expect("an app");
    assert_eq!(app.redirect_uris, ["a:b", "c:d"]);
    assert_eq!(app.website, None);
    for uris in [r#""a:b c:d""#, r#"["a:b","c:d"]"#] {
        let body = format!(r#"{{"client_id":"i","name":"n","redirect_uris":{uris},"id":7}}"#);
        let app = plain(Endpoint::AppCreate, 200, Body::Whole(body.as_bytes())).app;
        assert_eq!(app.expect("an app").redirect_uris, ["a:b", "c:d"]);
    }
}

#[test]
fn odd_replies_teach_nothing() {
    let odd: &[&[u8]] = &[
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        br#"{"access_token":null}"#,
        br#"{"access_token":5}"#,
        br#"{"access_token":""}"#,
        br#"{"access_token":"a","access_token":"b"}"#,
        br#"{"access_token":"a"} x"#,
        br#"{"access_token":"a"#,
        b"{\"access_token\":\"\xff\"}",
        b"\x1f\x8b\x08\x00",
    ];
    for body in odd {
        for endpoint in [Endpoint::Token, Endpoint::ApiSignUp, Endpoint::AppCreate] {
            let taught = plain(endpoint, 200, Body::Whole(body));
            assert_eq!(taught, Lesson::only(Unclear), "{body:?}");
        }
    }
    let twice = br#"{"client_id":"a","client_id":"b","name":"n"}"#;
    assert_eq!(
        plain(Endpoint::AppCreate, 200, Body::Whole(twice)),
        Lesson::only(Unclear)
    );
    let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(600));
    let long = plain(Endpoint::Token, 200, Body::Whole(long.as_bytes()));
    assert_eq!(long, Lesson::only(Unclear));
    let cut = plain(Endpoint::Token, 200, Body::Cut(br#"{"access_token":"a"}"#));
    assert_eq!(cut, Lesson::only(Unclear));
}

#[test]
fn an_encoded_reply_is_not_read() {
    let mut headers = HeaderMap::new();
    let body = Body::Whole(br#"{"access_token":"a"}"#);
    let none = Session::default();
    let mut taught = |encoding: &'static str| {
        headers.insert(CONTENT_ENCODING, encoding.parse().expect("a value"));
        lesson(Endpoint::Token, &none, StatusCode::OK, &headers, body).outcome
    };
    assert_eq!(taught("gzip"), Unclear);
    assert_eq!(taught("identity"), Create);
}

#[test]
fn a_breakdown_is_unclear_and_a_refusal_is_a_failure() {
    for endpoint in Endpoint::ALL {
        for status in [500, 502, 503, 504] {
            let taught = plain(endpoint, status, Body::Cut(&[])).outcome;
            assert_eq!(taught, Unclear, "{endpoint:?} {status}");
        }
        for status in [301, 308, 400, 401, 403, 404, 413, 415, 422, 429] {
            let taught = plain(endpoint, status, Body::Cut(&[])).outcome;
            assert_eq!(taught, Fail, "{endpoint:?} {status}");
        }
    }
}

#[test]
fn redirects_tell() {
    for (endpoint, to, outcome) in [
        (Endpoint::SignUp, "/auth/setup", Create),
        (
            Endpoint::SignUp,
            "https://x.example/auth/setup?lang=de",
            Create,
        ),
        (Endpoint::SignUp, "https://x.example", Fail),
        (Endpoint::SignUp, "https://x.example/auth/sign_in", Fail),
        (Endpoint::EmailChange, "https://x.example/auth/edit", Create),
        (
            Endpoint::EmailChange,
            "https://x.example/auth/sign_in",
            Fail,
        ),
        (Endpoint::EmailSetup, "https://x.example/", Fail),
        (Endpoint::EmailSetup, "/auth/setup/", Create),
        (
            Endpoint::AppSettings,
            "https://x.example/settings/applications",
            Create,
        ),
        (
            Endpoint::AppSettings,
            "https://x.example/settings/applications/3",
            Create,
        ),
        (
            Endpoint::AppSettings,
            "https://x.example/auth/sign_in",
            Fail,
        ),
        (Endpoint::AppToken, "https://x.example/auth/sign_in", Fail),
        (Endpoint::InviteCreate, "https://x.example/invites", Create),
        (
            Endpoint::Authorize,
            "https://app.example/cb?state=1&code=abc",
            Create,
        ),
        (Endpoint::Authorize, "app://cb?code=abc", Create),
        (
            Endpoint::Authorize,
            "https://app.example/cb?error=access_denied",
            Fail,
        ),
        (Endpoint::Authorize, "https://app.example/cb?code=", Fail),
        (Endpoint::Authorize, "https://x.example/auth/sign_in", Fail),
    ] {
        assert_eq!(redirect(endpoint, to), outcome, "{endpoint:?} {to}");
    }
}

#[test]
fn somebody_signed_in_already_has_made_no_account() {
    let renewed = wire::last("web-sign-up-get-signed-in");
    let taught = learn(Endpoint::SignUp, &renewed).outcome;
    assert_eq!(taught, Fail, "the reply renews the request's own session");
    let mut stranger = renewed.asked.clone();
    stranger.insert(COOKIE, "_session_id=stale".parse().expect("a value"));
    let taught = lesson(
        Endpoint::SignUp,
        &Session::of_request(&stranger),
        renewed.status,
        &renewed.headers,
        Body::Cut(&[]),
    );
    assert_eq!(taught.outcome, Create, "a stale cookie hides nothing");
}

#[test]
fn a_code_may_come_in_a_page() {
    let page = br#"<form method="post"><input type="hidden" name="code" value="x"></form>"#;
    let taught = plain(Endpoint::Authorize, 200, Body::Whole(page));
    assert_eq!(taught.outcome, Create);
    let consent = br#"<input type="hidden" name="code_challenge" value="x">"#;
    let taught = plain(Endpoint::Authorize, 200, Body::Whole(consent));
    assert_eq!(taught.outcome, Fail);
    let taught = plain(Endpoint::Authorize, 200, Body::Cut(consent));
    assert_eq!(taught.outcome, Unclear);
}

#[test]
fn only_doors_that_read_a_body_say_so() {
    for endpoint in Endpoint::ALL {
        let reads = reads_body(endpoint, StatusCode::OK);
        let whole = plain(endpoint, 200, Body::Whole(b"{}")).outcome;
        let none = plain(endpoint, 200, Body::Cut(&[])).outcome;
        assert!(reads || whole == none, "{endpoint:?}");
        assert!(!reads_body(endpoint, StatusCode::UNPROCESSABLE_ENTITY));
    }
}

proptest! {
    #[test]
    fn nothing_in_a_reply_panics(
        door in 0..Endpoint::ALL.len(),
        status in 200_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..400),
        header in proptest::collection::vec(32_u8..127, 0..200),
        whole in any::<bool>(),
    ) {
        let value = http::HeaderValue::from_bytes(&header).expect("visible ASCII");
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, value.clone());
        headers.insert(SET_COOKIE, value.clone());
        headers.insert(COOKIE, value);
        let session = Session::of_request(&headers);
        let status = StatusCode::from_u16(status).expect("in range");
        let body = if whole { Body::Whole(&body) } else { Body::Cut(&body) };
        let taught = lesson(Endpoint::ALL[door], &session, status, &headers, body);
        prop_assert!(taught.app.is_none() || taught.outcome == Create);
    }

    #[test]
    fn a_session_cookie_of_any_bytes_is_read(cookie in "\\PC{0,80}") {
        let mut headers = HeaderMap::new();
        if let Ok(value) = http::HeaderValue::from_str(&format!("_session_id={cookie}")) {
            headers.insert(COOKIE, value);
        }
        let session = Session::of_request(&headers);
        let shown = format!("{session:?}");
        prop_assert!(cookie.len() < 20 || !shown.contains(&cookie));
    }
}
