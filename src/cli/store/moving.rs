//! Taking records over, from a file or between the files and the shared store.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::reading;
use crate::cli::there;
use crate::config::Settings;
use crate::store::transfer::{Counts, Reading, Record, for_shared, missing, read_lines};
use crate::store::{Distant, Store};

/// What came of it, each read again on the other side.
pub(super) struct Moved {
    moved: Counts,
    /// What only this gate can use.
    stays: Counts,
    missing: Counts,
}

impl Moved {
    fn new(moved: Counts, given: &[Record], there: &[Record]) -> Self {
        Self {
            moved,
            stays: Counts::default(),
            missing: missing(given, there),
        }
    }

    /// Says it, and fails if something is missing.
    pub(super) fn say(&self, json: bool) -> anyhow::Result<()> {
        let Self {
            moved,
            stays,
            missing,
        } = self;
        let whole = *missing == Counts::default();
        if json {
            let report =
                json!({ "whole": whole, "moved": moved, "stays": stays, "missing": missing });
            say!("{report}");
        } else {
            if *stays != Counts::default() {
                say!("stays in the files of this gate: {stays}");
            }
            say!("{moved}");
        }
        if !whole {
            bail!("read again and not found: {missing}");
        }
        if !json {
            say!("read again: all there");
        }
        Ok(())
    }
}

pub(super) async fn import(settings: &Settings, file: &Path) -> anyhow::Result<Moved> {
    let from = File::open(file).with_context(|| file.display().to_string())?;
    let store = open(settings)?;
    let records = read_lines(BufReader::new(from), store.key())?;
    into_files(settings, store, records).await
}

pub(super) async fn to_shared(settings: &Settings) -> anyhow::Result<Moved> {
    let reading = reading(settings)?;
    let distant = reach(settings, &reading).await?;
    let (records, stays) = for_shared(reading.records()?);
    let moved = distant.take_in(records.clone()).await?;
    let there = distant.records().await?;
    Ok(Moved {
        stays,
        ..Moved::new(moved, &records, &there)
    })
}

pub(super) async fn from_shared(settings: &Settings) -> anyhow::Result<Moved> {
    let store = open(settings)?;
    let distant = reach(settings, &reading(settings)?).await?;
    let records = distant.records().await?;
    into_files(settings, store, records).await
}

async fn into_files(
    settings: &Settings,
    store: Store,
    records: Vec<Record>,
) -> anyhow::Result<Moved> {
    let moved = store.take_in(records.clone()).await?;
    drop(store);
    let there = reading(settings)?.records()?;
    Ok(Moved::new(moved, &records, &there))
}

fn open(settings: &Settings) -> anyhow::Result<Store> {
    let path = &settings.store.path;
    there::or_make(settings).with_context(|| format!("store {}", path.display()))
}

async fn reach(settings: &Settings, reading: &Reading) -> anyhow::Result<Distant> {
    let shared = settings.store.shared.as_ref();
    let shared = shared.context("store.url is not set, so there is no shared store")?;
    Ok(Distant::reach(shared, reading.key()).await?)
}
