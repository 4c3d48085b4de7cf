//! Files under `store.path`: the folder, one SQLite file, its writer thread,
//! and what can go wrong with them.

pub(super) mod clerk;
pub(super) mod desk;
pub(super) mod file;
pub(super) mod folder;
pub(super) mod inbox;
pub(super) mod leisure;
pub(super) mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

/// What can go wrong with the store. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder cannot be made, read or locked.
    #[error("cannot use the store directory {path}: make it, or let the gate's user write to it")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else has the folder.
    #[error(
        "the store {path} is in use by another tuskgate: speak to it through its admin socket, or stop it"
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The key file is not 64 hexadecimal digits.
    #[error(
        "the key in {path} is not 64 hexadecimal digits: restore it from a backup, or remove the whole store to start anew"
    )]
    Key {
        /// Which.
        path: PathBuf,
    },
    /// The key is gone, but files made under it are there.
    #[error(
        "{path} is missing, but the store has files made with it: restore it from a backup, or remove the whole store to start anew"
    )]
    KeyGone {
        /// Which.
        path: PathBuf,
    },
    /// The files were made under another key.
    #[error(
        "{path} was made with another key than the one in the file `key` beside it: restore the key from a backup, or remove the whole store to start anew"
    )]
    OtherKey {
        /// Which file.
        path: PathBuf,
    },
    /// The system has no randomness for a key.
    #[error("the system has no randomness to make a key of")]
    Randomness(#[source] getrandom::Error),
    /// A file was made by a later release.
    #[error(
        "{path} has schema version {found}, this release knows {known}: run the newer release, or restore a backup"
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A file was made by an earlier release and is brought up to date by a gate only.
    #[error(
        "{path} has schema version {found}, this release knows {known}: start the gate once, which brings it up to date"
    )]
    Older {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// SQLite would not.
    #[error("{file}: {remedy}")]
    Sqlite {
        /// Which file.
        file: &'static str,
        /// What to do.
        remedy: &'static str,
        /// Why; shared by all that waited for the same commit.
        source: Arc<rusqlite::Error>,
    },
    /// The writer's queue is full.
    #[error("{file}: the disk cannot keep up, too much waits to be written: try again in a moment")]
    Busy {
        /// Which file.
        file: &'static str,
    },
    /// Rows were dropped since the last flush, though what came later is written.
    #[error(
        "{file}: {rows} rows could not be written and are lost: see the log for why, and `tuskgate store check`"
    )]
    Dropped {
        /// Which file.
        file: &'static str,
        /// How many.
        rows: u64,
    },
    /// The shared store has not got everything.
    #[error(
        "the shared store has not got {count} counts and settlements yet: they are sent when it is back, while this gate runs"
    )]
    Unsent {
        /// How many.
        count: u64,
    },
    /// A thread could not be started, or has ended.
    #[error("{file}: its writer is not running: restart the gate")]
    Gone {
        /// Which file.
        file: &'static str,
    },
}

impl StoreError {
    pub(super) fn sqlite(file: &'static str, source: impl Into<Arc<rusqlite::Error>>) -> Self {
        let source = source.into();
        let remedy = match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "the disk is full: free some space, then try again",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                "the file is read-only: let the gate's user write to it and remount the disk writable"
            }
            Some(ErrorCode::CannotOpen) => {
                "the file cannot be opened: see that the directory exists and the gate's user may write to it"
            }
            Some(ErrorCode::SystemIoFailure) => {
                "the disk refuses to read or write: see that it has space and is sound (dmesg, df, quota)"
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another program holds the file: close it"
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                "the file is damaged: restart the gate, which keeps it aside, and restore a backup"
            }
            Some(_) | None => "SQLite refuses",
        };
        Self::Sqlite {
            file,
            remedy,
            source,
        }
    }
}
