//! Passes bans on between nodes, each of which has them on its own disk first.
//!
//! Redis holds the latest entry on each subject, tombstones included, and a
//! version that grows with every change. A node pulls what lies behind the
//! version it has seen: when it is told to (publish/subscribe), and every
//! [`TICK`] in case it was not. It pushes what its own disk has and Redis has
//! not. When the *epoch* is another one (emptied, restored, failed over), or
//! the version has gone back, it pulls all and pushes all: the outcome is the
//! union, and an emptier Redis empties nobody.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use redis::RedisResult;
use tokio::sync::Notify;

use super::super::bans::Bans;
use super::super::bans::changes::{Cursor, Entry};
use super::Core;
use super::link::Link;
use super::script::{CHANGES, FORGET, SHARE};
use crate::telemetry::metrics;

/// Between two looks at the version.
const TICK: Duration = Duration::from_millis(500);

/// Between two unions of everything, whatever the version says.
const ALL_AGAIN: Duration = Duration::from_secs(3600);

/// Entries in one call.
const MOST: usize = 200;

/// What this node knows of the shared bans.
#[derive(Debug)]
pub(super) struct Sync {
    core: Arc<Core>,
    bans: Weak<Bans>,
    epoch: String,
    seen: u64,
    sent: Cursor,
    all_at: Option<Instant>,
}

/// What one pull brought.
struct Pulled {
    epoch: String,
    version: u64,
    /// The version of the last entry.
    last: Option<u64>,
    entries: Vec<Entry>,
}

/// Keeps this node's bans and the shared ones the same, until the store is gone.
pub(super) async fn keep(core: Arc<Core>, bans: Weak<Bans>, changed: Arc<Notify>) {
    let mut sync = Sync {
        core,
        bans,
        epoch: String::new(),
        seen: 0,
        sent: Cursor::default(),
        all_at: None,
    };
    while sync.bans.strong_count() > 0 {
        if let Some(link) = sync.core.link() {
            let outcome = sync.round(&link).await;
            metrics()
                .shared
                .bans_in_step
                .set(i64::from(outcome.is_ok()));
            if let Err(fault) = outcome {
                tracing::debug!(%fault, "bans could not be shared");
            }
        } else {
            metrics().shared.bans_in_step.set(0);
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = changed.notified() => {}
        }
    }
}

impl Sync {
    async fn round(&mut self, link: &Link) -> anyhow::Result<()> {
        if self.all_at.is_none_or(|at| at.elapsed() >= ALL_AGAIN) {
            self.begin_anew();
        }
        let mut over = Vec::new();
        loop {
            let pulled = self.pull(link).await?;
            if pulled.epoch != self.epoch || pulled.version < self.seen {
                let known = !self.epoch.is_empty();
                self.begin_anew();
                self.epoch = pulled.epoch;
                if known {
                    tracing::warn!(
                        "the shared store was emptied or has failed over: bans are merged, none is dropped"
                    );
                }
                continue;
            }
            let now = Timestamp::now();
            over.extend(
                pulled
                    .entries
                    .iter()
                    // What is misspelt is on the disk below, and is pushed as it should be.
                    .filter(|entry| entry.is_over(now) || entry.is_misspelt())
                    .map(told),
            );
            let Some(bans) = self.bans.upgrade() else {
                return Ok(());
            };
            if !pulled.entries.is_empty() {
                let merged = bans.merge(pulled.entries).await?;
                metrics().shared.bans_received.inc_by(merged as u64);
            }
            // Only now: what is not on the disk has not been seen.
            match pulled.last {
                Some(last) => self.seen = last,
                None => break,
            }
        }
        self.forget(link, &over).await?;
        self.push(link).await
    }

    fn begin_anew(&mut self) {
        self.seen = 0;
        self.sent = Cursor::default();
        self.all_at = Some(Instant::now());
    }

    async fn pull(&self, link: &Link) -> anyhow::Result<Pulled> {
        let keys = &self.core.keys;
        let fresh = fresh_epoch()?;
        let answer = CHANGES.run(link.clone(), |cmd| {
            cmd.arg(4)
                .arg(&keys.bans())
                .arg(self.seen)
                .arg(MOST)
                .arg(&fresh);
        });
        let words: Vec<String> = redis::from_redis_value(answer.await?)?;
        let mut words = words.into_iter();
        let mut pulled = Pulled {
            epoch: words.next().unwrap_or_default(),
            version: words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
            last: None,
            entries: Vec::new(),
        };
        while let (Some(version), Some(entry)) = (words.next(), words.next()) {
            pulled.last = version.parse().ok().or(pulled.last);
            match serde_json::from_str(&entry) {
                Ok(entry) => pulled.entries.push(entry),
                Err(fault) => {
                    tracing::error!(%fault, "a shared ban cannot be read and is not in force: run the same release on all nodes")
                }
            }
        }
        Ok(pulled)
    }

    async fn push(&mut self, link: &Link) -> anyhow::Result<()> {
        loop {
            let Some(bans) = self.bans.upgrade() else {
                return Ok(());
            };
            let (entries, next) = bans.changes(self.sent, MOST).await?;
            drop(bans);
            if next == self.sent {
                return Ok(());
            }
            let now = Timestamp::now();
            let entries: Vec<_> = entries.iter().filter(|entry| !entry.is_over(now)).collect();
            if !entries.is_empty() {
                self.send(link, &entries).await?;
            }
            self.sent = next;
        }
    }

    async fn send(&self, link: &Link, entries: &[&Entry]) -> anyhow::Result<()> {
        let keys = &self.core.keys;
        let fresh = fresh_epoch()?;
        let texts: Result<Vec<_>, _> = entries.iter().map(serde_json::to_string).collect();
        let texts = texts?;
        let answer = SHARE.run(link.clone(), |cmd| {
            cmd.arg(4).arg(&keys.bans()).arg(keys.channel()).arg(&fresh);
            for (entry, text) in entries.iter().zip(&texts) {
                cmd.arg(field(entry)).arg(entry.stamp).arg(text);
            }
        });
        let newer: u64 = redis::from_redis_value(answer.await?)?;
        metrics().shared.bans_sent.inc_by(newer);
        Ok(())
    }

    async fn forget(&self, link: &Link, over: &[(String, i64)]) -> RedisResult<()> {
        for part in over.chunks(MOST) {
            let keys = self.core.keys.bans();
            let forgotten = FORGET.run(link.clone(), |cmd| {
                cmd.arg(2).arg(&keys[..2]);
                for (field, stamp) in part {
                    cmd.arg(field).arg(stamp);
                }
            });
            forgotten.await?;
        }
        Ok(())
    }
}

fn told(entry: &Entry) -> (String, i64) {
    (field(entry), entry.stamp)
}

/// One for each subject and effect. Subjects hold no tab: they are names, networks and hashes.
pub(super) fn field(entry: &Entry) -> String {
    let effect = match entry.effect {
        crate::ban::Effect::Ban => "ban",
        crate::ban::Effect::Allow => "allow",
    };
    format!("{effect}\t{}\t{}", entry.subject.kind(), entry.subject)
}

pub(super) fn fresh_epoch() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}
