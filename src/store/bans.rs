//! Bans and allow entries: on the disk before they are acknowledged, in force
//! for readers as one snapshot without locks.

pub(super) mod changes;
mod rows;
mod spelling;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rusqlite::Connection;

use super::StoreError;
use super::disk::clerk::{Clerk, Fault, Outcome, Replies};
use super::disk::desk::{Desk, Reply};
use super::disk::file::{self, FileKind, Sync};
use super::disk::folder::Folder;
use super::disk::writer::Writer;
use changes::{Cursor, Entry, Merged};

use crate::ban::{Ban, Effect, Subject};
use crate::lists::Overlay;
use crate::telemetry::metrics;

pub(super) const FILE: FileKind = FileKind {
    name: "bans.sqlite3",
    migrations: rows::MIGRATIONS,
    sync: Sync::Full,
};
const ROOM: usize = 4096;

/// What the judge reads.
pub type BanSnapshot = Overlay;

fn take_snapshot(bans: impl Iterator<Item = Arc<Ban>>) -> BanSnapshot {
    Overlay::new(bans)
}

/// The callers' side.
#[derive(Debug)]
pub(super) struct Bans {
    desk: Desk<Job>,
    snapshot: Arc<ArcSwap<BanSnapshot>>,
}

#[derive(Debug)]
enum Job {
    Ban(Ban, Reply<Ban>),
    Unban(Subject, Effect, Reply<Option<Ban>>),
    Sweep(Timestamp, Reply<usize>),
    Changes(Cursor, usize, Reply<(Vec<Entry>, Cursor)>),
    Merge(Vec<Entry>, Reply<usize>),
}

impl Bans {
    pub(super) fn open(folder: &Folder, kept_aside: &mut Vec<PathBuf>) -> Result<Self, StoreError> {
        let connection = file::open(folder, &FILE, kept_aside)?;
        if let Err(error) = spelling::mend(&connection) {
            // In force all the same; what is on the disk is not found by its one spelling.
            tracing::error!(file = FILE.name, %error, "bans of an earlier release cannot be written anew");
        }
        let live = rows::all(&connection).map_err(|error| StoreError::sqlite(FILE.name, error))?;
        let snapshot = Arc::new(ArcSwap::from_pointee(BanSnapshot::default()));
        let mut book = Book {
            live: Live::default(),
            pending: Vec::new(),
            snapshot: Arc::clone(&snapshot),
        };
        for ban in live {
            book.live.put(Arc::new(ban));
        }
        book.publish();
        let desk = Desk::start(FILE.name, ROOM, move |inbox, failing| {
            Writer::new(FILE.name, connection, inbox, failing, book).run();
        })?;
        Ok(Self { desk, snapshot })
    }

    pub(super) async fn ban(&self, ban: Ban) -> Result<Ban, StoreError> {
        self.desk.ask(|reply| Job::Ban(ban, reply)).await
    }

    pub(super) async fn unban(
        &self,
        subject: Subject,
        effect: Effect,
    ) -> Result<Option<Ban>, StoreError> {
        self.desk
            .ask(|reply| Job::Unban(subject, effect, reply))
            .await
    }

    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.desk.ask(|reply| Job::Sweep(now, reply)).await
    }

    /// What was decided or lifted since `from`, and where to go on.
    pub(super) async fn changes(
        &self,
        from: Cursor,
        most: usize,
    ) -> Result<(Vec<Entry>, Cursor), StoreError> {
        self.desk.ask(|reply| Job::Changes(from, most, reply)).await
    }

    /// Takes over what other nodes decided later than this one; how much that was.
    pub(super) async fn merge(&self, entries: Vec<Entry>) -> Result<usize, StoreError> {
        self.desk.ask(|reply| Job::Merge(entries, reply)).await
    }

    pub(super) fn with_snapshot<T>(&self, look: impl FnOnce(&BanSnapshot) -> T) -> T {
        look(&self.snapshot.load())
    }

    pub(super) fn snapshot(&self) -> Arc<BanSnapshot> {
        self.snapshot.load_full()
    }

    pub(super) fn failing(&self) -> Option<(&'static str, String)> {
        self.desk.failing()
    }
}

/// What is in force, by id and by subject.
#[derive(Debug, Default)]
struct Live {
    by_id: BTreeMap<u64, Arc<Ban>>,
    by_subject: HashMap<(Subject, Effect), u64>,
}

impl Live {
    fn put(&mut self, ban: Arc<Ban>) {
        let key = (ban.subject.clone(), ban.effect);
        if let Some(old) = self.by_subject.insert(key, ban.id) {
            self.by_id.remove(&old);
        }
        self.by_id.insert(ban.id, ban);
    }

    fn remove(&mut self, id: u64) {
        if let Some(ban) = self.by_id.remove(&id) {
            self.by_subject.remove(&(ban.subject.clone(), ban.effect));
        }
    }
}

enum Change {
    Put(Arc<Ban>),
    Remove(u64),
}

/// The writer's side: what is on the disk, and what will be with this batch.
struct Book {
    live: Live,
    pending: Vec<Change>,
    snapshot: Arc<ArcSwap<BanSnapshot>>,
}

impl Book {
    fn publish(&self) {
        let bans = self.live.by_id.values().map(Arc::clone);
        self.snapshot.store(Arc::new(take_snapshot(bans)));
        metrics().store.bans.set(self.live.by_id.len() as i64);
    }

    fn put(&mut self, connection: &Connection, ban: Ban) -> rusqlite::Result<Ban> {
        let ban = rows::put(connection, ban)?;
        self.pending.push(Change::Put(Arc::new(ban.clone())));
        Ok(ban)
    }

    fn lift(
        &mut self,
        connection: &Connection,
        subject: &Subject,
        effect: Effect,
    ) -> rusqlite::Result<Option<Ban>> {
        let ban = rows::take(connection, subject, effect)?;
        self.pending
            .extend(ban.iter().map(|ban| Change::Remove(ban.id)));
        Ok(ban)
    }

    fn merge(&mut self, connection: &Connection, entries: Vec<Entry>) -> rusqlite::Result<usize> {
        let now = Timestamp::now();
        let mut changed = 0;
        for entry in entries {
            match changes::merge(connection, entry, now)? {
                Merged::Nothing => continue,
                Merged::Put(ban) => self.pending.push(Change::Put(Arc::new(ban))),
                Merged::Lift(id) => self.pending.extend(id.map(Change::Remove)),
            }
            changed += 1;
        }
        Ok(changed)
    }

    fn sweep(&mut self, connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
        changes::sweep(connection, now)?;
        let swept = rows::sweep(connection, now)?;
        self.pending
            .extend(swept.iter().map(|id| Change::Remove(*id)));
        Ok(swept.len())
    }
}

impl Clerk for Book {
    type Job = Job;

    fn work(
        &mut self,
        connection: &Connection,
        job: Job,
        replies: &mut Replies,
    ) -> Result<(), Fault> {
        match job {
            Job::Ban(ban, reply) => replies.after_commit(reply, self.put(connection, ban)),
            Job::Unban(subject, effect, reply) => {
                replies.after_commit(reply, self.lift(connection, &subject, effect))
            }
            Job::Sweep(now, reply) => replies.after_commit(reply, self.sweep(connection, now)),
            Job::Changes(from, most, reply) => {
                // Nobody is told of what is not on this disk.
                replies.after_commit(reply, changes::after(connection, from, most))
            }
            Job::Merge(entries, reply) => {
                replies.after_commit(reply, self.merge(connection, entries))
            }
        }
    }

    fn hourly(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Fault> {
        self.sweep(connection, now)?;
        Ok(())
    }

    fn settled(&mut self, outcome: Outcome) -> u64 {
        // Whoever waits for a ban is told.
        if self.pending.is_empty() {
            return 0;
        }
        let pending = std::mem::take(&mut self.pending);
        if outcome != Outcome::Commit {
            return 0;
        }
        for change in pending {
            match change {
                Change::Put(ban) => self.live.put(ban),
                Change::Remove(id) => self.live.remove(id),
            }
        }
        self.publish();
        0
    }
}
