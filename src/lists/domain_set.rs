//! Millions of domain names, immutable, found by name or any parent.
//!
//! Names lie in one byte arena, bucket after bucket of those whose hashes fall
//! together, two to a bucket; an array says where each bucket begins. So a name
//! costs its own bytes and five more. A look-up walks the name once from the
//! right, eight bytes at a time, and asks for each parent that has as many
//! labels as some listed name, so its cost is linear in a name that an attacker
//! chose. The hash needs no key: who chooses look-ups does not choose the set,
//! and who writes the lists is trusted with them.
//! Names are compared as [`Domain`]s are: ASCII, lower case.

use crate::mailbox::Domain;

/// The most files that one set can tell apart.
pub(super) const MOST_SOURCES: usize = 1 << 16;

/// The most bytes of entries in one set; places are `u32`.
const MOST_BYTES: usize = u32::MAX as usize;

/// Names to a bucket, on average.
const CROWD: usize = 2;

/// A set of domains.
#[derive(Debug, Default)]
pub(super) struct DomainSet {
    /// All entries, bucket after bucket.
    arena: Box<[u8]>,
    /// Where in the arena each bucket begins, and where the last one ends.
    buckets: Box<[u32]>,
    /// A bit for each number of labels that some name has; the first for all beyond 63.
    depths: u64,
    /// The most labels that a name has.
    deepest: u32,
}

/// What a look-up finds: the most specific listed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoundName<'a> {
    /// The listed name: the one looked up or a parent of it.
    pub(super) name: &'a str,
    /// The index of the first file that lists it.
    pub(super) source: usize,
}

impl DomainSet {
    /// The name itself or the longest listed parent.
    pub(super) fn find<'a>(&self, domain: &'a Domain) -> Option<FoundName<'a>> {
        if self.deepest == 0 {
            return None;
        }
        let (name, mut found) = (domain.as_str(), None);
        climb(name.as_bytes(), |parent| {
            if self.depths & depth(parent.labels) != 0
                && let Some(bytes) = name.as_bytes().get(parent.from..)
                && let Some(source) = self.source(parent.hash, bytes)
            {
                found = Some((parent.from, source));
            }
            parent.labels < self.deepest
        });
        let (from, source) = found?;
        Some(FoundName {
            name: name.get(from..)?,
            source: source.into(),
        })
    }

    /// The first file that lists `name`. Not inlined: the walk that asks now and
    /// then keeps its registers so.
    #[inline(never)]
    fn source(&self, hash: u64, name: &[u8]) -> Option<u16> {
        let bucket = bucket(high(hash), self.buckets.len() - 1);
        let (&start, &end) = (self.buckets.get(bucket)?, self.buckets.get(bucket + 1)?);
        Entries(self.arena.get(start as usize..end as usize)?).source(name)
    }
}

/// A set being filled, file by file, duplicates welcome.
#[derive(Debug, Default)]
pub(super) struct DomainSetBuilder {
    /// All entries, in the order they came.
    arena: Vec<u8>,
    /// The hash of each.
    hashes: Vec<u32>,
    depths: u64,
    deepest: u32,
}

impl DomainSetBuilder {
    /// With room for so many bytes of a plain list; of what is not needed nothing is touched.
    pub(super) fn for_text(bytes: usize) -> Self {
        let mut builder = Self::default();
        // A line's end is a byte, an entry's head three; names have twelve and more.
        // Without that much room at once it grows as it goes.
        let _ = builder.arena.try_reserve(bytes + bytes / 5);
        let _ = builder.hashes.try_reserve(bytes / 12);
        builder
    }

    /// Adds a name listed by the file of index `source`, below [`MOST_SOURCES`];
    /// `false` if there is no room for it.
    pub(super) fn add(&mut self, domain: &Domain, source: usize) -> bool {
        let name = domain.as_str().as_bytes();
        let (Ok(len), Ok(source)) = (u8::try_from(name.len()), u16::try_from(source)) else {
            return false;
        };
        if self.arena.len() + HEAD + name.len() > MOST_BYTES {
            return false;
        }
        self.arena.extend_from_slice(&head(len, source));
        self.arena.extend_from_slice(name);
        let mut whole = Parent::default();
        climb(name, |parent| {
            whole = parent;
            true
        });
        self.hashes.push(high(whole.hash));
        self.depths |= depth(whole.labels);
        self.deepest = self.deepest.max(whole.labels);
        true
    }

    /// The set: every entry laid where its bucket ends, of duplicates the first.
    pub(super) fn build(&self) -> DomainSet {
        let crowds = self.hashes.len().div_ceil(CROWD);
        let mut buckets = self.buckets(crowds);
        let mut ends = buckets.clone();
        let mut arena = vec![0; self.arena.len()];
        for (&hash, (source, name)) in self.hashes.iter().zip(Entries(&self.arena)) {
            let at = bucket(hash, crowds);
            let (Some(&start), Some(end)) = (buckets.get(at), ends.get_mut(at)) else {
                continue;
            };
            let (before, room) = arena.split_at_mut(*end as usize);
            let same = before.get(start as usize..).map(Entries);
            if same.and_then(|same| same.source(name)).is_none() {
                *end += lay(room, source, name);
            }
        }
        close_up(&mut arena, &mut buckets, &ends);
        // Cut to length in place, the room of duplicates would stay taken.
        let shorter = arena.len() < self.arena.len();
        DomainSet {
            arena: if shorter {
                arena.as_slice().into()
            } else {
                arena.into()
            },
            buckets: buckets.into(),
            depths: self.depths,
            deepest: self.deepest,
        }
    }

    /// Where each of so many buckets begins, and the last one ends, if no entry is left out.
    fn buckets(&self, count: usize) -> Vec<u32> {
        let mut buckets = vec![0; count + 1];
        for (&hash, (_, name)) in self.hashes.iter().zip(Entries(&self.arena)) {
            if let Some(next) = buckets.get_mut(bucket(hash, count) + 1) {
                *next += narrow(HEAD + name.len());
            }
        }
        let mut begin = 0;
        for bucket in &mut buckets {
            begin += *bucket;
            *bucket = begin;
        }
        buckets
    }
}

/// Writes an entry at the beginning of `room`; so many bytes.
fn lay(room: &mut [u8], source: u16, name: &[u8]) -> u32 {
    let size = HEAD + name.len();
    if let (Ok(len), Some(place)) = (u8::try_from(name.len()), room.get_mut(..size)) {
        let (before, rest) = place.split_at_mut(HEAD);
        before.copy_from_slice(&head(len, source));
        rest.copy_from_slice(name);
    }
    narrow(size)
}

/// Moves the buckets together where duplicates left room at their `ends`.
fn close_up(arena: &mut Vec<u8>, buckets: &mut [u32], ends: &[u32]) {
    let mut len = 0;
    for (bucket, &end) in buckets.iter_mut().zip(ends) {
        let (from, to) = (*bucket as usize, end as usize);
        if from != len {
            arena.copy_within(from..to, len);
        }
        *bucket = narrow(len);
        len += to - from;
    }
    arena.truncate(len);
}

/// A place as it is kept: no more than [`MOST_BYTES`].
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// What stands before a name of so many bytes.
const fn head(len: u8, source: u16) -> [u8; HEAD] {
    let [high, low] = source.to_be_bytes();
    [len, high, low]
}

/// `length, file, name` after one another.
struct Entries<'a>(&'a [u8]);

/// The bytes of an entry before its name.
const HEAD: usize = 3;

impl Entries<'_> {
    /// The first file that lists `name`.
    fn source(mut self, name: &[u8]) -> Option<u16> {
        self.find_map(|(source, entry)| (entry == name).then_some(source))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[len, high, low], rest) = self.0.split_first_chunk::<HEAD>()?;
        let (name, rest) = rest.split_at_checked(len.into())?;
        self.0 = rest;
        Some((u16::from_be_bytes([high, low]), name))
    }
}

/// A name, or a parent of it.
#[derive(Clone, Copy, Default)]
struct Parent {
    hash: u64,
    labels: u32,
    /// Where in the name it begins.
    from: usize,
}

/// Shows `visit` each parent of `name`, the shortest first, and `name` itself at
/// last, for as long as it says so. Words of eight bytes are hashed, counted from
/// the right; a dot is thought before the name, so that a dot begins every parent.
fn climb(name: &[u8], mut visit: impl FnMut(Parent) -> bool) {
    let (mut rest, mut hash, mut labels) = (name, SEED, 0);
    loop {
        let end = rest.len();
        let full = rest.split_last_chunk();
        let word = match full {
            Some((before, &word)) => {
                rest = before;
                u64::from_be_bytes(word)
            }
            None => rest
                .iter()
                .fold(DOT, |word, &byte| word << 8 | u64::from(byte)),
        };
        let mut dots = dots(word);
        while dots != 0 {
            let behind = (dots & dots.wrapping_neg()) >> 7;
            labels += 1;
            let parent = Parent {
                hash: step(hash, word & (behind - 1)),
                labels,
                from: end - dots.trailing_zeros() as usize / 8,
            };
            if !visit(parent) {
                return;
            }
            dots &= dots - 1;
        }
        if full.is_none() {
            return;
        }
        hash = step(hash, word);
    }
}

const DOT: u64 = b'.' as u64;

/// The highest bit of each byte that is a dot; all are ASCII.
const fn dots(word: u64) -> u64 {
    let others = word ^ u64::from_ne_bytes([b'.'; 8]);
    !(others + u64::from_ne_bytes([0x7f; 8])) & u64::from_ne_bytes([0x80; 8])
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a name that is longer by eight bytes, or less, at its left.
fn step(hash: u64, word: u64) -> u64 {
    let (low, high) = (hash ^ word).carrying_mul(PRIME, 0);
    low ^ high
}

/// As much of a hash as chooses among buckets.
const fn high(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// A bucket out of so many, which are fewer than four billion.
const fn bucket(hash: u32, buckets: usize) -> usize {
    ((hash as u64 * buckets as u64) >> 32) as usize
}

/// The bit of names with so many labels.
const fn depth(labels: u32) -> u64 {
    1 << if labels < u64::BITS { labels } else { 0 }
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
        for (source, names) in files.iter().enumerate() {
            for name in *names {
                assert!(builder.add(&domain(name), source));
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
        assert_eq!(Entries(&set.arena).count(), 3);
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

    #[test]
    fn names_of_every_length_and_depth() {
        let deep = vec!["a"; 127].join(".");
        let names: Vec<&str> = (0..127).map(|n| &deep[2 * n..]).collect();
        for (at, name) in names.iter().enumerate() {
            let set = set(&[&[name]]);
            let asked = domain(&deep);
            assert_eq!(
                set.find(&asked).map(|found| found.name),
                Some(*name),
                "{at}"
            );
            let parents = names.iter().skip(at + 1);
            assert!(
                parents
                    .into_iter()
                    .all(|less| set.find(&domain(less)).is_none())
            );
        }
    }

    #[test]
    fn buckets_stay_small() {
        let names: Vec<String> = (0..100_000)
            .map(|n| format!("mail{n:x}.example.test"))
            .collect();
        let set = set(&[&names.iter().map(String::as_str).collect::<Vec<_>>()]);
        let longest = set.buckets.windows(2).map(|ends| ends[1] - ends[0]).max();
        // By chance: 12 names or so.
        assert!(longest.expect("buckets") < 20 * 25, "{longest:?}");
    }

    fn label() -> impl Strategy<Value = String> {
        // Few ones, so that names repeat; of any length, so that dots lie anywhere among the words.
        prop_oneof!["[ab]", (1_usize..20).prop_map(|len| "a".repeat(len))]
    }

    fn name(labels: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = String> {
        prop::collection::vec(label(), labels).prop_map(|labels| labels.join("."))
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_parent(
            files in prop::collection::vec(prop::collection::vec(name(1..5), 0..60), 1..4),
            asked in prop::collection::vec(name(1..4), 1..20),
        ) {
            let names: Vec<Vec<&str>> = files
                .iter()
                .map(|names| names.iter().map(String::as_str).collect())
                .collect();
            let set = set(&names.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let below = |listed| asked.iter().map(move |above| format!("{above}.{listed}"));
            for asked in files.iter().flatten().flat_map(below).chain(asked.iter().cloned()) {
                let asked = domain(&asked);
                let expected = asked.with_parents().find_map(|parent| {
                    let source = names.iter().position(|file| file.contains(&parent))?;
                    Some(FoundName { name: parent, source })
                });
                prop_assert_eq!(set.find(&asked), expected);
            }
        }
    }
}
