//! The wall clock of a running gate set back an hour and forward a day, under
//! the built binary, with Debian's libfaketime: bans, limits, what is normal and
//! open connections stay sane. What the limiter promises under any schedule of
//! steps is held by the property tests in `src/store/limiter/tests/promise.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::support::judged::{ANA, BEN, Person};
use crate::support::program::{Program, lines, stage};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Three in two hours: one every forty minutes.
const LIMIT: &str = "[limits]\nsign-up-per-network = \"3/2h\"\n";
const PACE: u64 = 40 * 60;

/// A network that is banned for good, and one that is never banned.
const CYD: &str = "192.0.2.66";
const DORA: &str = "198.51.100.99";

/// A clock that a test sets, as seconds beside the true one.
struct Clock {
    file: PathBuf,
}

impl Clock {
    fn right(folder: &Path) -> Self {
        let file = folder.join("clock");
        let clock = Self { file };
        clock.set(0);
        clock
    }

    /// Whole at every moment at which the gate may read it.
    fn set(&self, seconds: i64) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n")).expect("a writable folder");
        fs::rename(new, &self.file).expect("a writable folder");
    }

    /// Sets what an admin or NTP would: not the monotonic clock, and not the
    /// times of files.
    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", library()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("a system with libraries");
    let there = folders
        .flatten()
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists());
    there.expect("no libfaketime: run tests/setup")
}

/// How many of ten sign-ups pass, each of a mailbox of its own; whoever is refused
/// is told to come back in forty minutes at most.
fn passing(person: &mut Person, round: &str) -> usize {
    let passes = |number: usize| {
        let name = format!("{round}{number}");
        let answer = person.web_sign_up(&name, &format!("{name}@good.example"));
        if answer.status == 302 {
            return true;
        }
        assert_eq!(answer.status, 429, "{round}: {}", answer.text());
        let after = answer.header("retry-after").expect("when to come back");
        let after: u64 = after.parse().expect("seconds");
        assert!((1..=PACE).contains(&after), "{round}: {after}");
        false
    };
    (0..10).map(passes).filter(|passed| *passed).count()
}

fn health(program: &Program, from: &str) -> u16 {
    program.person(from).get("/health").status
}

/// Bans and lifts; by its date the gate's clock is really `seconds` beside the true one.
fn bans_are_made_and_lifted(program: &Program, seconds: i64) {
    let made = program.does(&["ban", "network", DORA, "--scope", "all", "--json"]);
    let made = lines(&made);
    let created = made[0]["created"].as_str().expect("a time");
    let created: Timestamp = created.parse().expect("a time");
    let beside = created.duration_since(Timestamp::now()) - SignedDuration::from_secs(seconds);
    assert!(beside.abs() < SignedDuration::from_mins(10), "{created}");
    assert_eq!(health(program, DORA), 403);
    program.does(&["unban", "network", DORA]);
    assert_eq!(health(program, DORA), 200);
}

fn learned(program: &Program) -> u64 {
    let status = program.does(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    status["breaker"]["learned"].as_u64().expect("hours")
}

#[test]
fn an_hour_back_and_a_day_forward() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", LIMIT);
    let clock = Clock::right(program.folder());
    program.environment = clock.environment();
    program.serve(&[]);
    let mut ana = program.person(ANA);
    assert_eq!(passing(&mut ana, "right"), 3);
    program.does(&["ban", "network", BEN, "--scope", "all", "--for", "2h"]);
    program.does(&["ban", "network", CYD, "--scope", "all"]);
    let hours = learned(&program);
    let banned = |program: &Program| [BEN, CYD].map(|from| health(program, from));

    // Back: nobody gains, nobody is locked out for the hour, and bans count.
    clock.set(-HOUR);
    bans_are_made_and_lifted(&program, -HOUR);
    assert_eq!(passing(&mut ana, "back"), 0);
    assert_eq!(banned(&program), [403, 403]);

    // Forward: two hours are over, as after a quiet night, and one burst is there.
    clock.set(DAY);
    bans_are_made_and_lifted(&program, DAY);
    assert_eq!(passing(&mut ana, "forward"), 3);
    assert_eq!(banned(&program), [200, 403]);

    // Right again: no second burst, and what was not over counts again.
    clock.set(0);
    bans_are_made_and_lifted(&program, 0);
    assert_eq!(passing(&mut ana, "right_again"), 0);
    assert_eq!(banned(&program), [403, 403]);
    assert!(learned(&program) <= hours + 1, "hours that nobody watched");

    // Back over a restart as well; an orderly one, which writes the last second's charges.
    clock.set(-HOUR);
    program.signal("TERM");
    program.ended();
    program.serve(&[]);
    let mut ana = program.person(ANA);
    assert_eq!(passing(&mut ana, "restarted"), 0);
    assert_eq!(banned(&program), [403, 403]);
    bans_are_made_and_lifted(&program, -HOUR);
    assert_eq!(program.admin("/healthz").status, 200);
    assert!(!program.log().contains("panic"), "{}", program.log());
}
