//! Passes clusters on between nodes, each of which has them in memory and on
//! its own disk first.
//!
//! As with bans Redis holds the latest version of each, and a number that
//! grows with every change; a node pulls what lies behind the number that it
//! has seen, when told to and every [`TICK`], and joins it with its own. Which
//! of two versions holds is decided by the nodes, not here. Kept within
//! [`MOST_KEPT`] and for [`KEEP`] after the last change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use super::Core;
use super::bans::fresh_epoch;
use super::by_hand::{self, Seen};
use super::contained;
use super::link::Link;
use super::script::{BOUND, CHANGES, FORGET, SHARE};
use crate::cluster::{Cluster, ClusterId};
use crate::telemetry::metrics;
use crate::told::{Containable, Heard};
use crate::wave::ByHand;

/// Between two looks at the number.
const TICK: Duration = Duration::from_millis(500);

/// Clusters in one call. One has up to 256 suspects, which is some 30 kB.
const MOST: usize = 16;

/// As many as two kinds in a node's memory: at most 120 MB, mostly a thousandth of it.
pub(super) const MOST_KEPT: usize = 4096;

/// How long a condemnation is held against a server after it has ended.
const MEMORY: i64 = 30 * 86_400;
const KEEP: Duration = Duration::from_secs(35 * 86_400);

/// What this node has to say.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    waiting: Mutex<BTreeMap<ClusterId, Cluster>>,
    by_hand: Mutex<Option<ByHand>>,
    contained: contained::Waiting,
    /// Told when there is something to pull or push.
    pub(super) changed: Notify,
}

impl Clusters {
    /// This node has decided about a cluster: the others are told, soon.
    pub(super) fn share(&self, cluster: Cluster) {
        let mut waiting = self.waiting.lock();
        let later = waiting.get(&cluster.id);
        if later.is_none_or(|later| later.revision < cluster.revision) {
            waiting.insert(cluster.id, cluster);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// This node contains these: the others come to know it, soon.
    pub(super) fn contain(&self, all: Vec<Containable>) {
        self.contained.add(all);
        self.changed.notify_one();
    }

    /// An admin has said something of the breaker here: the others are told, soon.
    pub(super) fn share_by_hand(&self, word: ByHand) {
        let mut waiting = self.by_hand.lock();
        if waiting.is_none_or(|waits| waits.stamp < word.stamp) {
            *waiting = Some(word);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// What could not be sent waits on, unless it has changed meanwhile.
    fn put_back(&self, unsent: impl IntoIterator<Item = Cluster>) {
        let mut waiting = self.waiting.lock();
        for cluster in unsent {
            waiting.entry(cluster.id).or_insert(cluster);
        }
    }
}

/// Keeps this node's clusters and the shared ones the same, until nobody wants
/// to hear any more.
pub(super) async fn keep(core: Arc<Core>, clusters: Arc<Clusters>, heard: mpsc::Sender<Heard>) {
    let mut sync = Sync {
        core,
        clusters: Arc::clone(&clusters),
        heard,
        epoch: String::new(),
        seen: 0,
        unbounded: false,
        by_hand: Seen::default(),
        contained: contained::Seen::default(),
    };
    while !sync.heard.is_closed() {
        if let Some(link) = sync.core.link()
            && let Err(fault) = sync.round(&link).await
        {
            tracing::debug!(%fault, "clusters could not be shared");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = clusters.changed.notified() => {}
        }
    }
}

struct Sync {
    core: Arc<Core>,
    clusters: Arc<Clusters>,
    heard: mpsc::Sender<Heard>,
    epoch: String,
    seen: u64,
    /// Something was put down since it was last seen to that all of it ends.
    unbounded: bool,
    by_hand: Seen,
    contained: contained::Seen,
}

impl Sync {
    async fn round(&mut self, link: &Link) -> anyhow::Result<()> {
        while self.pull(link).await? {}
        let by_hand = self.pass_on_by_hand(link).await;
        let pushed = self.push(link).await;
        let waiting = &self.clusters.contained;
        let contained = self.contained.round(&self.core, link, waiting, &self.heard);
        contained.await.and(pushed).and(by_hand)
    }

    async fn pass_on_by_hand(&mut self, link: &Link) -> anyhow::Result<()> {
        let waiting = *self.clusters.by_hand.lock();
        if let Some(word) = waiting {
            by_hand::tell(&self.core, link, &word).await?;
            // It may have been said anew meanwhile.
            self.clusters.by_hand.lock().take_if(|now| *now == word);
        }
        match self.by_hand.look(&self.core, link).await? {
            Some(word) => self.say(Heard::ByHand(word)).await,
            None => Ok(()),
        }
    }

    /// Whether there may be more.
    async fn pull(&mut self, link: &Link) -> anyhow::Result<bool> {
        let keys = self.core.keys.clusters();
        let fresh = fresh_epoch()?;
        let answer = CHANGES.run(link.clone(), |cmd| {
            cmd.arg(4).arg(&keys).arg(self.seen).arg(MOST).arg(&fresh);
        });
        let words: Vec<String> = redis::from_redis_value(answer.await?)?;
        let mut words = words.into_iter();
        let epoch = words.next().unwrap_or_default();
        let version = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        if epoch != self.epoch || version < self.seen {
            self.epoch = epoch;
            self.seen = 0;
            self.by_hand.begin_anew();
            self.say(Heard::Anew).await?;
            return Ok(true);
        }
        let (mut last, mut over, mut all) = (None, Vec::new(), Vec::new());
        while let (Some(version), Some(text)) = (words.next(), words.next()) {
            last = version.parse().ok().or(last);
            match serde_json::from_str::<Cluster>(&text) {
                Ok(cluster) if is_over(&cluster) => over.push(cluster),
                Ok(cluster) => all.push(cluster),
                Err(fault) => {
                    tracing::error!(%fault, "a shared cluster cannot be read: run the same release on all nodes");
                }
            }
        }
        if !all.is_empty() {
            self.say(Heard::Clusters(all)).await?;
        }
        self.forget(link, &over).await?;
        // Only now: what nobody has heard has not been seen.
        self.seen = last.unwrap_or(self.seen);
        Ok(last.is_some())
    }

    async fn say(&self, heard: Heard) -> anyhow::Result<()> {
        Ok(self.heard.send(heard).await?)
    }

    async fn push(&mut self, link: &Link) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut *self.clusters.waiting.lock());
        let waiting: Vec<_> = waiting
            .into_values()
            .filter(|cluster| !is_over(cluster))
            .collect();
        for (at, part) in waiting.chunks(MOST).enumerate() {
            // Also if it does not answer.
            self.unbounded = true;
            if let Err(fault) = self.send(link, part).await {
                let unsent = waiting.iter().skip(at * MOST).cloned();
                self.clusters.put_back(unsent);
                return Err(fault);
            }
        }
        if self.unbounded {
            let keys = self.core.keys.clusters();
            let bound = BOUND.run(link.clone(), |cmd| {
                cmd.arg(4).arg(&keys).arg(MOST_KEPT).arg(keep_millis());
            });
            bound.await?;
            self.unbounded = false;
        }
        Ok(())
    }

    async fn send(&self, link: &Link, part: &[Cluster]) -> anyhow::Result<()> {
        let keys = &self.core.keys;
        let fresh = fresh_epoch()?;
        let texts: Result<Vec<_>, _> = part.iter().map(serde_json::to_string).collect();
        let texts = texts?;
        let answer = SHARE.run(link.clone(), |cmd| {
            cmd.arg(4).arg(&keys.clusters());
            cmd.arg(keys.channel()).arg(&fresh);
            for (cluster, text) in part.iter().zip(&texts) {
                cmd.arg(cluster.id.to_string())
                    .arg(cluster.revision)
                    .arg(text);
            }
        });
        let newer: u64 = redis::from_redis_value(answer.await?)?;
        metrics().shared.clusters_sent.inc_by(newer);
        Ok(())
    }

    async fn forget(&self, link: &Link, over: &[Cluster]) -> anyhow::Result<()> {
        if over.is_empty() {
            return Ok(());
        }
        let keys = self.core.keys.clusters();
        let forgotten = FORGET.run(link.clone(), |cmd| {
            cmd.arg(2).arg(&keys[..2]);
            for cluster in over {
                cmd.arg(cluster.id.to_string()).arg(cluster.revision);
            }
        });
        forgotten.await?;
        Ok(())
    }
}

/// For how long all of them are kept after the last change.
pub(super) fn keep_millis() -> u64 {
    u64::try_from(KEEP.as_millis()).unwrap_or(u64::MAX)
}

/// Whether it is held against nobody any more.
pub(super) fn is_over(cluster: &Cluster) -> bool {
    let ended = cluster.ended.as_ref().map_or(cluster.until, |(at, _)| *at);
    ended.max(cluster.until) + MEMORY < Timestamp::now().as_second()
}
