//! What nodes tell each other of bans: entries with stamps, and tombstones.
//!
//! Of two entries on one subject and effect the one with the greater stamp
//! holds. A stamp is the wall clock in microseconds, but always greater than
//! the one it replaces, so a node whose clock is behind can still lift what it
//! has seen. A lifted ban leaves a tombstone for [`TOMBSTONES`]: a node that
//! was away for longer brings its old ban back.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{rows, spelling};
use crate::ban::{Ban, Effect, Subject};

/// How long it is remembered that a ban was lifted.
pub(in crate::store) const TOMBSTONES: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A decision on a subject, or that there is none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Entry {
    pub(in crate::store) subject: Subject,
    pub(in crate::store) effect: Effect,
    pub(in crate::store) stamp: i64,
    /// `None`: it was lifted. Its `id` is that of the node it comes from.
    pub(in crate::store) ban: Option<Ban>,
}

impl Entry {
    /// Whether it says nothing any more at `now`: the ban has ended, or its
    /// lifting is long past.
    pub(in crate::store) fn is_over(&self, now: Timestamp) -> bool {
        match &self.ban {
            Some(ban) => !ban.in_force(now),
            None => self.stamp < (now - TOMBSTONES).as_microsecond(),
        }
    }

    /// The same with its subject in the one spelling that a subject has.
    pub(in crate::store) fn canonical(mut self) -> Self {
        self.subject = spelling::canonical(self.subject);
        if let Some(ban) = &mut self.ban {
            ban.subject = self.subject.clone();
        }
        self
    }

    /// Whether it is about a subject as an earlier release spelled it.
    pub(in crate::store) fn is_misspelt(&self) -> bool {
        spelling::canonical(self.subject.clone()) != self.subject
    }
}

/// How far the changes of this node have been read: the newest ban and the
/// newest tombstone. Both numbers only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Cursor {
    ban: i64,
    lifted: i64,
}

/// What a change to a subject must be stamped with.
pub(super) fn next_stamp(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<i64> {
    let now = Timestamp::now().as_microsecond();
    Ok(stamp_of(connection, subject, effect)?.map_or(now, |last| now.max(last + 1)))
}

/// The stamp of what is known of a subject.
pub(super) fn stamp_of(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT max(stamp) FROM (
                 SELECT stamp FROM bans WHERE kind = ?1 AND value = ?2 AND effect = ?3
                 UNION ALL
                 SELECT stamp FROM lifted WHERE kind = ?1 AND value = ?2 AND effect = ?3)",
        )?
        .query_row(
            params![subject.kind(), rows::value(subject), rows::word(&effect)],
            |row| row.get(0),
        )
}

/// Writes down that a ban was lifted.
pub(super) fn bury(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
    stamp: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO lifted (kind, value, effect, stamp) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            subject.kind(),
            rows::value(subject),
            rows::word(&effect),
            stamp
        ])?;
    Ok(())
}

/// Takes a tombstone away.
pub(super) fn unbury(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM lifted WHERE kind = ?1 AND value = ?2 AND effect = ?3")?
        .execute(params![
            subject.kind(),
            rows::value(subject),
            rows::word(&effect)
        ])?;
    Ok(())
}

/// Forgets tombstones that are long past.
pub(super) fn sweep(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM lifted WHERE stamp < ?1")?
        .execute([(now - TOMBSTONES).as_microsecond()])?;
    Ok(())
}

/// Up to `most` bans and as many tombstones behind `from`, and where to go on;
/// read until nothing comes.
pub(in crate::store) fn after(
    connection: &Connection,
    from: Cursor,
    most: usize,
) -> rusqlite::Result<(Vec<Entry>, Cursor)> {
    let mut cursor = from;
    let mut entries = Vec::new();
    for (id, stamp, ban) in rows::after(connection, from.ban, most)? {
        cursor.ban = id;
        entries.extend(ban.map(|ban| Entry {
            subject: ban.subject.clone(),
            effect: ban.effect,
            stamp,
            ban: Some(ban),
        }));
    }
    for (id, entry) in rows::lifted_after(connection, from.lifted, most)? {
        cursor.lifted = id;
        entries.extend(entry);
    }
    Ok((entries, cursor))
}

/// What another node's entry does to this node's rows.
pub(super) enum Merged {
    Nothing,
    Put(Ban),
    Lift(Option<u64>),
}

/// Takes over an entry of another node, unless this one knows better.
pub(super) fn merge(
    connection: &Connection,
    entry: Entry,
    now: Timestamp,
) -> rusqlite::Result<Merged> {
    let entry = entry.canonical();
    let known = stamp_of(connection, &entry.subject, entry.effect)?;
    // Of two of the same moment the one that Redis has holds on all nodes.
    let older = known.is_some_and(|known| known > entry.stamp);
    if older || entry.is_over(now) {
        return Ok(Merged::Nothing);
    }
    let here = rows::find(connection, &entry.subject, entry.effect)?;
    match entry.ban {
        Some(ban) if known == Some(entry.stamp) && rows::same(here.as_ref(), &ban) => {
            Ok(Merged::Nothing)
        }
        Some(ban) => rows::put_stamped(connection, ban, entry.stamp).map(Merged::Put),
        None if known == Some(entry.stamp) && here.is_none() => Ok(Merged::Nothing),
        None => {
            let gone = rows::delete(connection, &entry.subject, entry.effect)
                .optional()
                .map(Option::flatten)?;
            bury(connection, &entry.subject, entry.effect, entry.stamp)?;
            Ok(Merged::Lift(gone.map(|ban| ban.id)))
        }
    }
}
