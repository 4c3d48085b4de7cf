//! What other gates have counted and decided of apps, taken into this one's register.

use std::collections::BTreeMap;

use super::look::Token;
use super::{Apps, Look, Made, What};
use crate::cluster::{AppStep, Change, Cluster};
use crate::judge::cluster::join::{self, Register};
use crate::judge::cluster::numbers::Numbers;

impl Apps {
    /// Numbers clusters as one of several gates, by this throw of dice.
    pub const fn join_others(&mut self, dice: u64) {
        self.numbers.tag(dice);
    }

    /// Another gate has counted something; whether tokens of one more app are to be contained.
    pub fn hear(&mut self, step: AppStep) -> bool {
        match step {
            AppStep::Made { look, at, creator } => self.count_made(&look, at, creator),
            AppStep::Named {
                look,
                at,
                creator,
                id,
            } => {
                // Whoever told it changes the cluster as well, as soon as that is known there.
                let named = self.name(&look, (at, creator), &id).cloned();
                let contained = named.as_ref().is_some_and(Cluster::contains);
                self.changes
                    .extend(named.map(|cluster| Change::Adopt(Box::new(cluster))));
                return contained;
            }
            AppStep::Token { look, at, id, own } => match id {
                Some(id) => self.look(&look).tokens.push(Token { at, id, own }),
                None => self.look(&look).ration.push(at),
            },
            AppStep::Unmade { look, at } => self.take_back(look, at, What::Made),
            AppStep::Untaken { look, at } => self.take_back(look, at, What::Token),
        }
        false
    }

    /// Takes in a cluster as another gate has it; whether what is contained has changed.
    pub fn adopt(&mut self, theirs: Cluster) -> bool {
        let number = theirs.id.number;
        let changed = join::take_in(self, theirs);
        let Some(cluster) = self.name_suspects(number) else {
            return changed;
        };
        let contained = cluster.contains();
        // The others may not know either.
        let change = cluster.change();
        self.changes.push(change);
        changed || contained
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

impl Register for Apps {
    fn held(&mut self) -> &mut BTreeMap<u64, Cluster> {
        &mut self.clusters
    }

    fn numbers(&mut self) -> &mut Numbers {
        &mut self.numbers
    }

    fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    fn heed(&mut self, cluster: &Cluster) {
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

    fn stand_in(&mut self, first: &Cluster, _: &Cluster) {
        if let Some(name) = &first.name {
            self.look(name).cluster = Some(first.id.number);
        }
    }

    fn forget(&mut self, latest: u64, _: i64) {
        self.forget_surplus(Some(latest));
    }
}
