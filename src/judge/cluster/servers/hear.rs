//! What other gates have counted and decided, taken into this one's register.
//!
//! What is heard is not judged: it has been, where it was let in. Each gate
//! so counts all of it, and the next sign-up that is one too many condemns,
//! wherever it comes in.

use super::{Servers, Ticket, keys, seconds};
use crate::cluster::{Change, Cluster, MailKey, SignUp};
use crate::judge::cluster::history::History;
use crate::judge::cluster::join::{self, Adoption};
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
    pub fn hear_sign_up(&mut self, serial: u64, sign_up: SignUp) {
        let odd = sign_up.keys.is_empty() || sign_up.keys.len() > keys::MOST;
        if odd || self.sign_ups.peek(&serial).is_some() {
            return;
        }
        let known = self.domains.get(&sign_up.domain);
        let first = known.map_or(sign_up.at, |seen| seen.first);
        self.count_as(serial, sign_up, first);
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
        let number = theirs.id.number;
        self.numbers.take(number);
        let before = self.clusters.get(&number);
        let contained = before.is_some_and(Cluster::contains);
        let opened = theirs.opened;
        let adopted = match join::adopt(before, theirs) {
            Adoption::Known => return false,
            Adoption::Take(cluster) => {
                self.change(Change::Adopt(Box::new(cluster.clone())));
                cluster
            }
            Adoption::Join(cluster) => {
                self.change(Change::Cluster(Box::new(cluster.clone())));
                cluster
            }
        };
        let changed = contained != adopted.contains();
        self.clusters.insert(number, adopted.clone());
        self.heed(&adopted);
        let folded = self.fold_twins(number);
        self.forget_oldest(opened);
        changed || folded
    }

    /// Two gates have condemned one server at once: the first stands for both.
    fn fold_twins(&mut self, number: u64) -> bool {
        let Some(one) = self.clusters.get(&number) else {
            return false;
        };
        let twin = self
            .clusters
            .values()
            .find(|other| join::are_twins(one, other));
        let Some((mut first, mut second)) = twin.map(|twin| join::fold(one, twin)) else {
            return false;
        };
        let contains = first.contains();
        for cluster in [&mut first, &mut second] {
            self.change(cluster.change());
            self.clusters.insert(cluster.id.number, cluster.clone());
        }
        for key in &second.keys {
            if let Some(history) = self.histories.peek_mut(key) {
                history.cluster = None;
            }
        }
        self.heed(&first);
        contains
    }

    fn heed(&mut self, cluster: &Cluster) {
        match &cluster.ended {
            Some(_) if cluster.same_as.is_some() => {}
            Some((at, _)) => self.pardon(cluster, *at),
            None => self.hold_against(cluster),
        }
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
