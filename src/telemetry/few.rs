//! A family of counters that is asked for in every guarded request.
//!
//! The family itself hashes every label each time; here those met before are
//! found by comparing them, which costs a fraction of it while they are few.
//! Labels are closed sets, so they stay few.

use std::fmt;
use std::hash::Hash;

use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Counters by label, in the order in which they were first counted.
pub(super) struct Few<L> {
    family: Family<L, Counter>,
    met: RwLock<Vec<(L, Counter)>>,
}

impl<L: Clone + Eq + Hash> Few<L> {
    /// Counts one of this label.
    pub(super) fn inc(&self, label: L) {
        self.inc_by(label, 1);
    }

    /// Counts so many of this label; with none it is only met.
    pub(super) fn inc_by(&self, label: L, count: u64) {
        let met = self.met.read();
        if let Some((_, counter)) = met.iter().find(|(known, _)| *known == label) {
            counter.inc_by(count);
            return;
        }
        drop(met);
        let counter = self.family.get_or_create_owned(&label);
        counter.inc_by(count);
        // Twice, if two meet it at once: they are one counter all the same.
        self.met.write().push((label, counter));
    }

    /// For the registry.
    pub(super) fn family(&self) -> Family<L, Counter> {
        self.family.clone()
    }
}

impl<L: Clone + Eq + Hash> Default for Few<L> {
    fn default() -> Self {
        Self {
            family: Family::default(),
            met: RwLock::new(Vec::new()),
        }
    }
}

impl<L> fmt::Debug for Few<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Few")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_family() {
        let few = Few::<(&str, bool)>::default();
        for label in [("a", true), ("b", true), ("a", true), ("a", false)] {
            few.inc(label);
        }
        let count = |label| few.family().get_or_create(&label).get();
        assert_eq!(count(("a", true)), 2);
        assert_eq!(count(("b", true)), 1);
        assert_eq!(count(("a", false)), 1);
        assert_eq!(few.met.read().len(), 3);
    }
}
