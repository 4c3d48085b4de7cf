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

    /// Makes room for one more: what was let go is forgotten first, then what runs out
    /// soonest, and last what contains tokens. Numbers say nothing of age, for those
    /// of another gate begin with its tag.
    pub(super) fn make_room(&mut self) {
        while self.clusters.len() >= CLUSTERS {
            let all = self.clusters.values();
            let first = all.min_by_key(|c| (c.contains(), c.ended.is_none(), c.until));
            let gone = first.map(|cluster| cluster.id.number);
            let Some(gone) = gone.and_then(|number| self.clusters.remove(&number)) else {
                return;
            };
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
