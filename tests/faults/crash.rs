//! `kill -9` at any moment loses no acknowledged ban, and the store opens again.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tuskgate::secret::KeyedHash;
use tuskgate::store::Store;
use tuskgate::store::limiter::Charge;
use tuskgate::verdict::Mode;

use super::children;
use crate::store::{ban, bans, domain, open, subjects, wait};
use crate::support::TRIES;

const CHILD: &str = "faults::crash::child_that_bans_until_it_is_killed";
const CHARGES: &str = "faults::crash::child_that_charges_until_it_is_killed";

/// `TUSKGATE_TEST_KILLS=1000` on demand.
fn rounds(usual: usize) -> usize {
    let told = std::env::var("TUSKGATE_TEST_KILLS").ok();
    told.and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// For tests/faults/long.
fn progress(round: usize, rounds: usize) {
    if (round + 1).is_multiple_of(10) {
        println!("progress {} of {rounds} kills", round + 1);
    }
}

#[test]
fn child_that_bans_until_it_is_killed() {
    let Some(path) = children::told(CHILD) else {
        return;
    };
    let store = open(&path);
    let start = bans(&store).iter().map(|ban| ban.id).max().unwrap_or(0);
    wait(async {
        for number in 0..100_000 {
            let name = format!("spam-{start}-{number}.example");
            let made = store.ban(ban(domain(&name))).await.expect("banned");
            println!("acknowledged {} {name}", made.id);
            std::io::stdout().flush().expect("flushed");
        }
    });
}

#[test]
fn no_acknowledged_ban_is_lost_to_a_kill() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut acknowledged = HashSet::new();
    let mut ids = HashSet::new();
    let rounds = rounds(30);
    for round in 0..rounds {
        let mut child = children::command(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            let mut words = line.split(' ');
            if words.next() != Some("acknowledged") {
                continue;
            }
            let id: u64 = words.next().and_then(|id| id.parse().ok()).expect("an id");
            assert!(ids.insert(id), "id {id} was given twice");
            acknowledged.insert(words.next().expect("a name").to_owned());
            seen += 1;
            if seen == 1 + round % 30 * 3 {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("gone");
        assert!(seen > round % 30 * 3, "the child gave up after {seen}");
        let store = open(folder.path());
        let there: HashSet<String> = subjects(&store).into_iter().collect();
        let lost: Vec<&String> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        progress(round, rounds);
    }
    println!(
        "outcome {rounds} kills, {} acknowledged bans, none lost",
        acknowledged.len()
    );
    assert!(acknowledged.len() >= rounds);
}

/// A budget so large and slow that every charge shows.
fn budget() -> Charge {
    Charge {
        limit: "test",
        key: KeyedHash([7; 16]),
        quota: "100000/30d".parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    }
}

fn charge(store: &Store) -> bool {
    let now = Timestamp::now().as_microsecond().unsigned_abs();
    match store.limiter().reserve(&[budget()], now) {
        Ok(reservation) => {
            store.limiter().keep(reservation);
            true
        }
        Err(_) => false,
    }
}

#[test]
fn child_that_charges_until_it_is_killed() {
    let Some(path) = children::told(CHARGES) else {
        return;
    };
    let store = open(&path);
    for number in 1..1_000_000 {
        assert!(charge(&store));
        println!("charged {number}");
        std::io::stdout().flush().expect("flushed");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a child that charges: its charges that were seen, those of them older
/// than a second, and how many are on its disk.
fn kill() -> (usize, usize, usize) {
    let folder = tempfile::tempdir().expect("a directory");
    let mut child = children::command(CHARGES, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut seen: Vec<Instant> = Vec::new();
    let old = |at: &Instant| at.elapsed() > Duration::from_secs(1);
    for line in lines {
        if line.is_ok_and(|line| line.starts_with("charged")) {
            seen.push(Instant::now());
        }
        // Enough of them, however long that takes on a busy machine.
        if seen.get(600).is_some_and(old) {
            break;
        }
    }
    let before = seen.iter().filter(|at| old(at)).count();
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(before > 50, "the child charged too little");
    let store = open(folder.path());
    let left = (0..=100_000).take_while(|_| charge(&store)).count();
    (seen.len(), before, 100_000 - left)
}

#[test]
fn a_kill_forgets_at_most_one_second_of_charges() {
    let rounds = rounds(3);
    let mut worst = 0;
    for round in 0..rounds {
        // On a busy machine the child's own writing thread may be late once.
        let mut killed = (0..TRIES).map(|_| kill());
        // Thirty days refill one in twenty-six seconds.
        let round_worst = killed.find_map(|(all, before, kept)| {
            println!("{kept} of {before} are left");
            (kept + 1 >= before).then(|| all.saturating_sub(kept))
        });
        worst = worst.max(round_worst.expect("one of them is soon enough"));
        progress(round, rounds);
    }
    println!("outcome {rounds} kills, at most {worst} charges forgotten, one a millisecond");
}

#[test]
fn limits_are_there_again_after_a_restart() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let taken = (0..99_990).filter(|_| charge(&store)).count();
    drop(store);
    let store = open(folder.path());
    let left = (0..100).take_while(|_| charge(&store)).count();
    assert!((10..=11).contains(&left), "{left} after {taken}");
}
