//! Condemning a mail server, and letting it go again.
//!
//! A first condemnation lasts an hour and hits only domains first seen inside
//! the window. It comes back sooner and stays longer on repetition, but only
//! while the suspects may be real: where confirmations are known and none of
//! them confirmed, somebody has merely typed other people's domains.

use super::{CLUSTERS, Servers, id, registrable};
use crate::cluster::{Change, Cluster, MailKey, SeenDomain, SignUp};
use crate::judge::cluster::history::History;
use crate::judge::cluster::past;
use crate::judge::cluster::tuning::seconds;
use crate::judge::cluster::weigh::Finding;
use crate::mailbox::Domain;

/// Suspects named with a cluster.
const SUSPECTS: usize = 256;

/// The part of the fresh sign-ups that must share a key for it to be condemned too.
const SHARE: f32 = 0.7;

impl Servers {
    /// Condemns what `sign_up` shares with those before it; the cluster's number.
    pub(super) fn condemn(&mut self, key: &MailKey, sign_up: &SignUp, finding: &Finding) -> u64 {
        let now = sign_up.at;
        let since = now - finding.span.max(seconds(self.tuning.reach));
        let suspects = self.suspects(key, since);
        let mut keys = self.joined(key, sign_up, &suspects);
        let before = self.before(&keys, now);
        self.roll_up(&mut keys, now);
        let times = before.as_ref().map_or(1, |cluster| cluster.times + 1);
        let since = before.map_or(since, |cluster| cluster.since.min(since));
        let number = self.numbers.next();
        let mut cluster = Cluster {
            evidence: self.evidence(key, finding, now),
            keys,
            times,
            confirmed: self.confirmed(&suspects),
            sites: self.sites_of(suspects.iter().map(|suspect| &suspect.domain)),
            suspects: suspects.iter().map(SignUp::suspect).collect(),
            // Nor may the same sign-ups condemn the network around the server.
            around: sign_up.keys.to_vec(),
            ..Cluster::opened(id(number), since, now, now + self.duration(times))
        };
        self.change(cluster.change());
        self.hold_against(&cluster);
        self.clusters.insert(number, cluster);
        self.forget_oldest(now);
        number
    }

    /// Those let in through `key` with domains first seen since.
    fn suspects(&self, key: &MailKey, since: i64) -> Vec<SignUp> {
        let Some(history) = self.histories.peek(key) else {
            return Vec::new();
        };
        let fresh = history.entries.iter().filter(|entry| entry.first >= since);
        fresh
            .rev()
            .take(SUSPECTS)
            .filter_map(|entry| self.sign_ups.peek(&entry.serial).cloned())
            .collect()
    }

    /// How many of them have domains that are known to have confirmed.
    fn confirmed(&self, suspects: &[SignUp]) -> u32 {
        let known = suspects.iter().filter(|suspect| {
            let seen = self.domains.peek(&suspect.domain);
            seen.is_some_and(|seen| seen.confirmed > 0)
        });
        u32::try_from(known.count()).unwrap_or(u32::MAX)
    }

    /// The narrow keys that nearly all suspects share; networks only where
    /// nothing narrower is shared, because strangers live there too.
    fn joined(&self, key: &MailKey, sign_up: &SignUp, suspects: &[SignUp]) -> Vec<MailKey> {
        let share = |other: &MailKey| {
            let with = suspects
                .iter()
                .filter(|suspect| suspect.keys.contains(other));
            with.count() as f32 >= SHARE * suspects.len() as f32
        };
        let mut keys: Vec<_> = sign_up
            .keys
            .iter()
            .filter(|other| match other {
                MailKey::Host(_) | MailKey::Address(_) => share(other),
                MailKey::Registrable(_) => share(other) && !self.is_own(other, suspects),
                MailKey::Network(_) | MailKey::Range(_) => false,
            })
            .cloned()
            .collect();
        if !keys.contains(key) {
            keys.push(key.clone());
        }
        keys
    }

    /// Whether a registrable name stands for one host only, which is enough to condemn.
    fn is_own(&self, registrable: &MailKey, suspects: &[SignUp]) -> bool {
        let MailKey::Registrable(name) = registrable else {
            return false;
        };
        let below = |key: &MailKey| matches!(key, MailKey::Host(host) if host.with_parents().any(|parent| parent == name.as_str()));
        let mut hosts: Vec<_> = suspects
            .iter()
            .flat_map(|suspect| suspect.keys.iter())
            .filter(|key| below(key))
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.len() < 2
    }

    /// Neighbours: a network with two condemned addresses is condemned itself,
    /// a range with three condemned networks too.
    fn roll_up(&self, keys: &mut Vec<MailKey>, now: i64) {
        let addresses: Vec<_> = keys
            .iter()
            .filter_map(|key| match key {
                MailKey::Address(ip) => Some(*ip),
                _ => None,
            })
            .collect();
        let memory = seconds(self.tuning.alert).max(seconds(self.tuning.lasts[3]));
        let lately = || {
            self.clusters
                .values()
                .filter(move |cluster| cluster.ended.is_none() && now - cluster.opened < memory)
        };
        let mut wider = Vec::new();
        for ip in addresses {
            let network = super::keys::network(ip);
            let others = lately().flat_map(|cluster| &cluster.keys);
            let mut neighbours: Vec<_> = others
                .filter(|key| matches!(key, MailKey::Address(other) if *other != ip && network.contains(other)))
                .collect();
            neighbours.dedup();
            if !neighbours.is_empty() {
                wider.push(MailKey::Network(network));
            }
            let range = super::keys::range(ip);
            let mut networks: Vec<_> = lately()
                .flat_map(|cluster| &cluster.keys)
                .filter(|key| matches!(key, MailKey::Network(net) if range.contains(net)))
                .collect();
            networks.sort_unstable();
            networks.dedup();
            if networks.len() >= 3 {
                wider.push(MailKey::Range(range));
            }
        }
        for key in wider {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }

    /// The last condemnation of one of these keys that still counts against it.
    fn before(&self, keys: &[MailKey], now: i64) -> Option<&Cluster> {
        let histories = keys.iter().filter_map(|key| self.histories.peek(key));
        let clusters = histories.filter_map(|history| self.counting(history, now));
        clusters.max_by_key(|cluster| cluster.opened)
    }

    /// The last condemnation of a key, while it counts against it.
    pub(super) fn counting(&self, history: &History, now: i64) -> Option<&Cluster> {
        let cluster = self.clusters.get(&history.cluster?)?;
        let memory = seconds(self.tuning.memory);
        // One honest customer among the typed domains does not make them real.
        let real = !self.confirmations_known
            || cluster.confirmed as usize * 3 >= cluster.suspects.len().max(1);
        (real && cluster.ended.is_none() && now - cluster.until < memory).then_some(cluster)
    }

    /// Whether a server is condemned again by less, having been condemned before.
    pub(super) fn is_suspected(&self, history: &History, now: i64) -> bool {
        self.counting(history, now).is_some()
    }

    fn duration(&self, times: u32) -> i64 {
        let step = (times.max(1) as usize - 1).min(self.tuning.lasts.len() - 1);
        let lasts = self.tuning.lasts.get(step).copied().unwrap_or_default();
        if self.confirmations_known {
            seconds(lasts)
        } else {
            seconds(lasts.min(self.tuning.lasts_unconfirmed))
        }
    }

    /// An account with an address of this domain is known to have confirmed.
    pub fn confirm(&mut self, domain: &Domain, now: i64) {
        self.confirmations_known = true;
        let Some(seen) = self.domains.peek_mut(domain) else {
            return;
        };
        seen.confirmed += 1;
        let seen = seen.clone();
        self.change(Change::Confirm(domain.clone(), now));
        for number in self.see_confirmed(domain, &seen) {
            self.confirm_in(number, seen.first, now);
        }
    }

    /// The clusters that `domain` came through.
    pub(super) fn see_confirmed(&mut self, domain: &Domain, seen: &SeenDomain) -> Vec<u64> {
        self.change(Change::Domain(domain.clone(), Some(seen.clone())));
        let registrable = registrable(domain);
        let mut clusters = Vec::new();
        for key in seen.keys.iter() {
            if let Some(history) = self.histories.peek_mut(key) {
                history.confirm(&registrable);
                clusters.extend(history.cluster);
            }
        }
        clusters.sort_unstable();
        clusters.dedup();
        clusters
    }

    fn confirm_in(&mut self, number: u64, first: i64, now: i64) {
        let Some(cluster) = self.clusters.get_mut(&number) else {
            return;
        };
        if first >= cluster.since {
            cluster.confirmed += 1;
            let change = cluster.change();
            self.change(change);
            return;
        }
        if !cluster.in_force(now) {
            return;
        }
        let honest = self.honest(number);
        if honest >= self.tuning.lift {
            self.end(number, now, "people with long-known domains confirmed");
        }
    }

    /// Distinct long-known domains that confirmed through a cluster's keys.
    fn honest(&self, number: u64) -> u32 {
        let Some(cluster) = self.clusters.get(&number) else {
            return 0;
        };
        let histories = cluster
            .keys
            .iter()
            .filter_map(|key| self.histories.peek(key));
        let week = cluster.opened - seconds(self.tuning.windows[3].span);
        let before = week.min(cluster.since - 1);
        let counts = histories.map(|history| history.older(before, true));
        u32::try_from(counts.max().unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// Lets a cluster go, all of it at once; its server is left alone for a while.
    pub fn release(&mut self, number: u64, now: i64, why: &str) -> Option<Cluster> {
        let number = self.clusters.get(&number)?.same_as.unwrap_or(number);
        if self.clusters.get(&number)?.ended.is_none() {
            self.end(number, now, why);
        }
        self.clusters.get(&number).cloned()
    }

    /// Marks whether a cluster's tokens are contained.
    pub fn contain(&mut self, number: u64, contain: bool) -> Option<Cluster> {
        let number = self.clusters.get(&number)?.same_as.unwrap_or(number);
        let cluster = self.clusters.get_mut(&number)?;
        cluster.mark(contain);
        let change = cluster.change();
        let cluster = cluster.clone();
        self.change(change);
        Some(cluster)
    }

    pub(super) fn end(&mut self, number: u64, now: i64, why: &str) {
        let Some(cluster) = self.clusters.get_mut(&number) else {
            return;
        };
        cluster.ended = Some((now, why.to_owned()));
        let change = cluster.change();
        let cluster = cluster.clone();
        self.pardon(&cluster, now);
        self.change(change);
    }

    pub(super) fn forget_oldest(&mut self, now: i64) {
        if self.clusters.len() > CLUSTERS {
            let oldest = self
                .clusters
                .iter()
                .find(|(_, cluster)| !cluster.in_force(now));
            let oldest = oldest.map(|(number, _)| *number);
            if let Some(gone) = oldest.and_then(|number| self.clusters.remove(&number)) {
                self.unmark(&gone);
            }
        }
    }

    /// Takes the mark off the keys of condemnations that are held against nobody
    /// any more: they may be forgotten, and may come to be shared servers.
    pub(in crate::judge) fn let_run_out(&mut self, now: i64) {
        let (all, memory) = (self.clusters.values(), seconds(self.tuning.memory));
        let marked = |cluster: &Cluster| cluster.keys.iter().any(|key| self.marks(key, cluster));
        for cluster in past::over(all, memory, now, marked) {
            self.unmark(&cluster);
        }
    }

    fn unmark(&mut self, cluster: &Cluster) {
        for key in &cluster.keys {
            if self.marks(key, cluster)
                && let Some(history) = self.histories.peek_mut(key)
            {
                history.cluster = None;
            }
        }
    }

    /// Whether it is this cluster that is held against the key.
    fn marks(&self, key: &MailKey, cluster: &Cluster) -> bool {
        let history = self.histories.peek(key);
        history.is_some_and(|history| history.cluster == Some(cluster.id.number))
    }
}
