//! Which webhooks have been heard already.
//!
//! A signature never runs out, so a body that somebody has recorded could be
//! sent for ever. A body counts once, and only within [`WINDOW`] of the moment
//! that it names itself, which is signed too; Mastodon tries for two days. What
//! was heard is remembered as long, on the disk as well; if it is ever more than
//! [`ROOM`], the window is cut short instead of forgetting. Pure.

use std::collections::{BTreeSet, HashSet};

use crate::secret::KeyedHash;

/// How old a webhook may be, in seconds: seventeen tries of Sidekiq's take two days and a bit.
pub(super) const WINDOW: i64 = 3 * 86_400;
/// How far Mastodon's clock may be ahead of ours, in seconds.
pub(super) const AHEAD: i64 = 600;
/// Bodies remembered.
const ROOM: usize = 131_072;

/// What was heard.
#[derive(Debug)]
pub(super) struct Replays {
    room: usize,
    heard: HashSet<KeyedHash>,
    by_age: BTreeSet<(i64, KeyedHash)>,
    /// Nothing that old is taken any more: some of it is forgotten.
    floor: i64,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Heard for the first time.
    New,
    /// Heard before.
    Again,
    /// Too old to tell.
    TooOld,
    /// From the future: one of the clocks is wrong.
    TooEarly,
}

impl Replays {
    pub(super) fn new(kept: Vec<(KeyedHash, i64)>) -> Self {
        let mut replays = Self::with_room(ROOM);
        for (hash, at) in kept {
            replays.note(hash, at);
        }
        replays
    }

    fn with_room(room: usize) -> Self {
        Self {
            room,
            heard: HashSet::new(),
            by_age: BTreeSet::new(),
            floor: i64::MIN,
        }
    }

    /// What the body with this hash, made at `at`, is at `now`.
    pub(super) fn place(&self, hash: KeyedHash, at: i64, now: i64) -> Place {
        if self.heard.contains(&hash) {
            return Place::Again;
        }
        if at > now + AHEAD {
            return Place::TooEarly;
        }
        if at < now - WINDOW || at <= self.floor {
            return Place::TooOld;
        }
        Place::New
    }

    /// Remembers a body, and forgets those whose age protects them.
    pub(super) fn note(&mut self, hash: KeyedHash, at: i64) {
        if self.heard.insert(hash) {
            self.by_age.insert((at, hash));
        }
        while self.by_age.len() > self.room {
            if let Some((at, hash)) = self.by_age.pop_first() {
                self.heard.remove(&hash);
                self.floor = self.floor.max(at);
            }
        }
    }

    /// Forgets what is too old to be taken again anyway.
    pub(super) fn sweep(&mut self, now: i64) {
        while let Some((at, hash)) = self.by_age.first().copied() {
            if at >= now - WINDOW {
                return;
            }
            self.by_age.pop_first();
            self.heard.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(number: u32) -> KeyedHash {
        KeyedHash(u128::from(number).to_be_bytes())
    }

    #[test]
    fn once_and_only_for_three_days() {
        let mut replays = Replays::with_room(8);
        let now = 1_000_000_000;
        assert_eq!(replays.place(hash(1), now, now), Place::New);
        replays.note(hash(1), now);
        assert_eq!(replays.place(hash(1), now, now + 60), Place::Again);
        replays.sweep(now + WINDOW + 1);
        assert!(replays.heard.is_empty());
        assert_eq!(replays.place(hash(1), now, now + WINDOW + 1), Place::TooOld);
        assert_eq!(replays.place(hash(2), now + AHEAD, now), Place::New);
        assert_eq!(
            replays.place(hash(2), now + AHEAD + 1, now),
            Place::TooEarly
        );
    }

    proptest! {
        /// However many come, in whatever order and with however little room, none is taken twice.
        #[test]
        fn nothing_is_taken_twice(
            bodies in proptest::collection::vec((0_u32..40, 0_i64..5), 1..300),
            room in 1_usize..10,
        ) {
            let mut replays = Replays::with_room(room);
            let mut taken = HashSet::new();
            let now = 1_000_000_000;
            for (number, step) in bodies {
                // What a body says of its time is part of the body.
                let at = now + i64::from(number) * 1000;
                let later = now + 40_000 + step;
                replays.sweep(later);
                if replays.place(hash(number), at, later) == Place::New {
                    prop_assert!(taken.insert(number), "{number} twice");
                    replays.note(hash(number), at);
                }
                prop_assert!(replays.heard.len() <= room && replays.by_age.len() <= room);
            }
        }
    }
}
