//! Events as rows: the whole event as JSON, and beside it what is filtered by.
//!
//! Rows lie in the order in which they came. References are random: with rows in
//! their order, every row would touch a page of its own and be written with it.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params, params_from_iter};

use super::{Filter, Onward};
use crate::event::{Event, EventId, Outcome};

pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE events (
        id          INTEGER PRIMARY KEY,
        at          INTEGER NOT NULL,
        endpoint    TEXT,
        rules       TEXT NOT NULL,
        mail_domain TEXT,
        client      BLOB,
        admitted    INTEGER NOT NULL,
        outcome     TEXT,
        count       INTEGER NOT NULL,
        body        TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_at ON events (at);
    CREATE INDEX events_admitted_at ON events (admitted, at);
",
    "
    CREATE TABLE rows (
        number      INTEGER PRIMARY KEY,
        id          INTEGER NOT NULL,
        at          INTEGER NOT NULL,
        endpoint    TEXT,
        rules       TEXT NOT NULL,
        mail_domain TEXT,
        client      BLOB,
        admitted    INTEGER NOT NULL,
        outcome     TEXT,
        count       INTEGER NOT NULL,
        body        TEXT NOT NULL
    ) STRICT;
    INSERT INTO rows (id, at, endpoint, rules, mail_domain, client, admitted, outcome, count, body)
        SELECT id, at, endpoint, rules, mail_domain, client, admitted, outcome, count, body
        FROM events;
    DROP TABLE events;
    ALTER TABLE rows RENAME TO events;
    CREATE UNIQUE INDEX events_id ON events (id);
    CREATE INDEX events_at ON events (at);
    CREATE INDEX events_admitted_at ON events (admitted, at);
",
];

/// Writes rows, one after the other.
pub(super) struct Insert<'connection> {
    statement: CachedStatement<'connection>,
    /// Of the last row; its room is used again.
    body: Vec<u8>,
    rules: String,
}

impl<'connection> Insert<'connection> {
    pub(super) fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        let statement = connection.prepare_cached(
            "INSERT OR REPLACE INTO events
                (id, at, endpoint, rules, mail_domain, client, admitted, outcome, count, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        Ok(Self {
            statement,
            body: Vec::with_capacity(2048),
            rules: String::new(),
        })
    }

    pub(super) fn row(&mut self, event: &Event) -> rusqlite::Result<()> {
        self.rules.clear();
        self.rules.push(',');
        for verdict in &event.verdicts {
            self.rules.push_str(verdict.rule.name());
            self.rules.push(',');
        }
        self.body.clear();
        serde_json::to_writer(&mut self.body, event)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.statement.execute(params![
            number(event.id),
            event.at.as_microsecond(),
            event.endpoint.map(crate::endpoint::Endpoint::name),
            self.rules,
            event
                .mail_domain
                .as_ref()
                .map(crate::mailbox::Domain::as_str),
            event.client.map(sortable),
            event.admitted,
            event.outcome.map(outcome_word),
            event.count,
            ToSqlOutput::Borrowed(ValueRef::Text(&self.body)),
        ])?;
        Ok(())
    }
}

pub(super) fn outcome(
    connection: &Connection,
    id: EventId,
    outcome: Outcome,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE events SET outcome = ?2 WHERE id = ?1")?
        .execute(params![number(id), outcome_word(outcome)])?;
    Ok(())
}

/// Adds to a row's count; whether there is such a row.
pub(super) fn add_count(
    connection: &Connection,
    id: EventId,
    count: u32,
) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE events SET count = min(count + ?2, 4294967295) WHERE id = ?1")?
        .execute(params![number(id), count])?;
    Ok(changed > 0)
}

pub(super) fn event(connection: &Connection, id: EventId) -> rusqlite::Result<Option<Event>> {
    connection
        .prepare_cached("SELECT body, outcome, count FROM events WHERE id = ?1")?
        .query_row([number(id)], read)
        .optional()
        .map(Option::flatten)
}

pub(super) fn select(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Event>> {
    let mut conditions = vec!["1"];
    let mut values = Vec::new();
    let mut require = |condition, value: Option<Value>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(value);
        }
    };
    let micros = |at: Timestamp| at.as_microsecond().into();
    let client = filter.client.map(|network| network.trunc());
    require("at >= ?", filter.since.map(micros));
    require("at < ?", filter.until.map(micros));
    require(
        "instr(rules, ?) > 0",
        filter.rule.map(|rule| format!(",{},", rule.name()).into()),
    );
    require(
        "endpoint = ?",
        filter.endpoint.map(|door| door.name().to_owned().into()),
    );
    require(
        "mail_domain = ?",
        filter.mail_domain.clone().map(|d| String::from(d).into()),
    );
    require(
        "client >= ?",
        client.map(|network| sortable(network.network()).to_vec().into()),
    );
    require(
        "client <= ?",
        client.map(|network| sortable(last(network)).to_vec().into()),
    );
    require("admitted = ?", filter.admitted.map(Into::into));
    let order = match filter.onward {
        None => "at DESC, id DESC",
        Some(Onward::Start) => "at, id",
        Some(Onward::Behind(at, id)) => {
            conditions.push("(at, id) > (?, ?)");
            values.extend([at.as_microsecond().into(), number(id).into()]);
            "at, id"
        }
        Some(Onward::Before(at, id)) => {
            conditions.push("(at, id) < (?, ?)");
            values.extend([at.as_microsecond().into(), number(id).into()]);
            "at DESC, id DESC"
        }
    };
    values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT body, outcome, count FROM events WHERE {} ORDER BY {order} LIMIT ?",
        conditions.join(" AND ")
    );
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.extend(read(row)?);
    }
    Ok(events)
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM events", [], |row| {
        Ok(row.get::<_, i64>(0)?.unsigned_abs())
    })
}

pub(super) fn bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
}

/// Removes up to `most` events from before a moment.
pub(super) fn sweep(
    connection: &Connection,
    before: Timestamp,
    most: usize,
) -> rusqlite::Result<usize> {
    let swept = connection
        .prepare_cached(
            "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![before.as_microsecond(), most as i64])?;
    give_space_back(connection, swept)?;
    Ok(swept)
}

/// Removes the `most` oldest events, refused ones first: what was let in must
/// not be forgotten because somebody was refused often.
pub(super) fn drop_oldest(connection: &Connection, most: usize) -> rusqlite::Result<usize> {
    if most == 0 {
        return Ok(0);
    }
    let swept = connection
        .prepare_cached(
            "DELETE FROM events WHERE number IN (SELECT number FROM events ORDER BY admitted, at LIMIT ?1)",
        )?
        .execute([most as i64])?;
    give_space_back(connection, swept)?;
    Ok(swept)
}

fn give_space_back(connection: &Connection, swept: usize) -> rusqlite::Result<()> {
    if swept == 0 {
        return Ok(());
    }
    connection.execute_batch("PRAGMA incremental_vacuum(512)")
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Event>> {
    let body: String = row.get(0)?;
    let outcome: Option<String> = row.get(1)?;
    // A row of a form that this release no longer reads is passed over.
    let Ok(mut event) = serde_json::from_str::<Event>(&body) else {
        return Ok(None);
    };
    event.outcome = outcome.as_deref().and_then(read_outcome);
    event.count = row.get(2)?;
    Ok(Some(event))
}

fn number(id: EventId) -> i64 {
    i64::try_from(id.number()).expect("an event id has 60 bits")
}

/// Addresses of both families in one order, each network a range.
fn sortable(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn last(network: IpNet) -> IpAddr {
    network.broadcast()
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Create => "create",
        Outcome::Fail => "fail",
        Outcome::Unclear => "unclear",
    }
}

fn read_outcome(word: &str) -> Option<Outcome> {
    match word {
        "create" => Some(Outcome::Create),
        "fail" => Some(Outcome::Fail),
        "unclear" => Some(Outcome::Unclear),
        _ => None,
    }
}
