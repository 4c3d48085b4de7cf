//! Writing in the processor time that nobody else wants.
//!
//! On a machine with few cores a writer is in the way of requests: it has a core
//! for milliseconds while a request, or the server behind the gate, waits for one
//! (p99 of what is allowed: seven times nginx's). Under `SCHED_IDLE` (sched(7)) a
//! thread counts as no load at all: whoever wakes takes its core at once.
//!
//! Such a thread may get next to nothing of a busy machine, and what it writes
//! is bounded by a queue. So when it falls behind, a thread of ordinary standing
//! takes the file over for [`HASTE`]: counted, and said. Only for what no request
//! waits for, and what is not promised to be on the disk within a second.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::clerk::Clerk;
use super::writer::{End, Writer};
use crate::telemetry::metrics;

/// How long a file is written without giving way, once the writer fell behind.
const HASTE: Duration = Duration::from_secs(60);

/// Runs a writer until every desk is gone; the calling thread is the one that
/// takes over.
pub(in crate::store) fn run<C>(mut writer: Writer<C>)
where
    C: Clerk + Send,
    C::Job: Send,
{
    while at_leisure(&mut writer) == End::Over {
        metrics().store.hurried(writer.file);
        tracing::info!(
            file = writer.file,
            "the machine is too busy for writing aside: no longer giving way for a minute"
        );
        if in_haste(&mut writer) == End::Closed {
            return;
        }
    }
}

fn at_leisure<C>(writer: &mut Writer<C>) -> End
where
    C: Clerk + Send,
    C::Job: Send,
{
    let thread = Builder::new().name(format!("idle {}", writer.file));
    scope(|scope| {
        let shift = || {
            // Where that is forbidden it writes all the same.
            let _ = set_thread_priority_and_policy(
                thread_native_id(),
                ThreadPriority::Min,
                ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
            );
            writer.shift(Writer::is_behind)
        };
        match thread.spawn_scoped(scope, shift) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => End::Over,
        }
    })
}

fn in_haste<C: Clerk>(writer: &mut Writer<C>) -> End {
    let begun = Instant::now();
    writer.shift(|writer| begun.elapsed() >= HASTE && writer.is_idle())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use jiff::Timestamp;
    use rusqlite::Connection;
    use thread_priority::thread_schedule_policy;

    use super::*;
    use crate::store::disk::clerk::{Fault, Outcome, Replies};
    use crate::store::disk::desk::Desk;

    const IDLE: ThreadSchedulePolicy =
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    const OTHER: ThreadSchedulePolicy =
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);

    /// Says under which policy each job is done, and goes on when told to.
    struct Saying {
        policy: Sender<ThreadSchedulePolicy>,
        go: Receiver<()>,
    }

    impl Clerk for Saying {
        type Job = ();

        fn work(&mut self, _: &Connection, (): (), _: &mut Replies) -> Result<(), Fault> {
            let policy = thread_schedule_policy().expect("it has one");
            self.policy.send(policy).expect("the test listens");
            self.go.recv().expect("told to go");
            Ok(())
        }

        fn hourly(&mut self, _: &Connection, _: Timestamp) -> Result<(), Fault> {
            Ok(())
        }

        fn settled(&mut self, _: Outcome) -> u64 {
            0
        }
    }

    fn desk() -> (Desk<()>, Receiver<ThreadSchedulePolicy>, Sender<()>) {
        let (policy, policies) = channel();
        let (go, told) = channel();
        let saying = Saying { policy, go: told };
        let desk = Desk::start("test", 8, move |inbox, failing| {
            let connection = Connection::open_in_memory().expect("memory");
            run(Writer::new("test", connection, inbox, failing, saying));
        });
        (desk.expect("started"), policies, go)
    }

    #[test]
    fn who_falls_behind_gives_way_no_longer_and_loses_nothing() {
        let (desk, policies, go) = desk();
        desk.send(()).expect("room");
        assert_eq!(policies.recv(), Ok(IDLE));
        for _ in 0..6 {
            desk.send(()).expect("room");
        }
        for _ in 0..6 {
            go.send(()).expect("it waits");
            assert_eq!(policies.recv(), Ok(OTHER));
        }
        go.send(()).expect("it waits");
        drop(desk);
        assert!(policies.recv().is_err(), "there were no more");
    }

    #[test]
    fn who_keeps_up_gives_way() {
        let (desk, policies, go) = desk();
        for _ in 0..3 {
            desk.send(()).expect("room");
            go.send(()).expect("it waits");
            // The second is found when the first is committed.
            assert_eq!(policies.recv(), Ok(IDLE));
        }
    }
}
