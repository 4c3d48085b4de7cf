//! How a thread stands with the scheduler (sched(7), nice(2)).
//!
//! Where one of these is forbidden the thread stands as before.

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// A tenth of what a worker gets when both want a core.
const NICE: i32 = 10;

/// From now on the calling thread only has the processor time that nobody else
/// wants, for good: without privileges there is no way back. On a busy machine
/// that may be next to nothing, so nobody may wait for it.
pub(crate) fn give_way() {
    let _ = set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
    );
}

/// From now on the calling thread stands back behind workers, but gets on also on a
/// busy machine.
pub(crate) fn be_nice() {
    // Linux counts by thread, and without a number means the calling one.
    let _ = rustix::process::setpriority_process(None, NICE);
}
