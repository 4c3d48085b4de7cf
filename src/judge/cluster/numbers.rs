//! The numbers of clusters and sign-ups: counted up, and unique over all gates
//! that share a store without any of them asking another.
//!
//! A gate of its own counts M1, M2, M3. One of several puts a tag behind the
//! count that it drew at its start: M4081635 is the fourth, by the gate 081635.
//! Deliberately not given out by the shared store: a cluster is condemned under
//! a lock, and while that store is away.

use crate::cluster::TAGGED;

/// Tags are below this, and not zero.
const TAGS: u64 = TAGGED;

/// Gives out the numbers of clusters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    last: u64,
    tag: u64,
}

impl Numbers {
    /// From now on with the tag that `dice` falls on.
    pub const fn tag(&mut self, dice: u64) {
        self.tag = 1 + dice % (TAGS - 1);
    }

    /// This number is taken.
    pub const fn take(&mut self, number: u64) {
        if number > self.last {
            self.last = number;
        }
    }

    /// A number that nobody has.
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub const fn next(&mut self) -> u64 {
        self.last = if self.tag == 0 {
            self.last + 1
        } else {
            (self.last / TAGS + 1) * TAGS + self.tag
        };
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gate_counts_and_several_never_meet() {
        let mut alone = Numbers::default();
        assert_eq!([alone.next(), alone.next()], [1, 2]);
        alone.take(7);
        assert_eq!(alone.next(), 8);
        let (mut one, mut other) = (alone, alone);
        one.tag(80_999);
        other.tag(999_999);
        assert_eq!([one.next(), other.next()], [1_081_000, 1_000_001]);
        one.take(1_000_001);
        assert_eq!(one.next(), 2_081_000);
        assert!(other.next() >= TAGGED);
    }
}
