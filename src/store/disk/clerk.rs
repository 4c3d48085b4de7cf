//! What one kind of file does with its jobs, and the words to those who wait.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;

use super::StoreError;
use super::desk::Reply;

/// A failure, shared by all that waited for the same commit.
pub(in crate::store) type Fault = Arc<rusqlite::Error>;

/// What one kind of file does with its jobs.
pub(in crate::store) trait Clerk {
    type Job;

    /// Whether [`Clerk::tick`] may have something to write while no job comes.
    const TICKS: bool = false;

    /// Jobs of one batch at most.
    const BATCH: usize = 1000;

    /// Does a job inside the open transaction.
    fn work(
        &mut self,
        connection: &Connection,
        job: Self::Job,
        replies: &mut Replies,
    ) -> Result<(), Fault>;

    /// What is to be written besides jobs; asked before each commit and every
    /// [`crate::store::BEHIND`]. Whether it wrote anything.
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
    waiting: Vec<Word>,
}

type Word = Box<dyn FnOnce(Option<StoreError>) + Send>;

impl Replies {
    pub(in crate::store) const fn new(file: &'static str) -> Self {
        Self {
            file,
            waiting: Vec::new(),
        }
    }

    /// Whether somebody waits for the commit.
    pub(super) const fn are_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The batch has been settled, by this fault or well.
    pub(super) fn say(&mut self, fault: Option<&Fault>) {
        for word in self.waiting.drain(..) {
            word(fault.map(|fault| StoreError::sqlite(self.file, Arc::clone(fault))));
        }
    }

    /// Gives `value` to the one who waits, once the batch is on the disk.
    pub(in crate::store) fn after_commit<T: Send + 'static>(
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
