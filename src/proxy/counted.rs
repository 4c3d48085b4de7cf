//! Tasks whose panics are counted and cost nothing else.

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
