//! Each rule's judge as a table: facts in, verdict out.

mod bans;
mod mail_server;
mod rate;

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::{App, AppName, AppSource, ClientId};
use crate::attempt::{Attempt, ClientIp};
use crate::ban::{Ban, Effect, Scopes, Subject};
use crate::endpoint::Endpoint;
use crate::judge::sight::Sight;
use crate::lists::{Lists, Overlay};
use crate::mail::address;
use crate::mailbox::Domain;
use crate::secret::HashKey;
use crate::verdict::{Because, Cause, Verdict};

fn key() -> HashKey {
    HashKey::new(&[7; 32])
}

fn now() -> Timestamp {
    Timestamp::from_second(1_780_000_000).expect("a moment")
}

fn domain(name: &str) -> Domain {
    Domain::new(name).expect("a domain")
}

fn entry(effect: Effect, subject: Subject, scopes: Scopes) -> Ban {
    Ban {
        id: 7,
        subject,
        effect,
        scopes,
        reason: "why".into(),
        source: "somebody".into(),
        created: now(),
        expires: None,
    }
}

fn ban(subject: Subject) -> Ban {
    entry(Effect::Ban, subject, Scopes::DEFAULT)
}

fn allow(subject: Subject) -> Ban {
    entry(Effect::Allow, subject, Scopes::DEFAULT)
}

fn network(text: &str, scopes: Scopes) -> Ban {
    let network = text.parse().expect("a network");
    entry(Effect::Ban, Subject::Network(network), scopes)
}

fn sight(bans: impl IntoIterator<Item = Ban>) -> Sight {
    Sight {
        lists: Arc::new(Lists::empty()),
        bans: Arc::new(Overlay::new(bans.into_iter().map(Arc::new))),
        now: now(),
    }
}

/// Somebody at `endpoint`, perhaps with an address.
fn attempt(endpoint: Endpoint, email: Option<&str>) -> Attempt {
    let read = |text| address::read(text).expect("an address");
    let client = ClientIp::Known([203, 0, 113, 7].into());
    Attempt {
        email: email.and_then(read),
        ..Attempt::blank(now(), endpoint, client)
    }
}

fn app(id: &str, name: &str) -> App {
    App {
        client_id: ClientId::new(id),
        name: AppName::new(name),
        redirect_uris: vec!["https://app.example/cb".into()],
        website: Some("https://app.example".into()),
        creator: None,
        created: now(),
        source: AppSource::Learn,
        credential: None,
    }
}

/// A verdict in one word, for tables.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Refuse(reason) => match reason.because {
            Because::Ban => "ban",
            Because::Mailbox => "mailbox",
            Because::Unreadable(_) => "unreadable",
            Because::Undeliverable => "undeliverable",
            Because::TryAgain { .. } => "try again",
            Because::Spent { .. } => "spent",
            Because::Paused { .. } => "paused",
        },
        Verdict::Abstain(cause) => match cause {
            Cause::ClientUnknown(_) => "client unknown",
            Cause::ResolverDown => "resolver down",
            Cause::SharedProvider(_) => "shared provider",
            Cause::Allow(_) => "allowed",
            Cause::Lapse(_) => "lapse",
            Cause::Unchanged => "unchanged",
            Cause::Invited => "invited",
        },
    }
}
