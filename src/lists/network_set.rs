//! Millions of networks, immutable, most specific first.
//!
//! Networks nest or are disjoint (RFC 4632), so a sorted array of the places
//! where the innermost network changes answers a look-up by one binary search:
//! the entry at or before an address is the innermost network there, or the
//! address lies in none. Seven bytes an entry for IPv4, nineteen for IPv6, as
//! three parallel arrays; a network with holes gives one entry more per hole.
//! A live ban never touches this set: `Overlay` lies over it.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::ban::Scopes;
use crate::lists::family::{Address, Bits, canonical};

/// The most files that one set can tell apart.
pub(super) const MOST_SOURCES: usize = 1 << 10;

/// What a look-up finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The innermost network.
    pub(super) network: IpNet,
    /// Its own scopes and those of every listed network around it: a feed that
    /// names one address must not weaken a wider entry of the admin's.
    pub(super) scopes: Scopes,
    /// The scopes that its own line states or implies.
    pub(super) stated: Scopes,
    /// The index of the file.
    pub(super) source: usize,
}

/// An immutable set of networks of both families.
#[derive(Debug, Default)]
pub(super) struct NetworkSet {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    /// Whether any of them counts for every request.
    all: bool,
}

impl NetworkSet {
    /// Whether `ip` lies in a network that counts for every request: what the
    /// pass-through path asks, mostly in vain.
    pub(super) fn holds_for_all(&self, ip: IpAddr) -> bool {
        self.all && self.find(ip).is_some_and(|found| found.scopes.all)
    }

    pub(super) fn find(&self, ip: IpAddr) -> Option<Found> {
        match Address::new(ip) {
            Address::V4(ip) => self.v4.find(ip),
            Address::V6(ip) => self.v6.find(ip),
        }
    }
}

/// A set being filled, in any order, duplicates welcome.
#[derive(Debug, Default)]
pub(super) struct NetworkSetBuilder {
    v4: Vec<Line<u32>>,
    v6: Vec<Line<u128>>,
}

impl NetworkSetBuilder {
    /// With room for so many bytes of a plain list of IPv4 networks; of what is not
    /// needed nothing is touched.
    pub(super) fn for_text(bytes: usize) -> Self {
        let mut builder = Self::default();
        // Without that much room at once it grows as it goes.
        let _ = builder.v4.try_reserve(bytes / 12);
        builder
    }

    /// Adds a network stated by the file of index `source`, below [`MOST_SOURCES`].
    pub(super) fn add(&mut self, net: IpNet, scopes: Scopes, source: usize) {
        let mark = Mark::new(scopes, source);
        match canonical(net) {
            IpNet::V4(net) => self.v4.push(Line {
                start: net.network().to_bits(),
                len: net.prefix_len(),
                mark,
            }),
            IpNet::V6(net) => self.v6.push(Line {
                start: net.network().to_bits(),
                len: net.prefix_len(),
                mark,
            }),
        }
    }

    /// The set; what is left in the builder is sorted, duplicates joined.
    pub(super) fn build(&mut self) -> NetworkSet {
        let all = |mark: Mark| unpack(mark.0).all;
        NetworkSet {
            all: self.v4.iter().any(|line| all(line.mark))
                || self.v6.iter().any(|line| all(line.mark)),
            v4: Ranges::new(&mut self.v4),
            v6: Ranges::new(&mut self.v6),
        }
    }
}

/// Scopes in force, scopes stated, and the file's index, in 3 + 3 + 10 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(u16);

impl Mark {
    fn new(scopes: Scopes, source: usize) -> Self {
        let bits = pack(scopes);
        let source = u16::try_from(source % MOST_SOURCES).unwrap_or_default();
        Self(source << 6 | bits << 3 | bits)
    }

    /// Two lines for one network: both speak, the first file gets the credit.
    fn join(self, other: Self) -> Self {
        Self(self.0 | (other.0 & 0o77))
    }

    /// Inside `outer`, whose scopes hold here too.
    fn inside(self, outer: Self) -> Self {
        Self(self.0 | (outer.0 & 0o7))
    }
}

fn pack(scopes: Scopes) -> u16 {
    u16::from(scopes.sign_up) | u16::from(scopes.mail) << 1 | u16::from(scopes.all) << 2
}

fn unpack(bits: u16) -> Scopes {
    Scopes {
        sign_up: bits & 1 != 0,
        mail: bits & 2 != 0,
        all: bits & 4 != 0,
    }
}

#[derive(Clone, Copy, Debug)]
struct Line<A> {
    start: A,
    len: u8,
    mark: Mark,
}

#[derive(Debug)]
struct Ranges<A> {
    starts: Box<[A]>,
    lens: Box<[u8]>,
    marks: Box<[Mark]>,
}

impl<A> Default for Ranges<A> {
    fn default() -> Self {
        Self {
            starts: Box::default(),
            lens: Box::default(),
            marks: Box::default(),
        }
    }
}

impl<A: Bits> Ranges<A> {
    fn new(lines: &mut Vec<Line<A>>) -> Self {
        lines.sort_unstable_by_key(|line| (line.start, line.len, line.mark.0 >> 6));
        lines.dedup_by(|later, kept| {
            let same = later.start == kept.start && later.len == kept.len;
            if same {
                kept.mark = kept.mark.join(later.mark);
            }
            same
        });
        let mut sweep = Sweep::with_capacity(lines.len());
        for &line in &*lines {
            sweep.open(line);
        }
        sweep.close_before(None);
        Self {
            starts: sweep.starts.into(),
            lens: sweep.lens.into(),
            marks: sweep.marks.into(),
        }
    }

    fn find(&self, ip: A) -> Option<Found> {
        let at = self
            .starts
            .partition_point(|&start| start <= ip)
            .checked_sub(1)?;
        let (&start, &len) = (self.starts.get(at)?, self.lens.get(at)?);
        if !ip.agrees(start, len) {
            return None;
        }
        let Mark(mark) = *self.marks.get(at)?;
        Some(Found {
            network: start.network(len),
            scopes: unpack(mark),
            stated: unpack(mark >> 3),
            source: usize::from(mark >> 6),
        })
    }
}

/// Walks sorted networks and writes down where the innermost one changes.
struct Sweep<A> {
    starts: Vec<A>,
    lens: Vec<u8>,
    marks: Vec<Mark>,
    /// The networks around the current place, outermost first.
    around: Vec<Line<A>>,
}

impl<A: Bits> Sweep<A> {
    fn with_capacity(lines: usize) -> Self {
        Self {
            starts: Vec::with_capacity(lines),
            lens: Vec::with_capacity(lines),
            marks: Vec::with_capacity(lines),
            around: Vec::new(),
        }
    }

    fn open(&mut self, mut line: Line<A>) {
        self.close_before(Some(line.start));
        if let Some(outer) = self.around.last() {
            line.mark = line.mark.inside(outer.mark);
        }
        self.push(line);
        self.around.push(line);
    }

    /// Closes the networks that end before `place` (all of them for `None`);
    /// where the one around a closed network goes on, it gets a new entry.
    fn close_before(&mut self, place: Option<A>) {
        while let Some(inner) = self.around.last().copied() {
            let end = inner.start.last(inner.len);
            if place.is_some_and(|place| place <= end) {
                return;
            }
            self.around.pop();
            let (Some(&outer), Some(next)) = (self.around.last(), end.next()) else {
                continue;
            };
            let goes_on = next <= outer.start.last(outer.len);
            if goes_on && place.is_none_or(|place| next < place) {
                self.push(Line {
                    start: next,
                    ..outer
                });
            }
        }
    }

    fn push(&mut self, line: Line<A>) {
        self.starts.push(line.start);
        self.lens.push(line.len);
        self.marks.push(line.mark);
    }
}

#[cfg(test)]
mod tests;
