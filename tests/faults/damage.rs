//! Damaged files, files of a later release, and a store that is in use.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::store::{ban, bans, domain, open, subjects, wait};
use tuskgate::ban::Effect;
use tuskgate::secret::Purpose;
use tuskgate::store::limiter::{Charge, Spent};
use tuskgate::store::{Store, StoreError, StoreSettings};
use tuskgate::verdict::Mode;

const FILES: [&str; 6] = [
    "bans.sqlite3",
    "budgets.sqlite3",
    "clusters.sqlite3",
    "events.sqlite3",
    "register.sqlite3",
    "wave.sqlite3",
];

fn charge(store: &Store, name: &str) -> Result<(), Spent> {
    let charge = Charge {
        limit: "test",
        key: store.key().hash(Purpose::Limit, &[name.as_bytes()]),
        quota: "1/24h".parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    };
    let now = jiff::Timestamp::now().as_microsecond().unsigned_abs();
    let reservation = store.limiter().reserve(&[charge], now)?;
    store.limiter().keep(reservation);
    Ok(())
}

fn aside(folder: &Path, file: &str) -> Vec<PathBuf> {
    let prefix = format!("{file}.damaged-");
    fs::read_dir(folder)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect()
}

#[test]
fn what_was_decided_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().expect("a directory");
    let first = open(folder.path());
    let key = first.key().fingerprint();
    let made = wait(async {
        let network =
            tuskgate::ban::Subject::Network("198.51.100.7/24".parse().expect("a network"));
        let old = first.ban(ban(domain("a.example"))).await.expect("banned");
        let new = first.ban(ban(domain("a.example"))).await.expect("banned");
        assert!(new.id > old.id);
        let mut allow = ban(domain("a.example"));
        allow.effect = Effect::Allow;
        first.ban(allow).await.expect("allowed");
        let spelled = first.ban(ban(network)).await.expect("banned");
        assert_eq!(spelled.subject.to_string(), "198.51.100.0/24");
        first.ban(ban(domain("b.example"))).await.expect("banned");
        let lifted = first.unban(&domain("b.example"), Effect::Ban).await;
        assert_eq!(
            lifted.expect("lifted").map(|ban| ban.id),
            Some(spelled.id + 1)
        );
        let nothing = first.unban(&domain("b.example"), Effect::Ban).await;
        assert_eq!(nothing.expect("asked"), None);
        new
    });
    let all = bans(&first);
    drop(first);
    let again = open(folder.path());
    assert_eq!(bans(&again), all);
    assert_eq!(
        subjects(&again),
        ["198.51.100.0/24", "a.example", "a.example"]
    );
    assert!(all.contains(&made));
    assert_eq!(again.key().fingerprint(), key);
    assert_eq!(again.health(), Default::default());
    let next = wait(again.ban(ban(domain("c.example")))).expect("banned");
    assert!(next.id > made.id + 3, "an id was used again");
}

#[test]
fn expired_bans_are_swept() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let end: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().expect("a date");
    wait(async {
        let mut short = ban(domain("short.example"));
        short.expires = Some(end);
        store.ban(short).await.expect("banned");
        store
            .ban(ban(domain("long.example")))
            .await
            .expect("banned");
        let early = end - jiff::SignedDuration::from_millis(1);
        assert_eq!(store.sweep(early).await.expect("swept").0, 0);
        assert_eq!(store.sweep(end).await.expect("swept").0, 1);
    });
    assert_eq!(subjects(&store), ["long.example"]);
}

#[test]
fn only_the_owner_can_read() {
    let parent = tempfile::tempdir().expect("a directory");
    let path = parent.path().join("store");
    let store = open(&path);
    wait(store.ban(ban(domain("a.example")))).expect("banned");
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let mut seen = 0;
    for entry in fs::read_dir(&path).expect("a directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn a_damaged_file_is_kept_aside_and_said() {
    for file in FILES {
        let folder = tempfile::tempdir().expect("a directory");
        let first = open(folder.path());
        wait(async {
            for number in 0..500 {
                let name = format!("spam-{number}.example");
                first.ban(ban(domain(&name))).await.expect("banned");
                let _ = charge(&first, &name);
            }
        });
        drop(first);
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).expect("read");
        for byte in bytes.iter_mut().skip(2000).step_by(7) {
            *byte ^= 0x55;
        }
        fs::write(&path, &bytes).expect("written");
        let again = open(folder.path());
        let kept = aside(folder.path(), file);
        // Limits begin anew where the file that held them is gone, and only there.
        let anew = charge(&again, "spam-7.example").is_ok();
        assert_eq!(anew, file == "budgets.sqlite3", "{file}");
        assert_eq!(again.health().kept_aside, kept, "{file}");
        assert_eq!(kept.len(), 1, "{file}");
        assert_eq!(fs::read(&kept[0]).expect("read"), bytes, "{file}");
        wait(again.ban(ban(domain("new.example")))).expect("the fresh file works");
        wait(again.flush()).expect("the fresh files work");
        drop(again);
        let third = open(folder.path());
        assert_eq!(third.health(), Default::default());
        let expected = if file == "bans.sqlite3" { 1 } else { 501 };
        assert_eq!(bans(&third).len(), expected);
    }
}

#[test]
fn a_file_that_is_no_database_is_kept_aside() {
    let folder = tempfile::tempdir().expect("a directory");
    drop(open(folder.path()));
    let text = "not a database, and long enough to have a header of its own".repeat(9);
    fs::write(folder.path().join("events.sqlite3"), &text).expect("written");
    let again = open(folder.path());
    let kept = aside(folder.path(), "events.sqlite3");
    assert_eq!(again.health().kept_aside, kept);
    assert_eq!(fs::read_to_string(&kept[0]).expect("read"), text);
}

#[test]
fn a_file_of_a_later_release_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    wait(store.ban(ban(domain("a.example")))).expect("banned");
    drop(store);
    let path = folder.path().join("bans.sqlite3");
    let mut bytes = fs::read(&path).expect("read");
    // `user_version`, a big-endian number at byte 60 of the header.
    let own = bytes[63];
    bytes[63] = 99;
    fs::write(&path, &bytes).expect("written");
    let refusal = Store::open(&StoreSettings::new(folder.path())).expect_err("refused");
    assert!(
        matches!(refusal, StoreError::Newer { found: 99, .. }),
        "{refusal}"
    );
    assert_eq!(aside(folder.path(), "bans.sqlite3").len(), 0);
    bytes[63] = own;
    fs::write(&path, &bytes).expect("written");
    assert_eq!(subjects(&open(folder.path())), ["a.example"]);
}

#[test]
fn another_key_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    drop(open(folder.path()));
    fs::write(folder.path().join("key"), "ab".repeat(32)).expect("written");
    let refusal = Store::open(&StoreSettings::new(folder.path())).expect_err("refused");
    assert!(matches!(refusal, StoreError::OtherKey { .. }), "{refusal}");
}

#[test]
fn two_cannot_have_one_store() {
    let folder = tempfile::tempdir().expect("a directory");
    let first = open(folder.path());
    let second = Store::open(&StoreSettings::new(folder.path())).expect_err("refused");
    assert!(matches!(second, StoreError::InUse { .. }));
    assert!(second.to_string().contains("admin socket"));
    drop(first);
    open(folder.path());
}
