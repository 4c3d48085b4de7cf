//! A refusal as HTTP, in the voice of the door: what the clients of each of
//! Mastodon's endpoints already know how to show.
//!
//! Mirrors a running Mastodon 4.1 (`tests/wire/`) and today's main: 422 with
//! `details` at the sign-up API, without them where an app changes an address,
//! RFC 6749 §5.2 at `/oauth/token`, 429 with the `X-RateLimit-*` of its
//! throttles, and a page for people in browsers.
//!
//! Deliberately different: every refusal carries a reference, in its text (the
//! one thing that apps show) and in `X-Tuskgate-Reference`; a budget says when
//! to come back (`Retry-After`); people in browsers get a page where Mastodon
//! has an empty body or JSON. The token door never says `invalid_client` or
//! `invalid_grant`: apps throw their credentials away on those.
//!
//! No byte of a request is ever repeated in an answer, so nothing needs escaping.

mod asker;
mod headers;
mod json;
mod language;
mod page;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;

use crate::endpoint::{Endpoint, Voice};
use crate::event::EventId;
use crate::verdict::{Because, Reason, Rule, Unreadable};

pub use asker::{Asker, Place};
pub use language::Language;

/// A code of `/oauth/authorize` lives ten minutes: an app told to wait that
/// long at the token door would come back with a dead one.
const LONGEST_TOKEN_WAIT: Duration = Duration::from_secs(540);

/// The answer to a refused request. `endpoint` is `None` before a door was
/// recognised; `now` dates `X-RateLimit-Reset`. `reason.fact` and
/// `reason.undo` are for the admin and never appear in it.
#[must_use]
pub fn refusal(
    endpoint: Option<Endpoint>,
    rule: Rule,
    reason: &Reason,
    id: EventId,
    now: Timestamp,
    asker: &Asker,
) -> Response<Bytes> {
    let form = form(endpoint, asker);
    let matter = matter(rule, reason.because, form);
    let status = status(endpoint, form, matter);
    let body = match form {
        Form::Page => page::page(matter, id, asker.language),
        Form::Detailed => json::detailed(matter, id, asker.language),
        Form::Plain => json::plain(status, matter, id, asker.language),
        Form::OAuth => json::oauth(matter, id, asker.language),
    };
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    headers::put(&mut answer, endpoint, form, matter, id, now, asker);
    if asker.head {
        headers::behead(&mut answer);
    }
    answer
}

/// The form of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// HTML.
    Page,
    /// `error`, and `details` by parameter where the e-mail address is at fault.
    Detailed,
    /// `error` alone.
    Plain,
    /// `error` and `error_description`.
    OAuth,
}

fn form(endpoint: Option<Endpoint>, asker: &Asker) -> Form {
    match endpoint {
        Some(Endpoint::ApiSignUp | Endpoint::Subscription) => Form::Detailed,
        Some(endpoint) => match endpoint.voice() {
            Voice::OAuth => Form::OAuth,
            Voice::Page if !asker.json => Form::Page,
            Voice::Page | Voice::Api => Form::Plain,
        },
        None if asker.json || asker.place != Place::Web => Form::Plain,
        None => Form::Page,
    }
}

/// What the refused person is told: less than the admin, enough to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matter {
    /// Not from this network.
    Network,
    /// Not with this app.
    App,
    /// Not with an address of this provider.
    Address,
    /// Not with this very mailbox; pages and apps are told what Mastodon tells them.
    Mailbox,
    /// No mail could reach the address.
    Unreachable,
    /// The address cannot be read.
    AddressForm,
    /// The request cannot be read.
    Request(Unreadable),
    /// The address could not be judged just now.
    TryAgain(Duration),
    /// A budget of so many is spent.
    Spent(u32, Duration),
}

impl Matter {
    /// When to come back, if waiting helps.
    const fn wait(self) -> Option<Duration> {
        match self {
            Self::TryAgain(after) | Self::Spent(_, after) => Some(after),
            Self::Network
            | Self::App
            | Self::Address
            | Self::Mailbox
            | Self::Unreachable
            | Self::AddressForm
            | Self::Request(_) => None,
        }
    }
}

fn matter(rule: Rule, because: Because, form: Form) -> Matter {
    let soon = |after: Duration| match form {
        Form::OAuth => after.min(LONGEST_TOKEN_WAIT),
        Form::Page | Form::Detailed | Form::Plain => after,
    };
    match because {
        Because::Ban => match rule {
            Rule::ClientBan | Rule::Unreadable | Rule::Rate => Matter::Network,
            Rule::AppBan | Rule::AppCluster => Matter::App,
            Rule::Address | Rule::MailDomain | Rule::MailServer | Rule::MailCluster => {
                Matter::Address
            }
        },
        Because::Mailbox => Matter::Mailbox,
        Because::Undeliverable => Matter::Unreachable,
        Because::Unreadable(Unreadable::Address) => Matter::AddressForm,
        Because::Unreadable(how) => Matter::Request(how),
        Because::TryAgain { after } => Matter::TryAgain(soon(after)),
        Because::Spent { burst, after, .. } => Matter::Spent(burst, soon(after)),
    }
}

/// `TryAgain` is 422, not 503 or 429: the form stays open and the text appears
/// at the e-mail field, in apps as in Mastodon's own page. A 503 would be
/// counted as an outage by whoever watches the server, and a 429 is retried at
/// once, unseen, by client libraries that read `X-RateLimit-Reset`.
const fn status(endpoint: Option<Endpoint>, form: Form, matter: Matter) -> StatusCode {
    match matter {
        Matter::Network => StatusCode::FORBIDDEN,
        Matter::App => match endpoint {
            Some(Endpoint::AppCreate | Endpoint::AppSettings) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::FORBIDDEN,
        },
        Matter::Spent(..) => StatusCode::TOO_MANY_REQUESTS,
        Matter::TryAgain(_) if matches!(form, Form::OAuth) => StatusCode::TOO_MANY_REQUESTS,
        Matter::Request(Unreadable::Malformed) => StatusCode::BAD_REQUEST,
        Matter::Request(Unreadable::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        Matter::Request(Unreadable::Unsupported) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Matter::Request(Unreadable::Address)
        | Matter::TryAgain(_)
        | Matter::Address
        | Matter::Mailbox
        | Matter::Unreachable
        | Matter::AddressForm => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
