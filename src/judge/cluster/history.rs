//! What came through one key of a mail server, lately and ever. Bounded: the
//! last few hundred sign-ups exactly, all older ones as counts and estimates.

use std::hash::{Hash, Hasher};

use crate::cluster::SignUp;
use crate::judge::cluster::latest::{Entry, Latest};
use crate::judge::cluster::servers::Report;
use crate::mailbox::Domain;

/// First sights of unrelated domains that are kept to learn whether a server is shared.
const UNRELATED: usize = 32;

/// The history of one key.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// When it was first seen; zero if never.
    pub first: i64,
    /// When last.
    pub last: i64,
    /// All sign-ups ever.
    pub total: u64,
    /// The latest.
    pub entries: Latest,
    /// Distinct domains ever.
    pub domains: Estimate,
    /// Distinct client networks ever.
    pub networks: Estimate,
    /// Distinct apps ever.
    pub apps: Estimate,
    /// Unrelated domains by first sight: registrable name, when, and whether one confirmed.
    pub unrelated: Vec<(Domain, i64, bool)>,
    /// Left alone until then.
    pub pardoned: i64,
    /// Entries before this were the evidence of an earlier condemnation.
    pub spent: i64,
    /// The last cluster it was part of.
    pub cluster: Option<u64>,
    /// Accounts behind it that were reported lately.
    pub reports: Vec<Report>,
}

impl History {
    /// Adds a sign-up, which counts in the estimates at `places`.
    pub fn add(&mut self, places: &Places, entry: Entry, longest: i64) {
        if self.total == 0 {
            self.first = entry.at;
        }
        self.last = self.last.max(entry.at);
        self.total += 1;
        self.domains.set(places.domain);
        if let Some(place) = places.network {
            self.networks.set(place);
        }
        if let Some(place) = places.app {
            self.apps.set(place);
        }
        self.meet(&entry.registrable, entry.first);
        let oldest = entry.at - longest;
        self.entries.add(entry, oldest);
    }

    /// Remembers an unrelated domain by its first sight.
    pub fn meet(&mut self, registrable: &Domain, first: i64) {
        let room = self.unrelated.len() < UNRELATED;
        let known = self
            .unrelated
            .iter_mut()
            .find(|(name, _, _)| name == registrable);
        match known {
            Some((_, seen, _)) => *seen = first.min(*seen),
            None if room => {
                self.unrelated.push((registrable.clone(), first, false));
            }
            None => {}
        }
    }

    /// Takes a sign-up back that came to nothing.
    pub fn withdraw(&mut self, serial: u64, gone: Option<&Domain>) {
        self.total -= u64::from(self.entries.withdraw(serial));
        if let Some(gone) = gone
            && !self.entries.iter().any(|entry| entry.registrable == *gone)
        {
            self.unrelated
                .retain(|(name, _, confirmed)| name != gone || *confirmed);
        }
    }

    /// An account of this domain has confirmed.
    pub fn confirm(&mut self, registrable: &Domain) {
        for known in &mut self.unrelated {
            known.2 |= known.0 == *registrable;
        }
    }

    /// How many unrelated domains were first seen before `before`.
    #[must_use]
    pub fn older(&self, before: i64, confirmed_only: bool) -> usize {
        let old = self
            .unrelated
            .iter()
            .filter(|(_, first, confirmed)| *first <= before && (*confirmed || !confirmed_only));
        old.count()
    }
}

/// Where a sign-up counts in the estimates of each of its keys: hashed once for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    domain: Place,
    network: Option<Place>,
    app: Option<Place>,
}

impl Places {
    /// Those of a sign-up.
    #[must_use]
    pub fn of(sign_up: &SignUp) -> Self {
        Self {
            domain: Place::of(&sign_up.domain),
            network: sign_up.client.as_ref().map(Place::of),
            app: sign_up.client_id.as_ref().map(Place::of),
        }
    }
}

/// The bit of an estimate at which a thing counts.
#[derive(Clone, Copy, Debug)]
struct Place(usize);

impl Place {
    fn of(thing: &impl Hash) -> Self {
        // Deliberately not keyed: who collides on purpose only makes himself look smaller in a listing.
        let mut hasher = std::hash::DefaultHasher::new();
        thing.hash(&mut hasher);
        Self(hasher.finish() as usize & 511)
    }
}

/// How many distinct things were added: linear counting over 512 bits, exact
/// enough up to about a thousand; says "at least" beyond.
#[derive(Clone, Copy, Debug, Default)]
pub struct Estimate([u64; 8]);

impl Estimate {
    /// Adds a thing.
    pub fn add(&mut self, thing: &impl Hash) {
        self.set(Place::of(thing));
    }

    fn set(&mut self, Place(bit): Place) {
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    /// About how many.
    #[must_use]
    pub fn count(&self) -> u64 {
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let empty = f64::from(512 - set).max(1.0);
        (512.0 * (512.0 / empty).ln()).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ClientId;

    #[test]
    fn the_places_of_a_sign_up_are_those_of_its_things() {
        let mut history = History::default();
        let [mut domains, mut networks, mut apps] = [Estimate::default(); 3];
        for number in 0..200_u8 {
            let domain = Domain::new(&format!("d{number}.example")).expect("a domain");
            let sign_up = SignUp {
                at: 1,
                domain: domain.clone(),
                keys: [].into(),
                client: Some(std::net::IpAddr::from([45, 9, 9, number]).into()),
                client_id: (number % 2 == 0).then(|| ClientId::new(&number.to_string())),
                username: None,
                account: None,
            };
            let entry = Entry {
                at: 1,
                serial: number.into(),
                domain: domain.clone(),
                registrable: domain,
                first: 1,
            };
            domains.add(&entry.domain);
            sign_up
                .client
                .iter()
                .for_each(|client| networks.add(client));
            sign_up.client_id.iter().for_each(|id| apps.add(id));
            history.add(&Places::of(&sign_up), entry, 100);
            assert_eq!(history.domains.0, domains.0);
            assert_eq!(history.networks.0, networks.0);
            assert_eq!(history.apps.0, apps.0);
        }
    }

    #[test]
    fn an_estimate_is_near() {
        let mut estimate = Estimate::default();
        for number in 0..300_u32 {
            for _ in 0..3 {
                estimate.add(&number);
            }
        }
        let count = estimate.count();
        assert!((260..340).contains(&count), "{count}");
        assert_eq!(Estimate::default().count(), 0);
    }
}
