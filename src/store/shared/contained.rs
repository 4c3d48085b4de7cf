//! Passes on which apps and tokens are contained, so that every gate comes to
//! contain them: one that was cut off, that joins a week later, or that learns of
//! the cluster after its tokens.
//!
//! As with clusters Redis holds each under a number that grows, and a node pulls
//! what lies behind the number that it has seen, as often as it looks for clusters.
//! What is let go stays there until it runs out: a token counts only while its app
//! is contained by the node's own clusters. The latest [`MOST_KEPT`] are kept, as
//! long as clusters are. Emptied or failed over, all nodes put down what they have.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::Core;
use super::bans::fresh_epoch;
use super::clusters::keep_millis;
use super::link::Link;
use super::register::short;
use super::script::{BOUND, CHANGES, SHARE};
use crate::telemetry::metrics;
use crate::told::{Containable, Heard};

/// In one call.
const MOST: usize = 256;

/// A few hundred bytes each: some 25 MB.
const MOST_KEPT: usize = 1 << 16;

/// What this node has to put down: what finds no room is counted, and put down
/// when the node starts again.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<BTreeMap<String, Containable>>);

impl Waiting {
    pub(super) fn add(&self, all: Vec<Containable>) {
        let mut waiting = self.0.lock();
        let mut lost = 0;
        for one in all {
            let field = field(&one).filter(|_| waiting.len() < MOST_KEPT);
            match field {
                Some(field) => drop(waiting.insert(field, one)),
                None => lost += 1,
            }
        }
        metrics().shared.untold.inc_by(lost);
    }

    /// The next to be put down; it stays here until it has been.
    fn next(&self) -> Vec<(String, Containable)> {
        let waiting = self.0.lock();
        let next = waiting.iter().take(MOST);
        next.map(|(field, one)| (field.clone(), one.clone()))
            .collect()
    }

    fn done(&self, part: &[(String, Containable)]) {
        let mut waiting = self.0.lock();
        for (field, _) in part {
            waiting.remove(field);
        }
    }
}

/// What it lies under; nothing if its app's `client_id` is too long to be shared.
fn field(one: &Containable) -> Option<String> {
    match one {
        Containable::App(id, _) => short(id).then(|| format!("app {}", id.as_str())),
        Containable::Token(id, token) => short(id).then(|| format!("token {token}")),
    }
}

/// How far a node has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    epoch: String,
    version: u64,
    /// Something was put down that has no end yet.
    unbounded: bool,
}

impl Seen {
    /// Pulls what others have put down, and puts down what waits here.
    pub(super) async fn round(
        &mut self,
        core: &Core,
        link: &Link,
        waiting: &Waiting,
        heard: &mpsc::Sender<Heard>,
    ) -> anyhow::Result<()> {
        while self.pull(core, link, heard).await? {}
        self.push(core, link, waiting).await
    }

    /// Whether there may be more.
    async fn pull(
        &mut self,
        core: &Core,
        link: &Link,
        heard: &mpsc::Sender<Heard>,
    ) -> anyhow::Result<bool> {
        let keys = core.keys.contained();
        let fresh = fresh_epoch()?;
        let answer = CHANGES.run(link.clone(), |cmd| {
            cmd.arg(keys.len()).arg(&keys);
            cmd.arg(self.version).arg(MOST).arg(&fresh);
        });
        let words: Vec<String> = redis::from_redis_value(answer.await?)?;
        let mut words = words.into_iter();
        let epoch = words.next().unwrap_or_default();
        let version = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        if epoch != self.epoch || version < self.version {
            (self.epoch, self.version) = (epoch, 0);
            heard.send(Heard::ContainAnew).await?;
            return Ok(true);
        }
        let (mut last, mut all) = (None, Vec::new());
        while let (Some(version), Some(text)) = (words.next(), words.next()) {
            last = version.parse().ok().or(last);
            match serde_json::from_str(&text) {
                Ok(one) => all.push(one),
                Err(_) => {
                    metrics().shared.unheard.inc();
                }
            }
        }
        if !all.is_empty() {
            heard.send(Heard::Containable(all)).await?;
        }
        // Only now: what nobody has heard has not been seen.
        self.version = last.unwrap_or(self.version);
        Ok(last.is_some())
    }

    async fn push(&mut self, core: &Core, link: &Link, waiting: &Waiting) -> anyhow::Result<()> {
        let keys = core.keys.contained();
        loop {
            let part = waiting.next();
            if part.is_empty() {
                break;
            }
            let texts = part.iter().map(|(_, one)| serde_json::to_string(one));
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            let fresh = fresh_epoch()?;
            let answer = SHARE.run(link.clone(), |cmd| {
                cmd.arg(keys.len()).arg(&keys);
                cmd.arg(core.keys.channel()).arg(&fresh);
                for ((field, _), text) in part.iter().zip(&texts) {
                    // Of a thing that never changes no version is newer.
                    cmd.arg(field).arg(1).arg(text);
                }
            });
            // Also if it does not answer.
            self.unbounded = true;
            answer.await?;
            waiting.done(&part);
        }
        if self.unbounded {
            let bound = BOUND.run(link.clone(), |cmd| {
                cmd.arg(keys.len()).arg(&keys);
                cmd.arg(MOST_KEPT).arg(keep_millis());
            });
            bound.await?;
            self.unbounded = false;
        }
        Ok(())
    }
}
