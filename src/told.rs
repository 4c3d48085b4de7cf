//! What gates that share a state tell each other beside bans and budgets: what
//! their registers count, so that each of them counts all of it.
//!
//! No local part of an address, no token and no secret is ever told; tokens go
//! as keyed hashes. A gate skips what a later release tells and it cannot read.

use serde::{Deserialize, Serialize};

use crate::app::ClientId;
use crate::cluster::{AppStep, Change, Cluster, SignUp};
use crate::mailbox::Domain;
use crate::secret::KeyedHash;
use crate::wave::{ByHand, Counts, Newcomer};

/// One thing that a gate has counted. Grows with the rules that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// A sign-up was let in, under a number that no other gate gives.
    SignUp(u64, SignUp),
    /// It came to nothing.
    Withdraw(u64),
    /// An account with an address of this domain has confirmed; when, in seconds since 1970.
    Confirm(Domain, i64),
    /// Something was counted of apps that look alike.
    App(AppStep),
    /// Somebody signed up at a listed provider; when, in seconds since 1970.
    Listed(i64),
    /// What came to be, for the breaker.
    Wave(Counts),
    /// An account that came through an app, for the breaker's evidence.
    Newcomer(Newcomer),
}

/// What each gate must know to contain what another one contains, whenever it hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Containable {
    /// An app that nobody else depends on, and when it was made, in seconds since 1970.
    App(ClientId, i64),
    /// A token of an app whose tokens are contained.
    Token(ClientId, KeyedHash),
}

impl Told {
    /// What others must hear of a change, if anything. Clusters are shared as bans are.
    #[must_use]
    pub fn of(change: &Change) -> Option<Self> {
        match change {
            Change::SignUp(serial, sign_up) => Some(Self::SignUp(*serial, sign_up.clone())),
            Change::Withdraw(serial) => Some(Self::Withdraw(*serial)),
            Change::Confirm(domain, at) => Some(Self::Confirm(domain.clone(), *at)),
            Change::App(step) => Some(Self::App(step.clone())),
            // Each gate has a webhook of its own, and only its own admissions to match.
            Change::Domain(..)
            | Change::Cluster(_)
            | Change::Adopt(_)
            | Change::Account(..)
            | Change::Heard(..) => None,
        }
    }

    /// When it was counted, by the clock of whoever did, in seconds since 1970.
    #[must_use]
    pub const fn at(&self) -> Option<i64> {
        match self {
            Self::SignUp(_, sign_up) => Some(sign_up.at),
            Self::Confirm(_, at) | Self::Listed(at) => Some(*at),
            Self::Wave(counts) => Some(counts.at),
            Self::Newcomer(newcomer) => Some(newcomer.at),
            Self::App(step) => Some(step.at()),
            Self::Withdraw(_) => None,
        }
    }
}

/// What a gate hears of the others.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// What they have counted, in the order that holds for all.
    Told(Vec<Told>),
    /// Clusters as they have decided about them.
    Clusters(Vec<Cluster>),
    /// Apps and tokens that they contain.
    Containable(Vec<Containable>),
    /// The shared store may know nothing of what this gate contains.
    ContainAnew,
    /// What an admin said of the breaker last, on whichever gate.
    ByHand(ByHand),
    /// The shared store may know nothing: everything is to be told again.
    Anew,
}
