//! One upstream address and the connections kept open to it.
//!
//! Last in, first out, so that a quiet worker keeps few connections warm and
//! the rest age out before Puma closes them. There is no limit on a
//! connection's age, only on the time it lies unused.

use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;

use super::connect::Target;
use crate::proxy::Body;
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
    sender: SendRequest<Body>,
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

    /// The connection used last, if one is ready.
    pub(super) fn take(&self) -> Option<SendRequest<Body>> {
        let now = self.pace.clock.now();
        let mut kept = self.kept.lock();
        let mut at = kept.len();
        while let Some(before) = at.checked_sub(1) {
            at = before;
            let one = kept.get(at)?;
            if one.sender.is_closed() || self.expired(one, now) {
                kept.remove(at);
            } else if one.sender.is_ready() {
                return Some(kept.remove(at).sender);
            }
            // Else it is still taking in the end of a request whose reply came early.
        }
        None
    }

    /// A fresh connection, its task running.
    pub(super) async fn connect(&self) -> Result<SendRequest<Body>, Fault> {
        let clock = &self.pace.clock;
        self.target
            .connect(clock, self.connect_within, self.max_head)
            .await
    }

    pub(super) fn sweep(&self) {
        let now = self.pace.clock.now();
        self.kept
            .lock()
            .retain(|kept| !kept.sender.is_closed() && !self.expired(kept, now));
    }

    fn expired(&self, kept: &Kept, now: u64) -> bool {
        now >= kept.since + millis(self.bounds.idle)
    }

    fn keep(&self, sender: SendRequest<Body>) {
        if sender.is_closed() {
            return;
        }
        let since = self.pace.clock.now();
        let mut kept = self.kept.lock();
        if kept.len() >= self.bounds.connections {
            kept.remove(0); // the one unused for longest
        }
        kept.push(Kept { sender, since });
    }
}

/// A connection on which a reply is coming in.
///
/// Dropped before the reply's end it closes the connection, which is how a
/// request is cancelled in HTTP/1.
#[derive(Debug)]
pub(in crate::proxy) struct Lease {
    sender: Option<SendRequest<Body>>,
    origin: Arc<Origin>,
}

impl Lease {
    pub(super) const fn new(sender: SendRequest<Body>, origin: Arc<Origin>) -> Self {
        Self {
            sender: Some(sender),
            origin,
        }
    }

    /// Keeps the connection for another request: the reply has ended.
    pub(in crate::proxy) fn give_back(self) {
        if let Some(sender) = self.sender {
            self.origin.keep(sender);
        }
    }

    /// The connection will not be used again.
    pub(super) fn give_up(&mut self) {
        self.sender = None;
    }
}
