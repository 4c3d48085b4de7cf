//! The register after a start: rebuilt from what was kept on disk.

use super::{Servers, coming, registrable};
use crate::cluster::Kept;
use crate::judge::cluster::history::History;
use crate::judge::cluster::met::Met;
use crate::judge::cluster::tuning::Tuning;
use crate::secret::HashKey;

impl Servers {
    /// The register as it was, as far as it was kept. Serial numbers go on.
    #[must_use]
    pub fn restore(tuning: Tuning, kept: Kept) -> Self {
        Self::restore_under(tuning, kept, &HashKey::new(&[0; 32]))
    }

    /// The same, with what is chosen under the installation's `key`.
    #[must_use]
    pub fn restore_under(tuning: Tuning, kept: Kept, key: &HashKey) -> Self {
        let mut register = Self::new(tuning);
        register.met = Met::new(key.clone());
        // What was kept was within a bound; which one counts now is said next.
        register.resize(usize::MAX);
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
        let last = kept.sign_ups.iter().map(|(serial, _)| *serial).max();
        for (serial, mut sign_up) in kept.sign_ups {
            let seen = register.domains.peek(&sign_up.domain).cloned();
            let first = register.recognise(&mut sign_up).unwrap_or(sign_up.at);
            register.next_serial = serial;
            register.count(sign_up.clone(), coming(&sign_up, first));
            if first == sign_up.at {
                // Sign-ups at listed providers are not kept: as many as go with it.
                let listed = register.tuning.rush_share.max(0.01).recip();
                register.traffic.fresh(first, serial);
                register
                    .met
                    .add(serial, &sign_up.keys, sign_up.keys.len(), first);
                register.traffic.listed(first, listed);
            }
            // Counting made it one account more than was kept.
            if let Some(seen) = seen {
                register.domains.put(sign_up.domain, seen);
            }
        }
        register.next_serial = last.map_or(1, |last| last + 1);
        for cluster in kept.clusters {
            let number = cluster.id.number;
            register.numbers.take(number);
            if cluster.same_as.is_some() {
                // The other one counts.
            } else if let Some((at, _)) = &cluster.ended {
                register.pardon(&cluster, *at);
            } else {
                register.hold_against(&cluster);
            }
            register.clusters.insert(number, cluster);
        }
        register.changes.clear();
        register
    }
}
