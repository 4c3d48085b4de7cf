//! What other gates have counted and decided of apps, taken into this one's register.

use super::look::Token;
use super::{Apps, Look, Made, What};
use crate::cluster::{AppStep, Change, Cluster};
use crate::judge::cluster::join::{self, Adoption};

impl Apps {
    /// Numbers clusters as one of several gates, by this throw of dice.
    pub const fn join_others(&mut self, dice: u64) {
        self.numbers.tag(dice);
    }

    /// Another gate has counted something.
    pub fn hear(&mut self, step: AppStep) {
        match step {
            AppStep::Made { look, at, creator } => self.count_made(&look, at, creator),
            AppStep::Named { look, at, id } => self.look(&look).name(at, &id),
            AppStep::Token { look, at, id, own } => match id {
                Some(id) => self.look(&look).tokens.push(Token { at, id, own }),
                None => self.look(&look).ration.push(at),
            },
            AppStep::Unmade { look, at } => self.take_back(look, at, What::Made),
            AppStep::Untaken { look, at } => self.take_back(look, at, What::Token),
        }
    }

    /// Takes in a cluster as another gate has it; whether what is contained has changed.
    pub fn adopt(&mut self, theirs: Cluster) -> bool {
        let number = theirs.id.number;
        self.numbers.take(number);
        let before = self.clusters.get(&number);
        let contained = before.is_some_and(Cluster::contains);
        let adopted = match join::adopt(before, theirs) {
            Adoption::Known => return false,
            Adoption::Take(cluster) => {
                self.changes.push(Change::Adopt(Box::new(cluster.clone())));
                cluster
            }
            Adoption::Join(cluster) => {
                self.changes
                    .push(Change::Cluster(Box::new(cluster.clone())));
                cluster
            }
        };
        let changed = contained != adopted.contains();
        self.heed(&adopted);
        self.clusters.insert(number, adopted);
        let folded = self.fold_twins(number);
        if self.clusters.len() > super::CLUSTERS {
            self.clusters.pop_first();
        }
        changed || folded
    }

    /// Two gates have condemned one look at once: the first stands for both.
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
        for cluster in [&mut first, &mut second] {
            self.changes.push(cluster.change());
            self.clusters.insert(cluster.id.number, cluster.clone());
        }
        if let Some(name) = &first.name {
            self.look(name).cluster = Some(first.id.number);
        }
        first.contains()
    }

    /// Holds what is in force against its look, and forgives what was let go.
    pub(super) fn heed(&mut self, cluster: &Cluster) {
        let Some(name) = cluster.name.clone() else {
            return;
        };
        if cluster.same_as.is_some() {
            return;
        }
        if let Some((at, _)) = &cluster.ended {
            self.forgive(&name, cluster.id.number, *at);
            return;
        }
        let before = self.looks.peek(&name).and_then(|look| look.cluster);
        let before = before.and_then(|number| self.clusters.get(&number));
        let later = before.is_some_and(|before| before.opened > cluster.opened);
        let look = self.look(&name);
        look.spent = look.spent.max(cluster.opened);
        if !later && look.cluster != Some(cluster.id.number) {
            look.cluster = Some(cluster.id.number);
            look.ration.retain(|at| *at >= cluster.opened);
        }
    }

    /// Begins anew with a look whose cluster was let go at `at`.
    pub(super) fn forgive(&mut self, name: &str, number: u64, at: i64) {
        let look = self.look(name);
        if look.cluster.is_none_or(|cluster| cluster == number) {
            *look = Look {
                normal: look.normal.max(look.made.len() as f32),
                spent: look.spent.max(at),
                ..Look::default()
            };
        }
    }

    fn count_made(&mut self, name: &str, at: i64, creator: Option<ipnet::IpNet>) {
        self.all.roll(at);
        self.all.add(at);
        let look = self.look(name);
        look.roll(at);
        look.made.push(Made {
            at,
            id: None,
            creator,
        });
        look.total += 1;
    }

    fn take_back(&mut self, name: String, at: i64, what: What) {
        if let Some(look) = self.looks.peek_mut(&name) {
            look.withdraw(at, what);
        }
    }
}
