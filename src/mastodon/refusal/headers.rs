//! The heads of refusals: those that Mastodon sends with the same answer, and
//! the reference.
//!
//! Left to others: `Date` (hyper), `Strict-Transport-Security` (nginx), and
//! `X-Request-Id` (the proxy). `Server` is not claimed.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName, HeaderValue, PRAGMA, REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use http::{HeaderMap, Response};
use jiff::Timestamp;

use super::asker::{Asker, Place};
use super::page::POLICY;
use super::{Form, Matter};
use crate::endpoint::{Endpoint, Voice};
use crate::event::EventId;
use crate::moment::micros;

const REFERENCE: HeaderName = HeaderName::from_static("x-tuskgate-reference");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

const API_METHODS: &str = "POST, PUT, DELETE, GET, PATCH, OPTIONS";
const API_EXPOSES: &str = "Link, Mastodon-Async-Refresh, X-RateLimit-Reset, X-RateLimit-Limit, \
    X-RateLimit-Remaining, X-Request-Id, Retry-After, X-Tuskgate-Reference";
const TOKEN_EXPOSES: &str = "X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, \
    Retry-After, X-Tuskgate-Reference";
const JSON_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; form-action 'none'";

pub(super) fn put(
    answer: &mut Response<Bytes>,
    endpoint: Option<Endpoint>,
    form: Form,
    matter: Matter,
    id: EventId,
    now: Timestamp,
    asker: &Asker,
) {
    let headers = answer.headers_mut();
    let fixed = match form {
        Form::Page => &PAGE,
        Form::Detailed | Form::Plain => &JSON,
        Form::OAuth => &OAUTH,
    };
    if let Matter::Spent(burst, after) = matter {
        *headers = fixed.spent.clone();
        fill(headers, id, burst, after, now);
    } else {
        *headers = fixed.other.clone();
        headers.insert(REFERENCE, visible(&id.digits()));
        if let Some(after) = matter.wait() {
            headers.insert(RETRY_AFTER, seconds(after));
        }
    }
    if asker.origin {
        cors(headers, endpoint, asker);
    }
}

/// For `HEAD`: the length that the body would have had, and no body.
pub(super) fn behead(answer: &mut Response<Bytes>) {
    let length = answer.body().len();
    *answer.body_mut() = Bytes::new();
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
}

/// What is the same in every refusal of a form: cloning a map costs less than filling one.
static PAGE: LazyLock<Fixed> = LazyLock::new(|| Fixed::of(Form::Page));
static JSON: LazyLock<Fixed> = LazyLock::new(|| Fixed::of(Form::Plain));
static OAUTH: LazyLock<Fixed> = LazyLock::new(|| Fixed::of(Form::OAuth));

struct Fixed {
    /// Where a budget is spent, which floods are answered with: the fields that
    /// differ are there, with [`BLANKS`] to be filled in, for that saves their hashes.
    spent: HeaderMap,
    other: HeaderMap,
}

const BLANKS: [(HeaderName, &str); 4] = [
    (REFERENCE, "?reference"),
    (RETRY_AFTER, "?retry-after"),
    (LIMIT, "?limit"),
    (RESET, "?reset"),
];

impl Fixed {
    fn of(form: Form) -> Self {
        let other = fixed(form);
        let mut spent = other.clone();
        for (name, blank) in BLANKS.into_iter().chain([(REMAINING, "0")]) {
            spent.insert(name, HeaderValue::from_static(blank));
        }
        Self { spent, other }
    }
}

/// Fills the blanks in; the figures are those of the budget that is spent.
fn fill(headers: &mut HeaderMap, id: EventId, burst: u32, after: Duration, now: Timestamp) {
    for value in headers.values_mut() {
        let filled = match value.as_bytes() {
            b"?reference" => visible(&id.digits()),
            b"?retry-after" => seconds(after),
            b"?limit" => burst.into(),
            b"?reset" => visible(&micros(now.checked_add(after).unwrap_or(Timestamp::MAX))),
            _ => continue,
        };
        *value = filled;
    }
}

/// When to come back, in whole seconds.
fn seconds(after: Duration) -> HeaderValue {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    seconds.max(1).into()
}

/// As many fields as a refusal has at most; a map that grows hashes all anew.
const MOST_FIELDS: usize = 20;

fn fixed(form: Form) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(MOST_FIELDS);
    content(&mut headers, form);
    for (name, value) in [
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_XSS_PROTECTION, "0"),
        (PERMISSIONS, "interest-cohort=()"),
        (REFERRER_POLICY, "same-origin"),
        (VARY, "Accept, Accept-Language, Origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

fn content(headers: &mut HeaderMap, form: Form) {
    let (kind, cache) = match form {
        Form::Page => ("text/html; charset=utf-8", "private, no-store"),
        Form::Detailed | Form::Plain => ("application/json; charset=utf-8", "private, no-store"),
        Form::OAuth => ("application/json; charset=utf-8", "no-store"),
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    let policy = match form {
        Form::Page => visible(POLICY.as_bytes()),
        Form::Detailed | Form::Plain | Form::OAuth => HeaderValue::from_static(JSON_POLICY),
    };
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if form == Form::OAuth {
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    }
}

/// Mastodon lets any origin read its API and post to its token door; the pages none.
fn cors(headers: &mut HeaderMap, endpoint: Option<Endpoint>, asker: &Asker) {
    let place = match endpoint.map(Endpoint::voice) {
        Some(Voice::Api) => Place::Api,
        Some(Voice::OAuth) => Place::Token,
        Some(Voice::Page) => Place::Web,
        None => asker.place,
    };
    let (methods, exposes) = match place {
        Place::Api => (API_METHODS, API_EXPOSES),
        Place::Token => ("POST", TOKEN_EXPOSES),
        Place::Web => return,
    };
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_EXPOSE_HEADERS, exposes),
        (ACCESS_CONTROL_MAX_AGE, "7200"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn visible(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).expect("digits, dates and our own policy are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_is_filled() {
        let mut headers = OAUTH.spent.clone();
        fill(
            &mut headers,
            EventId::from_number(7),
            30,
            Duration::from_millis(1500),
            Timestamp::UNIX_EPOCH,
        );
        assert!(
            headers
                .values()
                .all(|value| !value.as_bytes().starts_with(b"?"))
        );
        assert_eq!(
            headers.get(RETRY_AFTER),
            Some(&HeaderValue::from_static("2"))
        );
        assert_eq!(headers.get(LIMIT), Some(&HeaderValue::from_static("30")));
        assert_eq!(headers.get(REMAINING), Some(&HeaderValue::from_static("0")));
    }
}
