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

    /// Forgets what is too many, but not `latest`: first what runs out soonest, last what
    /// contains tokens. One that was let go stays as long as it would have held, or a gate
    /// that missed it could bring it back. Numbers say nothing of age, for those of
    /// another gate begin with its tag.
    pub(super) fn forget_surplus(&mut self, latest: Option<u64>) {
        let surplus = self.clusters.len().saturating_sub(CLUSTERS);
        if surplus == 0 {
            return;
        }
        let others = self.clusters.values();
        let others = others.filter(|cluster| Some(cluster.id.number) != latest);
        let mut order: Vec<_> = others
            .map(|cluster| (cluster.contains(), cluster.until, cluster.id.number))
            .collect();
        order.sort_unstable();
        for (_, _, number) in order.into_iter().take(surplus) {
            if let Some(gone) = self.clusters.remove(&number) {
                self.unmark(&gone);
            }
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
