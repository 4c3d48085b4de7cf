//! Writing in the processor time that nobody else wants.
//!
//! On a machine with few cores a writer is in the way of requests: it has a core
//! for milliseconds while a request, or the server behind the gate, waits for one
//! (p99 of what is allowed: seven times nginx's). Under `SCHED_IDLE` (sched(7)) a
//! thread counts as no load at all: whoever wakes takes its core at once.
//!
//! Such a thread may get next to nothing of a busy machine. So it only does what
//! nobody waits for; a thread of ordinary standing sleeps, answers who asks, and
//! writes what is left at the end. It also takes over for [`HASTE`] when the idle
//! one falls behind, which is counted and said. It can do so between two jobs
//! only: this is for files of which nothing is promised to be on the disk within a
//! second, and for which a request seldom waits.

use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use super::clerk::Clerk;
use super::writer::{End, Writer};
use crate::standing;
use crate::telemetry::metrics;

/// How long a file is written without giving way, once the writer fell behind.
const HASTE: Duration = Duration::from_secs(60);

/// Runs a writer until every desk is gone. The calling thread is the one of
/// ordinary standing.
pub(in crate::store) fn run<C>(mut writer: Writer<C>)
where
    C: Clerk + Send,
    C::Job: Send,
{
    scope(|scope| {
        let (todo, given) = sync_channel(1);
        let (done, taken) = sync_channel(1);
        let thread = Builder::new().name(format!("idle {}", writer.file));
        // Without it nothing is taken, and all is written by this thread.
        let _ = thread.spawn_scoped(scope, move || at_leisure(&given, &done));
        loop {
            writer.rest();
            let end = if writer.is_awaited() {
                writer.shift(|writer| !writer.is_awaited())
            } else {
                match todo.send(writer) {
                    Ok(()) => {
                        // Nothing comes back from a panic, which the scope passes on.
                        let Ok((back, end)) = taken.recv() else {
                            return;
                        };
                        writer = back;
                        end
                    }
                    Err(SendError(back)) => {
                        writer = back;
                        writer.shift(Writer::rests)
                    }
                }
            };
            if end == End::Closed || (writer.is_behind() && in_haste(&mut writer) == End::Closed) {
                return;
            }
        }
    });
}

fn at_leisure<C: Clerk>(given: &Receiver<Writer<C>>, done: &SyncSender<(Writer<C>, End)>) {
    standing::give_way();
    for mut writer in given {
        let end =
            writer.shift(|writer| writer.is_behind() || writer.is_awaited() || writer.rests());
        if done.send((writer, end)).is_err() {
            return;
        }
    }
}

fn in_haste<C: Clerk>(writer: &mut Writer<C>) -> End {
    metrics().store.hurried(writer.file);
    tracing::info!(
        file = writer.file,
        "the machine is too busy for writing aside: no longer giving way for a minute"
    );
    let begun = Instant::now();
    writer.shift(|writer| begun.elapsed() >= HASTE && !writer.is_crowded())
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::mpsc::{Sender, channel};
    use std::task::{Context, Waker};

    use jiff::Timestamp;
    use rusqlite::Connection;
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
    };

    use super::*;
    use crate::store::BEHIND;
    use crate::store::disk::clerk::{Fault, Outcome, Replies};
    use crate::store::disk::desk::{Desk, Reply};

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
    fn who_is_late_gives_way_no_longer() {
        let (desk, policies, go) = desk();
        desk.send(()).expect("room");
        assert_eq!(policies.recv(), Ok(IDLE));
        // What it is late by: its batch is open all that time.
        std::thread::sleep(2 * BEHIND);
        for _ in 0..2 {
            desk.send(()).expect("room");
            go.send(()).expect("it waits");
            assert_eq!(policies.recv(), Ok(OTHER));
        }
        go.send(()).expect("it waits");
    }

    #[test]
    fn who_asks_does_not_wait_for_spare_time() {
        let (desk, policies, go) = desk();
        desk.send(()).expect("room");
        assert_eq!(policies.recv(), Ok(IDLE));
        let mut reply = None;
        let mut asking = pin!(desk.ask(|to: Reply<()>| reply = Some(to)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(asking.as_mut().poll(&mut context).is_pending());
        go.send(()).expect("it waits");
        assert_eq!(policies.recv(), Ok(OTHER));
        go.send(()).expect("it waits");
    }
}
