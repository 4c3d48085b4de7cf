//! The mark of a condemnation on a look, and when it goes.

use super::Apps;
use crate::cluster::Cluster;

impl Apps {
    /// Takes the mark off looks whose condemnation is held against nobody any more.
    pub(in crate::judge) fn let_run_out(&mut self, now: i64) {
        let memory = self.tuning.memory;
        let over = self.clusters.values().filter(|cluster| {
            // Most of what is over has no mark any more, and a cluster is long to copy.
            now - cluster.until >= memory && self.is_marked(cluster)
        });
        for cluster in &over.cloned().collect::<Vec<_>>() {
            self.unmark(cluster);
        }
    }

    pub(super) fn unmark(&mut self, cluster: &Cluster) {
        if self.is_marked(cluster)
            && let Some(name) = &cluster.name
            && let Some(look) = self.looks.peek_mut(name)
        {
            look.cluster = None;
        }
    }

    fn is_marked(&self, cluster: &Cluster) -> bool {
        let look = cluster.name.as_ref().and_then(|name| self.looks.peek(name));
        look.is_some_and(|look| look.cluster == Some(cluster.id.number))
    }
}
