//! The doors that answer a browser: what they made is told by where they
//! redirect to and whose session they set, not by their status.
//!
//! Nothing is read from a page's text, which is translated and themed; only the
//! authorisation code in a `form_post` page is looked for, by its field's name.

use http::{HeaderMap, StatusCode, header};

use crate::endpoint::{Endpoint, Voice};
use crate::event::Outcome;
use crate::mastodon::reply::session::{opens, renews};
use crate::mastodon::reply::{Body, Session};

pub(super) const fn is_page(endpoint: Endpoint) -> bool {
    matches!(endpoint.voice(), Voice::Page)
}

/// The outcome at a page door, for the statuses that do not decide alone.
pub(super) fn outcome(
    endpoint: Endpoint,
    asked: &Session,
    status: StatusCode,
    headers: &HeaderMap,
    body: Body<'_>,
) -> Outcome {
    if status == StatusCode::NOT_ACCEPTABLE {
        return not_acceptable(endpoint, asked, headers);
    }
    if status.is_success() {
        return shown(endpoint, body);
    }
    let Some(target) = target(headers) else {
        return Outcome::Unclear;
    };
    redirected(endpoint, asked, target, headers)
}

/// 406 comes after the work: a sign-up is then told by the new session that it
/// opened; a changed address is not told at all.
fn not_acceptable(endpoint: Endpoint, asked: &Session, headers: &HeaderMap) -> Outcome {
    match endpoint {
        Endpoint::SignUp | Endpoint::SignIn => made(opens(asked, headers)),
        _ => Outcome::Unclear,
    }
}

/// A page: the form again with its errors, or the thing itself.
fn shown(endpoint: Endpoint, body: Body<'_>) -> Outcome {
    match endpoint {
        Endpoint::AppToken => Outcome::Create,
        Endpoint::Authorize => code_in_page(body),
        // Nothing can come to be at these two.
        Endpoint::SignUpForm | Endpoint::ConfirmationResend => Outcome::Unclear,
        _ => Outcome::Fail,
    }
}

fn redirected(endpoint: Endpoint, asked: &Session, to: Target<'_>, headers: &HeaderMap) -> Outcome {
    match endpoint {
        Endpoint::SignUp => {
            // Somebody signed in but unconfirmed is sent there too.
            made(to.path == "/auth/setup" && !renews(asked, headers))
        }
        Endpoint::SignIn => made(opens(asked, headers)),
        Endpoint::EmailChange => made(to.path == "/auth/edit"),
        Endpoint::EmailSetup => made(to.path == "/auth/setup"),
        Endpoint::AppSettings => made(to.path.starts_with("/settings/applications")),
        Endpoint::InviteCreate => made(to.path.ends_with("/invites")),
        Endpoint::Authorize => made(to.has("code")),
        Endpoint::AppToken => Outcome::Fail,
        _ => Outcome::Unclear,
    }
}

const fn made(yes: bool) -> Outcome {
    if yes { Outcome::Create } else { Outcome::Fail }
}

/// A `Location`, absolute or not: its path, and its query with the leading `?`.
#[derive(Clone, Copy)]
struct Target<'a> {
    path: &'a str,
    query: &'a str,
}

impl Target<'_> {
    fn has(self, key: &str) -> bool {
        self.query
            .split(['?', '&', '#'])
            .filter_map(|pair| pair.split_once('='))
            .any(|(name, value)| name == key && !value.is_empty())
    }
}

fn target(headers: &HeaderMap) -> Option<Target<'_>> {
    let location = std::str::from_utf8(headers.get(header::LOCATION)?.as_bytes()).ok()?;
    let (place, query) = match location.find(['?', '#']) {
        Some(at) => location.split_at_checked(at)?,
        None => (location, ""),
    };
    let path = match place.split_once("://") {
        Some((_, rest)) => rest
            .find('/')
            .and_then(|at| rest.split_at_checked(at))
            .map_or("/", |(_, path)| path),
        None => place,
    };
    let path = match path.strip_suffix('/') {
        Some("") | None => path,
        Some(shorter) => shorter,
    };
    Some(Target { path, query })
}

/// Where to a confirmation link that worked is redirected.
pub(super) fn confirmed(headers: &HeaderMap) -> bool {
    target(headers).is_some_and(|to| {
        let home = matches!(to.path, "" | "/" | "/auth/edit" | "/auth/setup");
        !home && to.path != "/auth/confirmation"
    })
}

/// The consent form has no field `code`; the page for `response_mode=form_post` has.
fn code_in_page(body: Body<'_>) -> Outcome {
    let (bytes, none) = match body {
        Body::Whole(bytes) => (bytes, Outcome::Fail),
        Body::Cut(bytes) => (bytes, Outcome::Unclear),
    };
    let found = [&b"name=\"code\""[..], b"name='code'"]
        .iter()
        .any(|field| bytes.windows(field.len()).any(|seen| seen == *field));
    if found { Outcome::Create } else { none }
}
