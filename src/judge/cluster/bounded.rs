//! A map that forgets when it weighs too much: the bound on what strangers can
//! make the registers hold.
//!
//! Weight is bytes, counted high: text that several entries share is counted
//! with each. What goes first is what was least active among those unused
//! longest; what is held against somebody goes last. Pure, and never slower
//! than a few entries' look for each that is added.

use std::borrow::Borrow;
use std::hash::Hash;

use lru::LruCache;

/// How many of those unused longest are compared for the least active.
const SAMPLE: usize = 16;

/// How often a sample of nothing but what is held is passed over for one eviction.
const LIFTS: usize = 8;

/// Bytes around an entry: list, hash table, allocations.
const AROUND: usize = 96;

/// Something with a weight.
pub trait Weigh {
    /// Bytes, itself and all it holds.
    fn weight(&self) -> usize;

    /// How much happened with it; the least active goes first.
    fn activity(&self) -> u64 {
        0
    }

    /// Whether it is to go last.
    fn held(&self) -> bool {
        false
    }
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Bounded<K: Hash + Eq, V> {
    entries: LruCache<K, Weighed<V>>,
    most: usize,
    weight: usize,
    evicted: u64,
    /// Handed out to be changed, and not weighed again since.
    touched: Option<K>,
}

#[derive(Clone, Debug)]
struct Weighed<V> {
    value: V,
    weight: usize,
}

impl<V: Weigh> Weighed<V> {
    /// What came of a change, what it weighs now, and what it weighed before.
    fn change<T>(
        &mut self,
        key: &impl Weigh,
        change: impl FnOnce(&mut V) -> T,
    ) -> (T, usize, usize) {
        let changed = change(&mut self.value);
        let weight = weigh(key, &self.value);
        let before = std::mem::replace(&mut self.weight, weight);
        (changed, weight, before)
    }
}

/// How much a map holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// Entries.
    pub entries: usize,
    /// Their weight in bytes, counted high.
    pub bytes: usize,
    /// Entries forgotten for want of room, ever.
    pub evicted: u64,
}

impl<K: Hash + Eq + Clone + Weigh, V: Weigh> Bounded<K, V> {
    /// An empty map of `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            entries: LruCache::unbounded(),
            most,
            weight: 0,
            evicted: 0,
            touched: None,
        }
    }

    /// From now on it may weigh `most` bytes.
    pub fn resize(&mut self, most: usize) {
        self.most = most;
        self.settle();
        self.trim(None);
    }

    /// How much it holds.
    #[must_use]
    pub fn fill(&self) -> Fill {
        Fill {
            entries: self.entries.len(),
            bytes: self.weight,
            evicted: self.evicted,
        }
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries, the latest used first.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let entries = self.entries.iter();
        entries.map(|(key, weighed)| (key, &weighed.value))
    }

    /// The value, as it is.
    #[must_use]
    pub fn peek<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.peek(key).map(|weighed| &weighed.value)
    }

    /// The value, which counts as used.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|weighed| &weighed.value)
    }

    /// The key as it is kept, and the value, which counts as used.
    pub fn get_key_value(&mut self, key: &K) -> Option<(&K, &V)> {
        let found = self.entries.get_key_value(key);
        found.map(|(key, weighed)| (key, &weighed.value))
    }

    /// The value, to be changed; counts as used.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.settle();
        let weighed = self.entries.get_mut(key)?;
        self.touched = Some(key.clone());
        Some(&mut weighed.value)
    }

    /// The value, to be changed; does not count as used.
    pub fn peek_mut(&mut self, key: &K) -> Option<&mut V> {
        self.settle();
        let weighed = self.entries.peek_mut(key)?;
        self.touched = Some(key.clone());
        Some(&mut weighed.value)
    }

    /// The value, to be changed, or a new one.
    pub fn get_or_insert_mut(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        self.settle();
        self.touched = Some(key.clone());
        let fresh = || Weighed {
            value: new(),
            weight: 0,
        };
        &mut self.entries.get_or_insert_mut(key, fresh).value
    }

    /// Changes the value or a new one, and weighs it at once: for what is done in every
    /// sign-up, with one look for the key.
    pub fn change_or_insert<T>(
        &mut self,
        key: &K,
        new: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> T,
    ) -> T {
        self.settle();
        let fresh = || Weighed {
            value: new(),
            weight: 0,
        };
        let weighed = self.entries.get_or_insert_mut_ref(key, fresh);
        let (changed, more, less) = weighed.change(key, change);
        self.reckon(key, more, less);
        changed
    }

    /// The same for a value that is there.
    pub fn change<T>(&mut self, key: &K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.settle();
        let weighed = self.entries.get_mut(key)?;
        let (changed, more, less) = weighed.change(key, change);
        self.reckon(key, more, less);
        Some(changed)
    }

    fn reckon(&mut self, changed: &K, more: usize, less: usize) {
        self.weight += more;
        self.weight -= less;
        self.trim(Some(changed));
    }

    /// Puts a value in, instead of the one that may be there.
    pub fn put(&mut self, key: K, value: V) {
        self.settle();
        let weight = weigh(&key, &value);
        let old = self.entries.put(key.clone(), Weighed { value, weight });
        self.weight += weight;
        self.weight -= old.map_or(0, |old| old.weight);
        self.trim(Some(&key));
    }

    /// Takes a value out.
    pub fn pop<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.settle();
        let weighed = self.entries.pop(key)?;
        self.weight -= weighed.weight;
        Some(weighed.value)
    }

    /// Weighs anew what was handed out to be changed.
    fn settle(&mut self) {
        let Some(key) = self.touched.take() else {
            return;
        };
        if let Some(weighed) = self.entries.peek_mut(&key) {
            let ((), now, before) = weighed.change(&key, |_| ());
            self.weight += now;
            self.weight -= before;
        }
        self.trim(Some(&key));
    }

    /// What is held against somebody is only looked at, and so would gather among
    /// those unused longest until there is nobody else to go.
    fn lift_held(&mut self) {
        for _ in 0..LIFTS {
            let oldest = self.entries.iter().rev().take(SAMPLE);
            let held = oldest.filter(|(_, weighed)| weighed.value.held());
            let held: Vec<K> = held.map(|(key, _)| key.clone()).collect();
            for key in &held {
                self.entries.promote(key);
            }
            if held.len() < SAMPLE {
                return;
            }
        }
    }

    fn trim(&mut self, spared: Option<&K>) {
        while self.weight > self.most {
            self.lift_held();
            let oldest = self.entries.iter().rev().take(SAMPLE);
            let others = oldest.filter(|(key, _)| spared != Some(*key));
            let least = others
                .min_by_key(|(_, weighed)| (weighed.value.held(), weighed.value.activity()))
                .map(|(key, _)| key.clone());
            let Some(gone) = least.and_then(|key| self.entries.pop(&key)) else {
                return;
            };
            self.weight -= gone.weight;
            self.evicted += 1;
        }
    }
}

fn weigh(key: &impl Weigh, value: &impl Weigh) -> usize {
    AROUND + key.weight() + value.weight()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    struct Thing {
        bytes: usize,
        activity: u64,
        held: bool,
    }

    impl Weigh for Thing {
        fn weight(&self) -> usize {
            self.bytes
        }

        fn activity(&self) -> u64 {
            self.activity
        }

        fn held(&self) -> bool {
            self.held
        }
    }

    fn thing(bytes: usize, activity: u64, held: bool) -> Thing {
        Thing {
            bytes,
            activity,
            held,
        }
    }

    #[test]
    fn the_least_active_goes_first_and_what_is_held_last() {
        let mut map = Bounded::new(3500);
        map.put(1_u64, thing(1000, 1, true));
        map.put(2, thing(1000, 9, false));
        map.put(3, thing(1000, 2, false));
        map.put(4, thing(1000, 1, false));
        assert!(map.peek(&3).is_none(), "less active than the second");
        map.put(5, thing(1000, 1, false));
        assert!(map.peek(&4).is_none());
        for key in 6..50 {
            map.put(key, thing(1000, 20, false));
        }
        assert!(map.peek(&1).is_some(), "held");
        assert!(map.fill().evicted > 40);
    }

    /// More of them than are compared for one that goes, all unused since.
    #[test]
    fn many_that_are_held_outlast_a_flood_of_others() {
        let held = 0..5 * SAMPLE as u64;
        let mut map = Bounded::new(150_000);
        for key in held.clone() {
            map.put(key, thing(1000, 1, true));
        }
        for key in 1000..3000 {
            map.put(key, thing(1000, 1000, false));
        }
        let left = held.clone().filter(|key| map.peek(key).is_some());
        assert_eq!(left.count(), held.count());
        assert!(map.fill().evicted > 1900, "{:?}", map.fill());
    }

    #[test]
    fn where_all_are_held_the_bound_holds_all_the_same() {
        let mut map = Bounded::new(50_000);
        for key in 0..1000_u64 {
            map.put(key, thing(1000, key, true));
        }
        assert!((30..=50).contains(&map.len()), "{}", map.len());
        assert!(map.fill().bytes <= 50_000);
        assert!(map.peek(&999).is_some(), "the one that has just come");
    }

    proptest! {
        /// What is changed and weighed at once is as what is handed out to be changed:
        /// the same is there, in the same order, and the same has gone.
        #[test]
        fn weighed_at_once_or_later_is_the_same(
            work in prop::collection::vec((0..2_u8, 0..30_u64, 0..2000_usize), 1..300),
        ) {
            let mut at_once = Bounded::new(8000);
            let mut later = Bounded::new(8000);
            for (what, key, bytes) in work {
                let new = || thing(0, key % 7, false);
                if what == 0 {
                    at_once.change_or_insert(&key, new, |one| one.bytes = bytes);
                    later.get_or_insert_mut(key, new).bytes = bytes;
                } else {
                    let there = at_once.change(&key, |one| one.bytes = bytes).is_some();
                    let one = later.get_mut(&key);
                    prop_assert_eq!(one.is_some(), there);
                    one.into_iter().for_each(|one| one.bytes = bytes);
                }
                later.settle();
                let left = |map: &Bounded<u64, Thing>| -> Vec<_> {
                    map.iter().map(|(key, one)| (*key, one.bytes)).collect()
                };
                prop_assert_eq!(left(&at_once), left(&later));
                prop_assert_eq!(at_once.fill(), later.fill());
            }
        }

        /// Whatever is done, the weight is that of what is there, and within the bound
        /// but for the one thing that was handed out last.
        #[test]
        fn weight_is_kept_within_the_bound(
            work in prop::collection::vec((0..6_u8, 0..30_u64, 0..2000_usize), 1..300),
        ) {
            let most = 8000;
            let mut map = Bounded::new(most);
            for (what, key, bytes) in work {
                match what {
                    0 => map.put(key, thing(bytes, key, false)),
                    1 => map.get_or_insert_mut(key, || thing(0, 0, false)).bytes = bytes,
                    2 => if let Some(one) = map.peek_mut(&key) { one.bytes += bytes / 8 },
                    3 => map.change_or_insert(&key, || thing(0, 0, false), |one| one.bytes = bytes),
                    4 => drop(map.change(&key, |one| one.bytes += bytes / 8)),
                    _ => drop(map.pop(&key)),
                }
                map.settle();
                let truth: usize = map.entries.iter().map(|(k, w)| weigh(k, &w.value)).sum();
                prop_assert_eq!(map.fill().bytes, truth);
                prop_assert!(truth <= most || map.len() == 1, "{} bytes", truth);
            }
        }
    }
}
