//! Whose browser session a request or reply carries: Mastodon's `_session_id`
//! cookie.
//!
//! Rails signs and wraps it as `base64({"_rails":{"message":…,"exp":…}})--digest`
//! and sends it anew on every page with a later `exp`. So two cookies name one
//! session when they are equal but for `exp`. The digest is not checked: a
//! request's cookie is only ever compared with one that Rails itself has sent.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use serde_json::Value;

use crate::secret::Secret;

const NAME: &str = "_session_id";

/// Longer ones are compared as text, not opened.
const LONGEST: usize = 4096;

/// The sessions that a request names: attacker-chosen, usually none or one.
/// Bounded by the size of the request's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session(Vec<Secret>);

impl Session {
    /// From a request's `Cookie` headers. All cookies of the name are kept, so
    /// that it does not matter which of several Rack would take.
    #[must_use]
    pub fn of_request(headers: &HeaderMap) -> Self {
        let pairs = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
            .flat_map(|line| line.split(';'));
        Self(pairs.filter_map(value).map(core).collect())
    }
}

/// Whether a reply opens a session that `asked` did not name: somebody has just
/// been signed in.
pub(super) fn opens(asked: &Session, headers: &HeaderMap) -> bool {
    of_reply(headers).is_some_and(|session| !asked.0.contains(&session))
}

/// Whether a reply goes on with a session that `asked` named: somebody was signed in already.
pub(super) fn renews(asked: &Session, headers: &HeaderMap) -> bool {
    of_reply(headers).is_some_and(|session| asked.0.contains(&session))
}

/// From `Set-Cookie`; a deleted cookie is none.
fn of_reply(headers: &HeaderMap) -> Option<Secret> {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
        .filter_map(|line| value(line.split(';').next()?))
        .find(|value| !value.is_empty())
        .map(core)
}

fn value(pair: &str) -> Option<&str> {
    let (name, value) = pair.split_once('=')?;
    (name.trim() == NAME).then_some(value.trim())
}

/// The part that stays when Rails renews the cookie; the whole if it cannot be opened.
fn core(cookie: &str) -> Secret {
    Secret::new(open(cookie).unwrap_or_else(|| cookie.to_owned()))
}

fn open(cookie: &str) -> Option<String> {
    if cookie.len() > LONGEST {
        return None;
    }
    let (payload, _digest) = cookie.rsplit_once("--")?;
    let payload = payload
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    let payload = payload.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD
        .decode(payload)
        .or_else(|_| URL_SAFE_NO_PAD.decode(payload))
        .ok()?;
    let mut wrapped: Value = serde_json::from_slice(&bytes).ok()?;
    wrapped.get_mut("_rails")?.as_object_mut()?.remove("exp");
    Some(wrapped.to_string())
}
