//! How a thread stands with the scheduler (sched(7)).

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// From now on the calling thread only has the processor time that nobody else
/// wants, for good: without privileges there is no way back. On a busy machine
/// that may be next to nothing, so nobody may wait for it. Where it is forbidden
/// the thread stands as before.
pub(crate) fn give_way() {
    let _ = set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
    );
}
