//! The writer of one file: jobs in batches, one transaction a batch.
//!
//! A batch is committed when somebody waits for it and nothing more is queued,
//! or [`BEHIND`] after its first job came. A job that fails takes its whole batch
//! back: what fails is the disk, not the job, and half a job must not stay.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;

use super::StoreError;
use super::clerk::{Clerk, Fault, Outcome, Replies};
use super::desk::Failing;
use super::inbox::{Hears, Inbox, Next};
use crate::store::BEHIND;
use crate::telemetry::metrics;

const HOUR: Duration = Duration::from_secs(3600);

/// How long a writer keeps a core before it lets go of it once. Whoever waits for
/// one would wait out the rest of its slice, which the kernel seldom cuts short.
const STRETCH: Duration = Duration::from_micros(200);

/// See the head of this file.
pub(in crate::store) struct Writer<C: Clerk> {
    pub(super) file: &'static str,
    connection: Connection,
    inbox: Inbox<C::Job>,
    failing: Failing,
    clerk: C,
    replies: Replies,
    jobs: usize,
    since: Option<Instant>,
    /// Whether a batch was committed too late in this shift.
    late: bool,
    /// When it last let go of its core.
    paused: Instant,
    next_hour: Instant,
}

/// Why a shift of a writer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Every desk is gone, and all they had queued is written.
    Closed,
    /// It was to end.
    Over,
}

impl<C: Clerk> Writer<C> {
    pub(in crate::store) fn new(
        file: &'static str,
        connection: Connection,
        inbox: Inbox<C::Job>,
        failing: Failing,
        clerk: C,
    ) -> Self {
        Self {
            file,
            connection,
            inbox,
            failing,
            clerk,
            replies: Replies::new(file),
            jobs: 0,
            since: None,
            late: false,
            paused: Instant::now(),
            next_hour: Instant::now(),
        }
    }

    /// Works off the inbox until every desk is gone.
    pub(in crate::store) fn run(mut self) {
        self.shift(|_| false);
    }

    /// Works off the inbox until every desk is gone or the shift is `over`, which
    /// is asked before each job.
    pub(super) fn shift(&mut self, over: impl Fn(&Self) -> bool) -> End {
        self.late = false;
        while !over(self) {
            if self.next_hour <= Instant::now() {
                self.next_hour += HOUR;
                self.attempt(|clerk, connection, _| clerk.hourly(connection, Timestamp::now()));
            }
            match self.inbox.next(self.until(), self.hears()) {
                Next::Job(job) => self.work(job),
                Next::Quiet if C::TICKS || !self.connection.is_autocommit() => self.commit(),
                Next::Quiet => self.since = None,
                Next::Closed => {
                    self.commit();
                    return End::Closed;
                }
            }
        }
        End::Over
    }

    /// Sleeps while there is nothing to do; and a while longer with the first job
    /// of a batch, for mostly it is soon waited for, or more come.
    pub(super) fn rest(&mut self) {
        self.inbox.rest(self.until(), self.hears());
        if self.since.is_none() && !self.inbox.is_empty() {
            self.since = Some(Instant::now());
            self.inbox.rest(self.until(), Hears::Asks);
        }
    }

    /// Whether it would only sleep now.
    pub(super) fn rests(&self) -> bool {
        self.inbox.is_empty() && !self.is_awaited() && self.until() > Instant::now()
    }

    /// Whether half its queue is taken.
    pub(super) fn is_crowded(&self) -> bool {
        self.inbox.is_crowded()
    }

    /// Whether its queue fills, or it could not commit in time during this shift.
    pub(super) fn is_behind(&self) -> bool {
        self.is_crowded() || self.late
    }

    /// Whether somebody waits for what it does.
    pub(super) fn is_awaited(&self) -> bool {
        self.inbox.is_awaited() || self.replies.are_awaited()
    }

    fn is_late(&self) -> bool {
        self.since
            .is_some_and(|since| since.elapsed() >= 2 * BEHIND)
    }

    fn until(&self) -> Instant {
        self.patience().min(self.next_hour)
    }

    /// Until when to wait for more jobs before committing.
    fn patience(&self) -> Instant {
        let now = Instant::now();
        match self.since {
            Some(_) if self.replies.are_awaited() => now,
            Some(since) => since + BEHIND,
            None if C::TICKS => now + BEHIND,
            None => now + HOUR,
        }
    }

    /// With a batch open it wakes in time by itself.
    const fn hears(&self) -> Hears {
        match self.since {
            Some(_) => Hears::Asks,
            None => Hears::All,
        }
    }

    fn work(&mut self, job: C::Job) {
        self.jobs += 1;
        self.attempt(|clerk, connection, replies| clerk.work(connection, job, replies));
        if self.jobs >= C::BATCH || self.is_late() {
            self.commit();
        }
        if self.paused.elapsed() >= STRETCH && !self.is_awaited() {
            std::thread::yield_now();
            self.paused = Instant::now();
        }
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
            self.since.get_or_insert_with(Instant::now);
            self.connection.execute_batch("BEGIN")?;
        }
        Ok(())
    }

    fn commit(&mut self) {
        let outcome = self.begin().and_then(|()| self.finish());
        match outcome {
            Ok(()) => {
                self.settled(Outcome::Commit);
                self.replies.say(None);
            }
            Err(fault) => self.take_back(fault),
        }
        self.late |= self.is_late();
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
        // Nothing is open any more that would have to be committed in time.
        self.since = None;
        let error = StoreError::sqlite(self.file, Arc::clone(&fault));
        let news = self.failing.lock().why.replace(error.to_string()).is_none();
        if news {
            tracing::error!(file = self.file, %error, cause = %fault, "the store cannot be written");
        }
        self.replies.say(Some(&fault));
    }

    fn settled(&mut self, outcome: Outcome) {
        let given_up = self.clerk.settled(outcome);
        self.failing.lock().dropped += given_up;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::super::inbox::Bell;
    use super::*;

    /// A disk that takes nothing.
    struct Broken;

    impl Clerk for Broken {
        type Job = ();

        fn work(&mut self, _: &Connection, (): (), _: &mut Replies) -> Result<(), Fault> {
            Err(Arc::new(rusqlite::Error::InvalidQuery))
        }

        fn hourly(&mut self, _: &Connection, _: Timestamp) -> Result<(), Fault> {
            Ok(())
        }

        fn settled(&mut self, _: Outcome) -> u64 {
            0
        }
    }

    /// It spun on a core, waiting for a moment that had passed.
    #[test]
    fn after_a_failed_write_it_sleeps_until_the_next_job() {
        let (_queue, jobs) = sync_channel(4);
        let inbox = Inbox::new(jobs, 4, Arc::new(Bell::default()));
        let connection = Connection::open_in_memory().expect("memory");
        let mut writer = Writer::new("test", connection, inbox, Failing::default(), Broken);
        writer.next_hour += HOUR;
        writer.work(());
        assert!(writer.connection.is_autocommit(), "it was taken back");
        assert_eq!(writer.since, None);
        assert!(writer.rests());
    }
}
