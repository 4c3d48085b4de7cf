//! Networks that may run out, innermost first.
//!
//! Sorted by start and length, each with the place of the network around it.
//! The entry at or before an address is the innermost one or lies inside it,
//! so following the way outwards meets every network around the address.
//! Unlike `network_set` it keeps every nested network reachable, because an
//! inner one may have run out.

use std::sync::Arc;

use crate::ban::Ban;
use crate::lists::family::Bits;

/// Live networks of one family.
#[derive(Debug)]
pub(super) struct Nest<A> {
    starts: Box<[A]>,
    bans: Box<[Place]>,
}

#[derive(Debug)]
struct Place {
    len: u8,
    /// The network around this one.
    outer: Option<usize>,
    ban: Arc<Ban>,
}

impl<A> Default for Nest<A> {
    fn default() -> Self {
        Self {
            starts: Box::default(),
            bans: Box::default(),
        }
    }
}

impl<A: Bits> Nest<A> {
    /// Of two entries for one network, the later in order counts.
    pub(super) fn new(mut nets: Vec<(A, u8, &Arc<Ban>)>) -> Self {
        nets.reverse();
        nets.sort_by_key(|&(start, len, _)| (start, len));
        nets.dedup_by_key(|&mut (start, len, _)| (start, len));
        let starts: Box<[A]> = nets.iter().map(|&(start, ..)| start).collect();
        let mut bans: Vec<Place> = Vec::with_capacity(nets.len());
        for (at, (start, len, ban)) in nets.into_iter().enumerate() {
            let mut outer = at.checked_sub(1);
            while let Some(place) = outer
                && let (Some(candidate), Some(&begin)) = (bans.get(place), starts.get(place))
                && !start.agrees(begin, candidate.len)
            {
                outer = candidate.outer;
            }
            let ban = Arc::clone(ban);
            bans.push(Place { len, outer, ban });
        }
        Self {
            starts,
            bans: bans.into(),
        }
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The innermost network around `ip` that counts.
    pub(super) fn find(&self, ip: A, counts: impl Fn(&Ban) -> bool) -> Option<&Ban> {
        let mut at = self
            .starts
            .partition_point(|&start| start <= ip)
            .checked_sub(1);
        while let Some(place) = at {
            let (entry, &start) = (self.bans.get(place)?, self.starts.get(place)?);
            if ip.agrees(start, entry.len) && counts(&entry.ban) {
                return Some(&entry.ban);
            }
            at = entry.outer;
        }
        None
    }
}
