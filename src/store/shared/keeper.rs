//! Keeps the connection: makes it, looks at it, makes it anew.
//!
//! A look is a small write within the requests' own time-out, so that a store
//! which is full, read-only or slow counts as down like one that is gone.
//! Nothing here ends the gate: without the store each node goes on by itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use redis::{RedisError, RedisResult};

use super::link::Link;
use super::words::{self, say};
use super::{Core, connect};
use crate::telemetry::shared::Lapse;

/// Between two looks while all is well.
const LOOK: Duration = Duration::from_millis(500);

/// Between two looks while it is down, and between two tries to connect.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// After this long without a good look the connection is made anew.
const STALE: Duration = Duration::from_secs(3);

/// Keeps on for as long as the store lives.
pub(super) async fn keep(core: Arc<Core>) {
    // If an earlier run of this broke off, what it left is not to be trusted.
    core.link.store(None);
    loop {
        match connect::link(&core.settings).await {
            Ok(link) => attend(&core, link).await,
            Err(fault) => core.health.down(&say(&fault)),
        }
        core.link.store(None);
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Looks at one connection until it is no good any more.
async fn attend(core: &Core, link: Link) {
    core.link.store(Some(Arc::new(link.clone())));
    core.generation.fetch_add(1, Ordering::Relaxed);
    let mut well = Instant::now();
    loop {
        let pause = match look(core, link.clone()).await {
            Ok(()) => {
                well = Instant::now();
                core.health.up();
                LOOK
            }
            Err(why) => {
                core.health.down(&why.text);
                if why.connection_is_gone || well.elapsed() > STALE {
                    return;
                }
                LOOK_AGAIN
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = core.health.went_down.notified() => {}
        }
    }
}

/// What is wrong.
pub(super) struct Unwell {
    pub(super) text: String,
    connection_is_gone: bool,
}

pub(super) async fn look(core: &Core, mut link: Link) -> Result<(), Unwell> {
    let mut look = redis::pipe();
    look.cmd("SET")
        .arg(core.keys.fingerprint())
        .arg(&core.fingerprint)
        .arg("NX")
        .ignore();
    look.cmd("GET").arg(core.keys.fingerprint());
    look.cmd("SET")
        .arg(core.keys.probe())
        .arg(1)
        .arg("PX")
        .arg(60_000)
        .ignore();
    // While it is down a look may take longer than a request may wait, but not much.
    let asked = tokio::time::timeout(core.settings.timeout, look.query_async(&mut link)).await;
    let answer: RedisResult<(String,)> = asked.map_err(|_| Unwell {
        text: "it does not answer in time".to_owned(),
        connection_is_gone: false,
    })?;
    match answer {
        Ok((found,)) if found == core.fingerprint => Ok(()),
        Ok(_) => Err(Unwell {
            text: "it was made under another key or by another release: give every node the same `key` file, or a prefix of its own".to_owned(),
            connection_is_gone: false,
        }),
        Err(fault) => Err(Unwell {
            connection_is_gone: is_gone(&fault),
            text: say(&fault),
        }),
    }
}

fn is_gone(fault: &RedisError) -> bool {
    let turned = words::code(fault) == Some("READONLY");
    turned || fault.is_io_error() || fault.is_connection_dropped() || fault.is_unrecoverable_error()
}

/// Which kind of lapse a fault is.
pub(super) fn lapse(fault: &RedisError) -> Lapse {
    match words::code(fault) {
        Some("OOM") => Lapse::Full,
        Some(_) | None if fault.is_timeout() => Lapse::Late,
        Some(_) | None => Lapse::Broken,
    }
}
