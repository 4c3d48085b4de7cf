//! Somebody else holds a file's lock: a backup that went wrong, a shell left open.

use std::path::Path;

use rusqlite::Connection;
use tuskgate::app::ClientId;
use tuskgate::cluster::{Change, SeenDomain};
use tuskgate::mailbox::Domain;
use tuskgate::secret::{KeyedHash, Purpose};
use tuskgate::store::limiter::Charge;
use tuskgate::store::{Store, StoreError};
use tuskgate::verdict::Mode;

use crate::store::events::event;
use crate::store::{ban, domain, open, subjects, wait};
use crate::support::judged::wait_until;

const FILES: [&str; 6] = [
    "bans.sqlite3",
    "budgets.sqlite3",
    "clusters.sqlite3",
    "events.sqlite3",
    "register.sqlite3",
    "wave.sqlite3",
];

fn charge(store: &Store, name: &str) -> bool {
    let charge = Charge {
        limit: "test",
        key: store.key().hash(Purpose::Limit, &[name.as_bytes()]),
        quota: "1/24h".parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    };
    let now = jiff::Timestamp::now().as_microsecond().unsigned_abs();
    match store.limiter().reserve(&[charge], now) {
        Ok(reservation) => {
            store.limiter().keep(reservation);
            true
        }
        Err(_) => false,
    }
}

fn lock(file: &Path) -> Connection {
    let other = Connection::open(file).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    other
}

/// Something for every file; what came of the ban.
fn write_everywhere(store: &Store, name: &str) -> Result<(), StoreError> {
    store.keep_cluster(Change::Withdraw(1));
    store.keep_wave(name.to_owned()).expect("queued");
    store.record(event(1, None, "203.0.113.9", "a.example"));
    store.learn_credential(&ClientId::new(name), KeyedHash([1; 16]));
    wait(store.ban(ban(domain(&format!("{name}.example"))))).map(drop)
}

fn failing(store: &Store) -> Vec<&'static str> {
    let failing = store.health().failing.into_iter();
    failing.map(|(file, _)| file).collect()
}

#[test]
fn a_locked_file_is_said_and_stops_nothing_else() {
    for file in FILES {
        let folder = tempfile::tempdir().expect("a directory");
        let store = open(folder.path());
        write_everywhere(&store, "before").expect("all is well");
        wait(store.flush()).expect("all is well");
        let other = lock(&folder.path().join(file));
        assert!(charge(&store, "x") && !charge(&store, "x"), "{file}");
        let banned = write_everywhere(&store, "meanwhile");
        // What was not promised is not in force, all else is.
        assert_eq!(banned.is_err(), file == "bans.sqlite3");
        if let Err(error) = banned {
            let said = error.to_string();
            assert!(said.contains("another program holds the file"), "{said}");
        }
        let in_force = subjects(&store).contains(&"meanwhile.example".to_owned());
        assert_eq!(in_force, file != "bans.sqlite3");
        wait_until("it is said, of this file only", || {
            failing(&store) == [file]
        });
        assert!(!charge(&store, "x"), "{file}");
        other.execute_batch("ROLLBACK").expect("let go");
        write_everywhere(&store, "after").expect("all is well again");
        match (file, wait(store.flush())) {
            // What waits for such a file is not kept for later: said, once.
            ("events.sqlite3" | "register.sqlite3", Err(error)) => {
                assert!(
                    matches!(error, StoreError::Dropped { file: of, rows: 1.. } if of == file),
                    "{error}"
                );
                wait(store.flush()).expect("all is well again");
            }
            ("events.sqlite3" | "register.sqlite3", Ok(())) => panic!("{file}: rows were lost"),
            (_, outcome) => outcome.expect("all is well again"),
        }
        assert_eq!(store.health(), Default::default(), "{file}");
        drop(store);
        let again = open(folder.path());
        assert!(!charge(&again, "x"), "{file}: a charge was forgotten");
        assert!(subjects(&again).contains(&"after.example".to_owned()));
    }
}

/// A flush that comes long after does not say that all is well.
#[test]
fn rows_that_were_dropped_are_counted_to_who_flushes_later() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let other = lock(&folder.path().join("events.sqlite3"));
    for number in 0..2 {
        store.record(event(number, None, "203.0.113.9", "a.example"));
    }
    // A listing waits until both have been tried, and does not take the news away.
    assert_eq!(wait(store.events(Default::default())).expect("read"), []);
    assert_eq!(failing(&store), ["events.sqlite3"]);
    other.execute_batch("ROLLBACK").expect("let go");
    store.record(event(8, None, "203.0.113.9", "a.example"));
    assert_eq!(
        wait(store.events(Default::default())).expect("read").len(),
        1
    );
    let Err(StoreError::Dropped { file, rows }) = wait(store.flush()) else {
        panic!("two rows are gone");
    };
    assert_eq!((file, rows), ("events.sqlite3", 2));
    wait(store.flush()).expect("said once");
}

/// A step put by hand while its file was locked is there after a start.
#[test]
fn how_the_breaker_stands_is_written_later() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let other = lock(&folder.path().join("wave.sqlite3"));
    store.keep_wave("first".to_owned()).expect("queued");
    assert!(wait(store.flush_wave()).is_err(), "it is not on the disk");
    other.execute_batch("ROLLBACK").expect("let go");
    wait(store.flush_wave()).expect("it is now");
    drop(store);
    let kept = open(folder.path()).take_kept_wave();
    assert_eq!(kept.as_deref(), Some("first"));
}

/// A condemnation that was made while its file was locked is there after a start.
#[test]
fn what_was_condemned_meanwhile_is_written_later() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let other = lock(&folder.path().join("clusters.sqlite3"));
    let name = Domain::new("a.example").expect("a domain");
    let seen = SeenDomain {
        first: 1_545_000_000,
        last: jiff::Timestamp::now().as_second(),
        accounts: 1,
        confirmed: 0,
        keys: [].into(),
    };
    store.keep_cluster(Change::Domain(name.clone(), Some(seen)));
    assert!(
        wait(store.flush_clusters()).is_err(),
        "it is not on the disk"
    );
    other.execute_batch("ROLLBACK").expect("let go");
    wait(store.flush_clusters()).expect("it is now");
    drop(store);
    let kept = open(folder.path()).take_kept_clusters();
    assert_eq!(kept.domains.first().map(|(domain, _)| domain), Some(&name));
}
