//! The lists and live bans as one attempt sees them: a snapshot, so that all
//! rules of one judgement speak of the same moment.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::ban::{Ban, Scope, Scopes};
use crate::lists::{Lists, Overlay};
use crate::mailbox::Domain;

/// Lists, bans and the time.
#[derive(Clone, Debug)]
pub struct Sight {
    /// From files; immutable.
    pub lists: Arc<Lists>,
    /// From the store; live.
    pub bans: Arc<Overlay>,
    /// The moment of judging.
    pub now: Timestamp,
}

/// A ban or list entry that matched, in words for the admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The entry, such as `45.9.9.0/24`.
    pub entry: String,
    /// Who says so, and why.
    pub source: String,
    /// Where it counts; [`Scopes::DEFAULT`] for entries that are not networks.
    pub scopes: Scopes,
    /// The command that would undo it; none for an entry of a list file.
    pub undo: Option<String>,
}

impl Hit {
    /// The entry and its source in one phrase.
    #[must_use]
    pub fn phrase(&self) -> String {
        format!("{} ({})", self.entry, self.source)
    }

    /// A live ban in words.
    #[must_use]
    pub fn of_ban(ban: &Ban) -> Self {
        let source = if ban.reason.is_empty() {
            ban.source.clone()
        } else {
            format!("{}: {}", ban.source, ban.reason)
        };
        Self {
            entry: ban.subject.to_string(),
            source,
            scopes: ban.scopes,
            undo: Some(format!("tuskgate unban --id {}", ban.id)),
        }
    }

    /// An entry of a list file in words.
    #[must_use]
    pub fn of_list(entry: impl ToString, source: &str, scopes: Scopes) -> Self {
        Self {
            entry: entry.to_string(),
            source: format!("list {source}"),
            scopes,
            undo: None,
        }
    }
}

impl Sight {
    /// The ban on `ip` that counts in `scope`; an allow entry for the same scope wins.
    #[must_use]
    pub fn network(&self, ip: IpAddr, scope: Scope) -> Found {
        if let Some(allow) = self
            .bans
            .allows()
            .network_in(ip, self.now, |scopes| scopes.covers(scope))
        {
            let silenced = self.banned_network(ip, scope).is_some();
            return if silenced {
                Found::Allow(Hit::of_ban(allow))
            } else {
                Found::Nothing
            };
        }
        self.banned_network(ip, scope)
            .map_or(Found::Nothing, Found::Ban)
    }

    /// The allow entry on `ip` that counts in `scope`.
    #[must_use]
    pub fn network_allow(&self, ip: IpAddr, scope: Scope) -> Option<Hit> {
        let allows = self.bans.allows();
        let entry = allows.network_in(ip, self.now, |scopes| scopes.covers(scope));
        entry.map(Hit::of_ban)
    }

    fn banned_network(&self, ip: IpAddr, scope: Scope) -> Option<Hit> {
        if let Some(ban) = self
            .bans
            .bans()
            .network_in(ip, self.now, |scopes| scopes.covers(scope))
        {
            return Some(Hit::of_ban(ban));
        }
        let entry = self.lists.network(ip)?;
        let counts = entry.scopes.covers(scope);
        counts.then(|| Hit::of_list(entry.network, entry.source, entry.stated))
    }

    /// The ban on a mail domain or a parent of it; an allow entry wins.
    #[must_use]
    pub fn mail_domain(&self, domain: &Domain) -> Found {
        let ban = self
            .bans
            .bans()
            .mail_domain(domain, self.now)
            .map(Hit::of_ban)
            .or_else(|| {
                let entry = self.lists.mail_domain(domain)?;
                Some(Hit::of_list(entry.domain, entry.source, Scopes::DEFAULT))
            });
        match (ban, self.mail_domain_allow(domain)) {
            (None, _) => Found::Nothing,
            (Some(_), Some(allow)) => Found::Allow(allow),
            (Some(ban), None) => Found::Ban(ban),
        }
    }

    /// The allow entry for a mail domain, which silences every mail rule.
    #[must_use]
    pub fn mail_domain_allow(&self, domain: &Domain) -> Option<Hit> {
        let live = self
            .bans
            .allows()
            .mail_domain(domain, self.now)
            .map(Hit::of_ban);
        live.or_else(|| {
            let entry = self.lists.mail_domain_allow(domain)?;
            Some(Hit::of_list(entry.domain, entry.source, Scopes::DEFAULT))
        })
    }

    /// The ban on a mail server's host name or a parent of it; an allow entry wins.
    #[must_use]
    pub fn mail_server(&self, host: &Domain) -> Found {
        let ban = self
            .bans
            .bans()
            .mail_server(host, self.now)
            .map(Hit::of_ban)
            .or_else(|| {
                let entry = self.lists.mail_server(host)?;
                Some(Hit::of_list(entry.domain, entry.source, Scopes::DEFAULT))
            });
        match (ban, self.mail_server_allow(host)) {
            (None, _) => Found::Nothing,
            (Some(_), Some(allow)) => Found::Allow(allow),
            (Some(ban), None) => Found::Ban(ban),
        }
    }

    /// The allow entry for a mail server's host name.
    #[must_use]
    pub fn mail_server_allow(&self, host: &Domain) -> Option<Hit> {
        self.bans
            .allows()
            .mail_server(host, self.now)
            .map(Hit::of_ban)
    }
}

/// What the lists and bans say of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No entry.
    Nothing,
    /// Banned.
    Ban(Hit),
    /// Banned, but an allow entry silences it.
    Allow(Hit),
}
