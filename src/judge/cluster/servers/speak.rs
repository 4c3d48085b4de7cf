//! What the register tells an admin: clusters, and the history of one server.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Servers, Within};
use crate::cluster::{Cluster, ClusterId, MailKey, SeenDomain, Sites};
use crate::judge::cluster::history::History;
use crate::judge::cluster::latest::Entry;
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
    /// For the same windows: distinct client networks and apps.
    #[serde(default)]
    pub within: [Within; 4],
    /// What is thought of it.
    pub verdict: ServerVerdict,
    /// Domains seen there that a condemnation would hit, at most a hundred.
    pub would_hit: Vec<Domain>,
    /// Sign-ups of the last week with such domains.
    #[serde(default)]
    pub would_hit_sign_ups: u32,
    /// Domains of the last week that are known for longer, so that it would not hit them.
    #[serde(default)]
    pub would_spare: u32,
    /// What was found of the web sites of its latest domains.
    #[serde(default)]
    pub sites: Sites,
    /// How many people reported how many accounts behind it within a week.
    #[serde(default)]
    pub reports: (usize, usize),
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

    /// The same, as they stand.
    pub(in crate::judge) fn every(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.values()
    }

    /// Every cluster that is in force.
    pub fn in_force(&self, now: i64) -> impl Iterator<Item = &Cluster> {
        let clusters = self.clusters.values();
        clusters.filter(move |cluster| cluster.in_force(now))
    }

    /// Whether it has ever been heard that an address was confirmed.
    #[must_use]
    pub const fn confirmations_known(&self) -> bool {
        self.confirmations_known
    }

    /// When an account with this domain was first let in, unless it is a listed provider's.
    #[must_use]
    pub fn first_seen(&self, domain: &Domain) -> Option<i64> {
        self.domains.peek(domain).map(|seen| seen.first)
    }

    /// What is remembered of a domain.
    #[must_use]
    pub fn seen_domain(&self, domain: &Domain) -> Option<SeenDomain> {
        self.domains.peek(domain).cloned()
    }

    /// Whether a counted sign-up is the only one of its domain so far.
    #[must_use]
    pub fn is_first(&self, ticket: super::Ticket) -> bool {
        let sign_up = self.sign_ups.peek(&ticket.0);
        let seen = sign_up.and_then(|sign_up| self.domains.peek(&sign_up.domain));
        seen.is_some_and(|seen| seen.accounts == 1)
    }

    /// One cluster.
    #[must_use]
    pub fn cluster(&self, number: u64) -> Option<&Cluster> {
        self.clusters.get(&number)
    }

    /// How many keys, domains and sign-ups are held in memory.
    #[must_use]
    pub fn size(&self) -> [usize; 3] {
        self.fill().map(|fill| fill.entries)
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
        let range = super::keys::range(ip);
        [
            MailKey::Address(ip),
            MailKey::Network(network),
            MailKey::Range(range),
        ]
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
                within: Default::default(),
                verdict,
                would_hit: Vec::new(),
                would_hit_sign_ups: 0,
                would_spare: 0,
                sites: Sites::default(),
                reports: (0, 0),
            };
        };
        let windows = self.windows(history, now);
        let week = now - seconds(self.tuning.windows[3].span);
        let lately = history.entries.iter().filter(|entry| entry.at >= week);
        let (fresh, older): (Vec<_>, Vec<_>) = lately.partition(|entry| entry.first >= week);
        let would_hit_sign_ups = fresh.len() as u32;
        let mut would_hit = distinct(&fresh);
        would_hit.truncate(HIT);
        ServerReport {
            seen: (history.first > 0).then_some((history.first, history.last)),
            sign_ups: history.total,
            distinct: self.distinct(history),
            windows: windows.map(|(counted, _)| counted),
            within: windows.map(|(_, within)| within),
            verdict,
            would_hit,
            would_hit_sign_ups,
            would_spare: distinct(&older).len() as u32,
            sites: self.sites_of(history.entries.iter().map(|entry| &entry.domain)),
            reports: history.reported(week),
            key,
        }
    }

    /// Distinct domains, client networks and apps: exact while every sign-up is at hand
    /// (an estimate also holds what came to nothing), estimated beyond.
    fn distinct(&self, history: &History) -> [u64; 3] {
        let kept = || {
            let entries = history.entries.iter();
            entries.filter_map(|entry| self.sign_ups.peek(&entry.serial))
        };
        if kept().count() as u64 != history.total {
            return [&history.domains, &history.networks, &history.apps].map(|e| e.count());
        }
        let domains: BTreeSet<_> = kept().map(|one| &one.domain).collect();
        let networks: BTreeSet<_> = kept().filter_map(|one| one.client).collect();
        let apps: BTreeSet<_> = kept().filter_map(|one| one.client_id.as_ref()).collect();
        [domains.len(), networks.len(), apps.len()].map(|count| count as u64)
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

fn distinct(entries: &[&Entry]) -> Vec<Domain> {
    let mut domains: Vec<_> = entries.iter().map(|entry| entry.domain.clone()).collect();
    domains.sort_unstable();
    domains.dedup();
    domains
}
