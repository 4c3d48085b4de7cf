//! An account as Mastodon's webhooks tell of it, and what the gate makes of it.
//!
//! No local part of an address comes in here: the domain is kept, the mailbox
//! only as a keyed hash, and only while it is looked for among admissions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::ClientId;
use crate::mailbox::Domain;

/// An account that the gate has heard of, by Mastodon's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAccount {
    /// When Mastodon made it, in seconds since 1970.
    pub created: i64,
    /// Its user name, which is public.
    pub username: String,
    /// Whether its address is confirmed.
    pub confirmed: bool,
    /// Where it came from.
    pub origin: Origin,
}

/// How an account came to be, as far as the gate can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// The gate let its sign-up through.
    Gate {
        /// When, in seconds since 1970.
        at: i64,
        /// The domain of the address then.
        domain: Domain,
        /// The app it came through.
        client_id: Option<ClientId>,
    },
    /// Beside the gate: `tootctl`, an identity provider, or a way around.
    Beside,
    /// The gate cannot tell.
    Untold,
}

/// What the webhooks have done since the gate started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Signed and understood, repetitions included.
    pub events: u64,
    /// Not signed with our secret, not to be read, or too old.
    pub refused: u64,
    /// When the last signed one came.
    pub last: Option<Timestamp>,
    /// Accounts that confirmed, by webhook.
    pub confirmed: u64,
    /// Confirmation links that were answered as if they worked.
    pub links: u64,
    /// Sign-ups let in, against which both are to be seen.
    pub admitted: u64,
    /// Accounts that the gate never let through.
    pub bypasses: u64,
    /// When the last of those was made.
    pub last_bypass: Option<Timestamp>,
    /// Reports that weigh something.
    pub reports: u64,
}
