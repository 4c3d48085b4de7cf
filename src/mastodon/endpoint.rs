//! Which door a request knocks at, by path and verb, as Rails' router decides.
//!
//! Before routing, rack-attack and the router squeeze runs of `/` and drop one
//! at the end, and that is all: encoded letters, other case, dot segments and
//! `;parameters` do not route. Many routes also take one `.suffix`. What counts
//! is the union over versions: Mastodon 4.1 routes `/auth.json` (and makes the
//! account while answering 406), main does not; so it is guarded.
//!
//! Not here, since no account, app, token or address comes of them at once:
//! rows 4, 7, 15, 16, 18, 20, 21, 23 and 25, `…/:id/regenerate` (a new secret
//! for an app one owns) and `DELETE`.

use http::Method;

use crate::endpoint::Endpoint;

#[cfg(test)]
mod tests;

/// A family of paths that holds at least one door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuardedPath {
    /// `/auth`.
    Auth,
    /// `/auth/sign_up`.
    AuthSignUp,
    /// `/auth/sign_in`.
    AuthSignIn,
    /// `/auth/setup`.
    AuthSetup,
    /// `/auth/confirmation`.
    AuthConfirmation,
    /// `/invite/:code`.
    Invite,
    /// `/invites` and `/admin/invites`.
    Invites,
    /// `/api/v1/accounts`.
    ApiAccounts,
    /// `/api/v1/accounts/:id/email_subscriptions`.
    ApiSubscriptions,
    /// `/api/v1/emails/confirmations`.
    ApiConfirmations,
    /// `/api/v1/apps`.
    ApiApps,
    /// `/settings/applications`, and row 17, `/oauth/applications`, which makes
    /// an app on Mastodon before 4.2.6.
    Applications,
    /// `/settings/applications/:id`.
    SettingsApplication,
    /// `/oauth/applications/:id`, and `/settings/applications/new`, which shows
    /// a form to a GET and is an id to any other verb.
    OtherApplication,
    /// `/oauth/token`.
    OauthToken,
    /// `/oauth/authorize`.
    OauthAuthorize,
}

impl GuardedPath {
    /// The door that most requests to this path are for: the voice of an answer
    /// when the verb is not known.
    #[must_use]
    pub const fn usual(self) -> Endpoint {
        match self {
            Self::Auth => Endpoint::SignUp,
            Self::AuthSignUp | Self::Invite => Endpoint::SignUpForm,
            Self::AuthSignIn => Endpoint::SignIn,
            Self::AuthSetup => Endpoint::EmailSetup,
            Self::AuthConfirmation => Endpoint::ConfirmationResend,
            Self::Invites => Endpoint::InviteCreate,
            Self::ApiAccounts => Endpoint::ApiSignUp,
            Self::ApiSubscriptions => Endpoint::Subscription,
            Self::ApiConfirmations => Endpoint::ApiEmailChange,
            Self::ApiApps => Endpoint::AppCreate,
            Self::Applications | Self::SettingsApplication | Self::OtherApplication => {
                Endpoint::AppSettings
            }
            Self::OauthToken => Endpoint::Token,
            Self::OauthAuthorize => Endpoint::Authorize,
        }
    }
}

/// The family that a request belongs to, if it may be for a door; `None` lets it
/// pass untouched.
///
/// `method` is the verb on the wire and `path` the undecoded path without query.
/// A POST belongs to any family, because an override may change its verb; the
/// other verbs only where they reach a door. Allocates nothing.
#[must_use]
pub fn guarded_path(method: &Method, path: &str) -> Option<GuardedPath> {
    // Nearly every request ends here.
    if surely_open(path.as_bytes()) {
        return None;
    }
    let found = family(path)?;
    let reaches = *method == Method::POST || endpoint(found, method).is_some();
    reaches.then_some(found)
}

/// Whether a few bytes tell already that the path reaches no door: the first, and
/// of the API, whose doors are three collections of its first version, some more.
const fn surely_open(path: &[u8]) -> bool {
    match path {
        [b'/', b'a', b'p', b'i', b'/', rest @ ..] => !matches!(
            rest,
            [b'/', ..] | [b'v', b'1', b'/', b'a' | b'e' | b'/', ..]
        ),
        [_, b'a' | b'i' | b'o' | b's' | b'/', ..] => false,
        _ => true,
    }
}

/// Whether this is the link in a confirmation mail, as Mastodon writes it. No door: it only teaches.
///
/// Asked of every request that is no door: one comparison of lengths, mostly.
#[must_use]
pub fn is_confirmation_link(method: &Method, path: &str) -> bool {
    path == "/auth/confirmation" && *method == Method::GET
}

/// The door, once the verb that the router sees is known.
#[must_use]
pub fn endpoint(path: GuardedPath, method_after_override: &Method) -> Option<Endpoint> {
    match *method_after_override {
        // Rails routes HEAD as GET.
        Method::GET | Method::HEAD => match path {
            GuardedPath::AuthSignUp | GuardedPath::Invite => Some(Endpoint::SignUpForm),
            GuardedPath::SettingsApplication => Some(Endpoint::AppToken),
            GuardedPath::OauthAuthorize => Some(Endpoint::Authorize),
            _ => None,
        },
        Method::POST => match path {
            GuardedPath::AuthSignUp
            | GuardedPath::Invite
            | GuardedPath::AuthSetup
            | GuardedPath::SettingsApplication
            | GuardedPath::OtherApplication => None,
            door => Some(door.usual()),
        },
        Method::PUT | Method::PATCH => match path {
            GuardedPath::Auth => Some(Endpoint::EmailChange),
            GuardedPath::AuthSetup => Some(Endpoint::EmailSetup),
            GuardedPath::SettingsApplication | GuardedPath::OtherApplication => {
                Some(Endpoint::AppSettings)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether the body must be there before the request can be judged. A GET is
/// judged without; if it announces a body, `attempt::read` refuses it.
#[must_use]
pub fn takes_body(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// The code in `/invite/:code`, undecoded, and nothing on any other path.
pub(super) fn invite_code(path: &str) -> Option<&str> {
    let mut rest = segments(path);
    (rest.next()? == "invite").then_some(())?;
    stem(rest.next()?)
}

/// The squeezed path: what is between the slashes.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn family(path: &str) -> Option<GuardedPath> {
    // As floods and honest apps alike write it.
    if path == "/oauth/token" {
        return Some(GuardedPath::OauthToken);
    }
    let mut rest = segments(path);
    let first = rest.next()?;
    let found = match first {
        "api" => return api(rest),
        "auth" => match rest.next() {
            None => GuardedPath::Auth,
            Some(page) => auth(stem(page)?)?,
        },
        "oauth" => return oauth(rest),
        "settings" => {
            return applications(rest.next()?, rest, |id| match id {
                "new" => GuardedPath::OtherApplication,
                _ => GuardedPath::SettingsApplication,
            });
        }
        "invite" => {
            stem(rest.next()?)?;
            GuardedPath::Invite
        }
        "admin" if stem(rest.next()?)? == "invites" => GuardedPath::Invites,
        other => match stem(other)? {
            "auth" => GuardedPath::Auth,
            "invites" => GuardedPath::Invites,
            _ => return None,
        },
    };
    rest.next().is_none().then_some(found)
}

fn auth(page: &str) -> Option<GuardedPath> {
    Some(match page {
        "sign_up" => GuardedPath::AuthSignUp,
        "sign_in" => GuardedPath::AuthSignIn,
        "setup" => GuardedPath::AuthSetup,
        "confirmation" => GuardedPath::AuthConfirmation,
        _ => return None,
    })
}

/// `format: false` on every version: no suffix anywhere.
fn api<'a>(mut rest: impl Iterator<Item = &'a str>) -> Option<GuardedPath> {
    if rest.next()? != "v1" {
        return None;
    }
    let found = match rest.next()? {
        "apps" => GuardedPath::ApiApps,
        "accounts" => match rest.next() {
            None => GuardedPath::ApiAccounts,
            Some(id) if !id.contains('.') && rest.next()? == "email_subscriptions" => {
                GuardedPath::ApiSubscriptions
            }
            Some(_) => return None,
        },
        "emails" if rest.next()? == "confirmations" => GuardedPath::ApiConfirmations,
        _ => return None,
    };
    rest.next().is_none().then_some(found)
}

fn oauth<'a>(mut rest: impl Iterator<Item = &'a str>) -> Option<GuardedPath> {
    let page = rest.next()?;
    let found = match stem(page)? {
        "token" => GuardedPath::OauthToken,
        "authorize" => GuardedPath::OauthAuthorize,
        _ => return applications(page, rest, |_id| GuardedPath::OtherApplication),
    };
    rest.next().is_none().then_some(found)
}

fn applications<'a>(
    collection: &str,
    mut rest: impl Iterator<Item = &'a str>,
    member: fn(&str) -> GuardedPath,
) -> Option<GuardedPath> {
    let found = match rest.next() {
        None if stem(collection)? == "applications" => GuardedPath::Applications,
        Some(id) if collection == "applications" => member(stem(id)?),
        _ => return None,
    };
    rest.next().is_none().then_some(found)
}

/// A segment without its `.suffix`; `None` if the dots are not such as
/// `(.:format)` takes: `token.`, `token.a.b`, `.json`.
fn stem(segment: &str) -> Option<&str> {
    match segment.split_once('.') {
        None => Some(segment),
        Some((stem, suffix)) => {
            (!stem.is_empty() && !suffix.is_empty() && !suffix.contains('.')).then_some(stem)
        }
    }
}
