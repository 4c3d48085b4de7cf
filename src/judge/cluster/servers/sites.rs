//! Whose web site is worth a look, and what was found. Shown, never weighed:
//! honest people have mail without a site, and bots may put up a page.

use std::collections::BTreeSet;

use super::Servers;
use crate::cluster::{MailKey, Sites};
use crate::judge::cluster::tuning::seconds;
use crate::mailbox::Domain;

/// So many fresh domains behind one key within a day make its server worth a look.
const FRESH: usize = 3;

impl Servers {
    /// Whether this domain is fresh, its server suspicious, and its site not looked at yet.
    #[must_use]
    pub fn is_worth_a_look(&self, domain: &Domain, now: i64) -> bool {
        let day = now - seconds(self.tuning.windows[2].span);
        let Some(seen) = self.domains.peek(domain) else {
            return false;
        };
        if seen.first < day || self.sites.contains(domain) || self.shared(&seen.keys, now) {
            return false;
        }
        let narrow = seen
            .keys
            .iter()
            .filter(|key| !matches!(key, MailKey::Range(_)));
        let mut histories = narrow.filter_map(|key| self.histories.peek(key));
        histories.any(|history| {
            let fresh = history
                .entries
                .iter()
                .rev()
                .filter(|entry| entry.first >= day);
            let fresh: BTreeSet<_> = fresh.map(|entry| &entry.registrable).collect();
            fresh.len() >= FRESH
                || self.is_suspected(history, now)
                || self.is_reported(history, now)
        })
    }

    /// What was found of a domain's web site.
    pub fn note_site(&mut self, domain: &Domain, alive: bool) {
        if self.sites.put(domain.clone(), alive).is_some() {
            return;
        }
        let keys = self.domains.peek(domain).map(|seen| seen.keys.clone());
        for number in self.clusters_of(keys.as_deref().unwrap_or_default()) {
            let Some(cluster) = self.clusters.get_mut(&number) else {
                continue;
            };
            let own = |suspect: &crate::cluster::Suspect| suspect.domain.as_ref() == Some(domain);
            if cluster.suspects.iter().any(own) {
                cluster.sites.add(alive);
                let changed = cluster.change();
                self.change(changed);
            }
        }
    }

    /// What was found of the web sites of these domains, each once.
    pub(super) fn sites_of<'a>(&self, domains: impl Iterator<Item = &'a Domain>) -> Sites {
        let mut sites = Sites::default();
        for domain in domains.collect::<BTreeSet<_>>() {
            if let Some(alive) = self.sites.peek(domain) {
                sites.add(*alive);
            }
        }
        sites
    }
}
