//! A disk that refuses: full while running, read-only at the start.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

use tuskgate::secret::Purpose;
use tuskgate::store::StoreError;
use tuskgate::store::limiter::Charge;
use tuskgate::verdict::Mode;

use super::children;
use crate::store::events::event;
use crate::store::{ban, domain, open, subjects, wait};

const FULL: &str = "faults::refuse::child_on_a_full_disk";
const READ_ONLY: &str = "faults::refuse::child_on_a_read_only_disk";
const LIMITS: &str = "faults::refuse::child_whose_limits_fill_the_disk";
const NOBODY: u32 = 65_534;

fn passed(output: &Output, word: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains(word),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Banning fails with words; all that was in force stays in force; the rest works.
fn judges_on(store: &tuskgate::store::Store, before: &[String]) {
    assert_eq!(subjects(store), before);
    let (file, why) = store.health().failing.remove(0);
    assert_eq!(file, "bans.sqlite3");
    assert!(why.contains("disk"), "{why}");
    let charge = Charge {
        limit: "test",
        key: store.key().hash(Purpose::Limit, &[b"test"]),
        quota: "1/1h".parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    };
    assert!(store.limiter().reserve(&[charge], 1).is_ok());
    assert!(store.limiter().reserve(&[charge], 1).is_err());
}

/// Limits are held from memory, and it is said which file cannot be written.
async fn limits_go_on(store: &tuskgate::store::Store, keys: u32) {
    let charge = |number: u32| Charge {
        limit: "test",
        key: store.key().hash(Purpose::Limit, &[&number.to_be_bytes()]),
        quota: "1/24h".parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    };
    let now = jiff::Timestamp::now().as_microsecond().unsigned_abs();
    for number in 0..keys {
        let reservation = store.limiter().reserve(&[charge(number)], now);
        store.limiter().keep(reservation.expect("room"));
    }
    assert!(store.flush().await.is_err());
    let failing = store.health().failing;
    let budgets = failing.iter().find(|(file, _)| *file == "budgets.sqlite3");
    let (_, why) = budgets.expect("it is said");
    assert!(why.contains("disk"), "{why}");
    for number in 0..keys {
        assert!(store.limiter().reserve(&[charge(number)], now).is_err());
    }
}

#[test]
fn child_whose_limits_fill_the_disk() {
    let Some(path) = children::told(LIMITS) else {
        return;
    };
    let mut settings = tuskgate::store::StoreSettings::new(&path);
    settings.limiter_slots = 1 << 16;
    let store = tuskgate::store::Store::open(&settings).expect("the store opens");
    wait(limits_go_on(&store, 8000));
    wait(store.ban(ban(domain("new.example")))).expect("the other files have room");
    println!("limits went on");
}

#[test]
fn a_disk_full_of_limits_forgets_none_while_it_runs() {
    let folder = tempfile::tempdir().expect("a directory");
    drop(open(folder.path()));
    let output = children::under_shell("trap '' XFSZ; ulimit -f 192", LIMITS, folder.path())
        .output()
        .expect("a child");
    passed(&output, "limits went on");
    let again = open(folder.path());
    assert_eq!(again.health(), Default::default());
    assert_eq!(subjects(&again), ["new.example"]);
}

async fn drops_events_and_counts_them(store: &tuskgate::store::Store) {
    for number in 0..500 {
        store.record(event(number, None, "203.0.113.9", "a.example"));
    }
    assert!(store.flush().await.is_err());
    let text = tuskgate::telemetry::render().expect("text");
    let dropped = text
        .lines()
        .find_map(|line| line.strip_prefix("tuskgate_events_dropped_total "))
        .and_then(|count| count.parse().ok());
    assert_eq!(dropped, Some(500_u32));
}

#[test]
fn child_on_a_full_disk() {
    let Some(path) = children::told(FULL) else {
        return;
    };
    let store = open(&path);
    wait(async {
        for number in 0..10_000 {
            let before = subjects(&store);
            let name = format!("more-{number}.example");
            let Err(error) = store.ban(ban(domain(&name))).await else {
                continue;
            };
            assert!(matches!(error, StoreError::Sqlite { .. }));
            assert!(error.to_string().contains("space"), "{error}");
            judges_on(&store, &before);
            let old = domain("old.example");
            let lift = store.unban(&old, tuskgate::ban::Effect::Ban);
            assert!(lift.await.is_err());
            assert_eq!(subjects(&store), before, "what was not lifted is in force");
            drops_events_and_counts_them(&store).await;
            println!("refused after {number}");
            return;
        }
        panic!("the disk was never full");
    });
}

#[test]
fn a_full_disk_refuses_bans_with_words_and_stops_nothing_else() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    wait(store.ban(ban(domain("old.example")))).expect("banned");
    drop(store);
    // No file may grow beyond 96 KiB; without the trap that is a deadly signal.
    let output = children::under_shell("trap '' XFSZ; ulimit -f 192", FULL, folder.path())
        .output()
        .expect("a child");
    passed(&output, "refused after");
    let again = open(folder.path());
    assert!(subjects(&again).contains(&"old.example".to_owned()));
    assert_eq!(again.health(), Default::default());
    wait(again.ban(ban(domain("new.example")))).expect("there is space again");
}

#[test]
fn child_on_a_read_only_disk() {
    let Some(path) = children::told(READ_ONLY) else {
        return;
    };
    let store = open(&path);
    wait(async {
        assert_eq!(subjects(&store), ["old.example"]);
        let error = store
            .ban(ban(domain("new.example")))
            .await
            .expect_err("refused");
        assert!(error.to_string().contains("read-only"), "{error}");
        judges_on(&store, &["old.example".to_owned()]);
        let found = store.events(Default::default()).await;
        assert_eq!(found.expect("read").len(), 0);
        limits_go_on(&store, 20).await;
    });
    println!("judged on");
}

#[test]
fn a_read_only_disk_is_judged_from() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("store");
    let store = open(&path);
    wait(store.ban(ban(domain("old.example")))).expect("banned");
    drop(store);
    let output = as_somebody_who_may_not_write(folder.path(), &path);
    passed(&output, "judged on");
}

/// Root may write anywhere, so root becomes nobody, with a copy of this binary
/// that nobody can reach.
fn as_somebody_who_may_not_write(folder: &Path, path: &Path) -> Output {
    let is_root = folder
        .metadata()
        .is_ok_and(|_| chown(folder, Some(NOBODY), None).is_ok());
    for entry in fs::read_dir(path).expect("a directory") {
        let file = entry.expect("an entry").path();
        protect(&file, 0o400, is_root);
    }
    protect(path, 0o500, is_root);
    let output = if is_root {
        let copy = folder.join("copy");
        fs::copy(children::this_binary(), &copy).expect("copied");
        protect(&copy, 0o500, true);
        let child = children::command(READ_ONLY, path);
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(copy)
            .args(child.get_args())
            .current_dir("/");
        for (name, value) in child.get_envs() {
            command.env(name, value.expect("only set"));
        }
        command.output().expect("setpriv is in util-linux")
    } else {
        children::command(READ_ONLY, path)
            .output()
            .expect("a child")
    };
    protect(path, 0o700, false);
    output
}

fn protect(path: &Path, mode: u32, give_away: bool) {
    if give_away {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("protected");
}
