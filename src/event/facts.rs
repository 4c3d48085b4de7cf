//! What a replay needs of an attempt beyond what an admin reads: the facts
//! that the rules were shown, so that other rules can be shown the same.
//!
//! Bounded, because whoever attempts chooses most of it. No secret: mailboxes
//! are hashes in the event itself, domains and redirect URIs stand in the clear
//! as they do in the registers.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::AppSource;
use crate::mailbox::Domain;

/// The facts behind an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What DNS said of each domain of the address; empty if it was not asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<MailFacts>,
    /// The client's address did not stand for one client, so rules keyed by it abstained.
    #[serde(skip_serializing_if = "is_false")]
    pub shared_address: bool,
    /// Whether the address was the account's current one; `None` if nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<bool>,
    /// Whether credential or bearer had been seen to be good.
    #[serde(skip_serializing_if = "is_false")]
    pub proven: bool,
    /// A bearer token came that nobody could tell the app of.
    #[serde(skip_serializing_if = "is_false")]
    pub unresolved: bool,
    /// The app asked for, or the app behind the attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppFacts>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// An app beside its `client_id` and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppFacts {
    /// Its redirect URIs, the first few, each cut to a bounded length.
    pub redirect_uris: Vec<String>,
    /// Its website.
    pub website: Option<String>,
    /// When it came to be and how the gate knows; `None` for one that is only asked for.
    pub known: Option<(Timestamp, AppSource)>,
}

/// What DNS said of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailFacts {
    /// The domain.
    pub domain: Domain,
    /// What was found.
    pub found: MailFound,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailFound {
    /// These hosts, by preference.
    Server(Vec<HostFacts>),
    /// A null MX.
    Null,
    /// Nothing that resolves.
    Nowhere,
    /// No answer; whether our own resolver was down.
    Lapse {
        /// Unrelated domains lapsed too.
        resolver_down: bool,
    },
}

/// One host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Its name.
    pub name: Domain,
    /// Lower is preferred.
    pub preference: u16,
    /// Its addresses, as far as there was room for them.
    pub ips: Vec<IpAddr>,
}
