//! The keyed limiter: many budgets charged by one request, all or none.
//!
//! GCRA like governor's, which is its oracle in the property tests, but with
//! what governor lacks: the clock is passed in and is the wall clock, several
//! dimensions are checked and then charged as one, a charge can be given back,
//! and the state can be saved. Any span W admits at most N + ⌈N·W/P⌉ that are not
//! given back.
//!
//! The table is bounded and never grows. Half of its slots may be taken; a key
//! keeps its slot for a period after its last charge and is never evicted. A new
//! key that finds no room falls back to its wider key, counted. Keys without a
//! wider one may use a quarter more.
//!
//! One lock, not shards: a reservation touches about eight keys in unrelated
//! places, so shards would mean about eight locks in order for each, to protect
//! one to three microseconds of work of which a busy server does some thousands a
//! second (3 M reservations of 8 keys each, one core: 0.6 µs with a thousand keys,
//! 2.8 µs with ten million thrown at a full table, most of it cache misses).

mod changed;
mod open;
mod pace;
mod saved;
mod state;
mod table;
mod timeline;

#[cfg(test)]
mod tests;

pub use saved::{Cursor, SavedSlot};

use std::num::NonZeroU32;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::quota::Quota;
use crate::secret::KeyedHash;
use crate::store::limiter::state::State;
use crate::telemetry::metrics;
use crate::verdict::Mode;

/// Slots of the table unless told otherwise: 2²⁰, which is 32 MiB once all are touched.
pub const DEFAULT_SLOTS: usize = 1 << 20;

/// Buckets looked up under one lock for saving: each lies somewhere else in the
/// table, so a thousand are a third of a millisecond.
const AT_ONCE: usize = 32;

/// One budget that a request would be charged to.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    /// The limit's name in `[limits]`.
    pub limit: &'static str,
    /// Whose budget: a keyed hash of the limit's name and the key's text.
    /// Must be a keyed hash: its bits place it in the table.
    pub key: KeyedHash,
    /// How much.
    pub quota: Quota,
    /// The charge in the same slice that covers this one if the table has no
    /// room for its key. One that only observes does not cover one that enforces.
    pub wider: Option<usize>,
    /// [`Mode::Enforce`] refuses when spent; [`Mode::Observe`] is charged but
    /// only reports; [`Mode::Off`] is passed over.
    pub mode: Mode,
}

/// A budget that has nothing left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The place of the charge in the slice: the narrowest spent one.
    pub index: usize,
    /// Its limit.
    pub limit: &'static str,
    /// N.
    pub burst: NonZeroU32,
    /// When the same charges would pass if nobody else came: the longest wait
    /// over all that are spent, exact to the microsecond.
    pub after: Duration,
}

/// Budgets charged for one request, until its reply is known.
///
/// Deliberately not `Clone`: giving one charge back twice would let two pass.
/// Dropped without a word, it counts as kept.
#[must_use = "settle it with keep or give_back"]
#[derive(Debug)]
pub struct Reservation {
    at: u64,
    parts: Vec<Part>,
    observed: Vec<Spent>,
}

impl Reservation {
    /// The observed limits that would have refused; they were not charged.
    #[must_use]
    pub fn observed(&self) -> &[Spent] {
        &self.observed
    }

    /// What became of the charge at `index`.
    #[must_use]
    pub fn taken(&self, index: usize) -> Option<Taken> {
        self.parts.get(index).map(|part| part.taken)
    }
}

/// What became of one charge of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Charged to its own key.
    Own,
    /// Not charged: the mode is off, or it only observes and is spent.
    Pass,
    /// No room for its key; its wider key stands for it.
    Wider,
    /// No room and no wider key: unlimited for once.
    Unlimited,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    key: u128,
    interval: u64,
    taken: Taken,
}

/// How full the table is, and what has become of keys since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// Slots taken.
    pub taken: usize,
    /// Slots up to which every new key gets one: half of all.
    pub room: usize,
    /// All slots.
    pub slots: usize,
    /// Bytes that all slots take once touched.
    pub bytes: usize,
    /// Charges that fell back to their wider key.
    pub fallbacks: u64,
    /// Charges that found neither room nor a wider key.
    pub unlimited: u64,
    /// Slots given up after their period.
    pub expired: u64,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Limiter(Mutex<State>);

impl Default for Limiter {
    fn default() -> Self {
        Self::new(DEFAULT_SLOTS)
    }
}

impl Limiter {
    /// A limiter with `slots` slots, rounded up to a power of two; 32 bytes each.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self(Mutex::new(State::new(slots)))
    }

    /// Checks every charge, then makes them all, or none.
    ///
    /// `now` is the wall clock in microseconds since 1970. Give the charges
    /// narrow to wide: the first spent one is the one reported.
    ///
    /// # Errors
    /// The narrowest enforced limit that is spent. Nothing was charged.
    pub fn reserve(&self, charges: &[Charge], now: u64) -> Result<Reservation, Spent> {
        let (outcome, taken, expired) = {
            let mut state = self.0.lock();
            let before = state.expired();
            let outcome = state.reserve(charges, now);
            (outcome, state.taken(), state.expired() - before)
        };
        count(charges, &outcome);
        metrics().store.limiter_slots.set(taken as i64);
        metrics().store.limiter_expired.inc_by(expired);
        outcome
    }

    /// Makes charges that somebody else has already decided on, uncounted. None
    /// if they do not fit: then this limiter is the stricter one by now.
    pub(super) fn mirror(&self, charges: &[Charge], now: u64) -> Option<Reservation> {
        self.0.lock().reserve(charges, now).ok()
    }

    /// Settles a reservation: the charges for which `which` says so are given
    /// back, as if they had never been, as far as they have not drained away
    /// meanwhile; the others are kept.
    pub fn give_back(&self, reservation: Reservation, which: impl Fn(usize) -> bool) {
        self.0.lock().settle(&reservation, which);
    }

    /// Settles a reservation: every charge stands.
    pub fn keep(&self, reservation: Reservation) {
        self.give_back(reservation, |_| false);
    }

    /// How many more of this charge would pass at `now` if nobody else came. Charges nothing.
    #[must_use]
    pub fn left(&self, charge: &Charge, now: u64) -> u32 {
        self.0.lock().left(charge, now)
    }

    /// How full the table is.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        self.0.lock().occupancy()
    }

    /// Up to `most` places of the table that hold live slots, and where to go on;
    /// call until the cursor is at its end. The lock is held for `most` places only.
    #[must_use]
    pub fn export(&self, cursor: Cursor, most: usize) -> (Vec<SavedSlot>, Option<Cursor>) {
        self.0.lock().export(cursor, most)
    }

    /// From now on it is noted which buckets change: see [`Limiter::changes`].
    pub(super) fn note_changes(&self) {
        self.0.lock().note_changes();
    }

    /// The buckets that have changed since the last call, each once, in order.
    /// Requests wait for the same lock: it is held for [`AT_ONCE`] of them at a
    /// time, and goes to whoever waits before it is taken again.
    pub(super) fn changes(&self) -> Vec<SavedSlot> {
        let room = Vec::with_capacity(self.0.lock().changes());
        let mut keys = self.0.lock().take_changed(room);
        keys.sort_unstable();
        keys.dedup();
        let mut saved = Vec::with_capacity(keys.len());
        for part in keys.chunks(AT_ONCE) {
            let mut state = self.0.lock();
            state.save_into(&mut saved, part);
            MutexGuard::unlock_fair(state);
        }
        saved
    }

    /// Puts saved slots back; of a key that is there already, the emptier bucket
    /// stands. Slots that have filled up or find no room are left out. Returns how
    /// many were taken.
    pub fn import(&self, slots: impl IntoIterator<Item = SavedSlot>, now: u64) -> usize {
        let mut state = self.0.lock();
        slots
            .into_iter()
            .filter(|slot| state.import(*slot, now))
            .count()
    }
}

fn count(charges: &[Charge], outcome: &Result<Reservation, Spent>) {
    match outcome {
        Err(spent) => count_spent(spent),
        Ok(reservation) => {
            let taken = reservation.parts.iter().map(|part| part.taken);
            count_taken(charges, taken, &reservation.observed);
        }
    }
}

/// Counts a refusal.
pub(super) fn count_spent(spent: &Spent) {
    metrics().store.limit_spent(spent.limit, Mode::Enforce);
}

/// Counts what became of the charges of a reservation.
pub(super) fn count_taken(
    charges: &[Charge],
    taken: impl Iterator<Item = Taken>,
    observed: &[Spent],
) {
    let metrics = &metrics().store;
    for spent in observed {
        metrics.limit_spent(spent.limit, Mode::Observe);
    }
    for (charge, taken) in charges.iter().zip(taken) {
        match taken {
            Taken::Own | Taken::Pass => {}
            Taken::Wider => metrics.limit_fell_back(charge.limit),
            Taken::Unlimited => metrics.limit_unlimited(charge.limit),
        }
    }
}
