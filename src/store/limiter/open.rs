//! Reservations not yet settled, as far as giving back must know of them.
//!
//! Taking one charge out of a bucket afterwards must leave it as if that charge
//! had never been, not one interval fuller: a charge whose time has drained away
//! returns nothing. Otherwise whoever holds requests open, lets the bucket
//! refill, spends it and only then lets the held requests fail would spend twice.
//!
//! With charges at t₁ ≤ … ≤ tₙ a bucket is full at maxⱼ (tⱼ + T·(n−j+1)). Without
//! charge i that is max(full − T, Mᵢ), Mᵢ being the same maximum over the charges
//! after i. For each bucket with open reservations the charges since the oldest
//! open one are kept in at most [`GROUPS`] groups of near moments, each taken to
//! be at its latest one, which can only err towards giving back less.

use std::collections::VecDeque;

/// After this long a reservation counts as kept, in nanoseconds. Longer than
/// any reply may take; a reservation that was lost holds its record no longer.
pub(super) const LONGEST: u64 = 600 * 1_000_000_000;

const GROUPS: usize = 32;
const RECORDS: usize = 65_536;
const NEAR: u64 = 10_000_000;

#[derive(Clone, Copy, Debug)]
struct Group {
    first: u64,
    last: u64,
    charges: u64,
    open: u64,
}

/// Records of buckets that have open reservations; a ticket is a place in it.
#[derive(Debug, Default)]
pub(super) struct Open {
    records: Vec<VecDeque<Group>>,
    free: Vec<u32>,
}

impl Open {
    /// Notes a charge at `now` on the bucket with this record, and gives its
    /// record; `None` when there are too many, and the charge is then never
    /// given back.
    pub(super) fn charge(&mut self, ticket: Option<u32>, now: u64) -> Option<u32> {
        let ticket = ticket.or_else(|| self.issue())?;
        let groups = self.groups(ticket);
        drop_settled(groups, now);
        match groups.back_mut() {
            Some(back) if now.saturating_sub(back.first) < NEAR => {
                back.last = back.last.max(now);
                back.charges += 1;
                back.open += 1;
            }
            Some(_) | None => groups.push_back(Group {
                first: now,
                last: now,
                charges: 1,
                open: 1,
            }),
        }
        if groups.len() > GROUPS {
            join_nearest(groups, now);
        }
        Some(ticket)
    }

    /// Settles a charge made at `at` as kept.
    pub(super) fn keep(&mut self, ticket: u32, at: u64, now: u64) -> Option<u32> {
        self.settle(ticket, at, now, |group| group.open -= 1);
        self.still(ticket, now)
    }

    /// Settles a charge made at `at` as given back: the bucket without it, and
    /// its record if it is still needed.
    pub(super) fn give_back(
        &mut self,
        ticket: u32,
        at: u64,
        interval: u64,
        full_at: u64,
        now: u64,
    ) -> (u64, Option<u32>) {
        let place = self.settle(ticket, at, now, |group| {
            group.open -= 1;
            group.charges -= 1;
        });
        let without = place.map_or(full_at, |place| {
            let others = full_with_only(self.groups(ticket), place, interval);
            full_at.saturating_sub(interval).max(others).min(full_at)
        });
        (without, self.still(ticket, now))
    }

    /// Whether every reservation of this record is settled or too old.
    pub(super) fn is_settled(&self, ticket: u32, now: u64) -> bool {
        self.records.get(ticket as usize).is_none_or(|groups| {
            groups
                .iter()
                .all(|group| group.open == 0 || old(group, now))
        })
    }

    /// Takes a record back whose bucket is gone.
    pub(super) fn forget(&mut self, ticket: u32) {
        if let Some(groups) = self.records.get_mut(ticket as usize) {
            groups.clear();
            self.free.push(ticket);
        }
    }

    fn issue(&mut self) -> Option<u32> {
        self.free.pop().or_else(|| {
            let ticket = u32::try_from(self.records.len()).ok()?;
            (self.records.len() < RECORDS).then(|| {
                self.records.push(VecDeque::new());
                ticket
            })
        })
    }

    fn groups(&mut self, ticket: u32) -> &mut VecDeque<Group> {
        &mut self.records[ticket as usize]
    }

    /// Applies `change` to the group of a charge made at `at`, unless it counts
    /// as kept by now.
    fn settle(
        &mut self,
        ticket: u32,
        at: u64,
        now: u64,
        change: impl FnOnce(&mut Group),
    ) -> Option<usize> {
        let groups = self.groups(ticket);
        drop_settled(groups, now);
        let place = groups.partition_point(|group| group.last < at);
        let group = groups.get_mut(place)?;
        if group.open == 0 || group.first > at {
            return None;
        }
        change(group);
        Some(place)
    }

    fn still(&mut self, ticket: u32, now: u64) -> Option<u32> {
        let groups = self.groups(ticket);
        drop_settled(groups, now);
        if groups.is_empty() {
            self.free.push(ticket);
            return None;
        }
        Some(ticket)
    }
}

/// When a bucket that knew only the groups from `place` on would be full again.
fn full_with_only(groups: &VecDeque<Group>, place: usize, interval: u64) -> u64 {
    groups
        .iter()
        .skip(place)
        .filter(|group| group.charges > 0)
        .fold(0, |full, group| {
            full.max(group.last)
                .saturating_add(interval.saturating_mul(group.charges))
        })
}

const fn old(group: &Group, now: u64) -> bool {
    now.saturating_sub(group.last) > LONGEST
}

fn drop_settled(groups: &mut VecDeque<Group>, now: u64) {
    while groups
        .front()
        .is_some_and(|group| group.open == 0 || old(group, now))
    {
        groups.pop_front();
    }
}

/// Joins the two neighbours that are nearest for their age, so that old
/// reservations are known roughly and fresh ones well. Not the newest: it may
/// still be growing, and groups must not overlap.
fn join_nearest(groups: &mut VecDeque<Group>, now: u64) {
    let strain = |older: &Group, newer: &Group| {
        let gap = newer.last.saturating_sub(older.first);
        u128::from(gap) * 1024 / u128::from(now.saturating_sub(older.first) + NEAR)
    };
    let nearest = groups
        .iter()
        .zip(groups.iter().skip(1))
        .take(groups.len() - 2)
        .enumerate()
        .min_by_key(|(_, (older, newer))| strain(older, newer));
    let Some((place, _)) = nearest else { return };
    let Some(newer) = groups.remove(place + 1) else {
        return;
    };
    let older = &mut groups[place];
    older.last = older.last.max(newer.last);
    older.charges += newer.charges;
    older.open += newer.open;
}
