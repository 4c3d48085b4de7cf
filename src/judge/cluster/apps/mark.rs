//! The mark of a condemnation on a look, and when it goes.

use super::{Apps, CLUSTERS};
use crate::cluster::Cluster;
use crate::judge::cluster::past;

impl Apps {
    /// Takes the mark off looks whose condemnation is held against nobody any more.
    pub(in crate::judge) fn let_run_out(&mut self, now: i64) {
        let (all, memory) = (self.clusters.values(), self.tuning.memory);
        for cluster in past::over(all, memory, now, |cluster| self.is_marked(cluster)) {
            self.unmark(&cluster);
        }
    }

    /// Makes room after one more has been written down.
    pub(super) fn forget_first(&mut self) {
        if self.clusters.len() > CLUSTERS
            && let Some((_, gone)) = self.clusters.pop_first()
        {
            self.unmark(&gone);
        }
    }

    fn unmark(&mut self, cluster: &Cluster) {
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
