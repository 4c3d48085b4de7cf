//! Where there is no store: a verb that reads says so and makes none, one that
//! writes makes one and says so.

use crate::support::program::{Program, stage};

const READING: [&[&str]; 15] = [
    &["bans"],
    &["bans", "--json"],
    &["explain", "7K3M9QX2B4DH"],
    &["events"],
    &["events", "--all", "--limit", "1"],
    &["apps"],
    &["apps", "show", "abc"],
    &["clusters"],
    &["clusters", "show", "M7"],
    &["replay"],
    &["store", "check"],
    &["store", "export", "-"],
    &["store", "migrate", "to-shared"],
    &["unban", "--id", "1"],
    &["unban", "mail-domain", "spam.example"],
];

/// These need a running gate, whatever is on the disk.
const OF_A_GATE: [&[&str]; 6] = [
    &["status"],
    &["reload"],
    &["mail-server", "show", "mx.spam.example"],
    &["clusters", "release", "M7"],
    &["contain", "--tokens", "A3"],
    &["contain", "--step", "4"],
];

#[test]
fn reading_makes_no_store_and_says_that_there_is_none() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    let store = program.folder().join("store");
    for verb in READING {
        let (code, said) = program.fails(verb);
        assert_eq!(code, 66, "{verb:?}: {said}");
        for part in [
            &*store.display().to_string(),
            "no store",
            "--config",
            "tuskgate serve",
        ] {
            assert!(said.contains(part), "{verb:?}: {part}: {said}");
        }
        assert!(!store.exists(), "{verb:?} made one");
    }
    for verb in OF_A_GATE {
        let (code, said) = program.fails(verb);
        assert_eq!(code, 1, "{verb:?}: {said}");
        assert!(said.contains("no gate is running"), "{verb:?}: {said}");
        assert!(!store.exists(), "{verb:?} made one");
    }
    // A folder alone is no store.
    std::fs::create_dir(&store).expect("a writable folder");
    assert_eq!(program.fails(&["bans"]).0, 66);
    let left = std::fs::read_dir(&store).expect("a folder").count();
    assert_eq!(left, 0);
}

#[test]
fn writing_before_the_first_start_makes_one_and_says_so() {
    let stage = stage();
    for write in [
        &["ban", "mail-domain", "spam.example"][..],
        &["allow", "mail-domain", "club.example"],
        &["apps", "import", "apps.csv"],
        &["store", "import", "empty.jsonl"],
    ] {
        let mut program = Program::idle(&stage, "", "");
        let file = |name: &str| program.folder().join(name).display().to_string();
        let row = "uid,name,redirect_uri,website,created_at\nabc,One,https://a.example,,\n";
        std::fs::write(file("apps.csv"), row).expect("a writable folder");
        std::fs::write(file("empty.jsonl"), "").expect("a writable folder");
        let mut words: Vec<String> = write.iter().map(ToString::to_string).collect();
        if let Some(last) = words
            .last_mut()
            .filter(|last| last.contains("s.csv") || last.contains(".jsonl"))
        {
            *last = file(last);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let first = program.verb(&words);
        let said = String::from_utf8_lossy(&first.stderr).into_owned();
        assert!(said.contains("one was made"), "{write:?}: {said}");
        assert!(program.folder().join("store/key").exists(), "{write:?}");
        let again = program.verb(&words);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(!said.contains("one was made"), "{write:?}: {said}");
        if write[0] == "ban" {
            program.serve(&[]);
            assert!(program.does(&["bans"]).contains("spam.example"));
        }
    }
}
