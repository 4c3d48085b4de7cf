//! What the limiter's lock protects: one pass that checks, one that charges.
//!
//! The first pass looks every key up and changes nothing but a bucket that is
//! emptier than empty; the second cannot fail. Sweeping comes before both, for it
//! moves slots.

use std::time::Duration;

use super::changed::Changed;
use super::open::Open;
use super::pace::Pace;
use super::saved::{Cursor, SavedSlot};
use super::table::{self, Slot, Table};
use super::timeline::{Moment, Timeline};
use super::{Charge, Occupancy, Part, Reservation, Spent, Taken};
use crate::quota::LONGEST_PERIOD;
use crate::secret::KeyedHash;
use crate::verdict::Mode;

/// Places the hand moves over for a reservation, for a key added by the one
/// before it, and when new keys find no room: a constant each, so that the cost
/// of a reservation does not depend on how many keys there are.
const STEPS: usize = 2;
const STEPS_PER_KEY: usize = 8;
const STEPS_IF_FULL: usize = 32;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct State {
    time: Timeline,
    table: Table,
    open: Open,
    changed: Changed,
    added: usize,
    fallbacks: u64,
    unlimited: u64,
    expired: u64,
}

/// What the first pass found for one charge.
#[derive(Clone, Copy)]
struct Plan {
    part: Part,
    place: Option<usize>,
    full_at: u64,
    used_until: u64,
}

impl State {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            time: Timeline::default(),
            table: Table::new(slots),
            open: Open::default(),
            changed: Changed::default(),
            added: 0,
            fallbacks: 0,
            unlimited: 0,
            expired: 0,
        }
    }

    pub(super) const fn taken(&self) -> usize {
        self.table.len()
    }

    pub(super) const fn expired(&self) -> u64 {
        self.expired
    }

    pub(super) const fn occupancy(&self) -> Occupancy {
        Occupancy {
            taken: self.table.len(),
            room: self.table.slots() / 2,
            slots: self.table.slots(),
            bytes: self.table.slots() * table::BYTES,
            fallbacks: self.fallbacks,
            unlimited: self.unlimited,
            expired: self.expired,
        }
    }

    pub(super) fn left(&mut self, charge: &Charge, micros: u64) -> u32 {
        let now = self.time.read(micros).now;
        let key = key_of(charge.key);
        let full_at = self.table.find(key).map_or(0, |(_, slot)| slot.full_at);
        let left = Pace::new(charge.quota).left(full_at, now);
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    pub(super) fn reserve(
        &mut self,
        charges: &[Charge],
        micros: u64,
    ) -> Result<Reservation, Spent> {
        let moment = self.time.read(micros);
        self.sweep(moment.now);
        let mut plans: Vec<Plan> = Vec::with_capacity(charges.len());
        let mut observed = Vec::new();
        let mut spent: Option<Spent> = None;
        for (index, charge) in charges.iter().enumerate() {
            match self.plan(charges, charge, &plans, moment.now) {
                Ok(plan) => plans.push(plan),
                Err((plan, fits_from)) => {
                    let this = report(index, charge, fits_from, moment);
                    match (&mut spent, charge.mode) {
                        (_, Mode::Observe | Mode::Off) => observed.push(this),
                        (Some(first), Mode::Enforce) => first.after = first.after.max(this.after),
                        (None, Mode::Enforce) => spent = Some(this),
                    }
                    plans.push(plan);
                }
            }
        }
        if let Some(spent) = spent {
            return Err(spent);
        }
        let parts = plans.iter().map(|plan| self.charge(plan, moment.now));
        Ok(Reservation {
            at: moment.now,
            parts: parts.collect(),
            observed,
        })
    }

    pub(super) fn settle(&mut self, reservation: &Reservation, which: impl Fn(usize) -> bool) {
        let now = self.time.now();
        for (index, part) in reservation.parts.iter().enumerate() {
            if part.taken != Taken::Own {
                continue;
            }
            let Some((place, mut slot)) = self.table.find(part.key) else {
                continue;
            };
            let Some(ticket) = slot.ticket else { continue };
            if which(index) {
                (slot.full_at, slot.ticket) =
                    self.open
                        .give_back(ticket, reservation.at, part.interval, slot.full_at, now);
            } else {
                slot.ticket = self.open.keep(ticket, reservation.at, now);
            }
            slot.unsaved = slot.unsaved || self.changed.add(slot.key);
            self.table.overwrite(place, slot);
        }
    }

    pub(super) fn export(&self, from: Cursor, most: usize) -> (Vec<SavedSlot>, Option<Cursor>) {
        let end = from.0.saturating_add(most.max(1)).min(self.table.slots());
        let saved = (from.0..end)
            .filter_map(|place| self.table.at(place))
            .map(|slot| self.save(&slot));
        let next = (end < self.table.slots()).then_some(Cursor(end));
        (saved.collect(), next)
    }

    pub(super) fn note_changes(&mut self) {
        self.changed.note();
    }

    pub(super) fn changes(&self) -> usize {
        self.changed.len()
    }

    pub(super) fn take_changed(&mut self, room: Vec<u128>) -> Vec<u128> {
        self.changed.take(room)
    }

    /// Adds the buckets of these keys that are still there to `saved`.
    pub(super) fn save_into(&mut self, saved: &mut Vec<SavedSlot>, keys: &[u128]) {
        for key in keys {
            if let Some((place, mut slot)) = self.table.find(*key) {
                slot.unsaved = false;
                self.table.overwrite(place, slot);
                saved.push(self.save(&slot));
            }
        }
    }

    fn save(&self, slot: &Slot) -> SavedSlot {
        SavedSlot {
            key: KeyedHash(slot.key.to_be_bytes()),
            full_at: self.time.wall_of(slot.full_at),
            used_until: self.time.wall_of(slot.used_until),
        }
    }

    pub(super) fn import(&mut self, saved: SavedSlot, micros: u64) -> bool {
        let now = self.time.read(micros).now;
        // A clock that was ahead when this was saved must not hold the slot for ever.
        let latest = now.saturating_add(nanos(LONGEST_PERIOD));
        let mut slot = Slot {
            key: key_of(saved.key),
            full_at: self.time.of_wall(saved.full_at),
            used_until: self.time.of_wall(saved.used_until).min(latest),
            ticket: None,
            unsaved: false,
        };
        if slot.full_at <= now && slot.used_until <= now {
            return false;
        }
        if let Some((place, mut there)) = self.table.find(slot.key) {
            there.full_at = there.full_at.max(slot.full_at);
            there.used_until = there.used_until.max(slot.used_until);
            there.unsaved = there.unsaved || self.changed.add(slot.key);
            self.table.overwrite(place, there);
        } else if self.table.len() < self.table.slots() / 2 {
            slot.unsaved = self.changed.add(slot.key);
            self.table.add(slot);
        } else {
            return false;
        }
        true
    }

    fn sweep(&mut self, now: u64) {
        let steps = if self.table.len() >= self.table.slots() / 2 {
            STEPS_IF_FULL
        } else {
            STEPS + STEPS_PER_KEY * std::mem::take(&mut self.added)
        };
        let open = &mut self.open;
        let expired = self.table.sweep(steps, |slot| {
            let idle = slot.used_until <= now
                && slot.full_at <= now
                && slot
                    .ticket
                    .is_none_or(|ticket| open.is_settled(ticket, now));
            if let (true, Some(ticket)) = (idle, slot.ticket) {
                open.forget(ticket);
            }
            idle
        });
        self.expired += expired as u64;
    }

    /// The first pass over one charge: what would become of it. `Err` if it is
    /// spent, with the moment from which it would fit.
    fn plan(
        &mut self,
        charges: &[Charge],
        charge: &Charge,
        before: &[Plan],
        now: u64,
    ) -> Result<Plan, (Plan, u64)> {
        let pace = Pace::new(charge.quota);
        let key = key_of(charge.key);
        let mut plan = Plan {
            part: Part {
                key,
                interval: pace.interval(),
                taken: Taken::Pass,
            },
            place: None,
            full_at: 0,
            used_until: now.saturating_add(pace.period()),
        };
        if charge.mode == Mode::Off {
            return Ok(plan);
        }
        let twin = before
            .iter()
            .rfind(|other| other.part.key == key && other.part.taken != Taken::Pass);
        let full_at = match (twin, self.table.find(key)) {
            (Some(twin), found) => {
                plan.place = found.map(|(place, _)| place);
                plan.part.taken = twin.part.taken;
                twin.full_at
            }
            (None, Some((place, slot))) => {
                plan.place = Some(place);
                plan.used_until = plan.used_until.max(slot.used_until);
                plan.part.taken = Taken::Own;
                self.never_emptier_than_empty(place, slot, pace, now)
            }
            (None, None) => {
                plan.part.taken = self.room(charges, charge, before);
                0
            }
        };
        match plan.part.taken {
            Taken::Own => match pace.spend(full_at, now) {
                Ok(full_at) => plan.full_at = full_at,
                Err(fits_from) => {
                    plan.part.taken = Taken::Pass;
                    return Err((plan, fits_from));
                }
            },
            Taken::Pass | Taken::Wider | Taken::Unlimited => {}
        }
        Ok(plan)
    }

    fn never_emptier_than_empty(
        &mut self,
        place: usize,
        mut slot: Slot,
        pace: Pace,
        now: u64,
    ) -> u64 {
        let full_at = pace.at_most_empty(slot.full_at, now);
        if full_at < slot.full_at {
            // Written even if this request is refused, or it would never heal.
            slot.full_at = full_at;
            self.table.overwrite(place, slot);
        }
        full_at
    }

    /// Where a key goes that is not in the table.
    fn room(&self, charges: &[Charge], charge: &Charge, before: &[Plan]) -> Taken {
        let coming = before
            .iter()
            .filter(|plan| plan.place.is_none() && plan.part.taken == Taken::Own);
        let taken = self.table.len() + coming.count();
        let slots = self.table.slots();
        let covered = charge
            .wider
            .and_then(|index| charges.get(index))
            .is_some_and(|wider| covers(wider.mode, charge.mode));
        if taken < slots / 2 || (!covered && taken < slots / 4 * 3) {
            Taken::Own
        } else if covered {
            Taken::Wider
        } else {
            Taken::Unlimited
        }
    }

    /// The second pass over one charge: nothing can fail any more.
    fn charge(&mut self, plan: &Plan, now: u64) -> Part {
        match plan.part.taken {
            Taken::Own => self.write(plan, now),
            Taken::Wider => self.fallbacks += 1,
            Taken::Unlimited => self.unlimited += 1,
            Taken::Pass => {}
        }
        plan.part
    }

    fn write(&mut self, plan: &Plan, now: u64) {
        let found = match plan.place {
            Some(place) => self.table.at(place).map(|slot| (place, slot)),
            None => self.table.find(plan.part.key),
        };
        let slot = Slot {
            key: plan.part.key,
            full_at: plan.full_at,
            used_until: plan.used_until,
            ticket: self
                .open
                .charge(found.and_then(|(_, slot)| slot.ticket), now),
            unsaved: found.is_some_and(|(_, slot)| slot.unsaved) || self.changed.add(plan.part.key),
        };
        match found {
            Some((place, _)) => self.table.overwrite(place, slot),
            None => {
                self.added += 1;
                self.table.add(slot);
            }
        }
    }
}

const fn covers(wider: Mode, narrow: Mode) -> bool {
    matches!(
        (wider, narrow),
        (Mode::Enforce, _) | (Mode::Observe, Mode::Observe)
    )
}

fn report(index: usize, charge: &Charge, fits_from: u64, moment: Moment) -> Spent {
    let wait = (fits_from - moment.now).saturating_add(moment.lag);
    Spent {
        index,
        limit: charge.limit,
        burst: charge.quota.burst(),
        after: Duration::from_micros(wait.div_ceil(1000)),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const fn key_of(hash: KeyedHash) -> u128 {
    u128::from_be_bytes(hash.0)
}
