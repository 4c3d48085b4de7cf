//! One cluster as several gates have it, and two that are one.
//!
//! Gates decide without asking each other, so two versions of a cluster may
//! differ. They are joined so that the outcome does not depend on the order in
//! which a gate hears of them: what is larger, earlier or ended holds, and a
//! mark that can be taken away again is as it was put last, however often the
//! rest has changed: of two gates that put it at once, the one that contains.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use crate::app::ClientId;
use crate::cluster::{Change, Cluster, ClusterKind, MailKey, Suspect, TAGGED};
use crate::judge::cluster::numbers::Numbers;

/// Suspects named with a cluster.
const SUSPECTS: usize = 256;

/// A register whose clusters other gates have as well.
pub trait Register {
    /// Those that are remembered, by number.
    fn held(&mut self) -> &mut BTreeMap<u64, Cluster>;

    /// What gives out their numbers.
    fn numbers(&mut self) -> &mut Numbers;

    /// Notes what is to be written down, and told.
    fn note(&mut self, change: Change);

    /// Holds what is in force against whatever it is about, and lets be what was let go.
    fn heed(&mut self, cluster: &Cluster);

    /// `first` stands from now on for `second`, too.
    fn stand_in(&mut self, first: &Cluster, second: &Cluster);

    /// Forgets what is too many, but not `latest`, at about `now`.
    fn forget(&mut self, latest: u64, now: i64);
}

/// Takes a cluster into `register` as another gate has it; whether what is contained has changed.
pub fn take_in(register: &mut impl Register, theirs: Cluster) -> bool {
    let (number, opened) = (theirs.id.number, theirs.opened);
    register.numbers().take(number);
    let before = register.held().get(&number);
    let contained = before.map(in_reach);
    let (adopted, change) = match adopt(before, theirs) {
        Adoption::Known => return false,
        Adoption::Take(cluster) => (cluster.clone(), Change::Adopt(Box::new(cluster))),
        Adoption::Join(cluster) => (cluster.clone(), Change::Cluster(Box::new(cluster))),
    };
    register.note(change);
    let changed = contained.unwrap_or_default() != in_reach(&adopted);
    register.held().insert(number, adopted.clone());
    register.heed(&adopted);
    let folded = fold_twins(register, number);
    register.forget(number, opened);
    changed || folded
}

/// The apps whose tokens a cluster contains. Not how many: beyond [`SUSPECTS`] one that
/// comes takes another's place.
fn in_reach(cluster: &Cluster) -> BTreeSet<ClientId> {
    if !cluster.contains() {
        return BTreeSet::new();
    }
    let suspects = cluster.suspects.iter();
    suspects.filter_map(|one| one.client_id.clone()).collect()
}

/// Two gates have condemned one thing at once: the first stands for both.
fn fold_twins(register: &mut impl Register, number: u64) -> bool {
    let clusters = register.held();
    let twins = clusters.get(&number).and_then(|one| {
        let twin = clusters.values().find(|other| are_twins(one, other));
        twin.map(|twin| fold(one, twin))
    });
    let Some((mut first, mut second)) = twins else {
        return false;
    };
    for cluster in [&mut first, &mut second] {
        register.note(cluster.change());
        register.held().insert(cluster.id.number, cluster.clone());
    }
    register.stand_in(&first, &second);
    first.contains()
}

/// What another gate's version of a cluster means for this one's.
#[derive(Clone, Debug, PartialEq)]
pub enum Adoption {
    /// Nothing new.
    Known,
    /// It holds as the other gate has it.
    Take(Cluster),
    /// Neither was whole: this holds, and the others must hear of it.
    Join(Cluster),
}

/// Joins another gate's version with this one's.
#[must_use]
pub fn adopt(ours: Option<&Cluster>, theirs: Cluster) -> Adoption {
    let Some(ours) = ours else {
        // How many it has refused is each gate's own.
        return Adoption::Take(Cluster {
            refused: 0,
            ..theirs
        });
    };
    let mut joined = join(ours, &theirs);
    let (is_ours, is_theirs) = (same(&joined, ours), same(&joined, &theirs));
    // What says the same with more changes is taken, too: the next change here
    // must count as later than all that others have seen.
    let enough = if is_theirs {
        ours.revision >= theirs.revision
    } else {
        ours.revision > theirs.revision
    };
    if is_ours && enough {
        return Adoption::Known;
    }
    if is_theirs && theirs.revision >= ours.revision {
        joined.revision = theirs.revision;
        return Adoption::Take(joined);
    }
    joined.revision = ours.revision.max(theirs.revision) + 1;
    Adoption::Join(joined)
}

/// Whether two gates have condemned the same thing without knowing of each other.
#[must_use]
pub fn are_twins(one: &Cluster, other: &Cluster) -> bool {
    let gate = |cluster: &Cluster| cluster.id.number % TAGGED;
    let alike = match one.id.kind {
        ClusterKind::Mail => one.keys.iter().any(|key| other.keys.contains(key)),
        ClusterKind::App => one.name == other.name,
    };
    alike
        && gate(one) != gate(other)
        && one.id.kind == other.id.kind
        && one.ended.is_none()
        && other.ended.is_none()
        // Who knows of the one before counts on.
        && one.times == other.times
        && one.opened < other.until
        && other.opened < one.until
}

/// Two that are one: the first, which stands for both, and the other, ended.
#[must_use]
pub fn fold(one: &Cluster, other: &Cluster) -> (Cluster, Cluster) {
    let age = |cluster: &Cluster| (cluster.opened, cluster.id.number);
    let (first, second) = if age(one) <= age(other) {
        (one, other)
    } else {
        (other, one)
    };
    let mut folded = second.clone();
    folded.ended = Some((second.opened, format!("the same as {}", first.id)));
    folded.same_as = Some(first.id.number);
    let mut stands = join(first, second);
    stands.contained = first.contained || second.contained;
    (stands, folded)
}

/// Everything but numbers and revision, which are the first one's.
fn join(one: &Cluster, other: &Cluster) -> Cluster {
    Cluster {
        keys: union(&one.keys, &other.keys),
        around: union(&one.around, &other.around),
        since: one.since.min(other.since),
        opened: one.opened.min(other.opened),
        until: one.until.max(other.until),
        times: one.times.max(other.times),
        evidence: first(one, other).evidence.clone(),
        ended: match (&one.ended, &other.ended) {
            (Some(one), Some(other)) => Some(one.min(other).clone()),
            (one, other) => one.clone().or_else(|| other.clone()),
        },
        suspects: latest(&one.suspects, &other.suspects),
        contained: match one.marks.cmp(&other.marks) {
            Ordering::Less => other.contained,
            Ordering::Equal => one.contained || other.contained,
            Ordering::Greater => one.contained,
        },
        marks: one.marks.max(other.marks),
        confirmed: one.confirmed.max(other.confirmed),
        sites: one.sites.max(other.sites),
        same_as: one.same_as.max(other.same_as),
        ..one.clone()
    }
}

fn first<'a>(one: &'a Cluster, other: &'a Cluster) -> &'a Cluster {
    let order = |cluster: &'a Cluster| (cluster.opened, cluster.evidence.as_str());
    if order(one) <= order(other) {
        one
    } else {
        other
    }
}

/// The keys of both; as they were if that is all.
fn union(one: &[MailKey], other: &[MailKey]) -> Vec<MailKey> {
    let mut all = one.to_vec();
    all.extend(other.iter().filter(|key| !one.contains(key)).cloned());
    all
}

/// The latest suspects of both; of two words on one, the one that says more.
fn latest(one: &[Suspect], other: &[Suspect]) -> Vec<Suspect> {
    let text = |suspect: &Suspect| serde_json::to_string(suspect).unwrap_or_default();
    let more = |text: &str| (text.matches('"').count(), text.to_owned());
    let mut all: Vec<_> = one.iter().chain(other).cloned().collect();
    all.sort_by_cached_key(|suspect| {
        let who = suspect.username.clone();
        let what = (
            suspect.domain.clone(),
            suspect.client,
            suspect.client_id.clone(),
        );
        Reverse((suspect.at, who, what, more(&text(suspect))))
    });
    all.dedup_by(|next, kept| {
        // An app whose reply is under way has no `client_id` yet.
        let nameless = next.client_id.is_none() && next.domain.is_none();
        (next.at, &next.username, &next.domain) == (kept.at, &kept.username, &kept.domain)
            && next.client == kept.client
            && (nameless || next.client_id == kept.client_id)
    });
    all.truncate(SUSPECTS);
    all
}

/// Whether they say the same, whatever the order.
fn same(one: &Cluster, other: &Cluster) -> bool {
    let plain = |cluster: &Cluster| {
        let mut plain = cluster.clone();
        plain.keys.sort_unstable();
        plain.around.sort_unstable();
        plain.suspects = latest(&plain.suspects, &[]);
        plain.refused = 0;
        plain.revision = 0;
        plain
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ClusterId;
    use crate::mailbox::Domain;

    fn cluster(number: u64, opened: i64, hosts: &[&str]) -> Cluster {
        let host = |name: &&str| MailKey::Host(Domain::new(name).expect("a domain"));
        Cluster {
            keys: hosts.iter().map(host).collect(),
            evidence: format!("seen at {opened}"),
            suspects: vec![Suspect {
                username: Some(number.to_string()),
                ..Suspect::at(opened - 1)
            }],
            refused: 5,
            revision: 1,
            ..Cluster::opened(
                ClusterId {
                    kind: ClusterKind::Mail,
                    number,
                },
                opened - 100,
                opened,
                opened + 3600,
            )
        }
    }

    fn taken(adoption: Adoption) -> Cluster {
        match adoption {
            Adoption::Take(cluster) | Adoption::Join(cluster) => cluster,
            Adoption::Known => panic!("it was news"),
        }
    }

    #[test]
    fn what_is_decided_at_once_on_two_gates_holds_on_both() {
        let base = cluster(1_000_007, 50, &["mx.bots.example"]);
        let (mut released, mut contained) = (base.clone(), base.clone());
        released.ended = Some((60, "by hand".into()));
        let _ = released.change();
        contained.mark(true);
        let _ = contained.change();
        let here = taken(adopt(Some(&released), contained.clone()));
        let there = taken(adopt(Some(&contained), released));
        assert!(same(&here, &there) && here.revision == there.revision);
        assert!(here.contained && here.ended.is_some());
        assert_eq!(adopt(Some(&here), there.clone()), Adoption::Known);
        assert_eq!(adopt(Some(&here), contained), Adoption::Known);
        assert_eq!(adopt(Some(&here), base), Adoption::Known);
        let mut more = here.clone();
        let _ = more.change();
        let later = taken(adopt(Some(&here), more.clone()));
        assert_eq!(
            later.revision, more.revision,
            "the next change must be later"
        );
        let mut let_go = there;
        let_go.mark(false);
        let _ = let_go.change();
        let later = adopt(Some(&here), let_go);
        assert!(matches!(&later, Adoption::Take(cluster) if !cluster.contained));
    }

    /// Suspects confirm on one gate while an admin speaks at another.
    #[test]
    fn an_admin_s_word_outlives_other_changes_made_meanwhile() {
        let base = cluster(1_000_007, 50, &["mx.bots.example"]);
        let (mut busy, mut marked) = (base.clone(), base);
        for _ in 0..5 {
            busy.confirmed += 1;
            let _ = busy.change();
        }
        marked.mark(true);
        let _ = marked.change();
        let here = taken(adopt(Some(&busy), marked.clone()));
        let there = taken(adopt(Some(&marked), busy.clone()));
        assert!(same(&here, &there) && here.contained && here.confirmed == 5);
        let mut let_go = here.clone();
        let_go.mark(false);
        let _ = let_go.change();
        let again = taken(adopt(Some(&here), let_go.clone()));
        assert!(!again.contained);
        for older in [busy, marked] {
            assert_eq!(adopt(Some(&again), older), Adoption::Known, "said before");
        }
    }

    #[test]
    fn of_twins_the_first_stands_for_both() {
        let one = cluster(1_000_007, 50, &["a.example", "b.example"]);
        let other = cluster(1_000_003, 51, &["b.example", "c.example"]);
        assert!(are_twins(&one, &other));
        let (stands, folded) = fold(&one, &other);
        assert_eq!(fold(&other, &one), (stands.clone(), folded.clone()));
        assert_eq!(stands.id, one.id);
        assert_eq!((stands.keys.len(), stands.suspects.len()), (3, 2));
        assert_eq!(folded.same_as, Some(1_000_007));
        assert!(!are_twins(&stands, &folded));
        let mut again = other.clone();
        again.times = 2;
        assert!(!are_twins(&one, &again), "it was known of");
        again = cluster(1_000_003, 4000, &["b.example"]);
        assert!(!are_twins(&one, &again), "the first had run out");
        again = cluster(2_000_007, 51, &["b.example"]);
        assert!(!are_twins(&one, &again), "the same gate");
    }
}
