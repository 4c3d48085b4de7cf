//! What the fresh apps of a condemned look may still have, all together.

use super::{Apps, Sighting, Ticket, What};

impl Apps {
    /// One token out of the ration of cluster `number`, or a refusal.
    pub(super) fn ration(&mut self, number: u64, name: String, now: i64) -> Sighting {
        let most = i64::from(self.tuning.ration);
        let every = self.tuning.ration_every;
        let Some(opened) = self.clusters.get(&number).map(|cluster| cluster.opened) else {
            return Sighting::Exempt;
        };
        let look = self.look(&name);
        let earned = most + (now - opened) / every;
        if (look.ration.len() as i64) < earned.min(most + 180) {
            look.ration.push(now);
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
