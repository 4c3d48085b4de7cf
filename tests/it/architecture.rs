//! The house rules that a compiler does not see: imports run downward only,
//! files stay small, nothing is called after nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the cellar up. A room may import from any line below its own.
const FLOORS: [&[&str]; 10] = [
    &[
        "account",
        "address_text",
        "app",
        "attempt",
        "ban",
        "cluster",
        "endpoint",
        "event",
        "mailbox",
        "moment",
        "numeral",
        "quota",
        "secret",
        "standing",
        "told",
        "verdict",
        "wave",
    ],
    &["mail", "rack"],
    // A list's names are read as mail reads them.
    &["lists"],
    &["mastodon"],
    &["store"],
    &["judge"],
    &["proxy"],
    &["config", "admin"],
    &["stand_in"],
    &["cli"],
];

/// Imported by all, imports words.
const TELEMETRY: &str = "telemetry";

const NAMELESS: [&str; 9] = [
    "util", "utils", "helper", "helpers", "manager", "common", "misc", "info", "data",
];

/// Every Rust file below `folder`, with its path below it.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut all = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("a readable file");
                let below = path.strip_prefix(&root).expect("below the root");
                all.push((below.to_owned(), text));
            }
        }
    }
    all.sort();
    all
}

/// Without comments, and without the module of tests at the end of a file.
fn code(text: &str) -> Vec<&str> {
    let head = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    head.lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .collect()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        let part = Path::new(part.as_os_str());
        part.file_stem().is_some_and(|stem| stem == "tests")
    })
}

fn room(path: &Path) -> String {
    let first = path.components().next().expect("a path");
    let stem = Path::new(first.as_os_str()).file_stem().expect("a name");
    stem.to_string_lossy().into_owned()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a file names by `crate::`, with the line.
fn imports(text: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    for line in code(text) {
        for after in line.split("crate::").skip(1) {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            let name = after.get(..end).unwrap_or_default();
            assert!(!name.is_empty(), "one room for each import: {line}");
            found.push((name.to_owned(), line));
        }
    }
    found
}

/// What is wrong with an import, if anything.
fn wrong(path: &Path, room: &str, imported: &str) -> Option<&'static str> {
    let words = FLOORS.first().expect("a cellar");
    if imported == room || imported == TELEMETRY || room == "lib" || room == "main" {
        return None;
    }
    if room == TELEMETRY {
        return (!words.contains(&imported)).then_some("telemetry imports words only");
    }
    if imported == "stand_in" {
        let demo = path.starts_with("cli/demo") || path == Path::new("cli/demo.rs");
        return (!demo).then_some("stand-ins are the demo's");
    }
    match (floor(room), floor(imported)) {
        (Some(0), Some(0)) => None,
        (Some(own), Some(other)) if other < own => None,
        (Some(_), Some(_)) => Some("an import runs up, or across"),
        (None, _) => Some("a room that is on no floor"),
        // An item at the top of the crate, or a room that is on no floor.
        (_, None) => Some("imports what is on no floor"),
    }
}

#[test]
fn imports_run_downward() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (path, text) in files("src").iter().filter(|(path, _)| !is_test(path)) {
        let room = room(path);
        for (imported, line) in imports(text) {
            *seen.entry(room.clone()).or_default() += 1;
            if let Some(wrong) = wrong(path, &room, &imported) {
                mistakes.push(format!("{}: {wrong}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    for room in FLOORS.iter().skip(1).copied().flatten() {
        assert!(
            seen.get(*room).is_some_and(|count| *count > 1),
            "{room}: {seen:?}"
        );
    }
}

/// The checker itself sees an arrow that runs up.
#[test]
fn an_arrow_that_runs_up_is_seen() {
    let at = |path: &str, text: &str| {
        let path = Path::new(path);
        let found = imports(text);
        let mut found = found.iter();
        found.any(|(imported, _)| wrong(path, &room(path), imported).is_some())
    };
    assert!(at("rack/body.rs", "use crate::mastodon::Endpoint;"));
    assert!(at("mail/idn.rs", "    let x = crate::rack::read(text);"));
    assert!(at("judge.rs", "use crate::proxy::Body;"));
    assert!(at("proxy/gate.rs", "use crate::stand_in::dns::Zone;"));
    assert!(at("telemetry.rs", "use crate::store::Store;"));
    assert!(at("app.rs", "use crate::lists::Lists;"));
    assert!(at("new_room/x.rs", "use crate::app::App;"));
    assert!(!at(
        "judge.rs",
        "/// See [`crate::proxy`].\nuse crate::store::Store;"
    ));
    assert!(!at("cli/demo/scene.rs", "use crate::stand_in::dns::Zone;"));
    assert!(!at("event.rs", "use crate::app::App;"));
}

#[test]
fn files_are_small_and_named_after_their_subject() {
    let (mut seen, mut mistakes) = (0, Vec::new());
    for folder in ["src", "tests/it", "tests/faults"] {
        for (path, text) in files(folder) {
            seen += 1;
            let (lines, all) = (code(&text).len(), text.lines().count());
            if lines > 400 {
                mistakes.push(format!("{}: {lines} lines of code", path.display()));
            }
            if all > 600 {
                mistakes.push(format!("{}: {all} lines", path.display()));
            }
            let parts = path
                .components()
                .map(|part| PathBuf::from(part.as_os_str()));
            for part in parts {
                let stem = part.file_stem().unwrap_or_default().to_string_lossy();
                if NAMELESS.contains(&stem.as_ref()) || part == Path::new("mod.rs") {
                    mistakes.push(format!("{}: what is it about?", path.display()));
                }
            }
            if !is_test(&path) && !text.starts_with("//!") {
                mistakes.push(format!("{}: no word on its subject", path.display()));
            }
        }
    }
    assert!(seen > 150, "{seen} files");
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
