//! The writer's side of a desk: when it sleeps, and who may wake it.
//!
//! Waking a thread costs the one who wakes it a system call and takes a core
//! from somebody, so a writer that has a batch open is not woken for what
//! nobody waits for: it finds that when it wakes to commit. The queue and its bell
//! have no lock, for a writer that gives way (see [`super::leisure`]) could be
//! holding it for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread::{self, Thread};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use prometheus_client::metrics::gauge::Gauge;

use crate::telemetry::metrics;

/// For which jobs a sleeping writer is woken.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(in crate::store) enum Hears {
    /// Those that somebody waits for, and any once many are queued.
    Asks = 1,
    /// All.
    All = 2,
}

/// Jobs in an eighth of the queue wake a writer, whatever they are.
pub(super) const MANY: usize = 8;

/// What came in.
#[derive(Debug)]
pub(in crate::store) enum Next<J> {
    Job(J),
    Quiet,
    Closed,
}

/// The side of the writer.
#[derive(Debug)]
pub(in crate::store) struct Inbox<J> {
    jobs: Receiver<Queued<J>>,
    room: usize,
    bell: Arc<Bell>,
}

/// A job, and whether somebody waits for its word.
#[derive(Debug)]
pub(super) struct Queued<J> {
    pub(super) job: J,
    pub(super) awaited: bool,
}

/// What both sides see of a queue.
#[derive(Debug, Default)]
pub(super) struct Bell {
    pub(super) depth: AtomicUsize,
    /// Queued jobs that somebody waits for, and the desk itself while it closes.
    pub(super) awaited: AtomicUsize,
    /// A [`Hears`], or zero while the writer is awake.
    hears: AtomicU8,
    /// The depth, as the metrics show it.
    gauge: Gauge,
    sleeper: ArcSwapOption<Thread>,
}

impl Bell {
    pub(super) fn of(file: &'static str) -> Self {
        Self {
            gauge: metrics().store.queue_depth(file),
            ..Self::default()
        }
    }

    /// Shows the depth.
    pub(super) fn show(&self, depth: usize) {
        self.gauge.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// After a job was queued: wakes the writer, if it sleeps and is to hear it.
    pub(super) fn ring(&self, loud: bool) {
        // Pairs with the fence in `listen`: either the sleep is seen here, or
        // the job there.
        fence(Ordering::SeqCst);
        let hears = self.hears.load(Ordering::Relaxed);
        let heard = hears == Hears::All as u8 || (loud && hears == Hears::Asks as u8);
        if heard && let Some(sleeper) = &*self.sleeper.load() {
            sleeper.unpark();
        }
    }

    fn listen(&self, hears: Hears) {
        let this = thread::current();
        let known = self.sleeper.load();
        if known.as_ref().is_none_or(|known| known.id() != this.id()) {
            self.sleeper.store(Some(Arc::new(this)));
        }
        self.hears.store(hears as u8, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    fn wake(&self) {
        self.hears.store(0, Ordering::Relaxed);
    }
}

impl<J> Inbox<J> {
    /// The other end of a queue of `room` jobs.
    pub(super) const fn new(jobs: Receiver<Queued<J>>, room: usize, bell: Arc<Bell>) -> Self {
        Self { jobs, room, bell }
    }

    /// The next job, waiting until `until` at most.
    pub(in crate::store) fn next(&self, until: Instant, hears: Hears) -> Next<J> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Next::Quiet;
            }
            self.bell.listen(hears);
            let missed = self.take();
            if missed.is_none() {
                thread::park_timeout(wait);
            }
            self.bell.wake();
            if let Some(next) = missed {
                return next;
            }
        }
    }

    /// Sleeps until `until`, or until a job calls that is heard; it is not taken.
    pub(super) fn rest(&self, until: Instant, hears: Hears) {
        loop {
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() || self.calls(hears) {
                return;
            }
            self.bell.listen(hears);
            if !self.calls(hears) {
                thread::park_timeout(wait);
            }
            self.bell.wake();
        }
    }

    fn calls(&self, hears: Hears) -> bool {
        let depth = self.bell.depth.load(Ordering::Relaxed);
        self.is_awaited()
            || match hears {
                Hears::Asks => depth >= self.room.div_ceil(MANY),
                Hears::All => depth > 0,
            }
    }

    /// Whether nothing is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.bell.depth.load(Ordering::Relaxed) == 0
    }

    /// Whether half the queue is taken.
    pub(super) fn is_crowded(&self) -> bool {
        self.bell.depth.load(Ordering::Relaxed) >= self.room.div_ceil(2)
    }

    /// Whether somebody waits for what is queued.
    pub(super) fn is_awaited(&self) -> bool {
        self.bell.awaited.load(Ordering::Relaxed) > 0
    }

    fn take(&self) -> Option<Next<J>> {
        match self.jobs.try_recv() {
            Ok(Queued { job, awaited }) => {
                self.bell
                    .awaited
                    .fetch_sub(usize::from(awaited), Ordering::Relaxed);
                let depth = self.bell.depth.fetch_sub(1, Ordering::Relaxed) - 1;
                self.bell.show(depth);
                Some(Next::Job(job))
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Next::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::time::Duration;

    use super::*;

    fn queue(room: usize) -> (SyncSender<Queued<u32>>, Arc<Bell>, Inbox<u32>) {
        let (queue, jobs) = sync_channel(room);
        let bell = Arc::new(Bell::default());
        (queue, Arc::clone(&bell), Inbox::new(jobs, room, bell))
    }

    fn put(queue: &SyncSender<Queued<u32>>, bell: &Bell, job: u32, awaited: bool) {
        bell.depth.fetch_add(1, Ordering::Relaxed);
        bell.awaited
            .fetch_add(usize::from(awaited), Ordering::Relaxed);
        queue.send(Queued { job, awaited }).expect("it listens");
        bell.ring(awaited);
    }

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn until_it_sleeps(bell: &Bell) {
        while bell.hears.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn nothing_is_slept_through_by_who_hears_all() {
        let (queue, bell, inbox) = queue(4);
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..20_000 {
                    put(&queue, &bell, number, false);
                }
                drop(queue);
                bell.ring(true);
            });
            for number in 0..20_000 {
                let next = inbox.next(in_a_minute(), Hears::All);
                assert!(matches!(next, Next::Job(job) if job == number), "{next:?}");
            }
            let next = inbox.next(in_a_minute(), Hears::All);
            assert!(matches!(next, Next::Closed), "{next:?}");
        });
    }

    #[test]
    fn with_a_batch_open_it_wakes_for_what_is_awaited_and_finds_the_rest() {
        let (queue, bell, inbox) = queue(4);
        thread::scope(|scope| {
            let writer = scope.spawn(move || {
                let first = inbox.next(in_a_minute(), Hears::Asks);
                let second = inbox.next(in_a_minute(), Hears::Asks);
                (first, second, inbox.is_awaited())
            });
            until_it_sleeps(&bell);
            put(&queue, &bell, 1, false);
            put(&queue, &bell, 2, true);
            let came = writer.join().expect("it ends");
            assert!(
                matches!(came, (Next::Job(1), Next::Job(2), false)),
                "{came:?}"
            );
        });
    }
}
