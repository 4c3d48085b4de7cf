//! What counts as evidence of a wave: accounts that were let in and whose mail
//! server or app was condemned afterwards. Nothing that was refused, and where
//! the gate knows who confirmed, no cluster that nobody of confirmed.

use std::collections::HashSet;
use std::fmt;

use super::recent::Recent;
use crate::app::ClientId;
use crate::cluster::{Cluster, ClusterId, ClusterKind};
use crate::numeral::counted;

/// Clusters named in words.
const NAMED: usize = 8;

/// The moment, and from when on evidence counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) now: i64,
    /// Accounts let in from here on count...
    pub(super) from: i64,
    /// ...if they were condemned after this: what one step was built on builds no other.
    pub(super) spent: i64,
    pub(super) confirmations_known: bool,
}

/// What condemnations are worth at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Condemnations in force that brought accounts in.
    pub clusters: u32,
    /// Accounts that were let in before they were condemned.
    pub sign_ups: u32,
    /// When the latest of them was let in.
    pub last: Option<i64>,
    /// Whether the gate knows which addresses confirm.
    pub confirmations_known: bool,
    /// Whether apps are among what was condemned.
    pub apps: bool,
    /// The clusters, a few of them.
    pub named: Vec<ClusterId>,
}

impl Evidence {
    fn add(&mut self, at: i64) {
        self.sign_ups += 1;
        self.last = self.last.max(Some(at));
    }

    fn name(&mut self, id: ClusterId, before: u32) {
        if self.sign_ups > before {
            self.clusters += 1;
            self.apps |= id.kind == ClusterKind::App;
            if self.named.len() < NAMED {
                self.named.push(id);
            }
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sign_ups == 0 {
            return f.write_str("no account that was let in has been condemned");
        }
        let accounts = counted(self.sign_ups, "account", "accounts");
        if self.clusters == 0 {
            return write!(
                f,
                "{accounts} let in that a rule which only observes condemns"
            );
        }
        let named: Vec<_> = self.named.iter().map(ToString::to_string).collect();
        let more = if self.named.len() < self.clusters as usize {
            " …"
        } else {
            ""
        };
        let condemnations = counted(self.clusters, "condemnation", "condemnations");
        let named = named.join(" ");
        write!(
            f,
            "{accounts} let in before {condemnations} ({named}{more})"
        )
    }
}

pub(super) fn weigh<'a>(
    scene: &Scene,
    clusters: impl Iterator<Item = &'a Cluster>,
    recent: &Recent,
) -> Evidence {
    let mut evidence = Evidence {
        confirmations_known: scene.confirmations_known,
        ..Evidence::default()
    };
    // One account may be a suspect of several condemnations.
    let mut met = HashSet::new();
    // What a condemned app brought in counts with it, and not again because a rule
    // that only observes had condemned it.
    let mut brought: HashSet<(i64, Option<&ClientId>)> = HashSet::new();
    for cluster in clusters {
        let opened = scene.spent < cluster.opened && cluster.opened <= scene.now;
        let counts = opened && cluster.in_force(scene.now);
        let before = evidence.sign_ups;
        match cluster.id.kind {
            ClusterKind::Mail if counts && is_real(cluster, scene) => {
                let fresh = cluster.suspects.iter().filter(|one| one.at >= scene.from);
                for one in fresh {
                    if met.insert((one.at, &one.domain, &one.username, &one.client)) {
                        evidence.add(one.at);
                    }
                }
            }
            ClusterKind::App if counts => {
                let apps: HashSet<_> = cluster
                    .suspects
                    .iter()
                    .filter_map(|one| one.client_id.as_ref())
                    .collect();
                for one in recent.since(scene.from) {
                    if one.app.as_ref().is_some_and(|app| apps.contains(app)) {
                        evidence.add(one.at);
                        brought.insert((one.at, one.app.as_ref()));
                    }
                }
            }
            ClusterKind::Mail | ClusterKind::App => {}
        }
        evidence.name(cluster.id, before);
    }
    let condemned = recent.since(scene.from).filter(|one| one.condemned);
    for one in condemned {
        if !brought.contains(&(one.at, one.app.as_ref())) {
            evidence.add(one.at);
        }
    }
    evidence
}

/// Whether the suspects may be somebody's own mailboxes. Where confirmations are
/// known, a cluster of which nobody confirmed was merely typed.
const fn is_real(cluster: &Cluster, scene: &Scene) -> bool {
    !scene.confirmations_known
        || cluster.confirmed as usize * 3 >= cluster.suspects.len() && cluster.confirmed > 0
}
