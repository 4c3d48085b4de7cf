//! Millions of domain names, immutable, found by name or any parent.
//!
//! One byte arena (`length, name`) and one open-addressing table of `u32`
//! places in it, half full. A look-up walks the name once from the right and
//! asks the table at every dot, so its cost is linear in a name that an
//! attacker chose. The hash needs no key: who chooses look-ups does not
//! choose the table, and who writes the lists is trusted with them.
//! Names are compared as [`Domain`]s are: ASCII, lower case.

use std::ops::Range;

use crate::mailbox::Domain;

/// The most bytes of names in one set; places are `u32`, and 0 means empty.
const MOST_BYTES: usize = u32::MAX as usize - 512;

/// A set of domains.
#[derive(Debug, Default)]
pub(super) struct DomainSet {
    /// `length, name` for every entry; entries of one file are neighbours.
    arena: Vec<u8>,
    /// Places in the arena plus one; 0 is a free slot.
    table: Vec<u32>,
    names: usize,
    /// A bit for each number of labels that some name has; the first for all beyond 63.
    depths: u64,
    /// The most labels that a name has.
    deepest: u32,
    /// Where in the arena each file's entries begin.
    files: Vec<usize>,
}

/// What a look-up finds: the most specific listed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoundName<'a> {
    /// The listed name: the one looked up or a parent of it.
    pub(super) name: &'a str,
    /// The index of the first file that lists it.
    pub(super) source: usize,
}

/// A set being filled, file by file, duplicates welcome.
#[derive(Debug, Default)]
pub(super) struct DomainSetBuilder {
    arena: Vec<u8>,
    names: usize,
    files: Vec<usize>,
}

impl DomainSetBuilder {
    /// Begins the next file; its index is the number of calls before.
    pub(super) fn begin_file(&mut self) {
        self.files.push(self.arena.len());
    }

    /// Adds a name; `false` if there is no room for it.
    pub(super) fn add(&mut self, domain: &Domain) -> bool {
        let name = domain.as_str().as_bytes();
        let Ok(len) = u8::try_from(name.len()) else {
            return false;
        };
        if self.arena.len() + name.len() >= MOST_BYTES {
            return false;
        }
        self.arena.push(len);
        self.arena.extend_from_slice(name);
        self.names += 1;
        true
    }

    /// The set. The table is filled once, at its final size, while duplicates
    /// are squeezed out of the arena in place.
    pub(super) fn build(self) -> DomainSet {
        let mut set = DomainSet {
            arena: self.arena,
            table: vec![0; self.names * 2],
            names: 0,
            depths: 0,
            deepest: 0,
            files: self.files,
        };
        let (mut read, mut write, mut file) = (0, 0, 0);
        while let Some(range) = set.range(read) {
            while let Some(start) = set.files.get_mut(file)
                && *start <= read
            {
                *start = write;
                file += 1;
            }
            let end = range.end;
            let name = set.arena.get(range).unwrap_or_default();
            let (hash, labels) = whole(name);
            set.depths |= depth(labels);
            set.deepest = set.deepest.max(labels);
            if let Err(slot) = set.probe(hash, name) {
                set.arena.copy_within(read..end, write);
                set.fill(slot, write);
                set.names += 1;
                write += end - read;
            }
            read = end;
        }
        for start in set.files.iter_mut().skip(file) {
            *start = write;
        }
        set.arena.truncate(write);
        set.arena.shrink_to_fit();
        set
    }
}

impl DomainSet {
    /// The name itself or the longest listed parent.
    pub(super) fn find<'a>(&'a self, domain: &'a Domain) -> Option<FoundName<'a>> {
        if self.names == 0 {
            return None;
        }
        let name = domain.as_str().as_bytes();
        let (mut hash, mut labels) = (SEED, 0);
        let mut found = None;
        for (at, &byte) in name.iter().enumerate().rev() {
            if byte == b'.' {
                labels += 1;
                found = self.at_depth(labels, hash, name, at + 1).or(found);
                if labels >= self.deepest {
                    break;
                }
            }
            hash = step(hash, byte);
        }
        if labels < self.deepest {
            found = self.at_depth(labels + 1, hash, name, 0).or(found);
        }
        let (place, from) = found?;
        Some(FoundName {
            name: domain.as_str().get(from..)?,
            source: self
                .files
                .partition_point(|&start| start <= place)
                .saturating_sub(1),
        })
    }

    /// The place of the parent that begins at `from` and has so many labels, and `from`.
    fn at_depth(&self, labels: u32, hash: u64, name: &[u8], from: usize) -> Option<(usize, usize)> {
        if self.depths & depth(labels) == 0 {
            return None;
        }
        let place = self.probe(hash, name.get(from..)?).ok()?;
        Some((place, from))
    }

    /// The place of `name`, or the free slot where it would go.
    fn probe(&self, hash: u64, name: &[u8]) -> Result<usize, usize> {
        let mut slot = spread(hash, self.table.len());
        while let Some(&place) = self.table.get(slot) {
            let Some(place) = (place as usize).checked_sub(1) else {
                return Err(slot);
            };
            if self.is_at(place, name) {
                return Ok(place);
            }
            slot += 1;
            if slot == self.table.len() {
                slot = 0;
            }
        }
        Err(slot)
    }

    fn is_at(&self, place: usize, name: &[u8]) -> bool {
        self.arena.get(place).copied().map(usize::from) == Some(name.len())
            && self
                .arena
                .get(place + 1..)
                .is_some_and(|rest| rest.starts_with(name))
    }

    fn range(&self, place: usize) -> Option<Range<usize>> {
        let len = usize::from(*self.arena.get(place)?);
        Some(place + 1..place + 1 + len)
    }

    fn fill(&mut self, slot: usize, place: usize) {
        if let (Some(free), Ok(place)) = (self.table.get_mut(slot), u32::try_from(place + 1)) {
            *free = place;
        }
    }
}

/// The hash of a name, and how many labels it has.
fn whole(name: &[u8]) -> (u64, u32) {
    name.iter().rev().fold((SEED, 1), |(hash, labels), &byte| {
        (step(hash, byte), labels + u32::from(byte == b'.'))
    })
}

/// The bit of names with so many labels.
const fn depth(labels: u32) -> u64 {
    1 << if labels < u64::BITS { labels } else { 0 }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a name that is longer by one byte at its left. A byte at a time,
/// because finding the dots is a walk over all bytes anyway.
const fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(PRIME)
}

/// A slot out of `slots`, from all bits of `hash`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the high half of the product is below `slots`"
)]
const fn spread(hash: u64, slots: usize) -> usize {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed as u128 * slots as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::new(name).expect("a domain")
    }

    fn set(files: &[&[&str]]) -> DomainSet {
        let mut builder = DomainSetBuilder::default();
        for names in files {
            builder.begin_file();
            for name in *names {
                assert!(builder.add(&domain(name)));
            }
        }
        builder.build()
    }

    #[test]
    fn a_name_or_any_parent_is_found_most_specific_first() {
        let set = set(&[
            &["tk", "duckdns.org"],
            &[],
            &["tk", "evil.duckdns.org"],
            &["tk"],
        ]);
        assert_eq!(set.names, 3);
        for (name, found) in [
            ("tk", Some(("tk", 0))),
            ("a.b.tk", Some(("tk", 0))),
            ("duckdns.org", Some(("duckdns.org", 0))),
            ("x.evil.duckdns.org", Some(("evil.duckdns.org", 2))),
            ("notduckdns.org", None),
            ("org", None),
            ("tk.example", None),
        ] {
            let asked = domain(name);
            let at = set.find(&asked).map(|found| (found.name, found.source));
            assert_eq!(at, found, "{name}");
        }
        assert_eq!(DomainSet::default().find(&domain("tk")), None);
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_parent(
            listed in prop::collection::vec("[ab]{1,2}(\\.[ab]{1,2}){0,3}", 0..60),
            asked in prop::collection::vec("[ab]{1,2}(\\.[ab]{1,2}){0,4}", 1..60),
        ) {
            let names: Vec<&str> = listed.iter().map(String::as_str).collect();
            let set = set(&[&names]);
            for name in asked {
                let name = domain(&name);
                let expected = name.with_parents().find(|parent| names.contains(parent));
                prop_assert_eq!(set.find(&name).map(|found| found.name), expected);
            }
        }
    }
}
