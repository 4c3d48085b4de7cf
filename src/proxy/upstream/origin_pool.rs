//! One upstream address and the connections kept open to it.
//!
//! Last in, first out, so that a quiet worker keeps few connections warm and
//! the rest age out before Puma closes them. There is no limit on a
//! connection's age, only on the time it lies unused.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::connect::Target;
use super::wire::Wire;
use crate::proxy::clock::millis;
use crate::proxy::fault::Fault;
use crate::proxy::origin::Address;
use crate::proxy::settings::{PoolSettings, ProxySettings};
use crate::proxy::watch::Pace;

/// An upstream address with its pool.
#[derive(Debug)]
pub(super) struct Origin {
    target: Target,
    kept: Mutex<Vec<Kept>>,
    bounds: PoolSettings,
    connect_within: Duration,
    max_head: usize,
    pace: Arc<Pace>,
}

#[derive(Debug)]
struct Kept {
    wire: Box<Wire>,
    since: u64,
}

impl Origin {
    pub(super) fn new(address: &Address, settings: &ProxySettings, pace: &Arc<Pace>) -> Self {
        Self {
            target: Target::new(address),
            kept: Mutex::new(Vec::new()),
            bounds: settings.pool,
            connect_within: settings.timeouts.connect,
            max_head: settings.max_head,
            pace: Arc::clone(pace),
        }
    }

    /// The connection used last that is still open. `surely` asks the kernel,
    /// which costs a system call, instead of trusting what has been heard.
    pub(super) fn take(&self, surely: bool) -> Option<Box<Wire>> {
        let now = self.pace.clock.now();
        let mut kept = self.kept.lock();
        while let Some(mut one) = kept.pop() {
            let spent = one.wire.is_spent() || self.expired(&one, now);
            let gone = spent || (surely && one.wire.is_spent_for_sure());
            if !gone {
                return Some(one.wire);
            }
        }
        None
    }

    /// A fresh connection.
    pub(super) async fn connect(&self) -> Result<Box<Wire>, Fault> {
        self.target
            .connect(&self.pace.clock, self.connect_within)
            .await
    }

    /// The longest head that a reply may have.
    pub(super) const fn max_head(&self) -> usize {
        self.max_head
    }

    pub(super) fn sweep(&self) {
        let now = self.pace.clock.now();
        self.kept
            .lock()
            .retain_mut(|kept| !kept.wire.is_spent() && !self.expired(kept, now));
    }

    fn expired(&self, kept: &Kept, now: u64) -> bool {
        now >= kept.since + millis(self.bounds.idle)
    }

    /// Keeps a connection for another request: its reply has ended.
    pub(super) fn keep(&self, mut wire: Box<Wire>) {
        if !wire.unread.is_empty() {
            return; // more than was asked for
        }
        wire.rest();
        let since = self.pace.clock.now();
        let mut kept = self.kept.lock();
        if kept.len() >= self.bounds.connections {
            kept.remove(0); // the one unused for longest
        }
        kept.push(Kept { wire, since });
    }
}
