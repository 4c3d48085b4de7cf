//! A store's files, read without the lock on its folder.

use std::path::Path;

use rusqlite::Connection;

use super::{Content, Counts, Record};
use crate::secret::HashKey;
use crate::store::StoreError;
use crate::store::bans::changes::{self, Cursor};
use crate::store::disk::{file, folder};
use crate::store::{bans, budgets, clusters, events, register, wave};

/// A store being read.
#[derive(Debug)]
pub struct Reading {
    key: HashKey,
    bans: Connection,
    register: Connection,
    budgets: Connection,
    clusters: Connection,
    wave: Connection,
}

impl Reading {
    /// Opens the files in `path`, changing nothing.
    ///
    /// # Errors
    /// If there is no store, or a file of it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = |kind| file::open_checked(path, kind);
        Ok(Self {
            key: folder::read_key(path)?,
            bans: open(&bans::FILE)?,
            register: open(&register::FILE)?,
            budgets: open(&budgets::FILE)?,
            clusters: open(&clusters::FILE)?,
            wave: open(&wave::FILE)?,
        })
    }

    /// The key under which its hashes were made.
    #[must_use]
    pub const fn key(&self) -> &HashKey {
        &self.key
    }

    /// Everything in it.
    ///
    /// # Errors
    /// If a file cannot be read to its end.
    pub fn records(&self) -> Result<Vec<Record>, StoreError> {
        let mut all = Vec::new();
        let sqlite = |name| move |error| StoreError::sqlite(name, error);
        let mut cursor = Cursor::default();
        loop {
            let (entries, next) =
                changes::after(&self.bans, cursor, 1000).map_err(sqlite(bans::FILE.name))?;
            if next == cursor {
                break;
            }
            cursor = next;
            all.extend(entries.into_iter().map(Content::Ban));
        }
        register::all(&self.register, &mut all).map_err(sqlite(register::FILE.name))?;
        let slots = budgets::all(&self.budgets).map_err(sqlite(budgets::FILE.name))?;
        all.extend(slots.into_iter().map(Content::Budget));
        clusters::moved::all(&self.clusters, &mut all).map_err(sqlite(clusters::FILE.name))?;
        let kept = wave::read(&self.wave).map_err(sqlite(wave::FILE.name))?;
        all.extend(kept.map(Content::Wave));
        Ok(all.into_iter().map(Record).collect())
    }
}

/// What [`examine`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Each file, and what is wrong with it.
    pub files: Vec<(&'static str, Option<String>)>,
    /// What all of them hold, if all can be read.
    pub counts: Counts,
}

/// Looks through every file of the store in `path`.
///
/// # Errors
/// If there is no store, or no key in it.
pub fn examine(path: &Path) -> Result<Examined, StoreError> {
    folder::read_key(path)?;
    let kinds = [
        &bans::FILE,
        &register::FILE,
        &clusters::FILE,
        &wave::FILE,
        &events::FILE,
        &budgets::FILE,
    ];
    let found = kinds.map(|kind| {
        let fault = file::open_checked(path, kind).err();
        (kind.name, fault.map(|fault| fault.to_string()))
    });
    let mut counts = Counts::default();
    if let Ok(reading) = Reading::open(path) {
        for record in reading.records()? {
            counts.add(&record);
        }
    }
    Ok(Examined {
        files: found.into(),
        counts,
    })
}
