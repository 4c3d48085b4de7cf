//! What is left over of reading lists: their builders, and the lists before them.
//!
//! A million names pass through twice the memory that they end up in. Freed at
//! once it would be found by the threads of a starting gate, a page here and a
//! page there, and stay in use for ever by a few bytes of each; freed when they
//! have all found their places it goes back to the system whole. That takes a
//! hundred system calls and up to ten milliseconds, and mimalloc makes them on
//! whatever thread next wants a page a second later: most likely a worker, whose
//! requests would wait. So a thread is made for it.

use std::any::Any;
use std::hint::black_box;
use std::sync::Arc;
use std::thread::{Builder, sleep};
use std::time::Duration;

use super::Lists;
use crate::standing;

/// Holds the builders of lists until it is dropped.
#[derive(Debug, Default)]
#[must_use = "dropped at once it frees nothing that stays free"]
pub struct Scaffold(Vec<Box<dyn Any + Send>>);

impl Scaffold {
    /// Keeps what is left of `builder`.
    pub(super) fn keep(&mut self, builder: impl Any + Send) {
        self.0.push(Box::new(builder));
    }

    /// Drops the scaffold, and `lists` when nobody else looks into them any more,
    /// and gives their memory back to the system; all of it aside.
    pub fn take_down(self, lists: Option<Arc<Lists>>) {
        let thread = Builder::new().name("scaffold".to_owned());
        // Without a thread all is dropped here.
        let _ = thread.spawn(move || {
            // Not as what may get no core at all: what gives memory back holds a lock of the
            // process that a worker may want.
            standing::be_nice();
            while lists
                .as_ref()
                .is_some_and(|lists| Arc::strong_count(lists) > 1)
            {
                sleep(IN_USE);
            }
            drop((self, lists));
            give_back();
        });
    }
}

/// How long to wait before looking again whether lists are in use. An attempt looks
/// into them until it is judged, which takes seconds at most.
const IN_USE: Duration = Duration::from_millis(100);

/// Asks for more than any machine has: before mimalloc says no, it gives back at
/// once all that is free. To any other allocator it says nothing.
fn give_back() {
    let mut all = Vec::<u8>::new();
    let _ = black_box(all.try_reserve_exact(black_box(1 << 60)));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::thread::{ThreadId, current};

    use super::*;

    /// Says where it is dropped, and whether the lists had been let go by then.
    struct Told {
        tell: Sender<(ThreadId, bool)>,
        let_go: Arc<AtomicBool>,
    }

    impl Drop for Told {
        fn drop(&mut self) {
            let let_go = self.let_go.load(Ordering::SeqCst);
            let _ = self.tell.send((current().id(), let_go));
        }
    }

    #[test]
    fn all_is_dropped_aside_once_nobody_looks_into_the_lists() {
        let (tell, told) = channel();
        let let_go = Arc::new(AtomicBool::new(false));
        let mut scaffold = Scaffold::default();
        scaffold.keep(Told {
            tell,
            let_go: Arc::clone(&let_go),
        });
        let lists = Arc::new(Lists::empty());
        let seen = Arc::clone(&lists);
        scaffold.take_down(Some(lists));
        assert!(told.try_recv().is_err(), "they are looked into");
        let_go.store(true, Ordering::SeqCst);
        let weak = Arc::downgrade(&seen);
        drop(seen);
        let (by, let_go) = told.recv().expect("dropped at last");
        assert!(let_go && by != current().id());
        while weak.strong_count() > 0 {
            std::thread::yield_now();
        }
    }
}
