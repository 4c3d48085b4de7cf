//! Turning a refusal into an answer.

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use crate::attempt::Attempt;
use crate::endpoint::Endpoint;
use crate::event::EventId;
use crate::mastodon::refusal::{self, Asker};
use crate::proxy::Body;
use crate::verdict::{Decision, Reason, Rule};

/// The answer to a refused attempt.
pub(super) fn refusal(
    attempt: &Attempt,
    decision: &Decision,
    id: EventId,
    head: &Parts,
) -> Response<Body> {
    match decision.refusal() {
        Some((rule, reason)) => refuse(Some(attempt.endpoint), rule, reason, id, head),
        None => failed(),
    }
}

/// The answer to one reason.
pub(super) fn refuse(
    endpoint: Option<Endpoint>,
    rule: Rule,
    reason: &Reason,
    id: EventId,
    head: &Parts,
) -> Response<Body> {
    let asker = Asker::of(head);
    refusal::refusal(endpoint, rule, reason, id, Timestamp::now(), &asker).map(Body::from)
}

/// The gate holds as many guarded bodies as it may.
pub(super) fn full() -> Response<Body> {
    let mut response = plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "the gate is full, please try again\n",
    );
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Judging broke off. The client may try again.
pub(super) fn failed() -> Response<Body> {
    plain(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the gate failed on this request\n",
    )
}

/// The request broke off.
pub(super) fn broken() -> Response<Body> {
    plain(
        StatusCode::BAD_REQUEST,
        "the request could not be read to its end\n",
    )
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
