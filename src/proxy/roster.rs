//! The live connections of one worker, and its ticker's walk over them.
//!
//! Nobody signs off: an entry that only the roster still holds is dropped on
//! the next walk, so closing a connection costs nothing here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::watch::{Pace, Watch};

/// One worker's connections and tunnels.
#[derive(Debug)]
pub(super) struct Roster {
    pub(super) pace: Arc<Pace>,
    watches: Mutex<Vec<Arc<Watch>>>,
    live: AtomicUsize,
    draining: AtomicBool,
    left: Notify,
}

impl Roster {
    pub(super) fn new(pace: Arc<Pace>) -> Self {
        Self {
            pace,
            watches: Mutex::new(Vec::new()),
            live: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            left: Notify::new(),
        }
    }

    /// Enters a new connection.
    pub(super) fn enter(&self) -> Arc<Watch> {
        let watch = Arc::new(Watch::new(Arc::clone(&self.pace)));
        self.watches.lock().push(Arc::clone(&watch));
        watch
    }

    /// Moves the clock and wakes whoever is overdue.
    pub(super) fn tick(&self) {
        let now = self.pace.clock.tick();
        self.watches.lock().retain(|watch| {
            watch.look(now);
            Arc::strong_count(watch) > 1
        });
    }

    /// Asks every connection to end after what it is at.
    pub(super) fn drain(&self) {
        self.draining.store(true, Relaxed);
        for watch in &*self.watches.lock() {
            watch.wake();
        }
    }

    pub(super) fn draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Holds up the end of a drain until dropped.
    pub(super) fn hold(self: &Arc<Self>) -> Hold {
        self.live.fetch_add(1, Relaxed);
        Hold(Arc::clone(self))
    }

    pub(super) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// Ends when nothing holds the worker up any more.
    pub(super) async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            if self.live() == 0 {
                return;
            }
            left.await;
        }
    }
}

/// Something that a shutdown waits for (up to the grace period): a connection,
/// a tunnel, or a task of the gate that must see its reply's end.
#[derive(Debug)]
pub struct Hold(Arc<Roster>);

impl Drop for Hold {
    fn drop(&mut self) {
        if self.0.live.fetch_sub(1, Relaxed) == 1 {
            self.0.left.notify_waiters();
        }
    }
}
