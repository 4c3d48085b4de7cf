//! What the register learns after the sign-up: which account came of it, weak
//! word of confirmations, and reports.
//!
//! None of it condemns anybody. A report only sharpens the eye as another
//! condemnation does, and a link that was followed can only help to lift.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use super::{Servers, registrable};
use crate::app::ClientId;
use crate::cluster::{CameToBe, Change, MailKey, Suspect};
use crate::judge::cluster::history::History;
use crate::judge::cluster::tuning::seconds;
use crate::mailbox::Domain;
use crate::secret::KeyedHash;

/// Reports remembered of one key.
const REPORTS: usize = 16;

/// Clusters with links remembered at once, and links of one.
const LINKED: usize = 256;

impl Servers {
    /// An account came of the sign-up that was let in at `at`, or has confirmed since.
    /// Whether that sign-up is known.
    pub fn name_account(
        &mut self,
        domain: &Domain,
        at: i64,
        username: &str,
        account: CameToBe,
    ) -> bool {
        let Some(serial) = self.serial_of(domain, at, username, account.id) else {
            return false;
        };
        let Some(sign_up) = self.sign_ups.peek_mut(&serial) else {
            return false;
        };
        if sign_up.account == Some(account) {
            return true;
        }
        sign_up.account = Some(account);
        let sign_up = sign_up.clone();
        let clusters = self.clusters_of(&sign_up.keys);
        self.change(Change::SignUp(serial, sign_up.clone()));
        for number in clusters {
            let Some(cluster) = self.clusters.get_mut(&number) else {
                continue;
            };
            let own = |s: &&mut Suspect| {
                s.at == at && s.domain.as_ref() == Some(domain) && s.username == sign_up.username
            };
            if let Some(suspect) = cluster.suspects.iter_mut().find(own) {
                suspect.account = Some(account);
                let changed = cluster.change();
                self.change(changed);
            }
        }
        true
    }

    fn serial_of(&self, domain: &Domain, at: i64, username: &str, id: i64) -> Option<u64> {
        let keys = &self.domains.peek(domain)?.keys;
        let entries = keys
            .iter()
            .filter_map(|key| self.histories.peek(key))
            .flat_map(|history| history.entries.iter().rev());
        let mut serials = entries
            .filter(|entry| entry.at == at && entry.domain == *domain)
            .map(|entry| entry.serial);
        serials.find(|serial| {
            self.sign_ups.peek(serial).is_some_and(|sign_up| {
                let named = sign_up.username.as_deref();
                let same = named.is_none_or(|name| name.trim().eq_ignore_ascii_case(username));
                same && sign_up.account.is_none_or(|account| account.id == id)
            })
        })
    }

    /// The last cluster of each of these keys, each once.
    pub(super) fn clusters_of(&self, keys: &[MailKey]) -> Vec<u64> {
        let histories = keys.iter().filter_map(|key| self.histories.peek(key));
        let mut numbers: Vec<_> = histories.filter_map(|history| history.cluster).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The sign-ups through one of these apps. Looks at all there are: for a command.
    #[must_use]
    pub fn sign_ups_through(&self, apps: &BTreeSet<ClientId>) -> Vec<Suspect> {
        let through = self.sign_ups.iter().filter(|(_, sign_up)| {
            let app = sign_up.client_id.as_ref();
            app.is_some_and(|app| apps.contains(app))
        });
        through.map(|(_, sign_up)| sign_up.suspect()).collect()
    }

    /// A number for the mail server behind a domain: its first network, or the
    /// registered name where the server is a shared provider's or not known.
    #[must_use]
    pub fn group(&self, domain: &Domain) -> u64 {
        let seen = self.domains.peek(domain);
        let keys = seen.map_or(&[][..], |seen| &seen.keys);
        let network = keys.iter().find(|key| matches!(key, MailKey::Network(_)));
        let mut hasher = std::hash::DefaultHasher::new();
        match network {
            Some(network) => network.hash(&mut hasher),
            None => registrable(domain).hash(&mut hasher),
        }
        hasher.finish()
    }

    /// Somebody who seems to have signed up with this domain followed a link
    /// that seemed to work. Nobody vouches for either, so it makes nobody shared
    /// and no suspect real, and twice as many are needed to lift a condemnation.
    pub fn confirm_by_link(&mut self, domain: &Domain, now: i64) {
        let Some(seen) = self.domains.peek(domain) else {
            return;
        };
        let first = seen.first;
        let keys = seen.keys.clone();
        let own = registrable(domain);
        for number in self.clusters_of(&keys) {
            let Some(cluster) = self.clusters.get(&number) else {
                continue;
            };
            let week = cluster.opened - seconds(self.tuning.windows[3].span);
            if !cluster.in_force(now) || first > week.min(cluster.since - 1) {
                continue;
            }
            if self.linked.len() >= LINKED && !self.linked.contains_key(&number) {
                self.linked.pop_first();
            }
            let linked = self.linked.entry(number).or_default();
            if linked.len() < LINKED {
                linked.insert(own.clone());
            }
            if linked.len() >= self.tuning.lift as usize * 2 {
                let why = "people with long-known domains followed their confirmation links";
                self.linked.remove(&number);
                self.end(number, now, why);
            }
        }
    }

    /// An account that the gate let in with this domain was reported by somebody
    /// whose word weighs something; `target` stands for the account.
    pub fn hear_report(&mut self, domain: &Domain, by: KeyedHash, target: i64, now: i64) {
        let Some(seen) = self.domains.peek(domain) else {
            return;
        };
        let keys = seen.keys.clone();
        let oldest = now - seconds(self.tuning.report_memory);
        for key in keys.iter() {
            // A range is a hoster's: strangers live there.
            if matches!(key, MailKey::Range(_)) {
                continue;
            }
            if let Some(history) = self.histories.peek_mut(key) {
                history.report(
                    Report {
                        at: now,
                        by,
                        target,
                    },
                    oldest,
                );
            }
        }
    }

    /// Whether enough people reported enough accounts behind this key for a closer look.
    pub(super) fn is_reported(&self, history: &History, now: i64) -> bool {
        let oldest = now - seconds(self.tuning.report_memory);
        let (people, accounts) = history.reported(oldest);
        people >= self.tuning.reports && accounts >= self.tuning.reports
    }
}

/// A report of an account behind a key.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// When.
    pub at: i64,
    /// By whom, hashed.
    pub by: KeyedHash,
    /// Mastodon's number of the account.
    pub target: i64,
}

impl History {
    fn report(&mut self, report: Report, oldest: i64) {
        self.reports.retain(|old| old.at >= oldest);
        let known = |old: &Report| old.by == report.by && old.target == report.target;
        if self.reports.len() < REPORTS && !self.reports.iter().any(known) {
            self.reports.push(report);
        }
    }

    /// How many distinct people reported how many distinct accounts since.
    #[must_use]
    pub fn reported(&self, oldest: i64) -> (usize, usize) {
        // As of nearly every key, in every sign-up.
        if self.reports.is_empty() {
            return (0, 0);
        }
        let fresh = || self.reports.iter().filter(|report| report.at >= oldest);
        let people: BTreeSet<_> = fresh().map(|report| report.by).collect();
        let accounts: BTreeSet<_> = fresh().map(|r| r.target).collect();
        (people.len(), accounts.len())
    }
}
