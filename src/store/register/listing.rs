//! Apps in order, for a person who looks for the odd ones among a million.
//!
//! Reads the whole table each time: a command does this, never a request.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::rows;
use crate::app::App;

/// An app with what was counted of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedApp {
    /// The app.
    #[serde(flatten)]
    pub app: App,
    /// Distinct tokens learned of it.
    pub tokens: u64,
}

/// In which order apps are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppOrder {
    /// Most tokens first.
    #[default]
    Tokens,
    /// Youngest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// At most `most` apps whose folded name holds `folded`.
pub(super) fn apps(
    connection: &Connection,
    folded: Option<&str>,
    order: AppOrder,
    most: usize,
) -> rusqlite::Result<Vec<CountedApp>> {
    let order = match order {
        AppOrder::Tokens => "tokens DESC, created DESC",
        AppOrder::Newest => "created DESC",
        AppOrder::Oldest => "created",
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection
        .prepare(&format!(
            "SELECT apps.client_id, name, redirect_uris, website, creator, created, source,
                NULL AS credential, coalesce(token_counts.tokens, 0) AS tokens
             FROM apps LEFT JOIN token_counts USING (client_id)
             WHERE ?1 IS NULL OR instr(folded, ?1) > 0
             ORDER BY {order} LIMIT ?2"
        ))?
        .query_map(params![folded, most], |row| {
            Ok(CountedApp {
                app: rows::read(row)?,
                tokens: row.get::<_, i64>("tokens")?.unsigned_abs(),
            })
        })?
        .collect()
}

/// How many apps have exactly this folded name.
pub(super) fn namesakes(connection: &Connection, folded: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM apps WHERE folded = ?1";
    connection.query_row(sql, [folded], |row| {
        Ok(row.get::<_, i64>(0)?.unsigned_abs())
    })
}
