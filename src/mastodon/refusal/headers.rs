//! The heads of refusals: those that Mastodon sends with the same answer, and
//! the reference.
//!
//! Left to others: `Date` (hyper), `Strict-Transport-Security` (nginx), and
//! `X-Request-Id` (the proxy). `Server` is not claimed.

use std::sync::LazyLock;

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
    *headers = match form {
        Form::Page => PAGE.clone(),
        Form::Detailed | Form::Plain => JSON.clone(),
        Form::OAuth => OAUTH.clone(),
    };
    headers.insert(REFERENCE, visible(&id.digits()));
    pace(headers, matter, now);
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
static PAGE: LazyLock<HeaderMap> = LazyLock::new(|| fixed(Form::Page));
static JSON: LazyLock<HeaderMap> = LazyLock::new(|| fixed(Form::Plain));
static OAUTH: LazyLock<HeaderMap> = LazyLock::new(|| fixed(Form::OAuth));

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

/// When to come back; the figures are those of the budget that is spent.
fn pace(headers: &mut HeaderMap, matter: Matter, now: Timestamp) {
    let Some(after) = matter.wait() else {
        return;
    };
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    headers.insert(RETRY_AFTER, seconds.max(1).into());
    if let Matter::Spent(burst, _) = matter {
        let reset = now.checked_add(after).unwrap_or(Timestamp::MAX);
        headers.insert(LIMIT, burst.into());
        headers.insert(REMAINING, HeaderValue::from_static("0"));
        headers.insert(RESET, visible(format!("{reset:.6}").as_bytes()));
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
