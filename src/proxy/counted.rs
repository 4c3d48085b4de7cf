//! Tasks whose panics are counted and cost nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs `work` in the caller's own task up to where it first has to wait; the
/// rest of it becomes a task. It cannot be cancelled by the caller either way.
pub(super) fn begin_counted(
    cx: &mut Context<'_>,
    mut work: Pin<Box<dyn Future<Output = ()> + Send>>,
) {
    // Nobody polls it again after a panic.
    let begun = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
    match begun {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => spawn_counted(work),
        Err(_) => {
            crate::telemetry::metrics().proxy.panics.inc();
        }
    }
}

/// Runs `work` on this worker. A panic ends that task alone (tokio catches
/// it), is counted, and reaches the log through the panic hook.
pub(super) fn spawn_counted(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        let _count = CountPanic;
        work.await;
    });
}

struct CountPanic;

impl Drop for CountPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::telemetry::metrics().proxy.panics.inc();
        }
    }
}
