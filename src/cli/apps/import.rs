//! `tuskgate apps import FILE`: apps older than the gate, from an export of
//! Mastodon's `oauth_applications`, so that they count as established.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use serde::Deserialize;

use crate::admin::ask::{Answer, Ask};
use crate::app::{App, AppName, AppSource, ClientId};
use crate::cli::Failure;
use crate::cli::reach::{self, Reach};
use crate::numeral::counted;

pub(super) const EXAMPLES: &str = "\
Make the export on the database host (no secrets in it):
  psql mastodon_production -c \"COPY (SELECT uid, name, redirect_uri, website, created_at
    FROM oauth_applications) TO STDOUT WITH CSV HEADER\" > apps.csv

Examples:
  tuskgate apps import apps.csv
  tuskgate apps import apps.jsonl      one object a line, with the same names";

/// How many apps go over the admin socket at once.
const BATCH: usize = 500;

/// One row, under Mastodon's own column names.
#[derive(Debug, Deserialize)]
struct Row {
    uid: String,
    name: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    website: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
}

impl Row {
    fn app(self) -> App {
        let created = self.created_at.as_deref().and_then(read_time);
        App {
            client_id: ClientId::new(&self.uid),
            name: AppName::new(&self.name),
            redirect_uris: self
                .redirect_uri
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            website: self.website.filter(|site| !site.is_empty()),
            creator: None,
            created: created.unwrap_or(Timestamp::UNIX_EPOCH),
            source: AppSource::Import,
            credential: None,
        }
    }
}

/// PostgreSQL writes `2022-11-05 10:00:00.123`, UTC without saying so.
fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let utc = format!("{}Z", text.replacen(' ', "T", 1));
    text.parse().or_else(|_| utc.parse()).ok()
}

/// Reads the file into the register.
pub(super) fn import(config: &Path, file: &Path, json: bool) -> Result<(), Failure> {
    let mut reach = Reach::of(config)?;
    let mut new = 0;
    let mut read = 0;
    for_each_batch(file, |batch| {
        read += batch.len();
        match reach.ask(&Ask::ImportApps { apps: batch })? {
            Answer::ImportApps(count) => new += count,
            other => return Err(reach::unexpected(&other)),
        }
        if read % (BATCH * 20) == 0 {
            remark!("{read} apps read");
        }
        Ok(())
    })?;
    if json {
        say!("{}", serde_json::json!({ "read": read, "new": new }));
    } else {
        let read = counted(read, "app", "apps");
        say!("{read} read, {new} new to the gate");
    }
    Ok(())
}

fn for_each_batch(
    file: &Path,
    mut done: impl FnMut(Vec<App>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = file.display();
    let source = File::open(file).with_context(|| format!("cannot open {name}"))?;
    let mut batch = Vec::with_capacity(BATCH);
    for (number, row) in rows(file, source)?.enumerate() {
        let row = row.with_context(|| format!("{name}: row {}", number + 1))?;
        batch.push(row.app());
        if batch.len() == BATCH {
            done(std::mem::take(&mut batch))?;
        }
    }
    if batch.is_empty() {
        Ok(())
    } else {
        done(batch)
    }
}

type Rows = Box<dyn Iterator<Item = anyhow::Result<Row>>>;

fn rows(file: &Path, source: File) -> anyhow::Result<Rows> {
    match file.extension().and_then(|end| end.to_str()) {
        Some("csv") => {
            let reader = csv::Reader::from_reader(BufReader::new(source));
            Ok(Box::new(reader.into_deserialize().map(|row| Ok(row?))))
        }
        Some("jsonl" | "ndjson" | "json") => {
            let lines = BufReader::new(source).lines();
            let rows = lines.filter(|line| !matches!(line, Ok(text) if text.trim().is_empty()));
            Ok(Box::new(rows.map(|line| Ok(serde_json::from_str(&line?)?))))
        }
        _ => Err(anyhow!(
            "{}: the name must end in .csv or .jsonl",
            file.display()
        )),
    }
}
