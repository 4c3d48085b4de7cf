//! What other gates count and decide, taken into the registers of a running gate.

use super::Registers;
use crate::cluster::{Change, Cluster, ClusterKind};
use crate::judge::cluster::apps::Apps;
use crate::judge::cluster::servers::Servers;
use crate::store::Store;
use crate::told::{Heard, Told};

/// What was counted longer ago, or is to be counted later than this by our own
/// clock, is not taken in: the clock of whoever told it is wrong.
const PAST: i64 = 2 * 86_400;
const FUTURE: i64 = 300;

/// Taken in under one hold of the locks, for which requests wait.
const AT_ONCE: usize = 32;

/// What a gate of several numbers its clusters by; `None` if it is alone.
pub(super) fn dice(store: &Store) -> Option<u64> {
    let mut dice = [0; 8];
    let thrown = getrandom::fill(&mut dice).map(|()| u64::from_be_bytes(dice));
    // Without randomness (which a running system does not lose) it goes by its start.
    let start = || jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64;
    store
        .shares()
        .then(|| thrown.unwrap_or_else(|_| start().wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

impl Registers {
    /// Takes in what other gates told; whether what is contained has changed.
    pub fn hear(&self, heard: Heard, now: i64) -> bool {
        match heard {
            Heard::Told(all) => self.hear_counts(all, now),
            Heard::Clusters(all) => self.adopt(all),
            // For the breaker; and taken in by the judge.
            Heard::ByHand(_) | Heard::Containable(_) | Heard::ContainAnew => false,
            Heard::Anew => {
                for cluster in self.clusters() {
                    self.store.share_cluster(&cluster);
                }
                false
            }
        }
    }

    fn hear_counts(&self, all: Vec<Told>, now: i64) -> bool {
        let mut contained = false;
        let told_in_time = |told: &Told| {
            let at = told.at().unwrap_or(now);
            (now - PAST..=now + FUTURE).contains(&at)
        };
        let mut all = all.into_iter().filter(told_in_time).peekable();
        while all.peek().is_some() {
            let (mut servers, mut apps) = (self.servers.lock(), self.apps.lock());
            for told in all.by_ref().take(AT_ONCE) {
                contained |= take_in(told, &mut servers, &mut apps);
            }
            let (counted, made) = (servers.changes(), apps.changes());
            drop((servers, apps));
            self.keep_heard(counted.into_iter().chain(made));
        }
        contained
    }

    fn adopt(&self, all: Vec<Cluster>) -> bool {
        let mut contained = false;
        let (mut servers, mut apps) = (self.servers.lock(), self.apps.lock());
        for cluster in all {
            contained |= match cluster.id.kind {
                ClusterKind::Mail => servers.adopt(cluster),
                ClusterKind::App => apps.adopt(cluster),
            };
        }
        let (mail, app) = (servers.changes(), apps.changes());
        drop((servers, apps));
        self.keep_heard(mail.into_iter().chain(app));
        contained
    }

    fn keep_heard(&self, changes: impl Iterator<Item = Change>) {
        for change in changes {
            if let Change::Adopt(cluster) = &change {
                say(cluster);
            }
            self.store.keep_heard(change);
        }
    }
}

/// Whether tokens of one more app are to be contained.
fn take_in(told: Told, servers: &mut Servers, apps: &mut Apps) -> bool {
    match told {
        Told::SignUp(serial, sign_up) => servers.hear_sign_up(serial, sign_up),
        Told::Withdraw(serial) => servers.hear_withdrawal(serial),
        Told::Confirm(domain, _) => servers.hear_confirmation(&domain),
        Told::App(step) => return apps.hear(step),
        Told::Listed(at) => servers.meet_listed(at),
        // The judge has taken them.
        Told::Wave(_) | Told::Newcomer(_) => {}
    }
    false
}

fn say(cluster: &Cluster) {
    let id = cluster.id;
    match &cluster.ended {
        Some((_, why)) => tracing::warn!(cluster = %id, why, "a cluster has ended on another gate"),
        None if cluster.revision > 1 => {
            tracing::info!(cluster = %id, contained = cluster.contained, "another gate has changed a cluster");
        }
        None => {
            tracing::warn!(cluster = %id, evidence = %cluster.evidence, contained = cluster.contained, "a cluster is condemned by another gate");
        }
    }
}
