//! The queue before a file's writer, and the thread behind it.
//!
//! Bounded: a full queue refuses at once, it never makes a caller wait. When the
//! desk is dropped the writer finishes what is queued, commits and is joined.
//! How a writer is woken is told in [`super::inbox`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::StoreError;
use super::inbox::{Bell, Inbox, MANY, Queued};
use crate::standing;
use crate::telemetry::metrics;

/// Where a caller waits for a writer's word.
pub(in crate::store) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// The side of the callers.
#[derive(Debug)]
pub(in crate::store) struct Desk<J> {
    file: &'static str,
    queue: Option<SyncSender<Queued<J>>>,
    bell: Arc<Bell>,
    /// See [`MANY`].
    many: usize,
    failing: Failing,
    thread: Option<JoinHandle<()>>,
}

/// How a file's writer fares, as both sides see it.
pub(in crate::store) type Failing = Arc<Mutex<Fares>>;

/// See [`Failing`].
#[derive(Debug, Default)]
pub(in crate::store) struct Fares {
    /// The last failure, until a write succeeds again.
    pub(in crate::store) why: Option<String>,
    /// Rows that were dropped, and that nobody has been told of by a flush.
    pub(in crate::store) dropped: u64,
}

impl<J: Send + 'static> Desk<J> {
    /// Starts a writer's thread on a queue of `room` jobs.
    pub(in crate::store) fn start(
        file: &'static str,
        room: usize,
        run: impl FnOnce(Inbox<J>, Failing) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(room);
        let bell = Arc::new(Bell::of(file));
        let failing = Failing::default();
        let inbox = Inbox::new(jobs, room, Arc::clone(&bell));
        let noted = Arc::clone(&failing);
        let thread = std::thread::Builder::new()
            .name(format!("store {file}"))
            .spawn(move || {
                // It has seconds for its rows, and on a small machine it would hold a core for
                // milliseconds that a request waits out.
                standing::be_nice();
                let word = Arc::clone(&noted);
                if catch_unwind(AssertUnwindSafe(|| run(inbox, noted))).is_err() {
                    tracing::error!(file, "the store's writer has ended: restart the gate");
                    word.lock().why = Some("its writer has ended: restart the gate".to_owned());
                }
            })
            .map_err(|_| StoreError::Gone { file })?;
        Ok(Self {
            file,
            queue: Some(queue),
            bell,
            many: room.div_ceil(MANY),
            failing,
            thread: Some(thread),
        })
    }

    /// Queues a job, or counts it as dropped.
    pub(in crate::store) fn send(&self, job: J) -> Result<(), StoreError> {
        let outcome = self.try_send(job);
        if outcome.is_err() {
            self.failing.lock().dropped += 1;
        }
        outcome
    }

    /// The same for who tries again, or is told.
    pub(in crate::store) fn try_send(&self, job: J) -> Result<(), StoreError> {
        self.queue(job, false)
    }

    fn queue(&self, job: J, awaited: bool) -> Result<(), StoreError> {
        let file = self.file;
        let queue = self.queue.as_ref().ok_or(StoreError::Gone { file })?;
        // Before sending: the writer may take the job off at once.
        let depth = self.bell.depth.fetch_add(1, Ordering::Relaxed) + 1;
        let asks = usize::from(awaited);
        self.bell.awaited.fetch_add(asks, Ordering::Relaxed);
        let refused = match queue.try_send(Queued { job, awaited }) {
            Ok(()) => {
                self.bell.show(depth);
                self.bell.ring(awaited || depth >= self.many);
                return Ok(());
            }
            Err(TrySendError::Full(_)) => StoreError::Busy { file },
            Err(TrySendError::Disconnected(_)) => StoreError::Gone { file },
        };
        self.bell.depth.fetch_sub(1, Ordering::Relaxed);
        self.bell.awaited.fetch_sub(asks, Ordering::Relaxed);
        metrics().store.job_dropped(file);
        Err(refused)
    }

    /// Queues a job and waits for the writer's word.
    pub(in crate::store) async fn ask<T>(
        &self,
        job: impl FnOnce(Reply<T>) -> J,
    ) -> Result<T, StoreError> {
        let (reply, word) = oneshot::channel();
        self.queue(job(reply), true)?;
        word.await
            .unwrap_or(Err(StoreError::Gone { file: self.file }))
    }

    /// Waits until what is queued is on the disk, by a job that says so. What was
    /// dropped since the last flush is an error, once.
    pub(in crate::store) async fn flush(
        &self,
        job: impl FnOnce(Reply<()>) -> J,
    ) -> Result<(), StoreError> {
        self.ask(job).await?;
        match std::mem::take(&mut self.failing.lock().dropped) {
            0 => Ok(()),
            rows => Err(StoreError::Dropped {
                file: self.file,
                rows,
            }),
        }
    }

    /// The file's name and what fails, if its last write failed.
    pub(in crate::store) fn failing(&self) -> Option<(&'static str, String)> {
        let why = self.failing.lock().why.clone();
        why.map(|why| (self.file, why))
    }
}

impl<J> Drop for Desk<J> {
    fn drop(&mut self) {
        self.bell.awaited.fetch_add(1, Ordering::Relaxed);
        drop(self.queue.take());
        self.bell.ring(true);
        if let Some(thread) = self.thread.take() {
            // A panic was caught and logged in the thread itself.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::inbox::{Hears, Next};
    use super::*;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_what_is_in_it_is_done_before_the_end() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let (go, gate) = sync_channel::<()>(0);
        let noted = Arc::clone(&done);
        let desk = Desk::start("test", 2, move |inbox: Inbox<u32>, _| {
            gate.recv().expect("told to go");
            while let Next::Job(job) = inbox.next(in_a_minute(), Hears::All) {
                noted.lock().push(job);
            }
        })
        .expect("started");
        assert!(desk.send(1).is_ok());
        assert!(desk.send(2).is_ok());
        assert!(matches!(desk.send(3), Err(StoreError::Busy { .. })));
        go.send(()).expect("waiting");
        drop(desk);
        assert_eq!(*done.lock(), [1, 2]);
    }

    #[test]
    fn a_writer_that_panics_is_said_and_refused() {
        let desk =
            Desk::start("test", 2, |_: Inbox<u32>, _| panic!("on purpose")).expect("started");
        // The queue is closed while the thread unwinds, the word follows.
        while desk.failing().is_none() {
            std::thread::yield_now();
        }
        assert!(matches!(desk.send(1), Err(StoreError::Gone { .. })));
    }
}
