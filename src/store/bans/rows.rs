//! Bans as rows. Ids are never reused (`AUTOINCREMENT`); times are microseconds.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::ban::{Ban, Effect, Scopes, Subject};

pub(super) const MIGRATIONS: &[&str] = &["
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
"];

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

/// Writes a ban in place of one on the same subject with the same effect.
pub(super) fn put(connection: &Connection, mut ban: Ban) -> rusqlite::Result<Ban> {
    ban.created = to_micros(ban.created);
    ban.expires = ban.expires.map(to_micros);
    ban.subject = canonical(ban.subject);
    take(connection, &ban.subject, ban.effect)?;
    connection
        .prepare_cached(
            "INSERT INTO bans (kind, value, effect, sign_up, mail, every, reason, source, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
        ])?;
    ban.id = connection.last_insert_rowid().unsigned_abs();
    Ok(ban)
}

/// Deletes the ban on a subject and returns it.
pub(super) fn take(
    connection: &Connection,
    subject: &Subject,
    effect: Effect,
) -> rusqlite::Result<Option<Ban>> {
    let ban = connection
        .prepare_cached(&format!(
            "DELETE FROM bans WHERE kind = ?1 AND value = ?2 AND effect = ?3 RETURNING {COLUMNS}"
        ))?
        .query_row(params![subject.kind(), value(subject), word(&effect)], read)
        .optional()?;
    Ok(ban.flatten())
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
    let kind: String = row.get("kind")?;
    let value: String = row.get("value")?;
    let effect: String = row.get("effect")?;
    let expires: Option<i64> = row.get("expires")?;
    let ban = Ban {
        id: row.get::<_, i64>("id")?.unsigned_abs(),
        subject: match of_word(json!({ "kind": kind, "value": value })) {
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

fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn value(subject: &Subject) -> String {
    canonical(subject.clone()).to_string()
}

/// One network has many spellings, of which `198.51.100.7/24` is one.
fn canonical(subject: Subject) -> Subject {
    match subject {
        Subject::Network(network) => Subject::Network(network.trunc()),
        other => other,
    }
}

fn to_micros(at: Timestamp) -> Timestamp {
    from_micros(at.as_microsecond())
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
