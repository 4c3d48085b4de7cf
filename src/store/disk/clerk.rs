//! The writer of one file: jobs in batches, one transaction a batch.
//!
//! A batch is committed when somebody waits for it and nothing more is queued,
//! or [`BEHIND`] after its first write. A job that fails takes its whole batch
//! back: what fails is the disk, not the job, and half a job must not stay.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;

use super::StoreError;
use super::desk::{Failing, Inbox, Next, Reply};
use crate::store::BEHIND;
use crate::telemetry::metrics;

/// A failure, shared by all that waited for the same commit.
pub(in crate::store) type Fault = Arc<rusqlite::Error>;

/// What one kind of file does with its jobs.
pub(in crate::store) trait Clerk {
    type Job;

    /// Whether [`Clerk::tick`] may have something to write while no job comes.
    const TICKS: bool = false;

    /// Does a job inside the open transaction.
    fn work(
        &mut self,
        connection: &Connection,
        job: Self::Job,
        replies: &mut Replies,
    ) -> Result<(), Fault>;

    /// What is to be written besides jobs; asked before each commit and every
    /// [`BEHIND`]. Whether it wrote anything.
    fn tick(&mut self, _connection: &Connection) -> Result<bool, Fault> {
        Ok(false)
    }

    /// An hour has passed, or the gate has just started.
    fn hourly(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Fault>;

    /// The batch is on the disk, or all of it was taken back: how many rows are
    /// given up for that, and nobody has been told of.
    fn settled(&mut self, outcome: Outcome) -> u64;
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Outcome {
    Commit,
    TakeBack,
}

/// Words to be given once the batch has been settled.
pub(in crate::store) struct Replies {
    file: &'static str,
    waiting: Vec<Box<dyn FnOnce(Option<StoreError>)>>,
}

impl Replies {
    /// Gives `value` to the one who waits, once the batch is on the disk.
    pub(in crate::store) fn after_commit<T: 'static>(
        &mut self,
        reply: Reply<T>,
        value: rusqlite::Result<T>,
    ) -> Result<(), Fault> {
        let (word, outcome) = match self.or_say_why(value) {
            Ok(value) => (Ok(value), Ok(())),
            Err((error, fault)) => (Err(error), Err(fault)),
        };
        self.waiting.push(Box::new(move |failure| {
            let word = word.and_then(|value| failure.map_or(Ok(value), Err));
            // Whoever asked may have left.
            drop(reply.send(word));
        }));
        outcome
    }

    /// Gives what was read to the one who waits.
    pub(in crate::store) fn now<T>(&self, reply: Reply<T>, value: rusqlite::Result<T>) {
        drop(reply.send(value.map_err(|error| StoreError::sqlite(self.file, error))));
    }

    /// Gives `value` to the one who waits, now: it may be lost with the batch.
    pub(in crate::store) fn or_fault<T>(
        &self,
        reply: Reply<T>,
        value: rusqlite::Result<T>,
    ) -> Result<(), Fault> {
        let (word, outcome) = match self.or_say_why(value) {
            Ok(value) => (Ok(value), Ok(())),
            Err((error, fault)) => (Err(error), Err(fault)),
        };
        drop(reply.send(word));
        outcome
    }

    fn or_say_why<T>(&self, value: rusqlite::Result<T>) -> Result<T, (StoreError, Fault)> {
        value.map_err(|error| {
            let fault = Arc::new(error);
            (StoreError::sqlite(self.file, Arc::clone(&fault)), fault)
        })
    }
}

/// Jobs of one batch at most.
const MOST: usize = 1000;
const HOUR: Duration = Duration::from_secs(3600);

/// Works off the inbox until every desk is gone.
pub(in crate::store) fn run<C: Clerk>(
    file: &'static str,
    connection: Connection,
    inbox: Inbox<C::Job>,
    failing: Failing,
    clerk: C,
) {
    let mut writer = Writer {
        file,
        connection,
        failing,
        clerk,
        replies: Replies {
            file,
            waiting: Vec::new(),
        },
        jobs: 0,
        since: None,
    };
    let mut next_hour = Instant::now();
    loop {
        if next_hour <= Instant::now() {
            next_hour += HOUR;
            writer.attempt(|clerk, connection, _| clerk.hourly(connection, Timestamp::now()));
        }
        match inbox.next(writer.patience().min(next_hour)) {
            Next::Job(job) => {
                writer.jobs += 1;
                writer.attempt(|clerk, connection, replies| clerk.work(connection, job, replies));
                if writer.jobs >= MOST || writer.is_due() {
                    writer.commit();
                }
            }
            Next::Quiet if C::TICKS || !writer.connection.is_autocommit() => writer.commit(),
            Next::Quiet => {}
            Next::Closed => return writer.commit(),
        }
    }
}

struct Writer<C> {
    file: &'static str,
    connection: Connection,
    failing: Failing,
    clerk: C,
    replies: Replies,
    jobs: usize,
    since: Option<Instant>,
}

impl<C: Clerk> Writer<C> {
    /// Until when to wait for more jobs before committing.
    fn patience(&self) -> Instant {
        let now = Instant::now();
        match self.since {
            Some(_) if !self.replies.waiting.is_empty() => now,
            Some(since) => since + BEHIND,
            None if C::TICKS => now + BEHIND,
            None => now + HOUR,
        }
    }

    fn is_due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= BEHIND)
    }

    fn attempt(
        &mut self,
        work: impl FnOnce(&mut C, &Connection, &mut Replies) -> Result<(), Fault>,
    ) {
        // Started even if the transaction is refused, so that the job is done,
        // fails for the same reason and tells the one who waits.
        let begun = self.begin();
        let outcome = work(&mut self.clerk, &self.connection, &mut self.replies);
        if let Err(fault) = outcome.and(begun) {
            self.take_back(fault);
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        if self.connection.is_autocommit() {
            self.since = Some(Instant::now());
            self.connection.execute_batch("BEGIN")?;
        }
        Ok(())
    }

    fn commit(&mut self) {
        let outcome = self.begin().and_then(|()| self.finish());
        match outcome {
            Ok(()) => {
                self.settled(Outcome::Commit);
                self.say(None);
            }
            Err(fault) => self.take_back(fault),
        }
        self.jobs = 0;
        self.since = None;
    }

    fn finish(&mut self) -> Result<(), Fault> {
        let wrote = self.clerk.tick(&self.connection)? || self.jobs > 0;
        let started = Instant::now();
        self.connection.execute_batch("COMMIT")?;
        if wrote {
            metrics().store.wrote(self.file, started.elapsed());
            let mut fares = self.failing.lock();
            if fares.why.take().is_some() {
                let dropped = fares.dropped;
                tracing::warn!(
                    file = self.file,
                    dropped,
                    "the store can be written again; this many rows could not be kept"
                );
            }
        }
        Ok(())
    }

    fn take_back(&mut self, fault: Fault) {
        if !self.connection.is_autocommit() {
            // It fails only if there is nothing to take back.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
        metrics().store.write_failed(self.file);
        self.settled(Outcome::TakeBack);
        self.jobs = 0;
        let error = StoreError::sqlite(self.file, Arc::clone(&fault));
        let news = self.failing.lock().why.replace(error.to_string()).is_none();
        if news {
            tracing::error!(file = self.file, %error, cause = %fault, "the store cannot be written");
        }
        self.say(Some(fault));
    }

    fn settled(&mut self, outcome: Outcome) {
        let given_up = self.clerk.settled(outcome);
        self.failing.lock().dropped += given_up;
    }

    fn say(&mut self, fault: Option<Fault>) {
        for word in self.replies.waiting.drain(..) {
            word(
                fault
                    .as_ref()
                    .map(|fault| StoreError::sqlite(self.file, Arc::clone(fault))),
            );
        }
    }
}
