//! Settling, off the path of requests: many charges in one script call.
//!
//! Bounded: what finds no room in the queue counts as kept, as does what is
//! older than [`OLDEST`] when the store comes back. Either way a budget is
//! held longer than it should be, never given out twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::super::limiter::Taken;
use super::Core;
use super::reservation::{Part, Reservation};
use super::script::{SERVER_TIME, SETTLE};
use crate::secret::KeyedHash;
use crate::telemetry::metrics;

/// Charges that may wait.
const ROOM: usize = 1 << 16;

/// Charges in one call: some hundred microseconds of the server's time.
const MOST: usize = 128;

/// How long a call waits for more to come.
const GATHER: Duration = Duration::from_millis(10);

/// The scripts take a charge for kept after ten minutes anyway.
const OLDEST: Duration = Duration::from_secs(600);

/// Between two tries while the store is down.
const AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Job {
    Settle(Settlement),
    Flush(oneshot::Sender<()>),
}

/// One charge to be settled.
#[derive(Debug)]
pub(super) struct Settlement {
    key: KeyedHash,
    interval: u64,
    at: u64,
    back: bool,
    since: Instant,
}

impl Settlement {
    /// Those of a reservation.
    pub(super) fn all(
        reservation: &Reservation,
        back: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = Self> {
        let since = Instant::now();
        let own = |(_, part): &(usize, &Part)| part.taken == Taken::Own;
        let parts = reservation.parts.iter().enumerate().filter(own);
        parts.map(move |(index, part)| Self {
            key: part.key,
            interval: part.interval,
            at: reservation.at,
            back: back(index),
            since,
        })
    }
}

/// Where settlements are handed in.
#[derive(Clone, Debug)]
pub(super) struct Settler(mpsc::Sender<Job>);

impl Settler {
    pub(super) fn start(core: Arc<Core>, control: &Handle) -> Self {
        let (jobs, inbox) = mpsc::channel(ROOM);
        // Ends when the last handle is gone.
        control.spawn(work(core, inbox));
        Self(jobs)
    }

    pub(super) fn settle(&self, reservation: Reservation, back: impl Fn(usize) -> bool) {
        for settlement in Settlement::all(&reservation, back) {
            if self.0.try_send(Job::Settle(settlement)).is_err() {
                metrics().shared.unsettled.inc();
            }
        }
    }

    pub(super) async fn flush(&self) {
        let (done, word) = oneshot::channel();
        if self.0.send(Job::Flush(done)).await.is_ok() {
            // Gone only with the runtime.
            drop(word.await);
        }
    }
}

async fn work(core: Arc<Core>, mut inbox: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(MOST);
    let mut waiting = Vec::new();
    while let Some(job) = inbox.recv().await {
        take(job, &mut batch, &mut waiting);
        if waiting.is_empty() {
            tokio::time::sleep(GATHER).await;
        }
        while batch.len() < MOST {
            let Ok(job) = inbox.try_recv() else { break };
            take(job, &mut batch, &mut waiting);
        }
        send(&core, &mut batch, !waiting.is_empty()).await;
        for done in waiting.drain(..) {
            // Whoever flushed may have left.
            let _ = done.send(());
        }
    }
}

fn take(job: Job, batch: &mut Vec<Settlement>, waiting: &mut Vec<oneshot::Sender<()>>) {
    match job {
        Job::Settle(settlement) => batch.push(settlement),
        Job::Flush(done) => waiting.push(done),
    }
}

/// Sends a batch, again and again while the store is down, unless somebody waits.
async fn send(core: &Core, batch: &mut Vec<Settlement>, hurry: bool) {
    loop {
        batch.retain(|settlement| settlement.since.elapsed() < OLDEST);
        if batch.is_empty() {
            return;
        }
        if let Some(link) = core.link() {
            let outcome = SETTLE
                .run(link, |cmd| fill(cmd, core, batch, SERVER_TIME))
                .await;
            match outcome {
                Ok(_) => {
                    metrics().shared.settled.inc_by(batch.len() as u64);
                    batch.clear();
                    return;
                }
                Err(fault) => core.health.down(&super::keeper::say(&fault)),
            }
        }
        if hurry {
            metrics().shared.unsettled.inc_by(batch.len() as u64);
            batch.clear();
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The arguments of the script, at `now` by the caller's clock or the server's.
pub(super) fn fill(cmd: &mut redis::Cmd, core: &Core, batch: &[Settlement], now: u64) {
    cmd.arg(batch.len() + 2)
        .arg(core.keys.clock())
        .arg(core.keys.minutes());
    for settlement in batch {
        cmd.arg(core.keys.budget(settlement.key));
    }
    cmd.arg(now);
    for settlement in batch {
        cmd.arg(settlement.interval)
            .arg(settlement.at)
            .arg(u8::from(settlement.back));
    }
}
