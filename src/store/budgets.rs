//! The limiter's buckets on the disk, so that long windows survive a restart.
//!
//! Written behind: what was charged within the last [`super::BEHIND`] and one
//! commit, together under a second, is forgotten by a crash. A bucket that
//! will be full again within [`SOON`] is not worth a write. Open reservations
//! are not saved: after a restart they count as kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, params};

use super::StoreError;
use super::disk::clerk::{Clerk, Fault, Outcome, Replies};
use super::disk::desk::{Desk, Reply};
use super::disk::file::{self, FileKind, Sync};
use super::disk::folder::Folder;
use super::disk::writer::Writer;
use super::limiter::{Limiter, SavedSlot};
use crate::secret::KeyedHash;

pub(super) const FILE: FileKind = FileKind {
    name: "budgets.sqlite3",
    migrations: &["
        CREATE TABLE budgets (
            key        BLOB PRIMARY KEY,
            full_at    INTEGER NOT NULL,
            used_until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
    "],
    sync: Sync::Normal,
};
const ROOM: usize = 16;

/// Changes that wait for a disk that refuses.
const MOST_PENDING: usize = 1 << 16;

/// A restart takes about as long.
const SOON: Duration = Duration::from_secs(2);

/// Buckets written before the core is let go of once.
const AT_A_STRETCH: usize = 64;

/// The callers' side.
#[derive(Debug)]
pub(super) struct Budgets(Desk<Job>);

#[derive(Debug)]
enum Job {
    Flush(Reply<()>),
}

impl Budgets {
    /// Fills `limiter` with what was saved, and saves its changes from now on.
    pub(super) fn open(
        folder: &Folder,
        limiter: &Arc<Limiter>,
        kept_aside: &mut Vec<PathBuf>,
    ) -> Result<Self, StoreError> {
        let connection = file::open(folder, &FILE, kept_aside)?;
        let saved = all(&connection).map_err(|error| StoreError::sqlite(FILE.name, error))?;
        let found = saved.len();
        let now = Timestamp::now().as_microsecond().unsigned_abs();
        let restored = limiter.import(saved, now);
        tracing::debug!(found, restored, "limits restored");
        limiter.note_changes();
        let book = Book {
            limiter: Arc::clone(limiter),
            pending: Vec::new(),
        };
        let desk = Desk::start(FILE.name, ROOM, move |inbox, failing| {
            Writer::new(FILE.name, connection, inbox, failing, book).run();
        })?;
        Ok(Self(desk))
    }

    /// Waits until everything charged so far is on the disk.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.0.flush(Job::Flush).await
    }

    pub(super) fn failing(&self) -> Option<(&'static str, String)> {
        self.0.failing()
    }
}

struct Book {
    limiter: Arc<Limiter>,
    /// What this batch writes, to be written again if it fails.
    pending: Vec<SavedSlot>,
}

impl Clerk for Book {
    type Job = Job;
    const TICKS: bool = true;

    fn work(&mut self, _: &Connection, job: Job, replies: &mut Replies) -> Result<(), Fault> {
        match job {
            Job::Flush(reply) => replies.after_commit(reply, Ok(())),
        }
    }

    fn tick(&mut self, connection: &Connection) -> Result<bool, Fault> {
        self.pending.extend(self.limiter.changes());
        let soon = nanos(Timestamp::now()).saturating_add(SOON.as_nanos() as u64);
        let mut put = Put::prepare(connection)?;
        for some in self.pending.chunks(AT_A_STRETCH) {
            for slot in some {
                put.slot(slot, soon)?;
            }
            // Requests may wait for this core.
            std::thread::yield_now();
        }
        Ok(!self.pending.is_empty())
    }

    fn hourly(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Fault> {
        connection
            .prepare_cached("DELETE FROM budgets WHERE full_at <= ?1 AND used_until <= ?1")?
            .execute([nanos(now) as i64])?;
        Ok(())
    }

    fn settled(&mut self, outcome: Outcome) -> u64 {
        if outcome == Outcome::Commit {
            self.pending.clear();
        }
        // While nothing can be written the oldest changes go first.
        let over = self.pending.len().saturating_sub(MOST_PENDING);
        self.pending.drain(..over);
        over as u64
    }
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<SavedSlot>> {
    connection
        .prepare("SELECT key, full_at, used_until FROM budgets")?
        .query_map([], |row| {
            Ok(SavedSlot {
                key: KeyedHash(row.get(0)?),
                full_at: row.get::<_, i64>(1)?.unsigned_abs(),
                used_until: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        })?
        .collect()
}

/// Writes buckets, one after the other.
struct Put<'connection> {
    keep: CachedStatement<'connection>,
    forget: CachedStatement<'connection>,
}

impl<'connection> Put<'connection> {
    fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            keep: connection.prepare_cached(
                "INSERT OR REPLACE INTO budgets (key, full_at, used_until) VALUES (?1, ?2, ?3)",
            )?,
            forget: connection.prepare_cached("DELETE FROM budgets WHERE key = ?1")?,
        })
    }

    fn slot(&mut self, slot: &SavedSlot, soon: u64) -> rusqlite::Result<()> {
        let changed = if slot.full_at <= soon {
            // It may have been emptier before something was given back.
            self.forget.execute(params![slot.key.0])
        } else {
            let (full_at, used_until) = (slot.full_at as i64, slot.used_until as i64);
            self.keep.execute(params![slot.key.0, full_at, used_until])
        };
        changed.map(drop)
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}
