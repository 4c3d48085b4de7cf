//! Looking at the web site of a fresh domain behind a suspicious server, if an
//! admin wants that. After the sign-up, on the control runtime; nobody waits for
//! it and nothing is decided by it.

use jiff::Timestamp;

use crate::attempt::Attempt;
use crate::judge::Judge;
use crate::telemetry::metrics;

impl Judge {
    /// Has the sites of an admitted attempt looked at, as far as there is room.
    pub(super) fn look_at_sites(&self, attempt: &Attempt) {
        let Some(prober) = &self.prober else {
            return;
        };
        let now = Timestamp::now().as_second();
        for domain in attempt.mail_domains() {
            if !self.registers.is_worth_a_look(domain, now) {
                continue;
            }
            let (prober, domain) = (prober.clone(), domain.clone());
            let registers = std::sync::Arc::clone(&self.registers);
            self.control.spawn(async move {
                let Some(site) = prober.look(&domain).await else {
                    metrics().hooks.probed("skipped");
                    return;
                };
                metrics().hooks.probed(site.name());
                tracing::debug!(%domain, site = site.name(), "a web site was looked at");
                if let Some(alive) = site.is_alive() {
                    registers.note_site(&domain, alive);
                }
            });
        }
    }
}
