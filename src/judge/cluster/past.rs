//! Condemnations that have run out: held against a server or a look for a while
//! still, when it is weighed again, and then against nobody any more.

use crate::cluster::Cluster;

/// Those that ran out `memory` seconds before `now` or earlier and are `marked` still.
pub(super) fn over<'a>(
    clusters: impl Iterator<Item = &'a Cluster>,
    memory: i64,
    now: i64,
    marked: impl Fn(&Cluster) -> bool,
) -> Vec<Cluster> {
    // Most of what is over has no mark any more, and a cluster is long to copy.
    let over = clusters.filter(|cluster| now - cluster.until >= memory && marked(cluster));
    over.cloned().collect()
}
