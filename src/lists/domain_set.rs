//! Millions of domain names, immutable, found by name or any parent.
//!
//! Names lie in one byte arena, bucket after bucket of those whose hashes fall
//! together, two to a bucket; an array says where each bucket begins. So a name
//! costs its own bytes and five more. A look-up counts the dots of the name and
//! asks for it and its parents, the longest first, but only for those that have as
//! many dots as some listed name. All is read eight bytes at a time. So its cost is
//! linear in a name that an attacker chose, once for each of those numbers. The
//! hash reads every byte and needs no key: who chooses look-ups does not choose the
//! set, and who writes the lists is trusted with them.
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
    /// A bit for each number of dots that some name has; the last for all beyond.
    depths: u64,
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
        if self.depths == 0 {
            return None;
        }
        let fewest = self.depths.trailing_zeros();
        let mut name = domain.as_str();
        let mut dots = dots(name.as_bytes());
        loop {
            if self.depths & depth(dots) != 0
                && let Some(source) = self.source(name.as_bytes())
            {
                let source = source.into();
                return Some(FoundName { name, source });
            }
            if dots <= fewest {
                return None;
            }
            name = parent(name)?;
            dots -= 1;
        }
    }

    /// The first file that lists `name`.
    fn source(&self, name: &[u8]) -> Option<u16> {
        let bucket = bucket(hash(name), self.buckets.len() - 1);
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
        self.hashes.push(hash(name));
        self.depths |= depth(dots(name));
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

/// What stands behind the first dot.
fn parent(name: &str) -> Option<&str> {
    // Most labels are shorter than a word.
    let dot = match marks(first_word(name.as_bytes())) {
        0 => name.bytes().position(|byte| byte == b'.')?,
        marks => marks.trailing_zeros() as usize / 8,
    };
    name.get(dot + 1..)
}

/// How many dots stand in `name`: at most 126, as it has at most 253 bytes.
fn dots(name: &[u8]) -> u32 {
    let (words, rest) = name.as_chunks();
    let rest = match name.last_chunk() {
        Some(&last) => u64::from_le_bytes(last).unbounded_shr(64 - 8 * rest.len() as u32),
        None => first_word(rest),
    };
    // Summed byte by byte, each at most 32; the product's highest byte is the sum of all.
    let mut sum = marks(rest) >> 7;
    for &word in words {
        sum += marks(u64::from_le_bytes(word)) >> 7;
    }
    (sum.wrapping_mul(ONES) >> 56) as u32
}

/// The highest bit of each byte that is a dot; all are ASCII.
const fn marks(word: u64) -> u64 {
    let others = word ^ (ONES * b'.' as u64);
    (HIGHEST - others) & HIGHEST
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);

/// The bit of names with so many dots.
fn depth(dots: u32) -> u64 {
    1 << dots.min(u64::BITS - 1)
}

/// As much of a name's hash as chooses among buckets. The last word is the last
/// eight bytes, some of them for the second time.
fn hash(name: &[u8]) -> u32 {
    let (words, _) = name.as_chunks();
    let mut hash = SEED ^ name.len() as u64;
    for &word in words {
        hash = step(hash, u64::from_le_bytes(word));
    }
    let last = match name.last_chunk() {
        Some(&last) => u64::from_le_bytes(last),
        None => first_word(name),
    };
    (step(hash, last) >> 32) as u32
}

/// The first eight bytes, zeroes behind fewer.
fn first_word(name: &[u8]) -> u64 {
    match name.first_chunk() {
        Some(&word) => u64::from_le_bytes(word),
        None => (name.iter()).rfold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of what is longer by a word.
fn step(hash: u64, word: u64) -> u64 {
    let (low, high) = (hash ^ word).carrying_mul(PRIME, 0);
    low ^ high
}

/// A bucket out of so many, which are fewer than four billion.
const fn bucket(hash: u32, buckets: usize) -> usize {
    ((hash as u64 * buckets as u64) >> 32) as usize
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
