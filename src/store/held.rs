//! Budgets held for one request, wherever they were charged.
//!
//! With a shared store the charge is made there and, once admitted, in the
//! node's own limiter too, which is what decides when the shared one lapses.
//! So at any time a node knows what it has itself let through, and with M
//! nodes a lapse can admit in any span W at most M times N + ⌈N·W/P⌉ beside
//! what the shared store itself has admitted in it.

use super::limiter::{Charge, Limiter, Reservation, Spent, Taken};
use super::shared::{self, Shared};

/// Budgets charged for one request, until its reply is known.
///
/// Dropped without a word, it counts as kept.
#[must_use = "settle it"]
#[derive(Debug)]
pub struct Held {
    own: Option<Reservation>,
    shared: Option<shared::Reservation>,
}

impl Held {
    /// The observed limits that would have refused; they were not charged.
    #[must_use]
    pub fn observed(&self) -> &[Spent] {
        match (&self.shared, &self.own) {
            (Some(shared), _) => shared.observed(),
            (None, Some(own)) => own.observed(),
            (None, None) => &[],
        }
    }

    /// What became of the charge at `index`.
    #[must_use]
    pub fn taken(&self, index: usize) -> Option<Taken> {
        match (&self.shared, &self.own) {
            (Some(shared), _) => shared.taken(index),
            (None, own) => own.as_ref()?.taken(index),
        }
    }

    /// Whether the shared store made the charges.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }
}

/// Checks every charge, then makes them all, or none.
pub(super) async fn reserve(
    limiter: &Limiter,
    shared: Option<&Shared>,
    charges: &[Charge],
    now: u64,
) -> Result<Held, Spent> {
    if charges.is_empty() {
        return Ok(Held {
            own: None,
            shared: None,
        });
    }
    let decided = match shared {
        Some(shared) => shared.reserve(charges).await,
        None => None,
    };
    match decided {
        Some(decided) => decided.map(|reservation| Held {
            own: limiter.mirror(charges, now),
            shared: Some(reservation),
        }),
        None => limiter.reserve(charges, now).map(|reservation| Held {
            own: Some(reservation),
            shared: None,
        }),
    }
}

/// Settles what is held: the charges for which `back` says so are given back.
pub(super) fn settle(
    limiter: &Limiter,
    shared: Option<&Shared>,
    held: Held,
    back: impl Fn(usize) -> bool,
) {
    if let Some(own) = held.own {
        limiter.give_back(own, &back);
    }
    if let (Some(reservation), Some(shared)) = (held.shared, shared) {
        shared.settle(reservation, &back);
    }
}
