//! The file of clusters as records to be moved, and records taken into it.
//!
//! Taking in merges and never empties, as often as it is done. What stores that
//! were once alone have numbered alike gets another number; what is the same is
//! known by when and what it was, not by its number.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use rusqlite::{Connection, OptionalExtension};

use super::rows;
use crate::account::KnownAccount;
use crate::cluster::{Change, Cluster, ClusterId, ClusterKind, SeenDomain, SignUp, TAGGED};
use crate::mailbox::Domain;
use crate::store::transfer::Content;

/// Everything in the file.
pub(in crate::store) fn all(
    connection: &Connection,
    into: &mut Vec<Content>,
) -> rusqlite::Result<()> {
    let clusters = rows::clusters(connection)?;
    into.extend(
        clusters
            .into_iter()
            .map(|one| Content::Cluster(Box::new(one))),
    );
    let facts = "SELECT serial, facts FROM sign_ups ORDER BY at, serial";
    let sign_ups = rows::read::<i64, SignUp>(connection, facts)?.into_iter();
    into.extend(sign_ups.map(|(serial, one)| Content::SignUp(serial.unsigned_abs(), one)));
    let facts = "SELECT domain, facts FROM domains ORDER BY last";
    let domains = rows::read::<String, SeenDomain>(connection, facts)?.into_iter();
    let named = |(name, seen): (String, _)| Some(Content::Domain(Domain::new(&name).ok()?, seen));
    into.extend(domains.filter_map(named));
    let facts = "SELECT id, facts FROM accounts ORDER BY created";
    let accounts = rows::read::<i64, KnownAccount>(connection, facts)?.into_iter();
    into.extend(accounts.map(|(id, account)| Content::Account(id, account)));
    let heard = rows::heard(connection)?.into_iter();
    into.extend(heard.map(|(hash, at)| Content::Heard(hash, at)));
    Ok(())
}

/// Merges records into the file; those of other files are passed over.
pub(super) fn take_in(connection: &Connection, records: Vec<Content>) -> rusqlite::Result<()> {
    let mut clusters = Clusters::of(rows::clusters(connection)?);
    let facts = "SELECT serial, facts FROM sign_ups";
    let mut sign_ups = SignUps::of(rows::read::<i64, SignUp>(connection, facts)?);
    for record in records {
        let change = match record {
            Content::Cluster(cluster) => clusters.place(*cluster),
            Content::SignUp(serial, sign_up) => sign_ups.place(serial, sign_up),
            Content::Domain(name, seen) => {
                let known = domain(connection, &name)?;
                Some(Change::Domain(name, Some(merge(known, seen))))
            }
            Content::Account(id, account) => {
                let find = "SELECT 1 FROM accounts WHERE id = ?1";
                let known = connection.prepare_cached(find)?.exists([id])?;
                (!known).then_some(Change::Account(id, account))
            }
            Content::Heard(hash, at) => Some(Change::Heard(hash, at)),
            Content::Ban(_)
            | Content::App(_)
            | Content::Credential(..)
            | Content::Token(..)
            | Content::Budget(_)
            | Content::Wave(_) => None,
        };
        if let Some(change) = change {
            rows::keep(connection, &change)?;
        }
    }
    Ok(())
}

fn domain(connection: &Connection, name: &Domain) -> rusqlite::Result<Option<SeenDomain>> {
    let find = "SELECT facts FROM domains WHERE domain = ?1";
    let facts: Option<String> = connection
        .prepare_cached(find)?
        .query_row([name.as_str()], |row| row.get(0))
        .optional()?;
    Ok(facts.and_then(|facts| serde_json::from_str(&facts).ok()))
}

/// Two words on one domain. Not added up: they may tell of the same accounts.
pub(in crate::store) fn merge(known: Option<SeenDomain>, other: SeenDomain) -> SeenDomain {
    let Some(known) = known else {
        return other;
    };
    let later = if other.last > known.last {
        &other
    } else {
        &known
    };
    SeenDomain {
        first: known.first.min(other.first),
        last: known.last.max(other.last),
        accounts: known.accounts.max(other.accounts),
        confirmed: known.confirmed.max(other.confirmed),
        keys: later.keys.clone(),
    }
}

/// What a cluster is, whatever its number: gates that share give numbers of their own.
pub(in crate::store) fn identity(cluster: &Cluster) -> (ClusterKind, i64, String) {
    let id = cluster.id;
    if id.number >= TAGGED {
        (id.kind, 0, id.to_string())
    } else {
        (id.kind, cluster.opened, cluster.evidence.clone())
    }
}

/// The clusters that are there.
struct Clusters {
    known: HashMap<(ClusterKind, i64, String), ClusterId>,
    taken: HashSet<ClusterId>,
}

impl Clusters {
    fn of(clusters: Vec<Cluster>) -> Self {
        Self {
            taken: clusters.iter().map(|cluster| cluster.id).collect(),
            known: clusters
                .iter()
                .map(|cluster| (identity(cluster), cluster.id))
                .collect(),
        }
    }

    fn place(&mut self, mut cluster: Cluster) -> Option<Change> {
        let identity = identity(&cluster);
        if let Some(id) = self.known.get(&identity) {
            // Of two versions the file keeps the later one.
            cluster.id = *id;
            return Some(Change::Adopt(Box::new(cluster)));
        }
        while self.taken.contains(&cluster.id) {
            cluster.id.number += 1;
        }
        self.taken.insert(cluster.id);
        self.known.insert(identity, cluster.id);
        Some(Change::Adopt(Box::new(cluster)))
    }
}

/// What a sign-up is, whatever its number.
pub(in crate::store) type SignUpIdentity = (i64, Domain, Option<String>, Option<IpNet>);

pub(in crate::store) fn sign_up_identity(sign_up: &SignUp) -> SignUpIdentity {
    (
        sign_up.at,
        sign_up.domain.clone(),
        sign_up.username.clone(),
        sign_up.client,
    )
}

/// The sign-ups that are there.
struct SignUps {
    known: HashSet<SignUpIdentity>,
    taken: HashSet<u64>,
    /// The highest number that is taken.
    last: u64,
}

impl SignUps {
    fn of(sign_ups: Vec<(i64, SignUp)>) -> Self {
        let serials = sign_ups.iter().map(|(serial, _)| serial.unsigned_abs());
        let taken: HashSet<u64> = serials.collect();
        Self {
            last: taken.iter().copied().max().unwrap_or_default(),
            taken,
            known: sign_ups
                .iter()
                .map(|(_, one)| sign_up_identity(one))
                .collect(),
        }
    }

    fn place(&mut self, mut serial: u64, sign_up: SignUp) -> Option<Change> {
        if !self.known.insert(sign_up_identity(&sign_up)) {
            return None;
        }
        if self.taken.contains(&serial) {
            // Not the next one that is free: gates that were alone have numbered alike
            // from one on, and to look for it would take as long as there are many.
            serial = self.last.saturating_add(1);
        }
        self.taken.insert(serial);
        self.last = self.last.max(serial);
        Some(Change::SignUp(serial, sign_up))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn sign_up(at: i64, name: &str) -> SignUp {
        SignUp {
            at,
            domain: Domain::new(name).expect("a domain"),
            keys: Vec::new().into(),
            client: None,
            client_id: None,
            username: None,
            account: None,
        }
    }

    /// Two gates that were alone have both numbered from one on.
    #[test]
    fn sign_ups_numbered_alike_are_told_apart_in_no_time() {
        const COUNT: i64 = 30_000;
        let here = (1..=COUNT).map(|number| (number, sign_up(number, "here.example")));
        let mut all = SignUps::of(here.collect());
        let begun = Instant::now();
        let mut numbers: HashSet<u64> = (1..=COUNT as u64).collect();
        for number in 1..=COUNT {
            let placed = all.place(number as u64, sign_up(number, "there.example"));
            let Some(Change::SignUp(number, _)) = placed else {
                panic!("{number} was not taken in");
            };
            assert!(numbers.insert(number), "{number} was given twice");
        }
        let again = all.place(1, sign_up(1, "there.example"));
        assert!(again.is_none(), "the same one again");
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
}
