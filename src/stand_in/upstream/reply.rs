//! Replies with the headers that Mastodon sends along.

use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, LOCATION, SERVER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use serde_json::Value;

use crate::proxy::Body;

fn reply(status: u16, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("Mastodon (stand-in)"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(ETAG, HeaderValue::from_static("W/\"stand-in\""));
    response
}

pub(super) fn text(status: u16, text: &str) -> Response<Body> {
    reply(status, "text/plain; charset=utf-8", text.to_owned())
}

pub(super) fn page(status: u16, html: String) -> Response<Body> {
    reply(status, "text/html; charset=utf-8", html)
}

pub(super) fn json(status: u16, value: &Value) -> Response<Body> {
    reply(status, "application/json; charset=utf-8", value.to_string())
}

/// As Doorkeeper and Devise refuse a bearer token.
pub(super) fn bad_token() -> Response<Body> {
    let mut response = json(
        401,
        &serde_json::json!({"error": "The access token is invalid"}),
    );
    let scheme = HeaderValue::from_static("Bearer realm=\"Doorkeeper\", error=\"invalid_token\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}

/// To `location`, with the two cookies of a session.
pub(super) fn signed_in(location: &str, session: u64) -> Response<Body> {
    let html =
        format!("<html><body>You are being <a href=\"{location}\">redirected</a>.</body></html>");
    let mut response = page(302, html);
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert(LOCATION, location);
    }
    for cookie in [
        format!("_session_id=stand-in-{session}; path=/; HttpOnly; SameSite=Lax; secure"),
        format!("_mastodon_session=stand-in-{session}; path=/; HttpOnly; SameSite=Lax; secure"),
    ] {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    response
}
