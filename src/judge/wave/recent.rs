//! Accounts made lately: through which app, and whether a cluster rule that only
//! observes would have refused them. So an app that is condemned later can be
//! told to have brought people in, on this gate or another. Bounded; the oldest go.

use std::collections::VecDeque;

use crate::wave::Newcomer;

const MOST: usize = 4096;

#[derive(Clone, Debug, Default)]
pub(super) struct Recent(VecDeque<Newcomer>);

impl Recent {
    pub(super) fn add(&mut self, newcomer: Newcomer) {
        if !newcomer.may_tell() {
            return;
        }
        // Nearly always the last; what another gate tells may come late.
        let place = self.0.partition_point(|one| one.at <= newcomer.at);
        self.0.insert(place, newcomer);
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    pub(super) fn since(&self, from: i64) -> impl Iterator<Item = &Newcomer> {
        self.0.iter().filter(move |one| one.at >= from)
    }
}
