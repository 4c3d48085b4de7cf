//! What the registers look like right now, for the metrics.
//!
//! Condemnations are counted by comparing with what was there at the last
//! measuring, so that nothing has to be counted where they happen.

use std::collections::{HashMap, HashSet};

use super::bounded::Fill;
use super::live::Registers;
use super::size::NAMES;
use crate::cluster::{Cluster, ClusterId, ClusterKind};
use crate::telemetry::clusters::Ended;
use crate::telemetry::metrics;

/// What was there at the last measuring.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Clusters seen, and whether they had ended.
    seen: HashMap<ClusterId, bool>,
    /// Those released by hand.
    by_hand: HashSet<ClusterId>,
}

impl Measured {
    /// These were there before anybody measured.
    pub(super) fn before<'a>(clusters: impl Iterator<Item = &'a Cluster>) -> Self {
        Self {
            seen: clusters.map(|one| (one.id, one.ended.is_some())).collect(),
            by_hand: HashSet::new(),
        }
    }

    pub(super) fn released(&mut self, id: ClusterId) {
        self.by_hand.insert(id);
    }

    fn measure<'a>(
        &mut self,
        kind: ClusterKind,
        clusters: impl Iterator<Item = &'a Cluster>,
        now: i64,
    ) {
        let metrics = &metrics().clusters;
        let (mut open, mut condemned) = (0, 0);
        let mut ended = [0; 2];
        let before = std::mem::take(&mut self.seen);
        let (own, others) = before.into_iter().partition(|(id, _)| id.kind == kind);
        let own: HashMap<ClusterId, bool> = own;
        self.seen = others;
        for cluster in clusters {
            open += usize::from(cluster.in_force(now));
            let known = own.get(&cluster.id);
            condemned += u64::from(known.is_none());
            if cluster.ended.is_some() && known != Some(&true) {
                ended[usize::from(self.by_hand.remove(&cluster.id))] += 1;
            }
            self.seen.insert(cluster.id, cluster.ended.is_some());
        }
        metrics.open(kind, open);
        metrics.condemned(kind, condemned);
        let [lifted, released] = ended;
        metrics.ended(kind, Ended::Lifted, lifted);
        metrics.ended(kind, Ended::Released, released);
    }
}

impl Registers {
    /// Brings the metrics up to date.
    pub fn measure(&self, now: i64) {
        let mut measured = self.measured.lock();
        let servers = self.servers.lock();
        measured.measure(ClusterKind::Mail, servers.every(), now);
        let [histories, domains, sign_ups] = servers.fill();
        drop(servers);
        let apps = self.apps.lock();
        measured.measure(ClusterKind::App, apps.every(), now);
        let looks = apps.fill();
        drop(apps);
        for (name, fill) in NAMES.into_iter().zip([histories, domains, sign_ups, looks]) {
            let Fill {
                entries,
                bytes,
                evicted,
            } = fill;
            metrics()
                .clusters
                .register_fill(name, entries, bytes, evicted);
        }
    }
}
