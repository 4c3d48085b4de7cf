//! What leaves a node off the path of requests: gathered, and sent many at a time.
//!
//! Bounded: what finds no room is lost, and counted by whoever it is. While the
//! store is down a batch is tried again and again; nothing is dropped for that.
//! A flush is heard whatever the worker is at, and says how much has not been sent.
//! A worker that breaks off is begun anew: what it had in hand is counted as lost,
//! because that is what broke it, and what waits behind is sent.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{Core, watch};

/// Between two tries while the store is down.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a flush waits for a store that neither answers nor refuses.
const PATIENCE: Duration = Duration::from_secs(1);

/// Flushes that may wait at once; one more waits for a place.
const FLUSHES: usize = 16;

/// One kind of thing that is sent.
pub(super) trait Post: 'static {
    /// The thing.
    type Item: Send + 'static;
    /// What the log calls its worker.
    const NAME: &'static str;
    /// How many may wait.
    const ROOM: usize;
    /// How many go in one call.
    const MOST: usize;
    /// How long a call waits for more to come.
    const GATHER: Duration;

    /// Looks through a batch before it is sent for the first time.
    fn prepare(_batch: &mut Vec<Self::Item>) {}

    /// Sends a batch, once. What it leaves in it is tried again.
    fn send(core: &Core, batch: &mut Vec<Self::Item>) -> impl Future<Output = ()> + Send;

    /// So many found no room, or broke the worker.
    fn lost(count: u64);
}

/// Where one kind of thing is handed in; clones share it.
#[derive(Debug)]
pub(super) struct Outbox<P: Post> {
    items: mpsc::Sender<P::Item>,
    flushes: mpsc::Sender<Flush>,
    progress: Arc<Progress>,
}

impl<P: Post> Clone for Outbox<P> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
            flushes: self.flushes.clone(),
            progress: Arc::clone(&self.progress),
        }
    }
}

/// How many have been handed in, and how many of them are done with.
#[derive(Debug, Default)]
struct Progress {
    given: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    fn left(&self, of: u64) -> u64 {
        of.saturating_sub(self.done.load(Ordering::Acquire))
    }
}

/// Somebody waits until the first `of` are done with.
#[derive(Debug)]
struct Flush {
    of: u64,
    word: oneshot::Sender<()>,
}

impl Flush {
    fn answer(self) {
        // Whoever flushed may have left.
        let _ = self.word.send(());
    }
}

impl<P: Post> Outbox<P> {
    pub(super) fn start(core: Arc<Core>, control: &Handle) -> Self {
        let (items, inbox) = mpsc::channel(P::ROOM);
        let (flushes, asked) = mpsc::channel(FLUSHES);
        let progress = Arc::new(Progress::default());
        let worker = Worker::<P> {
            core,
            inbox,
            asked,
            progress: Arc::clone(&progress),
            batch: Vec::with_capacity(P::MOST),
            taken: 0,
            waiting: Vec::new(),
        };
        let worker = Arc::new(Mutex::new(worker));
        // Ends when the last handle is gone.
        control.spawn(watch::again(P::NAME, move || {
            let worker = Arc::clone(&worker);
            async move {
                let mut worker = worker.lock().await;
                worker.put_down();
                worker.work().await;
            }
        }));
        Self {
            items,
            flushes,
            progress,
        }
    }

    /// Hands something in; it is sent soon.
    pub(super) fn put(&self, item: P::Item) {
        match self.items.try_reserve() {
            Ok(place) => {
                // Counted before it is in the queue: else a flush that counted its own
                // things, and not yet one before them, would be over too early.
                self.progress.given.fetch_add(1, Ordering::Release);
                place.send(item);
            }
            Err(_) => P::lost(1),
        }
    }

    /// Waits until what was handed in so far has been sent, or cannot be for
    /// now: how many have not. Those are sent when the store is back.
    pub(super) async fn flush(&self) -> u64 {
        let of = self.progress.given.load(Ordering::Acquire);
        let (word, told) = oneshot::channel();
        let asked = async {
            // Refused only while the runtime ends.
            if self.flushes.send(Flush { of, word }).await.is_ok() {
                drop(told.await);
            }
        };
        // A store that hangs is no reason to.
        let _ = tokio::time::timeout(PATIENCE, asked).await;
        self.progress.left(of)
    }
}

struct Worker<P: Post> {
    core: Arc<Core>,
    inbox: mpsc::Receiver<P::Item>,
    asked: mpsc::Receiver<Flush>,
    progress: Arc<Progress>,
    batch: Vec<P::Item>,
    /// How many have ever been in a batch.
    taken: u64,
    waiting: Vec<Flush>,
}

impl<P: Post> Worker<P> {
    /// Gives up what the one before had in hand when it broke off: nothing, at first.
    fn put_down(&mut self) {
        self.batch.clear();
        let lost = self.progress.left(self.taken);
        if lost > 0 {
            tracing::error!(name = P::NAME, lost, "what broke the task is not sent");
            P::lost(lost);
            self.progress.done.store(self.taken, Ordering::Release);
        }
        self.waiting.drain(..).for_each(Flush::answer);
    }

    async fn work(&mut self) {
        while self.wait().await {
            self.gather();
            // A full batch waits for nothing: else there could be more than ever goes.
            if self.waiting.is_empty() && self.batch.len() < P::MOST {
                tokio::time::sleep(P::GATHER).await;
                self.gather();
            }
            P::prepare(&mut self.batch);
            while !self.send().await {
                // Whoever waits is told at once that it cannot be sent for now.
                self.waiting.drain(..).for_each(Flush::answer);
                if !self.pause().await {
                    return;
                }
            }
            let progress = &self.progress;
            let done = |flush: &mut Flush| progress.left(flush.of) == 0;
            self.waiting.extract_if(.., done).for_each(Flush::answer);
        }
    }

    /// Until there is something to do; whether there ever will be.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            // What was handed in is sent even if the last handle has gone.
            biased;
            item = self.inbox.recv() => item.map(|item| self.take(item)).is_some(),
            Some(flush) = self.asked.recv() => {
                self.waiting.push(flush);
                true
            }
        }
    }

    fn gather(&mut self) {
        while let Ok(flush) = self.asked.try_recv() {
            self.waiting.push(flush);
        }
        while self.batch.len() < P::MOST {
            let Ok(item) = self.inbox.try_recv() else {
                return;
            };
            self.take(item);
        }
    }

    fn take(&mut self, item: P::Item) {
        self.taken += 1;
        self.batch.push(item);
    }

    /// Whether the batch is done with.
    async fn send(&mut self) -> bool {
        if !self.batch.is_empty() {
            P::send(&self.core, &mut self.batch).await;
        }
        let done = self.taken - self.batch.len() as u64;
        self.progress.done.store(done, Ordering::Release);
        self.batch.is_empty()
    }

    /// Before the next try: shorter if somebody begins to wait for it. Whether
    /// anybody is left who could.
    async fn pause(&mut self) -> bool {
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => !self.asked.is_closed(),
            flush = self.asked.recv() => flush.map(|flush| self.waiting.push(flush)).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use parking_lot::Mutex;

    use super::*;
    use crate::secret::HashKey;
    use crate::store::shared::SharedSettings;

    static SENT: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);

    struct Noting;

    impl Post for Noting {
        type Item = u64;
        const NAME: &'static str = "noting";
        const ROOM: usize = 1024;
        const MOST: usize = 2;
        const GATHER: Duration = Duration::ZERO;

        async fn send(_: &Core, batch: &mut Vec<u64>) {
            SENT.lock().extend(batch.drain(..));
        }

        fn lost(count: u64) {
            panic!("{count} found no room");
        }
    }

    fn core() -> Arc<Core> {
        let settings = SharedSettings::new("unix:///nowhere/redis.sock".to_owned());
        Arc::new(Core::new(settings, &HashKey::new(&[7; 32])))
    }

    /// Others hand in at the same time, and their things come before and after.
    #[tokio::test(flavor = "multi_thread", worker_threads = 8)]
    async fn what_was_handed_in_before_a_flush_is_sent_when_it_says_so() {
        let outbox = Outbox::<Noting>::start(core(), &Handle::current());
        let hand_in = |who: u64| {
            let outbox = outbox.clone();
            async move {
                for number in 0..4000 {
                    let item = who * 10_000 + number;
                    outbox.put(item);
                    assert_eq!(outbox.flush().await, 0);
                    assert!(SENT.lock().contains(&item), "{item}");
                }
            }
        };
        let all: Vec<_> = (0..8).map(|who| tokio::spawn(hand_in(who))).collect();
        for one in all {
            one.await.expect("sent in time");
        }
    }

    static LOST: AtomicU64 = AtomicU64::new(0);
    static CAME: LazyLock<Mutex<Vec<u64>>> = LazyLock::new(Mutex::default);

    /// Breaks on multiples of ten.
    struct Breaking;

    impl Post for Breaking {
        type Item = u64;
        const NAME: &'static str = "breaking";
        const ROOM: usize = 1024;
        const MOST: usize = 2;
        const GATHER: Duration = Duration::ZERO;

        async fn send(_: &Core, batch: &mut Vec<u64>) {
            let whole = std::mem::take(batch);
            assert!(whole.iter().all(|item| item % 10 > 0), "as it is meant to");
            CAME.lock().extend(whole);
        }

        fn lost(count: u64) {
            LOST.fetch_add(count, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_worker_that_breaks_is_begun_anew_and_loses_what_it_had_in_hand() {
        let core = core();
        let outbox = Outbox::<Breaking>::start(Arc::clone(&core), &Handle::current());
        let mut given = 0;
        for round in 1..3 {
            // One batch breaks; the others come whole and in order.
            for item in [round * 10, round * 10 + 1, round * 10 + 2, round * 10 + 3] {
                outbox.put(item);
                given += 1;
            }
            while outbox.flush().await > 0 {}
            assert_eq!(LOST.load(Ordering::Relaxed), round * 2);
            assert!(CAME.lock().ends_with(&[round * 10 + 2, round * 10 + 3]));
        }
        assert_eq!(
            LOST.load(Ordering::Relaxed) + CAME.lock().len() as u64,
            given
        );
        outbox.put(7);
        drop(outbox);
        // Sent all the same, and then there is nobody left.
        while Arc::strong_count(&core) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(CAME.lock().last(), Some(&7));
    }
}
