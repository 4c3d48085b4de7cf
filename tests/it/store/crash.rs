//! `kill -9` at any moment loses no acknowledged ban, and the store opens again.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use super::{ban, bans, children, domain, open, subjects, wait};

const CHILD: &str = "store::crash::child_that_bans_until_it_is_killed";
const ROUNDS: usize = 20;

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
    for round in 0..ROUNDS {
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
            if seen == 1 + round * 3 {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("gone");
        assert!(seen > round * 3, "the child gave up after {seen}");
        let store = open(folder.path());
        let there: HashSet<String> = subjects(&store).into_iter().collect();
        let lost: Vec<&String> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
    }
    assert!(acknowledged.len() >= ROUNDS);
}
