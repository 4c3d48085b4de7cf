//! Changes that wait to be written: of each row the last one.
//!
//! Every change is a whole row or its end, so what came earlier in the same batch
//! need not be written: the domain of a large provider changes with each of its
//! sign-ups. Of two versions of a cluster the later one holds, as in the file.
//! Rows are kept in the order in which they last changed.

use hashbrown::HashMap;

use crate::cluster::{Change, Cluster, ClusterId};
use crate::mailbox::Domain;
use crate::secret::KeyedHash;

/// See the head of this file. Bounded by whoever calls [`Pending::keep_newest`].
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// `None` where something later came.
    changes: Vec<Option<Change>>,
    /// Where the last change of a row is among them.
    places: HashMap<Row, usize>,
}

/// The row that a change is about.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Row {
    SignUp(u64),
    Domain(Domain),
    Cluster(ClusterId),
    Account(i64),
    Heard(KeyedHash),
}

impl Row {
    /// `None` for what has no row.
    fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::SignUp(serial, _) | Change::Withdraw(serial) => Self::SignUp(*serial),
            Change::Domain(domain, _) => Self::Domain(domain.clone()),
            Change::Cluster(cluster) | Change::Adopt(cluster) => Self::Cluster(cluster.id),
            Change::Account(id, _) => Self::Account(*id),
            Change::Heard(hash, _) => Self::Heard(*hash),
            // Known again from what is counted next, or from other gates.
            Change::Confirm(..) | Change::App(_) => return None,
        })
    }
}

impl Pending {
    /// Adds a change that came after all the others.
    pub(super) fn add(&mut self, change: Change) {
        let Some(row) = Row::of(&change) else {
            return;
        };
        let earlier = self.places.get(&row);
        let earlier = earlier.and_then(|place| self.changes.get_mut(*place));
        if let Some(earlier) = earlier {
            if is_older(&change, earlier.as_ref()) {
                return;
            }
            *earlier = None;
        }
        self.places.insert(row, self.changes.len());
        self.changes.push(Some(change));
    }

    /// What is to be written.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().flatten()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// All of it is written.
    pub(super) fn clear(&mut self) {
        self.changes.clear();
        self.places.clear();
    }

    /// Gives up all but the `most` rows that changed last; how many.
    pub(super) fn keep_newest(&mut self, most: usize) -> usize {
        let over = self.places.len().saturating_sub(most);
        self.places.clear();
        let changes = std::mem::take(&mut self.changes);
        for change in changes.into_iter().flatten().skip(over) {
            self.add(change);
        }
        over
    }
}

/// Whether it is a version of a cluster from before the one that waits.
fn is_older(change: &Change, waiting: Option<&Change>) -> bool {
    let revision = |change| cluster(change).map(|cluster| cluster.revision);
    revision(change) < waiting.and_then(revision)
}

fn cluster(change: &Change) -> Option<&Cluster> {
    match change {
        Change::Cluster(cluster) | Change::Adopt(cluster) => Some(cluster),
        Change::SignUp(..)
        | Change::Withdraw(_)
        | Change::Domain(..)
        | Change::Confirm(..)
        | Change::App(_)
        | Change::Account(..)
        | Change::Heard(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;
    use crate::account::{KnownAccount, Origin};
    use crate::cluster::{ClusterKind, SeenDomain, SignUp};
    use crate::store::clusters::rows;

    fn domain(number: u8) -> Domain {
        Domain::new(&format!("d{number}.example")).expect("a domain")
    }

    fn sign_up(at: i64) -> SignUp {
        SignUp {
            at,
            domain: domain(0),
            keys: Vec::new().into(),
            client: None,
            client_id: None,
            username: None,
            account: None,
        }
    }

    fn seen(last: i64) -> SeenDomain {
        SeenDomain {
            first: 0,
            last,
            accounts: 1,
            confirmed: 0,
            keys: Vec::new().into(),
        }
    }

    fn cluster(number: u8, revision: u32, refused: u64) -> Box<Cluster> {
        let kind = ClusterKind::Mail;
        let number = number.into();
        Box::new(Cluster {
            revision,
            refused,
            ..Cluster::opened(ClusterId { kind, number }, 0, 100, 3700)
        })
    }

    fn account(created: i64) -> KnownAccount {
        KnownAccount {
            created,
            username: String::from("a"),
            confirmed: false,
            origin: Origin::Untold,
        }
    }

    /// Few rows, so that most changes replace another.
    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let one = (0_u8..9, 0_u8..4, 0_i64..5).prop_map(|(kind, row, value)| match kind {
            0 => Change::SignUp(row.into(), sign_up(value)),
            1 => Change::Withdraw(row.into()),
            2 => Change::Domain(domain(row), Some(seen(value))),
            3 => Change::Domain(domain(row), None),
            4 => Change::Confirm(domain(row), value),
            5 => Change::Cluster(cluster(row, value as u32, 1)),
            6 => Change::Adopt(cluster(row, value as u32, 2)),
            7 => Change::Account(row.into(), account(value)),
            _ => Change::Heard(KeyedHash([row; 16]), value),
        });
        proptest::collection::vec(one, 0..60)
    }

    fn opened() -> Connection {
        let connection = Connection::open_in_memory().expect("memory");
        for migration in rows::MIGRATIONS {
            connection.execute_batch(migration).expect("a migration");
        }
        connection
    }

    proptest! {
        #[test]
        fn the_file_is_as_if_each_change_had_been_written(
            changes in changes(),
            batch in 1_usize..30,
        ) {
            let (each, merged) = (opened(), opened());
            let mut pending = Pending::default();
            for some in changes.chunks(batch) {
                for change in some {
                    rows::keep(&each, change).expect("written");
                    pending.add(change.clone());
                }
                for change in pending.iter() {
                    rows::keep(&merged, change).expect("written");
                }
                pending.clear();
            }
            prop_assert_eq!(
                rows::all(&merged).expect("read"),
                rows::all(&each).expect("read")
            );
        }
    }

    #[test]
    fn of_one_row_the_last_change_waits_and_the_oldest_rows_go_first() {
        let mut pending = Pending::default();
        for serial in 1..=4 {
            pending.add(Change::SignUp(serial, sign_up(5)));
            pending.add(Change::Domain(domain(0), Some(seen(serial as i64))));
        }
        pending.add(Change::Withdraw(1));
        let waiting = |pending: &Pending| pending.iter().cloned().collect::<Vec<_>>();
        let newest = [
            Change::SignUp(4, sign_up(5)),
            Change::Domain(domain(0), Some(seen(4))),
            Change::Withdraw(1),
        ];
        assert_eq!(waiting(&pending).len(), 5);
        assert_eq!(pending.keep_newest(5), 0);
        assert_eq!(pending.keep_newest(3), 2);
        assert_eq!(waiting(&pending), newest);
        // And what comes now is still merged with what was left.
        pending.add(Change::Domain(domain(0), None));
        assert_eq!(waiting(&pending).len(), 3);
        assert_eq!(
            waiting(&pending).last(),
            Some(&Change::Domain(domain(0), None))
        );
    }
}
