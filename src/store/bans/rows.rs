//! Bans as rows. Ids are never reused (`AUTOINCREMENT`); times are microseconds.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::changes::{self, Entry};
use super::spelling;
use crate::ban::{Ban, Effect, Scopes, Subject};

pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE bans (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        kind     TEXT NOT NULL,
        value    TEXT NOT NULL,
        effect   TEXT NOT NULL,
        sign_up  INTEGER NOT NULL,
        mail     INTEGER NOT NULL,
        every    INTEGER NOT NULL,
        reason   TEXT NOT NULL,
        source   TEXT NOT NULL,
        created  INTEGER NOT NULL,
        expires  INTEGER,
        UNIQUE (kind, value, effect)
    ) STRICT;
    CREATE INDEX bans_expires ON bans (expires) WHERE expires IS NOT NULL;
",
    "
    ALTER TABLE bans ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;
    UPDATE bans SET stamp = created;
    CREATE TABLE lifted (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        kind     TEXT NOT NULL,
        value    TEXT NOT NULL,
        effect   TEXT NOT NULL,
        stamp    INTEGER NOT NULL,
        UNIQUE (kind, value, effect)
    ) STRICT;
",
];

const COLUMNS: &str =
    "id, kind, value, effect, sign_up, mail, every, reason, source, created, expires";

/// Every ban that can be read; one that cannot is said and left where it is.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Ban>> {
    let mut query = connection.prepare(&format!("SELECT {COLUMNS} FROM bans ORDER BY id"))?;
    let mut rows = query.query([])?;
    let mut bans = Vec::new();
    while let Some(row) = rows.next()? {
        match read(row)? {
            Some(ban) => bans.push(ban),
            None => tracing::error!(
                id = row.get::<_, i64>(0)?,
                "a ban in the store cannot be read and is not in force"
            ),
        }
    }
    Ok(bans)
}

/// Writes a ban of this node in place of one on the same subject with the same effect.
pub(super) fn put(connection: &Connection, ban: Ban) -> rusqlite::Result<Ban> {
    let stamp = changes::next_stamp(connection, &ban.subject, ban.effect)?;
    put_stamped(connection, ban, stamp)
}

/// The same, decided at `stamp`.
pub(super) fn put_stamped(
    connection: &Connection,
    mut ban: Ban,
    stamp: i64,
) -> rusqlite::Result<Ban> {
    ban.created = to_micros(ban.created);
    ban.expires = ban.expires.map(to_micros);
    ban.subject = spelling::canonical(ban.subject);
    delete(connection, &ban.subject, ban.effect).optional()?;
    changes::unbury(connection, &ban.subject, ban.effect)?;
    connection
        .prepare_cached(
            "INSERT INTO bans (kind, value, effect, sign_up, mail, every, reason, source, created, expires, stamp)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            ban.subject.kind(),
            value(&ban.subject),
            word(&ban.effect),
            ban.scopes.sign_up,
            ban.scopes.mail,
            ban.scopes.all,
            ban.reason,
            ban.source,
            ban.created.as_microsecond(),
            ban.expires.map(Timestamp::as_microsecond),
            stamp,
        ])?;
    ban.id = connection.last_insert_rowid().unsigned_abs();
    Ok(ban)
}

/// Lifts the ban on a subject and returns it.
pub(super) fn take(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<Option<Ban>> {
    let stamp = changes::next_stamp(connection, subject, effect)?;
    let gone = delete(connection, subject, effect).optional()?;
    if gone.is_some() {
        changes::bury(connection, subject, effect, stamp)?;
    }
    Ok(gone.flatten())
}

/// Deletes the row on a subject; what stood in it, as far as it can be read.
pub(super) fn delete(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<Option<Ban>> {
    connection
        .prepare_cached(&format!(
            "DELETE FROM bans WHERE kind = ?1 AND value = ?2 AND effect = ?3 RETURNING {COLUMNS}"
        ))?
        .query_row(params![subject.kind(), value(subject), word(&effect)], read)
}

/// The ban on a subject.
pub(super) fn find(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<Option<Ban>> {
    let ban = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM bans WHERE kind = ?1 AND value = ?2 AND effect = ?3"
        ))?
        .query_row(params![subject.kind(), value(subject), word(&effect)], read)
        .optional()?;
    Ok(ban.flatten())
}

/// Whether two nodes mean the same, whatever number each gave it.
pub(super) fn same(here: Option<&Ban>, there: &Ban) -> bool {
    here.is_some_and(|here| {
        let there = Ban {
            id: here.id,
            ..there.clone()
        };
        *here == there
    })
}

/// Up to `most` rows with an id over `id`: id, stamp, and the ban if it can be read.
pub(super) fn after(
    connection: &Connection,
    id: i64,
    most: usize,
) -> rusqlite::Result<Vec<(i64, i64, Option<Ban>)>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, stamp FROM bans WHERE id > ?1 ORDER BY id LIMIT ?2"
        ))?
        .query_map(params![id, most as i64], |row| {
            Ok((row.get("id")?, row.get("stamp")?, read(row)?))
        })?
        .collect()
}

/// Up to `most` tombstones with an id over `id`.
pub(super) fn lifted_after(
    connection: &Connection,
    id: i64,
    most: usize,
) -> rusqlite::Result<Vec<(i64, Option<Entry>)>> {
    connection
        .prepare_cached(
            "SELECT id, kind, value, effect, stamp FROM lifted WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?
        .query_map(params![id, most as i64], |row| {
            Ok((row.get("id")?, read_lifted(row)?))
        })?
        .collect()
}

fn read_lifted(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let (subject, effect) = (read_subject(row)?, row.get::<_, String>("effect")?);
    let stamp = row.get("stamp")?;
    let entry = |(subject, effect)| Entry {
        subject,
        effect,
        stamp,
        ban: None,
    };
    Ok(subject.zip(of_word(Value::String(effect))).map(entry))
}

fn read_subject(row: &Row<'_>) -> rusqlite::Result<Option<Subject>> {
    let kind: String = row.get("kind")?;
    let value: String = row.get("value")?;
    Ok(of_word(json!({ "kind": kind, "value": value })).map(spelling::canonical))
}

/// Deletes what ended before `now`: their ids.
pub(super) fn sweep(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<u64>> {
    connection
        .prepare_cached("DELETE FROM bans WHERE expires <= ?1 RETURNING id")?
        .query_map([now.as_microsecond()], |row| {
            Ok(row.get::<_, i64>(0)?.unsigned_abs())
        })?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Ban>> {
    let effect: String = row.get("effect")?;
    let expires: Option<i64> = row.get("expires")?;
    let ban = Ban {
        id: row.get::<_, i64>("id")?.unsigned_abs(),
        subject: match read_subject(row)? {
            Some(subject) => subject,
            None => return Ok(None),
        },
        effect: match of_word(Value::String(effect)) {
            Some(effect) => effect,
            None => return Ok(None),
        },
        scopes: Scopes {
            sign_up: row.get("sign_up")?,
            mail: row.get("mail")?,
            all: row.get("every")?,
        },
        reason: row.get("reason")?,
        source: row.get("source")?,
        created: from_micros(row.get("created")?),
        expires: expires.map(from_micros),
    };
    Ok(Some(ban))
}

fn of_word<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

pub(super) fn value(subject: &Subject) -> String {
    spelling::canonical(subject.clone()).to_string()
}

fn to_micros(at: Timestamp) -> Timestamp {
    from_micros(at.as_microsecond())
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
