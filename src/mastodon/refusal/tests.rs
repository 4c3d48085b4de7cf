mod pages;
mod shapes;

use http::Request;
use http::request::Parts;
use serde_json::Value;

use super::*;

const REFERENCE: &str = "7K3M9QX2B4DH";
const SECRET_FACT: &str = "192.0.2.7 lies in 192.0.2.0/24, fact-for-the-admin";

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn browser() -> Asker {
    Asker::of(&head("POST", "/auth", &[("accept", "text/html,*/*;q=0.8")]))
}

fn app() -> Asker {
    Asker::of(&head("POST", "/api/v1/accounts", &[("accept", "*/*")]))
}

fn web_app() -> Asker {
    let origin = ("origin", "https://web.example");
    Asker::of(&head("POST", "/api/v1/accounts", &[origin]))
}

fn refuse(
    endpoint: Option<Endpoint>,
    rule: Rule,
    because: Because,
    asker: &Asker,
) -> Response<Bytes> {
    let reason = Reason {
        because,
        fact: SECRET_FACT.to_owned().into(),
        undo: Some("tuskgate unban network 192.0.2.0/24".to_owned().into()),
    };
    let id = REFERENCE.parse().expect("a reference");
    let now = "2026-11-22T06:58:00Z".parse().expect("a time");
    refusal(endpoint, rule, &reason, id, now, asker)
}

fn spent(seconds: u64) -> Because {
    Because::Spent {
        limit: "token-per-app",
        burst: 5,
        after: Duration::from_secs(seconds),
    }
}

const fn paused(what: Paused) -> Because {
    Because::Paused {
        what,
        after: Duration::from_secs(1800),
    }
}

const MINUTE: Because = Because::TryAgain {
    after: Duration::from_secs(60),
};

/// Every rule with every reason it can give.
fn refusals() -> Vec<(Rule, Because)> {
    vec![
        (Rule::ClientBan, Because::Ban),
        (Rule::AppBan, Because::Ban),
        (Rule::Address, Because::Mailbox),
        (Rule::MailDomain, Because::Ban),
        (Rule::MailServer, Because::Ban),
        (Rule::MailServer, Because::Undeliverable),
        (Rule::MailServer, MINUTE),
        (Rule::MailCluster, Because::Ban),
        (Rule::AppCluster, Because::Ban),
        (Rule::Rate, spent(300)),
        (Rule::Wave, paused(Paused::Mail)),
        (Rule::Wave, paused(Paused::App)),
        (Rule::Wave, paused(Paused::All)),
        (Rule::Unreadable, Because::Unreadable(Unreadable::Malformed)),
        (Rule::Unreadable, Because::Unreadable(Unreadable::TooLarge)),
        (
            Rule::Unreadable,
            Because::Unreadable(Unreadable::Unsupported),
        ),
        (Rule::Unreadable, Because::Unreadable(Unreadable::Address)),
    ]
}

fn doors() -> impl Iterator<Item = Option<Endpoint>> {
    Endpoint::ALL.into_iter().map(Some).chain([None])
}

fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().expect("visible ASCII"))
}

fn text(answer: &Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).expect("UTF-8")
}

fn json(answer: &Response<Bytes>) -> Value {
    serde_json::from_str(text(answer)).expect("JSON")
}

#[test]
fn every_refusal_carries_its_reference_and_hides_its_fact() {
    for language in Language::all() {
        for asker in [browser(), app(), web_app()] {
            let asker = Asker { language, ..asker };
            for endpoint in doors() {
                for (rule, because) in refusals() {
                    let answer = refuse(endpoint, rule, because, &asker);
                    let place = format!("{language:?} {endpoint:?} {rule} {because:?}");
                    assert!(text(&answer).contains(REFERENCE), "{place}");
                    assert_eq!(header(&answer, "x-tuskgate-reference"), REFERENCE);
                    assert!(header(&answer, "cache-control").contains("no-store"));
                    assert!(!text(&answer).contains("192.0.2"), "{place}");
                    assert!(!text(&answer).contains("unban"), "{place}");
                    assert!(!text(&answer).contains("token-per-app"), "{place}");
                    assert!(answer.status().is_client_error(), "{place}");
                }
            }
        }
    }
}

#[test]
fn a_head_has_the_headers_and_no_body() {
    for endpoint in doors() {
        for (rule, because) in refusals() {
            let whole = refuse(endpoint, rule, because, &browser());
            let head = Asker {
                head: true,
                ..browser()
            };
            let mut bare = refuse(endpoint, rule, because, &head);
            assert!(bare.body().is_empty());
            let length = bare
                .headers_mut()
                .remove("content-length")
                .expect("a length");
            assert_eq!(length, whole.body().len().to_string());
            assert_eq!(bare.headers(), whole.headers());
            assert_eq!(bare.status(), whole.status());
        }
    }
}

#[test]
fn whoever_prefers_json_gets_json() {
    for (accept, wants) in [
        ("application/json", true),
        ("application/json, text/plain, */*", true),
        ("application/activity+json", true),
        ("application/ld+json; profile=\"x\"", true),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            false,
        ),
        ("text/html, application/json", false),
        ("text/html;q=0.5, application/json", true),
        ("application/json;q=0", false),
        ("application/json;q=odd", true),
        ("*/*", false),
        ("", false),
    ] {
        let asker = Asker::of(&head("POST", "/auth", &[("accept", accept)]));
        assert_eq!(asker.json, wants, "{accept}");
        let answer = refuse(
            Some(Endpoint::SignUp),
            Rule::MailDomain,
            Because::Ban,
            &asker,
        );
        let kind = if wants {
            "application/json"
        } else {
            "text/html"
        };
        assert!(
            header(&answer, "content-type").starts_with(kind),
            "{accept}"
        );
    }
    assert!(Asker::of(&head("POST", "/auth.json", &[])).json);
}

#[test]
fn before_a_door_is_known_the_path_decides() {
    for (target, kind, origin) in [
        ("/api/v1/statuses", "application/json; charset=utf-8", "*"),
        ("//api//v2/media", "application/json; charset=utf-8", "*"),
        ("/oauth/token", "application/json; charset=utf-8", "*"),
        ("/oauth//token.json", "application/json; charset=utf-8", "*"),
        ("/oauth/tokens", "text/html; charset=utf-8", ""),
        ("/apis", "text/html; charset=utf-8", ""),
        ("/@alice", "text/html; charset=utf-8", ""),
    ] {
        let asker = Asker::of(&head("GET", target, &[("origin", "https://a.example")]));
        let answer = refuse(None, Rule::ClientBan, Because::Ban, &asker);
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(header(&answer, "content-type"), kind, "{target}");
        let allowed = header(&answer, "access-control-allow-origin");
        assert_eq!(allowed, origin, "{target}");
    }
}

#[test]
fn the_language_is_the_one_asked_for() {
    let chosen = |target: &str, accept: &str| {
        let asker = Asker::of(&head("GET", target, &[("accept-language", accept)]));
        asker.language.tag()
    };
    for (accept, tag) in [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.1, fr;q=0.7", "fr"),
        ("eo, ia, pt-BR;q=0.5", "pt"),
        ("zh-TW", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("ZH_cn", "zh-Hans"),
        ("de;q=0, *", "en"),
        ("", "en"),
        ("x;q=;,,;;q", "en"),
    ] {
        assert_eq!(chosen("/auth", accept), tag, "{accept}");
    }
    assert_eq!(chosen("/auth?x=1&lang=ar", "de"), "ar");
    assert_eq!(chosen("/auth?lang=xx", "de"), "de");
    let hostile = "de-".repeat(4000);
    assert_eq!(chosen("/auth", &hostile), "en");
}

#[test]
fn a_wait_is_rounded_up() {
    for (seconds, told) in [
        (0, "1 min"),
        (60, "1 min"),
        (61, "2 min"),
        (5400, "90 min"),
        (7300, "3 h"),
    ] {
        let answer = refuse(
            Some(Endpoint::SignUp),
            Rule::Rate,
            spent(seconds),
            &browser(),
        );
        assert!(
            text(&answer).contains(&format!("about {told} and")),
            "{seconds}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_request_head_panics_or_is_repeated(
        target in "/[a-z./]{0,20}(\\?lang=[a-zA-Z_-]{0,20})?",
        value in "[ -~]{0,80}",
        millis in 0_u64..u64::MAX / 2,
    ) {
        let pairs = [("accept", value.as_str()), ("accept-language", &value), ("origin", &value)];
        let asker = Asker::of(&head("POST", &target, &pairs));
        let because = Because::Spent { limit: "x", burst: 1, after: Duration::from_millis(millis) };
        let answer = refuse(Some(Endpoint::Token), Rule::Rate, because, &asker);
        let wait: u64 = header(&answer, "retry-after").parse().expect("seconds");
        proptest::prop_assert!((1..=540).contains(&wait));
        let page = refuse(None, Rule::Rate, because, &asker);
        proptest::prop_assert!(value.len() < 12 || !text(&page).contains(&value));
    }
}
