//! What the upstream's reply to a forwarded attempt teaches: whether it came to
//! be, and which app or token came of it.
//!
//! Mirrors a running Mastodon 4.1 (`tests/wire/`) and today's main. Its status
//! codes lie: a web sign-up fails with 200 and, asked for JSON, succeeds with
//! 406 (`reply::web`); only the API and OAuth doors say in JSON what was made
//! (`reply::json`).
//!
//! Pure, and deliberately never an error: a reply that cannot be understood
//! teaches [`Outcome::Unclear`]. The upstream is trusted, but an app's name in
//! its replies is whatever an attacker typed.

mod json;
mod session;
#[cfg(test)]
mod tests;
mod web;
#[cfg(test)]
pub(in crate::mastodon) mod wire;

use http::{HeaderMap, StatusCode, header};

use crate::app::{AppName, ClientId};
use crate::endpoint::Endpoint;
use crate::event::Outcome;
use crate::secret::Secret;

pub use session::Session;

/// How much of a reply's body the caller keeps; of more it passes [`Body::Cut`].
pub const BOUND: usize = 64 * 1024;

/// A reply's body as far as the caller has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// All of it, at most [`BOUND`] bytes.
    Whole(&'a [u8]),
    /// Its beginning: over the bound, or the upstream hung up. A JSON door then
    /// teaches nothing; a page door still teaches by its head.
    Cut(&'a [u8]),
}

/// What a reply taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Whether it came to be.
    pub outcome: Outcome,
    /// The app made at [`Endpoint::AppCreate`].
    pub app: Option<CreatedApp>,
    /// The token issued at [`Endpoint::Token`] or [`Endpoint::ApiSignUp`].
    /// Not necessarily a new one: Mastodon issues the same token again for the
    /// same app, owner and scopes.
    pub token: Option<Secret>,
}

/// An app as the upstream says it made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedApp {
    /// Doorkeeper's `uid`.
    pub client_id: ClientId,
    /// Its secret; absent only on servers that will not show it.
    pub client_secret: Option<Secret>,
    /// Attacker-chosen.
    pub name: AppName,
    /// From `redirect_uris`, else from the lines of `redirect_uri`. Attacker-chosen.
    pub redirect_uris: Vec<String>,
    /// Attacker-chosen; `None` for null or empty.
    pub website: Option<String>,
    /// The number in Mastodon's database.
    pub id: Option<u64>,
}

impl Lesson {
    const fn only(outcome: Outcome) -> Self {
        Self {
            outcome,
            app: None,
            token: None,
        }
    }
}

/// Whether the answer to a confirmation link is the one to a link that worked:
/// sent on to sign in, to start, or to the app. A link that did not shows a page,
/// and whoever is signed in and confirmed is sent home or to their settings.
#[must_use]
pub fn confirmed(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status, StatusCode::FOUND | StatusCode::SEE_OTHER) && web::confirmed(headers)
}

/// Whether [`lesson`] would look at the body of such a reply. If not, the
/// caller need not keep any of it and passes `Body::Cut(&[])`.
#[must_use]
pub fn reads_body(endpoint: Endpoint, status: StatusCode) -> bool {
    status == StatusCode::OK
        && matches!(
            endpoint,
            Endpoint::AppCreate | Endpoint::Token | Endpoint::ApiSignUp | Endpoint::Authorize
        )
}

/// What the reply to an attempt at `endpoint` teaches.
///
/// `asked` is the session of the request: a reply that merely renews the
/// session of somebody already signed in did not make an account.
#[must_use]
pub fn lesson(
    endpoint: Endpoint,
    asked: &Session,
    status: StatusCode,
    headers: &HeaderMap,
    body: Body<'_>,
) -> Lesson {
    if let Some(outcome) = beforehand(endpoint, status) {
        return Lesson::only(outcome);
    }
    let body = if encoded(headers) {
        Body::Cut(&[])
    } else {
        body
    };
    match endpoint {
        Endpoint::AppCreate => json::app(body),
        Endpoint::Token | Endpoint::ApiSignUp => json::token(body),
        Endpoint::ApiEmailChange | Endpoint::Subscription => Lesson::only(Outcome::Create),
        Endpoint::SignUp
        | Endpoint::EmailChange
        | Endpoint::SignUpForm
        | Endpoint::EmailSetup
        | Endpoint::ConfirmationResend
        | Endpoint::AppSettings
        | Endpoint::AppToken
        | Endpoint::Authorize
        | Endpoint::SignIn
        | Endpoint::InviteCreate => {
            Lesson::only(web::outcome(endpoint, asked, status, headers, body))
        }
    }
}

/// What the status alone decides; `None` where it takes more.
fn beforehand(endpoint: Endpoint, status: StatusCode) -> Option<Outcome> {
    let page = web::is_page(endpoint);
    match status {
        // Devise checks the format after it has saved.
        StatusCode::NOT_ACCEPTABLE if page => None,
        StatusCode::FOUND | StatusCode::SEE_OTHER if page => None,
        _ if status.is_success() => None,
        // The work may have been done before the upstream broke down.
        _ if status.is_server_error() => Some(Outcome::Unclear),
        _ => Some(Outcome::Fail),
    }
}

/// The gate asks without `Accept-Encoding`; a reply encoded nevertheless is not read.
fn encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}
