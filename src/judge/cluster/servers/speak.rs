//! What the register tells an admin: clusters, and the history of one server.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Servers;
use crate::cluster::{Cluster, ClusterId, MailKey};
use crate::judge::cluster::tuning::seconds;
use crate::mail::providers;
use crate::mailbox::Domain;

/// What is known of one key of a mail server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerReport {
    /// The key.
    pub key: MailKey,
    /// When it was first and last seen, in seconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// Sign-ups ever.
    pub sign_ups: u64,
    /// Distinct domains, client networks and apps, about.
    pub distinct: [u64; 3],
    /// For 10 minutes, an hour, a day and a week: sign-ups, distinct domains, fresh ones.
    pub windows: [(u32, u32, u32); 4],
    /// What is thought of it.
    pub verdict: ServerVerdict,
    /// Domains seen there that a condemnation would hit, at most a hundred.
    pub would_hit: Vec<Domain>,
}

/// What is thought of a mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "by", rename_all = "kebab-case")]
pub enum ServerVerdict {
    /// On the list of shared providers.
    Listed(String),
    /// Long carrying many unrelated domains.
    Learned,
    /// Condemned.
    Condemned(ClusterId),
    /// Condemned before, or released and left alone.
    Remembered(ClusterId),
    /// Nothing is known against it.
    Unsuspected,
}

const HIT: usize = 100;

impl Servers {
    /// Every cluster that is remembered, newest first.
    #[must_use]
    pub fn clusters(&self) -> Vec<Cluster> {
        self.clusters.values().rev().cloned().collect()
    }

    /// One cluster.
    #[must_use]
    pub fn cluster(&self, number: u64) -> Option<&Cluster> {
        self.clusters.get(&number)
    }

    /// How many keys, domains and sign-ups are held in memory.
    #[must_use]
    pub fn size(&self) -> [usize; 3] {
        [
            self.histories.len(),
            self.domains.len(),
            self.sign_ups.len(),
        ]
    }

    /// What is known of a mail server by name.
    #[must_use]
    pub fn report_name(&self, name: &Domain, now: i64) -> Vec<ServerReport> {
        let registrable = super::registrable(name);
        [
            MailKey::Host(name.clone()),
            MailKey::Registrable(registrable),
        ]
        .into_iter()
        .map(|key| self.report(key, now))
        .collect()
    }

    /// What is known of a mail server by address.
    #[must_use]
    pub fn report_address(&self, ip: IpAddr, now: i64) -> Vec<ServerReport> {
        let network = super::keys::network(ip);
        [MailKey::Address(ip), MailKey::Network(network)]
            .into_iter()
            .map(|key| self.report(key, now))
            .collect()
    }

    fn report(&self, key: MailKey, now: i64) -> ServerReport {
        let verdict = self.verdict(&key, now);
        let Some(history) = self.histories.peek(&key) else {
            return ServerReport {
                key,
                seen: None,
                sign_ups: 0,
                distinct: [0; 3],
                windows: [(0, 0, 0); 4],
                verdict,
                would_hit: Vec::new(),
            };
        };
        let windows = self.tuning.windows.map(|window| {
            let from = now - seconds(window.span);
            let within: Vec<_> = history.entries.iter().filter(|e| e.at >= from).collect();
            let mut domains: Vec<_> = within
                .iter()
                .map(|e| (&e.domain, e.first >= from))
                .collect();
            domains.sort_unstable();
            domains.dedup();
            let fresh = domains.iter().filter(|(_, fresh)| *fresh).count();
            (within.len() as u32, domains.len() as u32, fresh as u32)
        });
        let week = now - seconds(self.tuning.windows[3].span);
        let mut would_hit: Vec<_> = history
            .entries
            .iter()
            .filter(|entry| entry.first >= week)
            .map(|entry| entry.domain.clone())
            .collect();
        would_hit.sort_unstable();
        would_hit.dedup();
        would_hit.truncate(HIT);
        ServerReport {
            seen: (history.first > 0).then_some((history.first, history.last)),
            sign_ups: history.total,
            distinct: [&history.domains, &history.networks, &history.apps].map(|e| e.count()),
            windows,
            verdict,
            would_hit,
            key,
        }
    }

    fn verdict(&self, key: &MailKey, now: i64) -> ServerVerdict {
        if let MailKey::Host(name) | MailKey::Registrable(name) = key
            && let Some(provider) = providers::shared(name)
        {
            return ServerVerdict::Listed(provider.name.to_owned());
        }
        if self.shared(std::slice::from_ref(key), now) {
            return ServerVerdict::Learned;
        }
        let history = self.histories.peek(key);
        let cluster = history.and_then(|history| self.clusters.get(&history.cluster?));
        match cluster {
            Some(cluster) if cluster.in_force(now) => ServerVerdict::Condemned(cluster.id),
            Some(cluster) => ServerVerdict::Remembered(cluster.id),
            None => ServerVerdict::Unsuspected,
        }
    }
}
