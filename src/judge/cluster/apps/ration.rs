//! What the fresh apps of a condemned look may still have, all together.

use super::{Apps, Sighting, Ticket, What};
use crate::cluster::{AppStep, Change};

impl Apps {
    /// One token out of the ration of cluster `number`, or a refusal.
    pub(super) fn ration(&mut self, number: u64, name: String, now: i64) -> Sighting {
        let most = i64::from(self.tuning.ration);
        let every = self.tuning.ration_every;
        let Some(opened) = self.clusters.get(&number).map(|cluster| cluster.opened) else {
            return Sighting::Exempt;
        };
        let earned = most + (now - opened) / every;
        // Looked at first: a flood finds it spent, and to hand it out to be changed costs more.
        let had = self.looks.get(&name).map_or(0, |look| look.ration.len());
        if (had as i64) < earned.min(most + 180) {
            self.look(&name).ration.push(now);
            self.changes.push(Change::App(AppStep::Token {
                look: name.clone(),
                at: now,
                id: None,
                own: false,
            }));
            return Sighting::Counted(Ticket {
                look: name,
                at: now,
                what: What::Token,
            });
        }
        let next = opened + ((now - opened) / every + 1) * every;
        self.refuse(number, now, Some(next))
    }
}
