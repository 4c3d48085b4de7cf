//! What other gates have counted and decided, taken into this one's register.
//!
//! What is heard is not judged: it has been, where it was let in. Each gate
//! so counts all of it, and the next sign-up that is one too many condemns,
//! wherever it comes in.

use std::collections::BTreeMap;

use super::{Servers, Ticket, coming, keys, seconds};
use crate::cluster::{Change, Cluster, MailKey, SignUp};
use crate::judge::cluster::history::History;
use crate::judge::cluster::join::{self, Register};
use crate::judge::cluster::numbers::Numbers;
use crate::mailbox::Domain;

impl Servers {
    /// Numbers sign-ups and clusters as one of several gates, by this throw of dice.
    pub fn join_others(&mut self, dice: u64) {
        self.numbers.tag(dice);
        // Room for four thousand million sign-ups until the next start, and
        // none of them negative where SQLite keeps them.
        self.next_serial = (dice >> 1) & !0xffff_ffff | 1;
    }

    /// Another gate has let a sign-up in.
    pub fn hear_sign_up(&mut self, serial: u64, mut sign_up: SignUp) {
        let odd = sign_up.keys.is_empty() || sign_up.keys.len() > keys::MOST;
        if odd || self.sign_ups.peek(&serial).is_some() {
            return;
        }
        let seen = self.recognise(&mut sign_up);
        if seen.is_none() {
            self.meet(serial, &sign_up, &sign_up.keys);
        }
        let first = seen.unwrap_or(sign_up.at);
        let coming = coming(&sign_up, first);
        self.count_as(serial, sign_up, coming);
    }

    /// It came to nothing.
    pub fn hear_withdrawal(&mut self, serial: u64) {
        self.withdraw(Ticket(serial));
    }

    /// It has learned of a confirmation. What follows for clusters is decided there.
    pub fn hear_confirmation(&mut self, domain: &Domain) {
        self.confirmations_known = true;
        let Some(seen) = self.domains.peek_mut(domain) else {
            return;
        };
        seen.confirmed += 1;
        let seen = seen.clone();
        self.see_confirmed(domain, &seen);
    }

    /// Takes in a cluster as another gate has it; whether what is contained has changed.
    pub fn adopt(&mut self, theirs: Cluster) -> bool {
        join::take_in(self, theirs)
    }

    /// Notes a condemnation with everything that it was built on.
    pub(super) fn hold_against(&mut self, cluster: &Cluster) {
        let opened = cluster.opened;
        for key in &cluster.keys {
            let before = self.histories.peek(key).and_then(|history| history.cluster);
            let before = before.and_then(|number| self.clusters.get(&number));
            let later = before.is_some_and(|before| before.opened > opened);
            let history = self.history(key);
            history.spent = history.spent.max(opened);
            if !later {
                history.cluster = Some(cluster.id.number);
            }
        }
        for key in &cluster.around {
            if let Some(history) = self.histories.peek_mut(key) {
                history.spent = history.spent.max(opened);
            }
        }
        self.last_opened = self.last_opened.max(Some(opened));
    }

    /// Leaves the servers of a cluster that was let go at `at` alone for a while.
    pub(super) fn pardon(&mut self, cluster: &Cluster, at: i64) {
        let until = at + seconds(self.tuning.pardon);
        for key in &cluster.keys {
            let history = self.history(key);
            history.pardoned = history.pardoned.max(until);
            if history.cluster == Some(cluster.id.number) {
                history.cluster = None;
            }
        }
        let open = self.clusters.values().filter(|other| other.ended.is_none());
        self.last_opened = open.map(|other| other.opened).max();
    }

    fn history(&mut self, key: &MailKey) -> &mut History {
        self.histories
            .get_or_insert_mut(key.clone(), History::default)
    }
}

impl Register for Servers {
    fn held(&mut self) -> &mut BTreeMap<u64, Cluster> {
        &mut self.clusters
    }

    fn numbers(&mut self) -> &mut Numbers {
        &mut self.numbers
    }

    fn note(&mut self, change: Change) {
        self.change(change);
    }

    fn heed(&mut self, cluster: &Cluster) {
        match &cluster.ended {
            Some(_) if cluster.same_as.is_some() => {}
            Some((at, _)) => self.pardon(cluster, *at),
            None => self.hold_against(cluster),
        }
    }

    fn stand_in(&mut self, first: &Cluster, second: &Cluster) {
        for key in &second.keys {
            if let Some(history) = self.histories.peek_mut(key) {
                history.cluster = None;
            }
        }
        self.heed(first);
    }

    // Of what is in force nothing is forgotten.
    fn forget(&mut self, _: u64, now: i64) {
        self.forget_oldest(now);
    }
}
