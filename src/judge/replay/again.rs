//! An event, judged again: from what was recorded back to an attempt and the
//! facts that the rules were shown.
//!
//! What was not recorded cannot be judged. A rule that lacks its facts abstains
//! and is named in [`Ruling::unknown`]; it is never guessed for.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Replay, Ruling, Told};
use crate::app::{App, AppName, ClientId, Credential, NewApp};
use crate::attempt::{Attempt, ClientIp, Grant, Unknown};
use crate::ban::Scope;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::event::facts::{AppFacts, Facts};
use crate::judge::app_sight::AppSight;
use crate::judge::doors;
use crate::judge::mail_sight::MailSight;
use crate::judge::rules::address::Mailbox;
use crate::judge::rules::client_ban;
use crate::mailbox::{Domain, EmailAddress};
use crate::secret::Secret;
use crate::verdict::{Because, Mode, Reason, Rule, Unreadable, Verdict};

/// Apps remembered as never made under the new policy.
const NEVER_MADE: usize = 65_536;

impl Replay {
    /// Judges a recorded event at its own time. Settle it with [`Replay::settle`].
    pub fn again(&mut self, event: &Event) -> Ruling {
        let mut ruling = Ruling::default();
        let Some(endpoint) = event.endpoint.filter(|_| !is_unread(event)) else {
            self.unread(event, &mut ruling);
            return ruling;
        };
        if !self.policy.guards(endpoint) {
            return ruling;
        }
        let attempt = attempt(event, endpoint);
        let told = told(event, &attempt);
        if self.is_never_made(event) {
            ruling.moot = true;
            return ruling;
        }
        self.sit(&attempt, &told, &mut ruling);
        for rule in lacking(event, &ruling) {
            if doors::applies(rule, endpoint) && self.policy.mode(rule) != Mode::Off {
                ruling.unknown.push(rule);
            }
        }
        if endpoint == Endpoint::AppCreate && event.admitted && ruling.refused.is_some() {
            self.never_made(event);
        }
        ruling
    }

    /// A request of which only the sender, or only that it could not be read, is known.
    fn unread(&mut self, event: &Event, ruling: &mut Ruling) {
        let said = event.verdicts.iter().find(|said| said.verdict == "refuse");
        let Some(said) = said else { return };
        let mode = self.policy.mode(said.rule);
        if event.endpoint.is_some_and(|door| !self.policy.guards(door)) || mode == Mode::Off {
            return;
        }
        if said.rule == Rule::ClientBan {
            self.enter(event.at);
            let Some(ip) = event.client else { return };
            let found = self.sight.network(ip, Scope::All);
            let verdict = client_ban::judge(ClientIp::Known(ip), found);
            if let Verdict::Refuse(reason) = verdict {
                ruling.say(said.rule, mode, reason);
            }
            return;
        }
        // The bytes are gone; what could not be read then cannot be read now.
        let reason = Reason {
            because: Because::Unreadable(Unreadable::Malformed),
            fact: said.fact.clone().into(),
            undo: None,
        };
        ruling.say(said.rule, mode, reason);
    }

    /// Whether the attempt came through an app that this policy would not have let come to be.
    fn is_never_made(&self, event: &Event) -> bool {
        let known = event
            .facts
            .as_ref()
            .and_then(|facts| facts.app.as_ref()?.known);
        known.is_some_and(|(created, _)| self.gone.contains(&mark(created, event)))
    }

    fn never_made(&mut self, event: &Event) {
        if self.gone.len() < NEVER_MADE {
            self.gone.insert(mark(event.at, event));
        }
    }
}

/// The register keeps times to the microsecond.
fn mark(created: Timestamp, event: &Event) -> (i64, Option<AppName>) {
    (created.as_microsecond(), event.app_name.clone())
}

fn is_unread(event: &Event) -> bool {
    let mut said = event.verdicts.iter();
    said.any(|said| said.rule == Rule::Unreadable && said.verdict == "refuse")
}

/// The rules whose facts were not recorded with `event`, as far as it got this time.
fn lacking(event: &Event, ruling: &Ruling) -> Vec<Rule> {
    let mut lacking = Vec::new();
    if ruling.refused.is_some() {
        return lacking;
    }
    let facts = event.facts.as_deref();
    let looked = facts.is_some_and(|facts| !facts.mail.is_empty());
    if event.mail_domain.is_some() && !looked {
        lacking.extend([Rule::MailServer, Rule::MailCluster]);
    }
    // Refused before anybody asked for the app, or written by an earlier release.
    let through_app = event.client_id.is_some() || event.grant.is_some();
    if through_app && facts.is_none_or(|facts| facts.app.is_none()) {
        lacking.extend([Rule::AppBan, Rule::AppCluster]);
    }
    lacking
}

fn attempt(event: &Event, endpoint: Endpoint) -> Attempt {
    let facts = event.facts.as_deref();
    let app = facts.and_then(|facts| facts.app.as_ref());
    let making = matches!(endpoint, Endpoint::AppCreate | Endpoint::AppSettings);
    let name = event.app_name.clone().filter(|_| making);
    let credential = event.client_id.clone().map(|client_id| Credential {
        client_id,
        client_secret: None,
    });
    Attempt {
        email: email(event),
        username: event.username.clone(),
        credential,
        grant: event.grant.as_deref().map(Grant::read),
        new_app: name.map(|name| NewApp {
            name,
            redirect_uris: app.map(|app| app.redirect_uris.clone()).unwrap_or_default(),
            website: app.and_then(|app| app.website.clone()),
        }),
        ..Attempt::blank(event.at, endpoint, client(event))
    }
}

fn client(event: &Event) -> ClientIp {
    let shared = match &event.facts {
        Some(facts) => facts.shared_address,
        None => event.client.is_some_and(is_private),
    };
    match event.client {
        Some(ip) if shared => ClientIp::Unknown(Unknown::Private(ip)),
        Some(ip) => ClientIp::Known(ip),
        None => ClientIp::Unknown(Unknown::Missing),
    }
}

const fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

/// Domains are known, the mailbox itself never is: hashes stand in for it.
fn email(event: &Event) -> Option<EmailAddress> {
    let own = event.mail_domain.clone()?;
    let facts = event.facts.iter().flat_map(|facts| &facts.mail);
    let others = facts.map(|facts| facts.domain.clone());
    let mut domains: Vec<Domain> = vec![own.clone()];
    domains.extend(others.filter(|domain| *domain != own));
    let hidden = |hash: Option<crate::secret::KeyedHash>| {
        Secret::new(hash.map_or_else(String::new, |hash| hash.to_string()))
    };
    Some(EmailAddress {
        exact: hidden(event.mailbox),
        canonical: hidden(event.canonical_mailbox),
        domains,
    })
}

fn told(event: &Event, attempt: &Attempt) -> Told {
    let facts = event.facts.as_deref();
    let mailbox = event.mailbox.zip(event.canonical_mailbox);
    let unchanged = match attempt.endpoint {
        Endpoint::EmailChange => facts.and_then(|facts| facts.unchanged),
        _ => Some(false),
    };
    Told {
        mailbox: mailbox.map(|(exact, canonical)| Mailbox { exact, canonical }),
        mail: MailSight::recorded(facts.map_or(&[], |facts| &facts.mail)),
        app: app(event, facts),
        proven: facts.is_none_or(|facts| facts.proven),
        unchanged,
    }
}

fn app(event: &Event, facts: Option<&Facts>) -> AppSight {
    let known = |id: &ClientId, app: &AppFacts| {
        let (created, source) = app.known?;
        Some(App {
            client_id: id.clone(),
            name: event.app_name.clone()?,
            redirect_uris: app.redirect_uris.clone(),
            website: app.website.clone(),
            creator: None,
            created,
            source,
            credential: None,
        })
    };
    let through = facts.and_then(|facts| facts.app.as_ref());
    match (&event.client_id, through) {
        (Some(id), Some(app)) => known(id, app).map_or_else(
            || AppSight::Id(id.clone()),
            |app| AppSight::Known(Arc::new(app)),
        ),
        (Some(id), None) => AppSight::Id(id.clone()),
        (None, _) if facts.is_some_and(|facts| facts.unresolved) => AppSight::Unresolved,
        (None, _) => AppSight::None,
    }
}
