//! The latest sign-ups through one key, oldest first; in a flood the oldest go.
//!
//! What each sign-up asks of them is kept as they change and not counted anew:
//! a few hundred names compared five times over are a fifth of a judgement.

use std::collections::{VecDeque, vec_deque};

use crate::judge::cluster::weight;
use crate::mailbox::Domain;

/// Sign-ups of one key that are kept exactly.
pub const ENTRIES: usize = 256;

/// One sign-up.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: i64,
    /// Its serial number.
    pub serial: u64,
    /// The domain.
    pub domain: Domain,
    /// What the domain's owner registered.
    pub registrable: Domain,
    /// When the domain was first seen.
    pub first: i64,
}

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    entries: VecDeque<Entry>,
    /// How many of the last ones are of one domain.
    run: usize,
    /// What all their names weigh.
    names: usize,
}

impl Latest {
    /// Adds a sign-up and forgets what came before `oldest` or is too much.
    pub fn add(&mut self, entry: Entry, oldest: i64) {
        while self
            .entries
            .front()
            .is_some_and(|old| old.at < oldest || self.entries.len() >= ENTRIES)
        {
            self.names -= self.entries.pop_front().as_ref().map_or(0, names);
        }
        self.names += names(&entry);
        // Nearly always the last; what another gate has counted may come late.
        let last = self.entries.back().is_none_or(|old| old.at <= entry.at);
        let place = match last {
            true => self.entries.len(),
            false => self.entries.partition_point(|old| old.at <= entry.at),
        };
        let longer = self
            .is_last(&entry.domain)
            .then_some(self.run.min(place) + 1);
        self.entries.insert(place, entry);
        if last {
            self.run = longer.unwrap_or(1);
        } else {
            self.count_run();
        }
    }

    /// Takes the sign-up with this number out; whether it was there.
    pub fn withdraw(&mut self, serial: u64) -> bool {
        let place = self.entries.iter().position(|entry| entry.serial == serial);
        let Some(gone) = place.and_then(|place| self.entries.remove(place)) else {
            return false;
        };
        self.names -= names(&gone);
        self.count_run();
        true
    }

    /// Whether there is none of another domain.
    #[must_use]
    pub fn all_of(&self, domain: &Domain) -> bool {
        self.entries.is_empty() || (self.run == self.entries.len() && self.is_last(domain))
    }

    /// The oldest first.
    pub fn iter(&self) -> vec_deque::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes behind it.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.names
    }

    fn is_last(&self, domain: &Domain) -> bool {
        let last = self.entries.back();
        last.is_some_and(|last| last.domain == *domain)
    }

    fn count_run(&mut self) {
        let last = self.entries.back().map(|last| &last.domain);
        let same = self.entries.iter().rev();
        self.run = same.take_while(|entry| Some(&entry.domain) == last).count();
    }
}

fn names(entry: &Entry) -> usize {
    weight::name(&entry.domain) + weight::name(&entry.registrable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain(number: u8) -> Domain {
        Domain::new(&format!("d{number}.example")).expect("a domain")
    }

    proptest! {
        /// Whatever comes and goes, late or in order: as if it were counted anew.
        #[test]
        fn what_is_kept_is_what_would_be_counted(
            work in prop::collection::vec((0..9_u8, 0..3_u8, 0..40_i64), 1..900),
            span in 100..1000_i64,
        ) {
            let mut latest = Latest::default();
            for (serial, (what, which, late)) in (0_u64..).zip(work) {
                let now = serial as i64;
                if what == 0 {
                    let gone = serial.saturating_sub(late as u64);
                    let before = latest.len();
                    let there = latest.iter().any(|entry| entry.serial == gone);
                    prop_assert_eq!(latest.withdraw(gone), there);
                    prop_assert_eq!(latest.len(), before - usize::from(there));
                } else {
                    let entry = Entry {
                        at: if what == 1 { now - late } else { now },
                        serial,
                        domain: domain(which / 2),
                        registrable: domain(which),
                        first: 0,
                    };
                    latest.add(entry, now - span);
                }
                let weight: usize = latest.iter().map(names).sum();
                prop_assert_eq!(latest.names, weight);
                prop_assert!(latest.iter().is_sorted_by_key(|entry| entry.at));
                prop_assert!(latest.len() <= ENTRIES);
                for which in 0..3 {
                    let all = latest.iter().all(|entry| entry.domain == domain(which));
                    prop_assert_eq!(latest.all_of(&domain(which)), all);
                }
            }
        }
    }
}
