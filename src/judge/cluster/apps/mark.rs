//! The mark of a condemnation on a look, and when it goes.

use super::Apps;
use crate::cluster::Cluster;

impl Apps {
    /// Takes the mark off looks whose condemnation is held against nobody any more.
    pub(in crate::judge) fn let_run_out(&mut self, now: i64) {
        let over = self.clusters.values();
        let over: Vec<_> = over
            .filter(|cluster| now - cluster.until >= self.tuning.memory)
            .cloned()
            .collect();
        for cluster in &over {
            self.unmark(cluster);
        }
    }

    pub(super) fn unmark(&mut self, cluster: &Cluster) {
        let number = Some(cluster.id.number);
        let Some(name) = &cluster.name else { return };
        let marked = self.looks.peek(name);
        if marked.is_some_and(|look| look.cluster == number)
            && let Some(look) = self.looks.peek_mut(name)
        {
            look.cluster = None;
        }
    }
}
