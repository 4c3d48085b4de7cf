//! The register as rows. Hashes are 16-byte blobs, times microseconds.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{NamedApp, RegisterSize};
use crate::app::{App, AppName, AppSource, ClientId};
use crate::secret::KeyedHash;
use crate::store::transfer::Content;

pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE apps (
        client_id     TEXT PRIMARY KEY,
        name          TEXT NOT NULL,
        folded        TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,
        website       TEXT,
        creator       TEXT,
        created       INTEGER NOT NULL,
        source        TEXT NOT NULL
    ) STRICT;
    CREATE INDEX apps_folded ON apps (folded, created);
    CREATE TABLE credentials (
        client_id  TEXT PRIMARY KEY,
        credential BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tokens (
        token     BLOB PRIMARY KEY,
        client_id TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE token_counts (
        client_id TEXT PRIMARY KEY,
        tokens    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];

const APP: &str =
    "SELECT apps.client_id, name, redirect_uris, website, creator, created, source, credential
    FROM apps LEFT JOIN credentials USING (client_id)";

/// Learns an app. Where both know, the new word counts; where the new one has a
/// gap the old one stays, and so do the first date and the first source.
pub(super) fn learn(connection: &Connection, named: &NamedApp) -> rusqlite::Result<()> {
    let app = &named.app;
    connection
        .prepare_cached(
            "INSERT INTO apps (client_id, name, folded, redirect_uris, website, creator, created, source)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (client_id) DO UPDATE SET
                name = excluded.name,
                folded = excluded.folded,
                redirect_uris = CASE excluded.redirect_uris WHEN '[]' THEN redirect_uris ELSE excluded.redirect_uris END,
                website = coalesce(excluded.website, website),
                creator = coalesce(creator, excluded.creator),
                created = min(created, excluded.created)",
        )?
        .execute(params![
            app.client_id.as_str(),
            app.name.as_str(),
            named.folded,
            serde_json::Value::from(app.redirect_uris.clone()).to_string(),
            app.website,
            app.creator.map(|network| network.to_string()),
            app.created.as_microsecond(),
            source_word(app.source),
        ])?;
    match app.credential {
        Some(hash) => credential(connection, &app.client_id, hash),
        None => Ok(()),
    }
}

pub(super) fn knows(connection: &Connection, id: &ClientId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM apps WHERE client_id = ?1")?
        .exists([id.as_str()])
}

pub(super) fn credential(
    connection: &Connection,
    id: &ClientId,
    credential: KeyedHash,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO credentials VALUES (?1, ?2)")?
        .execute(params![id.as_str(), credential.0])?;
    Ok(())
}

/// Learns a token; whether it is new.
pub(super) fn token(
    connection: &Connection,
    token: KeyedHash,
    id: &ClientId,
) -> rusqlite::Result<bool> {
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO tokens VALUES (?1, ?2)")?
        .execute(params![token.0, id.as_str()])?;
    if added > 0 {
        connection
            .prepare_cached(
                "INSERT INTO token_counts VALUES (?1, 1)
                 ON CONFLICT (client_id) DO UPDATE SET tokens = tokens + 1",
            )?
            .execute([id.as_str()])?;
    }
    Ok(added > 0)
}

pub(super) fn app(connection: &Connection, id: &ClientId) -> rusqlite::Result<Option<App>> {
    connection
        .prepare_cached(&format!("{APP} WHERE client_id = ?1"))?
        .query_row([id.as_str()], read)
        .optional()
}

pub(super) fn named(
    connection: &Connection,
    folded: &str,
    most: usize,
) -> rusqlite::Result<Vec<App>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection
        .prepare_cached(&format!(
            "{APP} WHERE folded = ?1 ORDER BY created DESC LIMIT ?2"
        ))?
        .query_map(params![folded, most], read)?
        .collect()
}

pub(super) fn credential_of(
    connection: &Connection,
    id: &ClientId,
) -> rusqlite::Result<Option<KeyedHash>> {
    connection
        .prepare_cached("SELECT credential FROM credentials WHERE client_id = ?1")?
        .query_row([id.as_str()], |row| row.get(0).map(KeyedHash))
        .optional()
}

pub(super) fn token_app(
    connection: &Connection,
    token: KeyedHash,
) -> rusqlite::Result<Option<ClientId>> {
    connection
        .prepare_cached("SELECT client_id FROM tokens WHERE token = ?1")?
        .query_row([token.0], |row| {
            Ok(ClientId::new(&row.get::<_, String>(0)?))
        })
        .optional()
}

/// Every token of these apps, in one pass over the table, which has no other index.
pub(super) fn tokens_of(
    connection: &Connection,
    apps: &[ClientId],
) -> rusqlite::Result<Vec<KeyedHash>> {
    if apps.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: std::collections::HashSet<&str> = apps.iter().map(ClientId::as_str).collect();
    let mut query = connection.prepare("SELECT token, client_id FROM tokens")?;
    let mut rows = query.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let client_id: String = row.get(1)?;
        if wanted.contains(client_id.as_str()) {
            tokens.push(KeyedHash(row.get(0)?));
        }
    }
    Ok(tokens)
}

pub(super) fn token_count(connection: &Connection, id: &ClientId) -> rusqlite::Result<u64> {
    let count = connection
        .prepare_cached("SELECT tokens FROM token_counts WHERE client_id = ?1")?
        .query_row([id.as_str()], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(count.unwrap_or(0).unsigned_abs())
}

pub(super) fn size(connection: &Connection) -> rusqlite::Result<RegisterSize> {
    let number =
        |sql| connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()));
    Ok(RegisterSize {
        apps: number("SELECT count(*) FROM apps")?,
        tokens: number("SELECT coalesce(sum(tokens), 0) FROM token_counts")?,
        bytes: number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
    })
}

/// Every app, credential and token.
pub(super) fn all(connection: &Connection, into: &mut Vec<Content>) -> rusqlite::Result<()> {
    let mut apps = connection.prepare(
        "SELECT client_id, name, folded, redirect_uris, website, creator, created, source,
            NULL AS credential
         FROM apps",
    )?;
    for named in apps.query_map([], |row| {
        let folded = row.get("folded")?;
        Ok(NamedApp {
            app: read(row)?,
            folded,
        })
    })? {
        into.push(Content::App(Box::new(named?)));
    }
    let id = |text: String| ClientId::new(&text);
    let mut credentials = connection.prepare("SELECT client_id, credential FROM credentials")?;
    for pair in credentials.query_map([], |row| Ok((id(row.get(0)?), KeyedHash(row.get(1)?))))? {
        let (id, hash) = pair?;
        into.push(Content::Credential(id, hash));
    }
    let mut tokens = connection.prepare("SELECT token, client_id FROM tokens")?;
    for pair in tokens.query_map([], |row| Ok((KeyedHash(row.get(0)?), id(row.get(1)?))))? {
        let (hash, id) = pair?;
        into.push(Content::Token(hash, id));
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<App> {
    let uris: String = row.get("redirect_uris")?;
    let creator: Option<String> = row.get("creator")?;
    let source: String = row.get("source")?;
    let credential: Option<[u8; 16]> = row.get("credential")?;
    Ok(App {
        client_id: ClientId::new(&row.get::<_, String>("client_id")?),
        name: AppName::new(&row.get::<_, String>("name")?),
        redirect_uris: serde_json::from_str(&uris).unwrap_or_default(),
        website: row.get("website")?,
        creator: creator.and_then(|network| network.parse().ok()),
        created: Timestamp::from_microsecond(row.get("created")?).unwrap_or(Timestamp::MIN),
        source: match source.as_str() {
            "learn" => AppSource::Learn,
            "ask" => AppSource::Ask,
            _ => AppSource::Import,
        },
        credential: credential.map(KeyedHash),
    })
}

const fn source_word(source: AppSource) -> &'static str {
    match source {
        AppSource::Learn => "learn",
        AppSource::Import => "import",
        AppSource::Ask => "ask",
    }
}
