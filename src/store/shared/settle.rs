//! Settling, off the path of requests: many charges in one script call.
//!
//! Bounded: what finds no room in the queue counts as kept, as does what is
//! older than [`OLDEST`] when the store comes back. Either way a budget is
//! held longer than it should be, never given out twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::super::limiter::Taken;
use super::Core;
use super::outbox::{Outbox, Post};
use super::reservation::{Part, Reservation};
use super::script::{SERVER_TIME, SETTLE};
use crate::secret::KeyedHash;
use crate::telemetry::metrics;

/// The scripts take a charge for kept after ten minutes anyway.
const OLDEST: Duration = Duration::from_secs(600);

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
pub(super) struct Settler(Outbox<Settling>);

impl Settler {
    pub(super) fn start(core: Arc<Core>, control: &Handle) -> Self {
        Self(Outbox::start(core, control))
    }

    pub(super) fn settle(&self, reservation: Reservation, back: impl Fn(usize) -> bool) {
        for settlement in Settlement::all(&reservation, back) {
            self.0.put(settlement);
        }
    }

    /// How many are not settled; they are when the store is back.
    pub(super) async fn flush(&self) -> u64 {
        self.0.flush().await
    }
}

#[derive(Debug)]
struct Settling;

impl Post for Settling {
    type Item = Settlement;
    const NAME: &'static str = "settling";
    const ROOM: usize = 1 << 16;
    // Some hundred microseconds of the server's time.
    const MOST: usize = 128;
    const GATHER: Duration = Duration::from_millis(10);

    async fn send(core: &Core, batch: &mut Vec<Settlement>) {
        let all = batch.len();
        batch.retain(|settlement| settlement.since.elapsed() < OLDEST);
        Self::lost((all - batch.len()) as u64);
        let Some(link) = core.link().filter(|_| !batch.is_empty()) else {
            return;
        };
        let outcome = SETTLE
            .run(link, |cmd| fill(cmd, core, batch, SERVER_TIME))
            .await;
        match outcome {
            Ok(_) => {
                metrics().shared.settled.inc_by(batch.len() as u64);
                batch.clear();
            }
            Err(fault) => core.health.down(&super::words::say(&fault)),
        }
    }

    fn lost(count: u64) {
        metrics().shared.unsettled.inc_by(count);
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
