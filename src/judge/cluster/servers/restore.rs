//! The register after a start: rebuilt from what was kept on disk.

use super::{Servers, registrable};
use crate::cluster::Kept;
use crate::judge::cluster::history::History;
use crate::judge::cluster::tuning::Tuning;

impl Servers {
    /// The register as it was, as far as it was kept. Serial numbers go on.
    #[must_use]
    pub fn restore(tuning: Tuning, kept: Kept) -> Self {
        let mut register = Self::new(tuning);
        for (domain, seen) in kept.domains {
            register.confirmations_known |= seen.confirmed > 0;
            let own = registrable(&domain);
            for key in seen.keys.iter() {
                let history = register
                    .histories
                    .get_or_insert_mut(key.clone(), History::default);
                history.meet(&own, seen.first);
                history.domains.add(&domain);
                if seen.confirmed > 0 {
                    history.confirm(&own);
                }
            }
            register.domains.put(domain, seen);
        }
        for (serial, sign_up) in kept.sign_ups {
            let seen = register.domains.peek(&sign_up.domain).cloned();
            let first = seen.as_ref().map_or(sign_up.at, |seen| seen.first);
            register.next_serial = serial;
            register.count(sign_up.clone(), first);
            // Counting made it one account more than was kept.
            if let Some(seen) = seen {
                register.domains.put(sign_up.domain, seen);
            }
        }
        for cluster in kept.clusters {
            let number = cluster.id.number;
            register.next_cluster = register.next_cluster.max(number + 1);
            if cluster.ended.is_none() {
                for key in &cluster.keys {
                    let history = register
                        .histories
                        .get_or_insert_mut(key.clone(), History::default);
                    history.cluster = Some(number);
                    history.spent = cluster.opened;
                }
                register.last_opened = register.last_opened.max(Some(cluster.opened));
            }
            register.clusters.insert(number, cluster);
        }
        register.changes.clear();
        register
    }
}
