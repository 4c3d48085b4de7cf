//! The register of mail servers: who came through which, and which are condemned.
//!
//! A sign-up is counted when it is let in, before anybody knows what comes of
//! it, so that a hundred at the same moment are no way around; what came to
//! nothing is withdrawn. What is refused is never counted: nobody can be
//! condemned, nor a domain grow old, by attempts that had no effect.

mod choose;
mod condemn;
mod hear;
mod learn;
mod restore;
mod sites;
mod speak;
#[cfg(test)]
mod tests;
mod traffic;
mod windows;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::cluster::{Change, Cluster, ClusterId, ClusterKind, MailKey, SeenDomain, SignUp};
use crate::judge::cluster::bounded::Bounded;
use crate::judge::cluster::history::{History, Places};
use crate::judge::cluster::keys;
use crate::judge::cluster::latest::Entry;
use crate::judge::cluster::met::Met;
use crate::judge::cluster::numbers::Numbers;
use crate::judge::cluster::size::DEFAULT_SIZE;
use crate::judge::cluster::tuning::{Tuning, seconds};
use crate::judge::cluster::weigh::{self, Finding, Lower, Scene};
use crate::mailbox::Domain;
use crate::secret::HashKey;

pub use learn::Report;
pub use speak::{ServerReport, ServerVerdict};
use traffic::Traffic;
pub use windows::Within;

/// Web sites remembered.
const SITES: NonZeroUsize = NonZeroUsize::new(8192).expect("not zero");
/// Clusters remembered; those in force are never forgotten.
const CLUSTERS: usize = 2048;
/// Changes waiting to be written; beyond it the oldest are lost, counted.
const CHANGES: usize = 65_536;

/// The register.
#[derive(Clone, Debug)]
pub struct Servers {
    tuning: Tuning,
    pub(super) domains: Bounded<Domain, SeenDomain>,
    pub(super) histories: Bounded<MailKey, History>,
    /// Those that can still be withdrawn, confirmed or named as suspects.
    pub(super) sign_ups: Bounded<u64, SignUp>,
    traffic: Traffic,
    /// By which the keys of a sign-up that are kept are chosen.
    met: Met,
    clusters: BTreeMap<u64, Cluster>,
    last_opened: Option<i64>,
    next_serial: u64,
    numbers: Numbers,
    confirmations_known: bool,
    /// Long-known domains whose links were followed, by the cluster in force.
    linked: BTreeMap<u64, BTreeSet<Domain>>,
    /// Whether the web sites of domains were seen to be alive.
    sites: LruCache<Domain, bool>,
    changes: VecDeque<Change>,
}

/// Keys with their histories.
type Known<'a> = Vec<(&'a MailKey, &'a History)>;

/// What the register says of a sign-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Every exchange is a shared provider's, or there is none.
    Exempt,
    /// The server has carried many unrelated domains for long.
    Learned(Ticket),
    /// Nothing against it; counted.
    Counted(Ticket),
    /// The server is condemned, and this domain is not older than the wave.
    Condemned {
        /// As what.
        cluster: ClusterId,
        /// Why.
        evidence: String,
        /// Until when.
        until: i64,
    },
}

/// A counted sign-up, to be withdrawn if nothing comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

impl Servers {
    /// An empty register.
    #[must_use]
    pub fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            domains: Bounded::new(DEFAULT_SIZE / 4),
            histories: Bounded::new(DEFAULT_SIZE / 2),
            sign_ups: Bounded::new(DEFAULT_SIZE / 8),
            traffic: Traffic::default(),
            met: Met::new(HashKey::new(&[0; 32])),
            clusters: BTreeMap::new(),
            last_opened: None,
            next_serial: 1,
            numbers: Numbers::default(),
            confirmations_known: false,
            linked: BTreeMap::new(),
            sites: LruCache::new(SITES),
            changes: VecDeque::new(),
        }
    }

    /// Judges a sign-up at `sign_up.at` and, unless it is condemned, counts it.
    /// Its keys are all that its server could be recognised by ([`keys::keys`]).
    pub fn enter(&mut self, mut sign_up: SignUp) -> Sighting {
        if sign_up.keys.is_empty() {
            return Sighting::Exempt;
        }
        let now = sign_up.at;
        let seen = self.recognise(&mut sign_up);
        let first = seen.unwrap_or(now);
        let (shared, chosen) = self.choose(&sign_up.keys, now);
        let all = std::mem::replace(&mut sign_up.keys, chosen);
        let known = match shared {
            true => Known::new(),
            false => self.known(&sign_up.keys),
        };
        if let Some(number) = self.condemned(&known, first, now) {
            return self.refuse(number);
        }
        let coming = coming(&sign_up, first);
        if shared {
            return Sighting::Learned(self.count(sign_up, coming));
        }
        if let Some((key, finding)) = self.tips(&known, &coming) {
            let key = key.clone();
            let number = self.condemn(&key, &sign_up, &finding);
            return self.refuse(number);
        }
        if seen.is_none() {
            self.meet(self.next_serial, &sign_up, &all);
        }
        Sighting::Counted(self.count(sign_up, coming))
    }

    /// When its domain was first seen, if it was. The name becomes the one that is
    /// kept, so that all sign-ups of a domain share one text.
    fn recognise(&mut self, sign_up: &mut SignUp) -> Option<i64> {
        let (known, seen) = self.domains.get_key_value(&sign_up.domain)?;
        sign_up.domain = known.clone();
        Some(seen.first)
    }

    /// Those of these keys that have a history.
    fn known<'a>(&'a self, keys: &'a [MailKey]) -> Known<'a> {
        let known = keys
            .iter()
            .filter_map(|key| Some((key, self.histories.peek(key)?)));
        known.collect()
    }

    /// Somebody signs up with an address at a listed provider: that is what a rush
    /// of people is known by. Not withdrawn when nothing comes of it, because
    /// all that it can do is to let more of others pass.
    pub fn meet_listed(&mut self, at: i64) {
        self.traffic.listed(at, 1.0);
    }

    /// Takes a counted sign-up back: nothing came of it.
    pub fn withdraw(&mut self, ticket: Ticket) {
        let Some(sign_up) = self.sign_ups.pop(&ticket.0) else {
            return;
        };
        self.change(Change::Withdraw(ticket.0));
        let gone = self.less_one_account(&sign_up.domain);
        let registrable = registrable(&sign_up.domain);
        for key in sign_up.keys.iter() {
            if let Some(history) = self.histories.peek_mut(key) {
                history.withdraw(ticket.0, gone.then_some(&registrable));
            }
        }
        if gone {
            self.traffic.withdraw(ticket.0);
            self.met.withdraw(ticket.0, &sign_up.keys);
        }
    }

    /// Whether the domain is now unknown again.
    fn less_one_account(&mut self, domain: &Domain) -> bool {
        let Some(seen) = self.domains.peek_mut(domain) else {
            return false;
        };
        seen.accounts = seen.accounts.saturating_sub(1);
        let gone = seen.accounts == 0;
        let now_known = (!gone).then(|| seen.clone());
        if gone {
            self.domains.pop(domain);
        }
        self.change(Change::Domain(domain.clone(), now_known));
        gone
    }

    fn count(&mut self, sign_up: SignUp, coming: Entry) -> Ticket {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.count_as(serial, sign_up, coming);
        Ticket(serial)
    }

    fn count_as(&mut self, serial: u64, sign_up: SignUp, coming: Entry) {
        self.change(Change::SignUp(serial, sign_up.clone()));
        self.see_domain(&sign_up, serial);
        let longest = seconds(self.tuning.windows[3].span);
        let entry = Entry { serial, ..coming };
        let places = Places::of(&sign_up);
        for key in sign_up.keys.iter() {
            let add = |history: &mut History| history.add(&places, entry.clone(), longest);
            self.histories.change_or_insert(key, History::default, add);
        }
        self.sign_ups.put(serial, sign_up);
    }

    fn see_domain(&mut self, sign_up: &SignUp, serial: u64) {
        let now = sign_up.at;
        let known = self.domains.change(&sign_up.domain, |seen| {
            seen.last = now;
            seen.accounts += 1;
            seen.keys = sign_up.keys.clone();
            seen.clone()
        });
        let seen = match known {
            Some(seen) => seen,
            None => {
                let seen = SeenDomain {
                    first: now,
                    last: now,
                    accounts: 1,
                    confirmed: 0,
                    keys: sign_up.keys.clone(),
                };
                self.domains.put(sign_up.domain.clone(), seen.clone());
                self.traffic.fresh(now, serial);
                seen
            }
        };
        self.change(Change::Domain(sign_up.domain.clone(), Some(seen)));
    }

    /// Whether these keys belong to a server that has long been shared.
    ///
    /// Asked of host, registrable name and address; a network is nobody's alone.
    #[must_use]
    pub fn shared(&self, keys: &[MailKey], now: i64) -> bool {
        let tuning = &self.tuning;
        let confirmed = now - seconds(tuning.shared_confirmed_age);
        let seen = now - seconds(tuning.shared_seen_age);
        let own = keys.iter().filter(|key| {
            matches!(
                key,
                MailKey::Host(_) | MailKey::Registrable(_) | MailKey::Address(_)
            )
        });
        own.filter_map(|key| self.histories.peek(key))
            .filter(|history| history.cluster.is_none())
            .any(|history| {
                history.older(confirmed, true) >= tuning.shared_confirmed
                    || history.older(seen, false) >= tuning.shared_seen
            })
    }

    fn condemned(&self, known: &Known<'_>, first: i64, now: i64) -> Option<u64> {
        let numbers = known.iter().filter_map(|(_, history)| history.cluster);
        numbers
            .filter_map(|number| self.clusters.get(&number))
            .find(|cluster| cluster.in_force(now) && first >= cluster.since)
            .map(|cluster| cluster.id.number)
    }

    fn refuse(&mut self, number: u64) -> Sighting {
        let Some(cluster) = self.clusters.get_mut(&number) else {
            return Sighting::Exempt;
        };
        cluster.refused += 1;
        Sighting::Condemned {
            cluster: cluster.id,
            evidence: cluster.evidence.clone(),
            until: cluster.until,
        }
    }

    /// The first key that this sign-up is one too many for.
    fn tips<'a>(&self, known: &Known<'a>, coming: &Entry) -> Option<(&'a MailKey, Finding)> {
        let now = coming.at;
        let mut scene = self.scene(now);
        let alert = scene.alert;
        let mut found = None;
        for (key, history) in known.iter().copied() {
            if history.pardoned > now {
                return None;
            }
            scene.again = self.is_suspected(history, now);
            let reported = self.is_reported(history, now);
            scene.alert = alert.or(reported.then_some(Lower::Reported));
            if let Some(finding) = weigh::judge(key, history, coming, &scene, &self.tuning) {
                found.get_or_insert((key, finding));
            }
        }
        found
    }

    fn scene(&self, now: i64) -> Scene {
        let lately = now - seconds(self.tuning.alert);
        let alert = self.last_opened.is_some_and(|at| at > lately);
        Scene {
            now,
            elsewhere: self.traffic.elsewhere(now, &self.tuning),
            alert: alert.then_some(Lower::Alert),
            again: false,
        }
    }

    fn change(&mut self, change: Change) {
        if self.changes.len() >= CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    /// What has changed since it was last asked, to be written down.
    pub fn changes(&mut self) -> Vec<Change> {
        self.changes.drain(..).collect()
    }
}

/// A sign-up that has no number yet, by a domain that was first seen then.
fn coming(sign_up: &SignUp, first: i64) -> Entry {
    Entry {
        at: sign_up.at,
        serial: 0,
        domain: sign_up.domain.clone(),
        registrable: registrable(&sign_up.domain),
        first,
    }
}

/// What the domain's owner registered; the domain itself where the list does not say.
fn registrable(domain: &Domain) -> Domain {
    keys::registrable(domain).unwrap_or_else(|| domain.clone())
}

const fn id(number: u64) -> ClusterId {
    ClusterId {
        kind: ClusterKind::Mail,
        number,
    }
}
