//! The record of what was tried and judged: for `explain`, reports, appeals
//! and replay. Bounded in the queue, in rows and in age; what is lost is counted.

mod filter;
pub mod flood;
mod fresh;
mod rows;

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::disk::clerk::{Clerk, Fault, Outcome as Batch, Replies};
use super::disk::desk::{Desk, Reply};
use super::disk::file::{self, FileKind, Sync};
use super::disk::folder::Folder;
use super::disk::inbox::{Hears, Inbox, Next};
use super::disk::leisure;
use super::disk::writer::Writer;
use super::{StoreError, StoreSettings};
use crate::event::{Event, EventId, Outcome};
use crate::telemetry::metrics;
use crate::verdict::Judged;

pub use filter::{Filter, Onward};
pub use flood::FloodSettings;
use flood::{Flood, Place};
use fresh::Fresh;

pub(super) const FILE: FileKind = FileKind {
    name: "events.sqlite3",
    migrations: rows::MIGRATIONS,
    sync: Sync::Normal,
};
const ROOM: usize = 8192;
/// What a full batch touches has room: else pages are written before the commit
/// and again with it.
const CACHE_KIB: i64 = 8192;
const QUERIES: usize = 32;
/// Rows removed at one tick, so that a sweep never holds up the writing for long.
const CHUNK: usize = 5000;

/// The callers' side.
#[derive(Debug)]
pub(super) struct Events {
    // Before the desk: a reader must not outlive the writer's last commit for nothing.
    reader: Desk<Query>,
    desk: Desk<Job>,
    flood: Arc<Mutex<Flood>>,
    hasher: RandomState,
}

#[derive(Debug)]
enum Job {
    Record(Arc<Event>),
    Outcome(EventId, Outcome),
    Event(EventId, Reply<Option<Event>>),
    Sweep(Timestamp, Reply<usize>),
    Flush(Reply<()>),
}

#[derive(Debug)]
struct Query(Filter, Reply<Vec<Event>>);

impl Events {
    pub(super) fn open(
        folder: &Folder,
        settings: &StoreSettings,
        kept_aside: &mut Vec<PathBuf>,
    ) -> Result<Self, StoreError> {
        let connection = file::open(folder, &FILE, kept_aside)?;
        connection
            .pragma_update(None, "cache_size", -CACHE_KIB)
            .map_err(|error| StoreError::sqlite(FILE.name, error))?;
        let reading = file::open_reader(folder, &FILE)?;
        let fault = |error| StoreError::sqlite(FILE.name, error);
        let flood = Arc::new(Mutex::new(Flood::new(settings.flood)));
        let book = Book {
            rows: rows::count(&connection).map_err(fault)?,
            fresh: Fresh::default(),
            recorded: 0,
            outcomes: 0,
            most: settings.event_rows,
            retention: settings.retention,
            flood: Arc::clone(&flood),
            sweeping: None,
        };
        let desk = Desk::start(FILE.name, ROOM, move |inbox, failing| {
            leisure::run(Writer::new(FILE.name, connection, inbox, failing, book));
        })?;
        let reader = Desk::start("events.sqlite3 (reader)", QUERIES, move |inbox, _| {
            answer(&reading, &inbox);
        })?;
        Ok(Self {
            reader,
            desk,
            flood,
            hasher: RandomState::new(),
        })
    }

    pub(super) fn record(&self, event: &Event) {
        if !self.merge(event, flood::key(event)) {
            self.add(Arc::new(event.clone()));
        }
    }

    /// See [`super::Store::merges`].
    pub(super) fn merges(&self, event: &Event, verdicts: &[Judged]) -> bool {
        self.merge(event, flood::key_of(event, verdicts))
    }

    fn merge(&self, event: &Event, kind: Option<flood::Kind<'_>>) -> bool {
        let Some(kind) = kind.map(|kind| self.hasher.hash_one(kind)) else {
            return false;
        };
        let merged = self.flood.lock().place(kind, event.id, event.at) == Place::Merge;
        if merged {
            metrics().store.events_merged.inc();
        }
        merged
    }

    /// Gives it a row of its own.
    pub(super) fn add(&self, event: Arc<Event>) {
        let metrics = &metrics().store;
        match self.desk.send(Job::Record(event)) {
            Ok(()) => metrics.events_recorded.inc(),
            Err(_) => metrics.events_dropped.inc(),
        };
    }

    pub(super) fn outcome(&self, id: EventId, outcome: Outcome) {
        // Refused only if the queue is full, which is counted there.
        drop(self.desk.send(Job::Outcome(id, outcome)));
    }

    pub(super) async fn event(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        self.desk.ask(|reply| Job::Event(id, reply)).await
    }

    pub(super) async fn events(&self, filter: Filter) -> Result<Vec<Event>, StoreError> {
        // What was recorded before is to be seen; if it cannot be written, the rest is.
        drop(self.desk.ask(Job::Flush).await);
        self.reader.ask(|reply| Query(filter, reply)).await
    }

    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.desk.ask(|reply| Job::Sweep(now, reply)).await
    }

    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.desk.flush(Job::Flush).await
    }

    pub(super) fn failing(&self) -> Option<(&'static str, String)> {
        self.desk.failing()
    }
}

/// Long queries have a thread of their own: they must not hold up the writing.
fn answer(connection: &Connection, inbox: &Inbox<Query>) {
    let patience = Duration::from_secs(3600);
    loop {
        match inbox.next(std::time::Instant::now() + patience, Hears::All) {
            Next::Job(Query(filter, reply)) => {
                let events = rows::select(connection, &filter);
                let events = events.map_err(|error| StoreError::sqlite(FILE.name, error));
                // Whoever asked may have left.
                drop(reply.send(events));
            }
            Next::Quiet => {}
            Next::Closed => return,
        }
    }
}

/// The writer's side.
struct Book {
    rows: u64,
    /// Recorded in the open batch and not written yet.
    fresh: Fresh,
    /// Recorded in the open batch.
    recorded: u64,
    /// What replies told, noted in the open batch.
    outcomes: u64,
    most: u64,
    retention: Duration,
    flood: Arc<Mutex<Flood>>,
    sweeping: Option<Timestamp>,
}

impl Book {
    /// Removes a chunk of what is too old or too much; how many rows.
    fn sweep(&mut self, connection: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
        let old = rows::sweep(connection, before, CHUNK)?;
        let surplus = self.rows.saturating_sub(old as u64 + self.most);
        let surplus = usize::try_from(surplus).unwrap_or(CHUNK);
        let more = rows::drop_oldest(connection, surplus.min(CHUNK - old))?;
        self.rows = self.rows.saturating_sub((old + more) as u64);
        Ok(old + more)
    }

    fn sweep_all(&mut self, connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
        let mut swept = 0;
        loop {
            match self.sweep(connection, before(now, self.retention))? {
                0 => return Ok(swept),
                some => swept += some,
            }
        }
    }
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
            Job::Record(event) => {
                self.recorded += 1;
                self.rows += 1;
                self.fresh.add(connection, event)?;
            }
            Job::Outcome(id, outcome) => {
                self.outcomes += 1;
                if !self.fresh.complete(id, outcome) {
                    rows::outcome(connection, id, outcome)?;
                }
            }
            Job::Event(id, reply) => {
                let waiting = self.fresh.has(id);
                match self.fresh.write(connection) {
                    Err(error) if waiting => return replies.or_fault(reply, Err(error)),
                    // What is on the disk can be read whatever becomes of the rest.
                    written => {
                        replies.now(reply, rows::event(connection, id));
                        written?;
                    }
                }
            }
            Job::Sweep(now, reply) => {
                let written = self.fresh.write(connection);
                let swept = written.and_then(|()| self.sweep_all(connection, now));
                replies.after_commit(reply, swept)?;
            }
            Job::Flush(reply) => replies.after_commit(reply, Ok(()))?,
        }
        Ok(())
    }

    fn tick(&mut self, connection: &Connection) -> Result<bool, Fault> {
        self.fresh.write(connection)?;
        let merged = self.flood.lock().take_merged();
        let mut wrote = !merged.is_empty();
        for (id, count) in merged {
            if !rows::add_count(connection, id, count)? {
                metrics().store.events_dropped.inc_by(u64::from(count));
            }
        }
        if self.sweeping.is_none() && self.rows > self.most + self.most / 10 {
            self.sweeping = Some(Timestamp::now());
        }
        if let Some(now) = self.sweeping {
            let swept = self.sweep(connection, before(now, self.retention))?;
            self.sweeping = (swept > 0).then_some(now);
            wrote |= swept > 0;
        }
        Ok(wrote)
    }

    fn hourly(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Fault> {
        self.sweeping = Some(now);
        metrics()
            .store
            .file_bytes(FILE.name, rows::bytes(connection)?);
        Ok(())
    }

    fn settled(&mut self, outcome: Batch) -> u64 {
        let recorded = std::mem::take(&mut self.recorded);
        let outcomes = std::mem::take(&mut self.outcomes);
        if outcome == Batch::Commit {
            return 0;
        }
        self.fresh.clear();
        metrics().store.events_dropped.inc_by(recorded);
        self.rows = self.rows.saturating_sub(recorded);
        recorded + outcomes
    }
}

fn before(now: Timestamp, retention: Duration) -> Timestamp {
    now.checked_sub(retention).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
