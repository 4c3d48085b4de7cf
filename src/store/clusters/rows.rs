//! Clusters as rows: what is searched by has a column, the rest is JSON. No
//! local part of an address ever comes in here.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::account::KnownAccount;
use crate::cluster::{Change, Cluster, Kept, SeenDomain, SignUp};
use crate::mailbox::Domain;
use crate::secret::KeyedHash;

pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE sign_ups (
        serial INTEGER PRIMARY KEY,
        at     INTEGER NOT NULL,
        facts  TEXT NOT NULL
    ) STRICT;
    CREATE INDEX sign_ups_at ON sign_ups (at);
    CREATE TABLE domains (
        domain TEXT PRIMARY KEY,
        last   INTEGER NOT NULL,
        facts  TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX domains_last ON domains (last);
    CREATE TABLE clusters (
        id    TEXT PRIMARY KEY,
        until INTEGER NOT NULL,
        facts TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE accounts (
        id      INTEGER PRIMARY KEY,
        created INTEGER NOT NULL,
        facts   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX accounts_created ON accounts (created);
    CREATE TABLE heard (
        hash TEXT PRIMARY KEY,
        at   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX heard_at ON heard (at);
",
];

const DAY: i64 = 86_400;
const SIGN_UPS: i64 = 8 * DAY;
const DOMAINS: i64 = 180 * DAY;
const CLUSTERS: i64 = 90 * DAY;
const ACCOUNTS: i64 = 30 * DAY;
const HEARD: i64 = 4 * DAY;

/// Of two versions the later one holds, whichever is written last.
const KEEP_CLUSTER: &str = "
    INSERT INTO clusters VALUES (?1, ?2, ?3)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until, facts = excluded.facts
    WHERE coalesce(excluded.facts ->> 'revision', 0) >= coalesce(clusters.facts ->> 'revision', 0)
";

/// The latest, as many as memory might have room for.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Kept> {
    let facts = "SELECT serial, facts FROM (
        SELECT serial, at, facts FROM sign_ups ORDER BY at DESC, serial DESC LIMIT 65536
    ) ORDER BY at, serial";
    let sign_ups = read::<i64, SignUp>(connection, facts)?
        .into_iter()
        .map(|(serial, sign_up)| (serial.unsigned_abs(), sign_up));
    let facts = "SELECT domain, facts FROM (
        SELECT domain, facts, last FROM domains ORDER BY last DESC LIMIT 262144
    ) ORDER BY last";
    let domains = read::<String, SeenDomain>(connection, facts)?
        .into_iter()
        .filter_map(|(domain, seen)| Some((Domain::new(&domain).ok()?, seen)));
    let facts = "SELECT id, facts FROM accounts ORDER BY created";
    Ok(Kept {
        sign_ups: sign_ups.collect(),
        domains: domains.collect(),
        clusters: clusters(connection)?,
        accounts: read::<i64, KnownAccount>(connection, facts)?,
        heard: heard(connection)?,
    })
}

/// Every cluster, the one opened first to begin with.
pub(super) fn clusters(connection: &Connection) -> rusqlite::Result<Vec<Cluster>> {
    let facts = "SELECT id, facts FROM clusters";
    let clusters = read::<String, Cluster>(connection, facts)?.into_iter();
    let mut clusters: Vec<_> = clusters.map(|(_, cluster)| cluster).collect();
    clusters.sort_by_key(|cluster| (cluster.opened, cluster.id));
    Ok(clusters)
}

pub(super) fn heard(connection: &Connection) -> rusqlite::Result<Vec<(KeyedHash, i64)>> {
    let mut query = connection.prepare("SELECT hash, at FROM heard ORDER BY at")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let known = |(hash, at): (String, i64)| Some((hash.parse().ok()?, at));
    Ok(rows.into_iter().filter_map(known).collect())
}

/// Rows that cannot be read are said and left where they are.
pub(super) fn read<K: rusqlite::types::FromSql, T: DeserializeOwned>(
    connection: &Connection,
    query: &str,
) -> rusqlite::Result<Vec<(K, T)>> {
    let mut query = connection.prepare(query)?;
    let mut rows = query.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let facts: String = row.get(1)?;
        match serde_json::from_str(&facts) {
            Ok(value) => all.push((row.get(0)?, value)),
            Err(error) => tracing::error!(%error, "a row of clusters.sqlite3 cannot be read"),
        }
    }
    Ok(all)
}

pub(super) fn keep(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::SignUp(serial, sign_up) => connection
            .prepare_cached("INSERT OR REPLACE INTO sign_ups VALUES (?1, ?2, ?3)")?
            .execute(params![*serial as i64, sign_up.at, json(sign_up)?]),
        Change::Withdraw(serial) => connection
            .prepare_cached("DELETE FROM sign_ups WHERE serial = ?1")?
            .execute([*serial as i64]),
        Change::Domain(domain, Some(seen)) => connection
            .prepare_cached("INSERT OR REPLACE INTO domains VALUES (?1, ?2, ?3)")?
            .execute(params![domain.as_str(), seen.last, json(seen)?]),
        Change::Domain(domain, None) => connection
            .prepare_cached("DELETE FROM domains WHERE domain = ?1")?
            .execute([domain.as_str()]),
        // Known again from what is counted next, or from other gates.
        Change::Confirm(..) | Change::App(_) => return Ok(()),
        Change::Cluster(cluster) | Change::Adopt(cluster) => {
            connection.prepare_cached(KEEP_CLUSTER)?.execute(params![
                cluster.id.to_string(),
                cluster.until,
                json(cluster.as_ref())?
            ])
        }
        Change::Account(id, account) => connection
            .prepare_cached("INSERT OR REPLACE INTO accounts VALUES (?1, ?2, ?3)")?
            .execute(params![id, account.created, json(account)?]),
        Change::Heard(hash, at) => connection
            .prepare_cached("INSERT OR REPLACE INTO heard VALUES (?1, ?2)")?
            .execute(params![hash.to_string(), at]),
    }?;
    Ok(())
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Deletes what is over its retention.
pub(super) fn sweep(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    for (delete, before) in [
        ("DELETE FROM sign_ups WHERE at < ?1", now - SIGN_UPS),
        ("DELETE FROM domains WHERE last < ?1", now - DOMAINS),
        ("DELETE FROM clusters WHERE until < ?1", now - CLUSTERS),
        ("DELETE FROM accounts WHERE created < ?1", now - ACCOUNTS),
        ("DELETE FROM heard WHERE at < ?1", now - HEARD),
    ] {
        connection.execute(delete, [before])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{ClusterId, ClusterKind};

    fn opened() -> Connection {
        let connection = Connection::open_in_memory().expect("memory");
        for migration in MIGRATIONS {
            connection.execute_batch(migration).expect("a migration");
        }
        connection
    }

    fn cluster(revision: u32) -> Cluster {
        Cluster {
            evidence: format!("as of {revision}"),
            revision,
            ..Cluster::opened(
                ClusterId {
                    kind: ClusterKind::Mail,
                    number: 7,
                },
                0,
                100,
                3700,
            )
        }
    }

    fn kept(connection: &Connection, changes: &[Change]) -> Vec<Cluster> {
        for change in changes {
            keep(connection, change).expect("kept");
        }
        all(connection).expect("read").clusters
    }

    /// Two threads may write one cluster; what was decided last holds.
    #[test]
    fn an_older_version_of_a_cluster_replaces_no_newer_one() {
        let ours = |revision| Change::Cluster(Box::new(cluster(revision)));
        let theirs = |revision| Change::Adopt(Box::new(cluster(revision)));
        let file = opened();
        assert_eq!(kept(&file, &[ours(2)]), [cluster(2)]);
        assert_eq!(kept(&file, &[ours(1), theirs(1)]), [cluster(2)]);
        assert_eq!(kept(&file, &[theirs(3)]), [cluster(3)]);
        assert_eq!(kept(&file, &[ours(2)]), [cluster(3)]);
        let mut again = cluster(3);
        again.refused = 9;
        let same = Change::Cluster(Box::new(again.clone()));
        assert_eq!(kept(&file, &[same]), [again], "the same one, counted on");
    }

    /// An earlier release wrote none.
    #[test]
    fn a_version_without_a_number_is_the_oldest() {
        let file = opened();
        let mut text: serde_json::Value =
            serde_json::to_value(cluster(0)).expect("a cluster is JSON");
        text.as_object_mut().expect("an object").remove("revision");
        let insert = "INSERT INTO clusters VALUES ('M7', 3700, ?1)";
        file.execute(insert, [text.to_string()]).expect("written");
        assert_eq!(kept(&file, &[]), [cluster(0)]);
        let next = Change::Cluster(Box::new(cluster(1)));
        assert_eq!(kept(&file, &[next]), [cluster(1)]);
    }
}
