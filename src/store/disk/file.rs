//! One SQLite file: opened, checked, brought to the newest schema; a damaged
//! one is kept aside.
//!
//! `user_version` counts the migrations a file has seen. A file of a later
//! release is refused, never touched. Kept aside means renamed with its journal
//! to `NAME.damaged-DATE`: an admin can still salvage it with `sqlite3 .recover`.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StoreError;
use super::folder::{Folder, read_key, tighten};
use crate::secret::HashKey;

/// What a file is and how careful it must be.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct FileKind {
    /// Its name in the folder.
    pub(in crate::store) name: &'static str,
    /// One SQL text per schema version, oldest first.
    pub(in crate::store) migrations: &'static [&'static str],
    /// Whether a commit waits for the disk.
    pub(in crate::store) sync: Sync,
}

/// SQLite's `synchronous` in WAL mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Sync {
    /// A commit is on the disk when it returns.
    Full,
    /// A crash of the machine may lose the last commits, never the file.
    Normal,
}

const BUSY: Duration = Duration::from_secs(2);

/// Reading every page of a larger file would hold up the start.
const CHECKED_BYTES: u64 = 64 << 20;

/// Opens `kind` in `folder`, keeping a damaged file aside.
pub(in crate::store) fn open(
    folder: &Folder,
    kind: &FileKind,
    kept_aside: &mut Vec<PathBuf>,
) -> Result<Connection, StoreError> {
    let path = folder.path().join(kind.name);
    let connection = match open_sound(&path, kind) {
        Err(error) if is_damage(&error) => {
            let aside = keep_aside(&path).map_err(|source| StoreError::Folder {
                path: path.clone(),
                source,
            })?;
            tracing::error!(
                file = %path.display(),
                kept_as = %aside.display(),
                %error,
                "the file is damaged: kept aside, a fresh and empty one takes its place; restore a backup"
            );
            kept_aside.push(aside);
            open_sound(&path, kind)
        }
        outcome => outcome,
    }?;
    under_key(&connection, &path, kind, folder.key())?;
    Ok(connection)
}

/// A second connection to an open file, for reading only.
pub(in crate::store) fn open_reader(
    folder: &Folder,
    kind: &FileKind,
) -> Result<Connection, StoreError> {
    read_only(&folder.path().join(kind.name))
        .map_err(|source| StoreError::sqlite(kind.name, source))
}

/// An existing file, for reading only and without its folder's lock: sound, of
/// this release's schema, under the folder's key.
pub(in crate::store) fn open_checked(
    folder: &Path,
    kind: &FileKind,
) -> Result<Connection, StoreError> {
    let path = folder.join(kind.name);
    let fault = |source| StoreError::sqlite(kind.name, source);
    let connection = read_only(&path).map_err(fault)?;
    check(&connection, &path, kind).map_err(fault)?;
    let known = kind.migrations.len() as i64;
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(fault)?;
    match found.cmp(&known) {
        Ordering::Equal => {}
        Ordering::Greater => return Err(StoreError::Newer { path, found, known }),
        Ordering::Less => return Err(StoreError::Older { path, found, known }),
    }
    under_key(&connection, &path, kind, &read_key(folder)?)?;
    Ok(connection)
}

fn open_sound(path: &Path, kind: &FileKind) -> Result<Connection, StoreError> {
    let fault = |source| StoreError::sqlite(kind.name, source);
    let mut connection = connect(path, kind).map_err(fault)?;
    check(&connection, path, kind).map_err(fault)?;
    migrate(&mut connection, path, kind)?;
    for suffix in ["", "-wal", "-shm"] {
        tighten(&with_suffix(path, suffix), 0o600);
    }
    Ok(connection)
}

fn connect(path: &Path, kind: &FileKind) -> rusqlite::Result<Connection> {
    match writable(path, kind) {
        Err(error) if path.exists() && refuses_writing(&error) => {
            let reader = read_only(path).map_err(|_| error)?;
            tracing::error!(
                file = %path.display(),
                "the file cannot be written: judging from what it holds; see that the disk has space and is writable"
            );
            Ok(reader)
        }
        outcome => outcome,
    }
}

/// Bytes of a journal.
const JOURNAL: u32 = 16 << 20;

/// Bytes of a page, as SQLite has it by default.
const PAGE: u32 = 4096;

fn writable(path: &Path, kind: &FileKind) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Must come before the first table; space of swept rows can then be given back.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let sync = match kind.sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", sync)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // To carry the journal over into the file takes three fsyncs, which a slow disk has
    // few of: so a few times more of it is gathered than by default.
    connection.pragma_update(None, "wal_autocheckpoint", JOURNAL / PAGE)?;
    // After a burst it is cut to this again.
    connection.pragma_update(None, "journal_size_limit", JOURNAL)?;
    Ok(connection)
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let probe = |connection: Connection| {
        connection.busy_timeout(BUSY)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let plain = Connection::open_with_flags(path, flags).and_then(probe);
    let journal = with_suffix(path, "-wal").metadata();
    if plain.is_ok() || journal.is_ok_and(|journal| journal.len() > 0) {
        return plain;
    }
    // Where SQLite cannot even make its index of the journal. Only without a
    // journal: it would be passed over, and with it the newest commits.
    let uri = immutable(path);
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).and_then(probe)
}

fn immutable(path: &Path) -> String {
    let path = path.to_string_lossy();
    let escaped = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("file:{escaped}?immutable=1")
}

fn refuses_writing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
        )
    )
}

fn check(connection: &Connection, path: &Path, kind: &FileKind) -> rusqlite::Result<()> {
    let bytes = path.metadata().map_or(0, |metadata| metadata.len());
    // Bans are few, and the ones that must not be half there.
    if kind.sync == Sync::Normal && bytes > CHECKED_BYTES {
        return connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    }
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(verdict)))
}

fn migrate(connection: &mut Connection, path: &Path, kind: &FileKind) -> Result<(), StoreError> {
    let fault = |source| StoreError::sqlite(kind.name, source);
    let known = kind.migrations.len() as i64;
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(fault)?;
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    let seen = usize::try_from(found).unwrap_or(0);
    for (step, sql) in kind.migrations.iter().enumerate().skip(seen) {
        let transaction = connection.transaction().map_err(fault)?;
        transaction.execute_batch(sql).map_err(fault)?;
        transaction
            .pragma_update(None, "user_version", step as i64 + 1)
            .map_err(fault)?;
        transaction.commit().map_err(fault)?;
    }
    Ok(())
}

/// Under another key no hash in the file would ever match again, silently. The
/// key's fingerprint is kept in the header's `application_id`.
fn under_key(
    connection: &Connection,
    path: &Path,
    kind: &FileKind,
    key: &HashKey,
) -> Result<(), StoreError> {
    let fault = |source| StoreError::sqlite(kind.name, source);
    let [a, b, c, d, ..] = key.fingerprint();
    // Zero is what a fresh file says.
    let ours = i32::from_be_bytes([a, b, c, d | 1]);
    let found: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(fault)?;
    match found {
        0 => connection
            .pragma_update(None, "application_id", ours)
            .map_err(fault),
        _ if found == ours => Ok(()),
        _ => Err(StoreError::OtherKey {
            path: path.to_owned(),
        }),
    }
}

fn is_damage(error: &StoreError) -> bool {
    let StoreError::Sqlite { source, .. } = error else {
        return false;
    };
    matches!(
        source.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn keep_aside(path: &Path) -> std::io::Result<PathBuf> {
    let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let free = (0..100)
        .map(|count| match count {
            0 => with_suffix(path, &format!(".damaged-{date}")),
            _ => with_suffix(path, &format!(".damaged-{date}-{count}")),
        })
        .find(|name| !name.exists())
        .ok_or(std::io::ErrorKind::AlreadyExists)?;
    std::fs::rename(path, &free)?;
    for suffix in ["-wal", "-shm"] {
        // Without its journal the fresh file would be taken for the damaged one's.
        match std::fs::rename(with_suffix(path, suffix), with_suffix(&free, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(free)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
