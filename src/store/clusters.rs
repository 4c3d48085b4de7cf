//! Clusters, and the sign-ups and domains that they were found in.
//!
//! Memory (`judge::cluster`) answers; this file lets it begin again where it
//! stopped. Sign-ups are kept for a week, domains half a year after they were
//! last used, condemnations as long as they are held against a server.

pub(super) mod moved;
mod pending;
mod rows;

use std::path::PathBuf;

use rusqlite::Connection;

use super::StoreError;
use super::disk::clerk::{Clerk, Fault, Outcome, Replies};
use super::disk::desk::{Desk, Reply};
use super::disk::file::{self, FileKind, Sync};
use super::disk::folder::Folder;
use super::disk::leisure;
use super::disk::writer::Writer;
use super::transfer::Content;
use crate::cluster::{Change, Cluster, Kept};
use pending::Pending;

pub(super) const FILE: FileKind = FileKind {
    name: "clusters.sqlite3",
    migrations: rows::MIGRATIONS,
    sync: Sync::Full,
};
const ROOM: usize = 8192;

/// Rows that wait for a disk that refuses.
const MOST_PENDING: usize = 1 << 14;

/// Rows written before the core is let go of once.
const AT_A_STRETCH: usize = 16;

/// The callers' side.
#[derive(Debug)]
pub(super) struct Clusters {
    desk: Desk<Job>,
    kept: parking_lot::Mutex<Kept>,
}

#[derive(Debug)]
enum Job {
    Keep(Box<Change>),
    TakeIn(Vec<Content>, Reply<()>),
    Flush(Reply<()>),
}

impl Clusters {
    pub(super) fn open(folder: &Folder, kept_aside: &mut Vec<PathBuf>) -> Result<Self, StoreError> {
        let connection = file::open(folder, &FILE, kept_aside)?;
        let kept = rows::all(&connection).map_err(|error| StoreError::sqlite(FILE.name, error))?;
        let desk = Desk::start(FILE.name, ROOM, move |inbox, failing| {
            leisure::run(Writer::new(
                FILE.name,
                connection,
                inbox,
                failing,
                Book::default(),
            ));
        })?;
        let kept = parking_lot::Mutex::new(kept);
        Ok(Self { desk, kept })
    }

    /// What the file held at the start; only once, it is large.
    pub(super) fn take_kept(&self) -> Kept {
        std::mem::take(&mut self.kept.lock())
    }

    pub(super) fn kept(&self) -> Vec<Cluster> {
        self.kept.lock().clusters.clone()
    }

    pub(super) fn keep(&self, change: Change) {
        // Refused only if the queue is full, which is counted there.
        drop(self.desk.send(Job::Keep(Box::new(change))));
    }

    /// Merges what was moved here; on the disk when this returns.
    pub(super) async fn take_in(&self, records: Vec<Content>) -> Result<(), StoreError> {
        self.desk.ask(|reply| Job::TakeIn(records, reply)).await
    }

    /// Waits until the changes so far are on the disk; of earlier losses nothing is said.
    pub(super) async fn written(&self) -> Result<(), StoreError> {
        self.desk.ask(Job::Flush).await
    }

    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.desk.flush(Job::Flush).await
    }

    pub(super) fn failing(&self) -> Option<(&'static str, String)> {
        self.desk.failing()
    }
}

/// The writer's side.
#[derive(Default)]
struct Book {
    /// What this batch writes, to be written again if it fails: a condemnation
    /// that was acknowledged must not end with a lock on the file.
    pending: Pending,
}

impl Clerk for Book {
    type Job = Job;
    const TICKS: bool = true;
    /// They are only noted until the batch ends; more often, each end is an fsync.
    const BATCH: usize = ROOM;

    fn work(
        &mut self,
        connection: &Connection,
        job: Job,
        replies: &mut Replies,
    ) -> Result<(), Fault> {
        match job {
            Job::TakeIn(records, reply) => {
                replies.after_commit(reply, moved::take_in(connection, records))
            }
            Job::Keep(change) => {
                self.pending.add(*change);
                Ok(())
            }
            Job::Flush(reply) => replies.after_commit(reply, Ok(())),
        }
    }

    fn tick(&mut self, connection: &Connection) -> Result<bool, Fault> {
        for (place, change) in self.pending.iter().enumerate() {
            rows::keep(connection, change)?;
            if place % AT_A_STRETCH == AT_A_STRETCH - 1 {
                // Requests may wait for this core.
                std::thread::yield_now();
            }
        }
        Ok(!self.pending.is_empty())
    }

    fn hourly(&mut self, connection: &Connection, now: jiff::Timestamp) -> Result<(), Fault> {
        rows::sweep(connection, now.as_second())?;
        Ok(())
    }

    fn settled(&mut self, outcome: Outcome) -> u64 {
        if outcome == Outcome::Commit {
            self.pending.clear();
            return 0;
        }
        // While nothing can be written the oldest changes go first.
        self.pending.keep_newest(MOST_PENDING) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::SeenDomain;
    use crate::mailbox::Domain;

    fn seen(accounts: u32) -> SeenDomain {
        SeenDomain {
            first: 1,
            last: i64::from(accounts),
            accounts,
            confirmed: 0,
            keys: Vec::new().into(),
        }
    }

    #[test]
    fn what_was_merged_before_a_failed_batch_is_written_with_the_next() {
        let connection = Connection::open_in_memory().expect("memory");
        for migration in rows::MIGRATIONS {
            connection.execute_batch(migration).expect("a migration");
        }
        let mut book = Book::default();
        let keep = |book: &mut Book, name: &str, accounts| {
            let name = Domain::new(name).expect("a domain");
            let change = Box::new(Change::Domain(name, Some(seen(accounts))));
            let mut replies = Replies::new("test");
            book.work(&connection, Job::Keep(change), &mut replies)
                .expect("it is only noted");
        };
        let forbid = |on: bool| {
            connection
                .pragma_update(None, "query_only", on)
                .expect("said");
        };
        keep(&mut book, "a.example", 1);
        keep(&mut book, "b.example", 1);
        keep(&mut book, "a.example", 2);
        forbid(true);
        book.tick(&connection).expect_err("it may not write");
        assert_eq!(book.settled(Outcome::TakeBack), 0, "nothing is given up");
        keep(&mut book, "a.example", 3);
        forbid(false);
        assert!(book.tick(&connection).expect("written"));
        assert_eq!(book.settled(Outcome::Commit), 0);
        let mut kept = rows::all(&connection).expect("read").domains;
        kept.sort_by(|(one, _), (other, _)| one.cmp(other));
        let expected = [("a.example", 3), ("b.example", 1)]
            .map(|(name, accounts)| (Domain::new(name).expect("a domain"), seen(accounts)));
        assert_eq!(kept, expected);
        assert!(!book.tick(&connection).expect("nothing is left"));
    }
}
