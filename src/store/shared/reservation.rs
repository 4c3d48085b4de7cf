//! Budgets charged in the shared store for one request, until its reply is known.

use super::super::limiter::{Spent, Taken};
use crate::secret::KeyedHash;

/// Deliberately not `Clone`: giving one charge back twice would let two pass.
/// Dropped without a word, it counts as kept after ten minutes.
#[derive(Debug)]
pub(in crate::store) struct Reservation {
    /// The store's own time at which it was charged; microseconds.
    pub(super) at: u64,
    pub(super) parts: Vec<Part>,
    pub(super) observed: Vec<Spent>,
}

/// One charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) key: KeyedHash,
    pub(super) interval: u64,
    pub(super) taken: Taken,
}

impl Reservation {
    /// The observed limits that would have refused; they were not charged.
    pub(in crate::store) fn observed(&self) -> &[Spent] {
        &self.observed
    }

    /// What became of the charge at `index`.
    pub(in crate::store) fn taken(&self, index: usize) -> Option<Taken> {
        self.parts.get(index).map(|part| part.taken)
    }
}
