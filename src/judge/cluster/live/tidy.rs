//! What the registers do now and then, and before an orderly end.
//!
//! Counting a refusal must cost nothing, so how many each cluster has refused is
//! written down here and not where it is counted; a crash forgets a minute of it.

use std::collections::HashMap;

use super::Registers;
use crate::cluster::{Change, Cluster, ClusterId};
use crate::judge::Judge;

/// Between two looks, in seconds.
const EVERY: i64 = 60;

/// Twice what both registers remember.
const REMEMBERED: usize = 8192;

/// When it was last done, and what was written of each cluster then.
#[derive(Debug, Default)]
pub(super) struct Tidied {
    at: i64,
    refused: HashMap<ClusterId, u64>,
}

impl Tidied {
    /// As of a start: what is on the disk.
    pub(super) fn of<'a>(kept: impl Iterator<Item = &'a Cluster>) -> Self {
        let refused = kept.map(|cluster| (cluster.id, cluster.refused)).collect();
        Self { at: 0, refused }
    }
}

impl Registers {
    /// Lets go of what has run out, and writes down what was refused.
    pub fn tidy(&self, now: i64) {
        let mut tidied = self.tidied.lock();
        if (0..EVERY).contains(&(now - tidied.at)) {
            return;
        }
        tidied.at = now;
        drop(tidied);
        self.servers.lock().let_run_out(now);
        self.apps.lock().let_run_out(now);
        self.keep_refused();
    }

    /// Writes down, soon, how many each cluster has refused.
    pub fn keep_refused(&self) {
        let mut tidied = self.tidied.lock();
        let changed: Vec<Cluster> = self.both(|servers, apps| {
            let all = servers.every().chain(apps.every());
            all.filter(|cluster| {
                let written = tidied.refused.get(&cluster.id).copied();
                written.unwrap_or_default() != cluster.refused
            })
            .cloned()
            .collect()
        });
        if tidied.refused.len() > REMEMBERED {
            // Written once more, at the worst.
            tidied.refused.clear();
        }
        for cluster in changed {
            tidied.refused.insert(cluster.id, cluster.refused);
            // Not told to others: how many it has refused is each gate's own.
            self.store.keep_heard(Change::Adopt(Box::new(cluster)));
        }
    }
}

impl Judge {
    /// Writes down, soon, how many each cluster has refused: before an orderly end.
    pub fn keep_refused(&self) {
        self.registers.keep_refused();
    }
}
