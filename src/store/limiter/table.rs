//! The bounded table of buckets: open addressing with linear probing, no growth.
//!
//! All memory is asked for at once ([`BYTES`] a slot, given by the system as it
//! is touched), so no insertion ever copies the table; removal shifts neighbours
//! back instead of leaving tombstones, so no clean-up ever rebuilds it. A general
//! hash map does both, with a pause of tens of milliseconds at a million keys.
//! Keys are keyed hashes: nobody outside can choose where they fall, so their
//! own bits are the hash. The caller keeps the table at most three quarters full.

/// Bytes that one slot takes.
pub(super) const BYTES: usize = size_of::<Raw>();

// Plain integers, so that `vec!` asks for zeroed memory and touches none of it.
type Raw = [u64; 4];

const EMPTY: Raw = [0; 4];
const TICK: u32 = 30;
const TICKET_BITS: u32 = 24;
const UNSAVED: u64 = 1 << TICKET_BITS;
const TICKS_FROM: u32 = TICKET_BITS + 1;

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Whose.
    pub(super) key: u128,
    /// When it is full again; nanoseconds of the limiter's time.
    pub(super) full_at: u64,
    /// Until when it counts as in use; nanoseconds, kept to about a second, rounded up.
    pub(super) used_until: u64,
    /// Its record of open reservations, if any; below 2²⁴ − 1.
    pub(super) ticket: Option<u32>,
    /// Whether it is on the list of what has changed and is not saved.
    pub(super) unsaved: bool,
}

impl Slot {
    fn pack(self) -> Raw {
        // At least one: zero marks an empty slot. Rounding must not add up over re-packing.
        let ticks = self.used_until.div_ceil(1 << TICK).max(1);
        let ticket = self.ticket.map_or(0, |ticket| u64::from(ticket) + 1);
        let unsaved = if self.unsaved { UNSAVED } else { 0 };
        [
            (self.key >> 64) as u64,
            self.key as u64,
            self.full_at,
            ticks << TICKS_FROM | unsaved | ticket,
        ]
    }

    fn unpack([high, low, full_at, rest]: Raw) -> Option<Self> {
        let ticks = rest >> TICKS_FROM;
        let ticket = rest & ((1 << TICKET_BITS) - 1);
        (ticks > 0).then(|| Self {
            key: u128::from(high) << 64 | u128::from(low),
            full_at,
            used_until: ticks << TICK,
            ticket: ticket.checked_sub(1).map(|ticket| ticket as u32),
            unsaved: rest & UNSAVED != 0,
        })
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Raw>,
    mask: usize,
    live: usize,
    hand: usize,
}

impl Table {
    /// A table of `slots`, rounded up to a power of two, at least 16.
    pub(super) fn new(slots: usize) -> Self {
        let slots = slots.max(16).next_power_of_two();
        Self {
            slots: vec![EMPTY; slots],
            mask: slots - 1,
            live: 0,
            hand: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.live
    }

    pub(super) const fn slots(&self) -> usize {
        self.mask + 1
    }

    /// Where `key` is.
    pub(super) fn find(&self, key: u128) -> Option<(usize, Slot)> {
        let mut at = self.home(key);
        while let Some(slot) = self.at(at) {
            if slot.key == key {
                return Some((at, slot));
            }
            at = self.next(at);
        }
        None
    }

    /// What is at a place.
    pub(super) fn at(&self, at: usize) -> Option<Slot> {
        Slot::unpack(self.slots[at & self.mask])
    }

    /// Writes a slot over the one found `at` that place for the same key.
    pub(super) fn overwrite(&mut self, at: usize, slot: Slot) {
        self.slots[at & self.mask] = slot.pack();
    }

    /// Adds a key that is not there. The caller has seen that there is room.
    pub(super) fn add(&mut self, slot: Slot) {
        let mut at = self.home(slot.key);
        while self.at(at).is_some() {
            at = self.next(at);
        }
        self.slots[at] = slot.pack();
        self.live += 1;
    }

    /// Moves the clock's hand over `steps` places and removes what is idle.
    /// Places found before this call are no longer valid after it.
    pub(super) fn sweep(&mut self, steps: usize, mut idle: impl FnMut(&Slot) -> bool) -> usize {
        let before = self.live;
        for _ in 0..steps {
            match self.at(self.hand) {
                Some(slot) if idle(&slot) => self.remove(self.hand),
                Some(_) | None => self.hand = self.next(self.hand),
            }
        }
        before - self.live
    }

    fn remove(&mut self, at: usize) {
        let mut hole = at;
        let mut probe = self.next(at);
        while let Some(slot) = self.at(probe) {
            let from_home = probe.wrapping_sub(self.home(slot.key)) & self.mask;
            let from_hole = probe.wrapping_sub(hole) & self.mask;
            if from_home >= from_hole {
                self.slots[hole] = self.slots[probe];
                hole = probe;
            }
            probe = self.next(probe);
        }
        self.slots[hole] = EMPTY;
        self.live -= 1;
    }

    const fn home(&self, key: u128) -> usize {
        key as usize & self.mask
    }

    const fn next(&self, at: usize) -> usize {
        (at + 1) & self.mask
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn slot(key: u128) -> Slot {
        Slot {
            key,
            full_at: 7,
            used_until: 9,
            ticket: None,
            unsaved: false,
        }
    }

    #[test]
    fn a_slot_survives_packing() {
        let slot = Slot {
            key: u128::MAX - 5,
            full_at: u64::MAX,
            used_until: 1_790_000_000_000_000_000,
            ticket: Some((1 << 24) - 2),
            unsaved: true,
        };
        let back = Slot::unpack(slot.pack()).expect("not empty");
        assert_eq!(
            (back.key, back.full_at, back.ticket),
            (slot.key, slot.full_at, slot.ticket)
        );
        assert!(back.used_until >= slot.used_until);
        assert!(back.used_until - slot.used_until <= 1 << 30);
        assert_eq!(Slot::unpack(back.pack()), Some(back), "rounding adds up");
        assert_eq!(Slot::unpack(EMPTY), None);
    }

    proptest! {
        /// Whatever is added and swept away, in whatever clusters the keys
        /// fall, exactly what should be there is found.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0_u128..40, 0_u128..40, 0_usize..64), 1..60)) {
            let mut table = Table::new(64);
            let mut truth = HashSet::new();
            for (add, remove, turn) in steps {
                if truth.insert(add) {
                    table.add(slot(add));
                }
                let mut gone = None;
                table.sweep(turn, |slot| {
                    let hit = slot.key == remove;
                    gone = gone.or(hit.then_some(remove));
                    hit
                });
                if let Some(gone) = gone {
                    truth.remove(&gone);
                }
                prop_assert_eq!(table.len(), truth.len());
                for key in 0..40 {
                    prop_assert_eq!(table.find(key).is_some(), truth.contains(&key));
                }
            }
        }
    }
}
