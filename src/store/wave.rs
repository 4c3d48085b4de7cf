//! What the breaker has learned of normal days, and how it stands: one text, as
//! `judge::wave` writes it. Written behind; a step put by hand is on the disk
//! before that is acknowledged.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension};

use super::StoreError;
use super::disk::clerk::{Clerk, Fault, Outcome, Replies};
use super::disk::desk::{Desk, Reply};
use super::disk::file::{self, FileKind, Sync};
use super::disk::folder::Folder;
use super::disk::writer::Writer;

pub(super) const FILE: FileKind = FileKind {
    name: "wave.sqlite3",
    migrations: &["
        CREATE TABLE wave (
            one  INTEGER PRIMARY KEY CHECK (one = 1),
            kept TEXT NOT NULL
        ) STRICT;
    "],
    sync: Sync::Full,
};
const ROOM: usize = 64;

/// The callers' side.
#[derive(Debug)]
pub(super) struct Wave {
    desk: Desk<Job>,
    kept: parking_lot::Mutex<Option<String>>,
}

#[derive(Debug)]
enum Job {
    Keep(String),
    TakeIn(String, Reply<bool>),
    Flush(Reply<()>),
}

impl Wave {
    pub(super) fn open(folder: &Folder, kept_aside: &mut Vec<PathBuf>) -> Result<Self, StoreError> {
        let connection = file::open(folder, &FILE, kept_aside)?;
        let kept = read(&connection).map_err(|error| StoreError::sqlite(FILE.name, error))?;
        let desk = Desk::start(FILE.name, ROOM, move |inbox, failing| {
            Writer::new(FILE.name, connection, inbox, failing, Book::default()).run();
        })?;
        let kept = parking_lot::Mutex::new(kept);
        Ok(Self { desk, kept })
    }

    /// What the file held at the start; only once.
    pub(super) fn take_kept(&self) -> Option<String> {
        self.kept.lock().take()
    }

    pub(super) fn keep(&self, kept: String) -> Result<(), StoreError> {
        self.desk.send(Job::Keep(kept))
    }

    /// Takes what was moved here, if nothing is kept yet: two cannot be made one.
    /// Whether it did; it is on the disk then.
    pub(super) async fn take_in(&self, kept: String) -> Result<bool, StoreError> {
        self.desk.ask(|reply| Job::TakeIn(kept, reply)).await
    }

    /// Waits until what was kept so far is on the disk.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.desk.ask(Job::Flush).await
    }

    pub(super) fn failing(&self) -> Option<(&'static str, String)> {
        self.desk.failing()
    }
}

/// What the file holds.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let kept = connection.query_row("SELECT kept FROM wave", [], |row| row.get(0));
    kept.optional()
}

/// The writer's side.
#[derive(Default)]
struct Book {
    /// The latest word, until it is on the disk: a step put by hand must not end
    /// with a lock on the file.
    pending: Option<String>,
}

impl Clerk for Book {
    type Job = Job;
    const TICKS: bool = true;

    fn work(
        &mut self,
        connection: &Connection,
        job: Job,
        replies: &mut Replies,
    ) -> Result<(), Fault> {
        match job {
            Job::TakeIn(kept, reply) => {
                let taken = connection.execute("INSERT OR IGNORE INTO wave VALUES (1, ?1)", [kept]);
                replies.after_commit(reply, taken.map(|rows| rows > 0))
            }
            Job::Keep(kept) => {
                self.pending = Some(kept);
                Ok(())
            }
            Job::Flush(reply) => replies.after_commit(reply, Ok(())),
        }
    }

    fn tick(&mut self, connection: &Connection) -> Result<bool, Fault> {
        let Some(kept) = &self.pending else {
            return Ok(false);
        };
        connection
            .prepare_cached("INSERT OR REPLACE INTO wave VALUES (1, ?1)")?
            .execute([kept])?;
        Ok(true)
    }

    fn hourly(&mut self, _: &Connection, _: jiff::Timestamp) -> Result<(), Fault> {
        Ok(())
    }

    fn settled(&mut self, outcome: Outcome) -> u64 {
        if outcome == Outcome::Commit {
            self.pending = None;
        }
        0
    }
}
