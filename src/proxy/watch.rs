//! What one client connection is waiting for, and since when.
//!
//! A [`Watch`] is a handful of atomics that the socket, the bodies and the
//! service of one connection set as they go; the worker's ticker walks all of
//! them and wakes whoever is overdue, who then sees it here. So a request pays
//! a few stores for all its time-outs, and no timer.
//!
//! All of a watch lives on one worker thread as a rule; the gate may read a
//! reply on in a task of its own, hence atomics and not cells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Waker};

use parking_lot::Mutex;

use super::clock::{Clock, millis};
use super::settings::Timeouts;

/// A worker's clock and the time-outs in its unit.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) clock: Clock,
    limits: Limits,
}

#[derive(Debug)]
struct Limits {
    idle: u64,
    head: u64,
    body_stall: u64,
    reply_head: u64,
    reply_stall: u64,
    tick: u64,
}

impl Pace {
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        Self {
            clock: Clock::new(),
            limits: Limits {
                idle: millis(timeouts.idle),
                head: millis(timeouts.head),
                body_stall: millis(timeouts.body_stall),
                reply_head: millis(timeouts.reply_head),
                reply_stall: millis(timeouts.reply_stall),
                tick: millis(timeouts.tick()),
            },
        }
    }

    /// The end of `span` from now; never early, though the clock is coarse.
    fn after(&self, span: u64) -> u64 {
        self.clock.now() + span + self.limits.tick
    }
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Between requests; nothing of the next has come.
    Idle,
    /// A request head has begun.
    Head,
    /// A request is being served.
    Exchange,
    /// The connection is a tunnel now.
    Tunnel,
    /// The last reply is out; what the client still sends is read and dropped.
    Lingering,
}

/// What ran out on the client's side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Idle,
    Head,
    /// The client takes nothing of its reply.
    Taking,
    /// The client does not stop sending.
    Lingering,
}

/// What became of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFate {
    Fine,
    Stalled,
    Broken,
}

/// One connection's deadlines; zero stands for none.
#[derive(Debug)]
pub(super) struct Watch {
    pace: Arc<Pace>,
    phase: AtomicU8,
    client: AtomicU64,
    taking: AtomicU64,
    body: AtomicU64,
    reply: AtomicU64,
    awaiting_head: AtomicBool,
    body_fate: AtomicU8,
    bodies: AtomicU32,
    unread: AtomicBool,
    parked: AtomicBool,
    connection: Mutex<Option<Waker>>,
    body_reader: Mutex<Option<Waker>>,
    reply_reader: Mutex<Option<Waker>>,
}

impl Watch {
    pub(super) fn new(pace: Arc<Pace>) -> Self {
        let client = AtomicU64::new(pace.after(pace.limits.idle));
        Self {
            pace,
            phase: AtomicU8::new(Phase::Idle as u8),
            client,
            taking: AtomicU64::new(0),
            body: AtomicU64::new(0),
            reply: AtomicU64::new(0),
            awaiting_head: AtomicBool::new(false),
            body_fate: AtomicU8::new(BodyFate::Fine as u8),
            bodies: AtomicU32::new(0),
            unread: AtomicBool::new(false),
            parked: AtomicBool::new(true),
            connection: Mutex::new(None),
            body_reader: Mutex::new(None),
            reply_reader: Mutex::new(None),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Exchange,
            3 => Phase::Tunnel,
            _ => Phase::Lingering,
        }
    }

    fn enter(&self, phase: Phase, deadline: u64) {
        self.phase.store(phase as u8, Relaxed);
        self.client.store(deadline, Relaxed);
    }

    /// Bytes came from the client.
    pub(super) fn heard(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Head, self.pace.after(self.pace.limits.head));
        }
    }

    /// A whole request head came.
    pub(super) fn exchange_begins(&self) {
        self.unread.store(false, Relaxed);
        self.body_fate.store(BodyFate::Fine as u8, Relaxed);
        self.enter(Phase::Exchange, 0);
    }

    /// The reply has been handed to the socket's side wholly, or given up.
    pub(super) fn replied(&self) {
        if self.phase() == Phase::Exchange {
            self.enter(Phase::Idle, self.pace.after(self.pace.limits.idle));
        }
    }

    /// Whether the client may still be sending what nobody will read: a close
    /// would reset the connection and take the reply with it.
    pub(super) fn unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    /// The request's body was given up before its end.
    pub(super) fn body_left_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// The reply is out; [`LINGER`] is left to the client for its own end.
    pub(super) fn linger(&self) {
        self.enter(Phase::Lingering, self.pace.after(LINGER));
    }

    /// No deadline applies from here on.
    pub(super) fn tunnel_begins(&self) {
        self.enter(Phase::Tunnel, 0);
        self.taking.store(0, Relaxed);
        self.reply.store(0, Relaxed);
    }

    /// The socket took bytes, or (`false`) is full.
    pub(super) fn taken(&self, moved: bool) {
        let armed = self.taking.load(Relaxed);
        if moved && armed != 0 {
            self.taking.store(0, Relaxed);
        } else if !moved && armed == 0 && self.phase() != Phase::Tunnel {
            let deadline = self.pace.after(self.pace.limits.body_stall);
            self.taking.store(deadline, Relaxed);
        }
    }

    /// The task of the connection, to be woken when the client is overdue.
    pub(super) fn woken_by(&self, cx: &Context<'_>) {
        remember(&self.connection, cx);
    }

    /// What the client is overdue with.
    pub(super) fn overdue(&self) -> Option<Overdue> {
        let now = self.pace.clock.now();
        if passed(self.taking.load(Relaxed), now) {
            return Some(Overdue::Taking);
        }
        if !passed(self.client.load(Relaxed), now) {
            return None;
        }
        match self.phase() {
            Phase::Idle => Some(Overdue::Idle),
            Phase::Head => Some(Overdue::Head),
            Phase::Lingering => Some(Overdue::Lingering),
            Phase::Exchange | Phase::Tunnel => None,
        }
    }

    /// Whether HTTP state may be dropped until the client speaks again: idle
    /// for [`PARK_AFTER`], nothing left to write, no body in anybody's hands.
    pub(super) fn may_park(&self) -> bool {
        self.phase() == Phase::Idle
            && self.bodies.load(Relaxed) == 0
            && self.taking.load(Relaxed) == 0
            && self.idle_long(self.pace.clock.now())
    }

    pub(super) fn park(&self, parked: bool) {
        self.parked.store(parked, Relaxed);
    }

    fn idle_long(&self, now: u64) -> bool {
        let since = self
            .client
            .load(Relaxed)
            .saturating_sub(self.pace.limits.idle);
        now >= since + PARK_AFTER.min(self.pace.limits.idle / 8)
    }

    /// Somebody holds the request's body.
    pub(super) fn body_held(&self) {
        self.bodies.fetch_add(1, Relaxed);
    }

    /// The request's body was read to its end or given up.
    pub(super) fn body_released(&self) {
        self.bodies.fetch_sub(1, Relaxed);
        self.body.store(0, Relaxed);
    }

    /// A part of the request's body moved on.
    pub(super) fn body_moved(&self) {
        if self.body.load(Relaxed) != 0 {
            self.body.store(0, Relaxed);
        }
        if self.awaiting_head.load(Relaxed) {
            self.head_awaited();
        }
    }

    /// The request's body has to be waited for; `true` once that took too long.
    pub(super) fn body_waits(&self, cx: &Context<'_>) -> bool {
        remember(&self.body_reader, cx);
        self.waits(&self.body, self.pace.limits.body_stall)
    }

    pub(super) fn body_failed(&self, fate: BodyFate) {
        self.body_fate.store(fate as u8, Relaxed);
    }

    pub(super) fn body_fate(&self) -> BodyFate {
        match self.body_fate.load(Relaxed) {
            0 => BodyFate::Fine,
            1 => BodyFate::Stalled,
            _ => BodyFate::Broken,
        }
    }

    /// A request is on its way upstream; the reply's head is due from now on.
    pub(super) fn head_awaited(&self) {
        self.awaiting_head.store(true, Relaxed);
        let deadline = self.pace.after(self.pace.limits.reply_head);
        self.reply.store(deadline, Relaxed);
    }

    /// The reply's head came, or is no longer waited for.
    pub(super) fn head_came(&self) {
        self.awaiting_head.store(false, Relaxed);
        self.reply.store(0, Relaxed);
    }

    /// The reply's head has to be waited for; `true` once that took too long.
    /// Time in which the client's own body is missing does not count.
    pub(super) fn head_waits(&self, cx: &Context<'_>) -> bool {
        remember(&self.reply_reader, cx);
        self.reply_overdue(self.pace.clock.now())
    }

    /// A part of the reply moved on.
    pub(super) fn reply_moved(&self) {
        if self.reply.load(Relaxed) != 0 {
            self.reply.store(0, Relaxed);
        }
    }

    /// The rest of the reply has to be waited for; `true` once that took too long.
    pub(super) fn reply_waits(&self, cx: &Context<'_>) -> bool {
        remember(&self.reply_reader, cx);
        self.waits(&self.reply, self.pace.limits.reply_stall)
    }

    fn waits(&self, deadline: &AtomicU64, span: u64) -> bool {
        match deadline.load(Relaxed) {
            0 => {
                deadline.store(self.pace.after(span), Relaxed);
                false
            }
            at => self.pace.clock.now() >= at,
        }
    }

    fn reply_overdue(&self, now: u64) -> bool {
        let the_clients_turn = self.awaiting_head.load(Relaxed) && self.body.load(Relaxed) != 0;
        !the_clients_turn && passed(self.reply.load(Relaxed), now)
    }

    /// The ticker's look: wakes whoever is overdue at `now`.
    pub(super) fn look(&self, now: u64) {
        let client = passed(self.client.load(Relaxed), now)
            || passed(self.taking.load(Relaxed), now)
            || (!self.parked.load(Relaxed) && self.phase() == Phase::Idle && self.idle_long(now));
        if client {
            self.wake();
        }
        if passed(self.body.load(Relaxed), now) {
            wake(&self.body_reader);
        }
        if self.reply_overdue(now) {
            wake(&self.reply_reader);
        }
    }

    /// Has the connection look around.
    pub(super) fn wake(&self) {
        wake(&self.connection);
    }
}

/// How long a refused client may go on sending, in milliseconds; nginx waits as long
/// as five seconds.
const LINGER: u64 = 2000;

/// How long a quiet connection keeps its buffers, in milliseconds.
const PARK_AFTER: u64 = 500;

fn passed(deadline: u64, now: u64) -> bool {
    deadline != 0 && now >= deadline
}

fn remember(slot: &Mutex<Option<Waker>>, cx: &Context<'_>) {
    let mut slot = slot.lock();
    match &mut *slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn wake(slot: &Mutex<Option<Waker>>) {
    let waker = slot.lock().clone();
    if let Some(waker) = waker {
        waker.wake();
    }
}
