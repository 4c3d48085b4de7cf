//! The demo as people run it: the built program, its summary, its verdict.
//!
//! Small casts, so that the suite stays quick; the full cast of 2018 is played
//! at real Rails in `attack`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::PATIENCE;

const PEOPLE: u64 = 40;
const TOKENS: u64 = 900;

/// A demo in a temporary folder of its own.
fn demo(folder: &TempDir, arguments: &[&str]) -> Command {
    demo_at("max", folder, arguments)
}

fn demo_at(speed: &str, folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuskgate"));
    command
        .args(["demo", "--speed", speed, "--people", "40", "--bots", "900"])
        .args(arguments)
        .env("TMPDIR", folder.path())
        .env_remove("TUSKGATE_CONFIG")
        .stdin(Stdio::null());
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn play(arguments: &[&str]) -> (ExitStatus, Value) {
    let folder = folder();
    let mut command = demo(&folder, arguments);
    let told = command.arg("--json").output().expect("the program runs");
    let errors = String::from_utf8_lossy(&told.stderr);
    let summary = serde_json::from_slice(&told.stdout);
    let summary = summary.unwrap_or_else(|fault| panic!("{fault}\n{errors}"));
    assert!(is_empty(folder.path()), "the demo's folder stayed behind");
    (told.status, summary)
}

fn is_empty(folder: &Path) -> bool {
    let mut inside = folder.read_dir().expect("a folder");
    inside.next().is_none()
}

fn number(summary: &Value, path: &str) -> u64 {
    let value = summary.pointer(path).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("no {path} in {summary}"))
}

fn refused(summary: &Value, rule: &str, mode: &str) -> u64 {
    let all = summary["refused-by"].as_array().expect("a list");
    all.iter()
        .filter(|refusal| refusal["rule"] == rule && refusal["mode"] == mode)
        .map(|refusal| refusal["count"].as_u64().expect("a count"))
        .sum()
}

#[test]
fn people_get_in_and_bots_are_held() {
    let (status, summary) = play(&[]);
    assert_eq!(status.code(), Some(0), "{summary}");
    assert_eq!(summary["held"], true);
    assert_eq!(number(&summary, "/people/got-in"), PEOPLE);
    assert_eq!(number(&summary, "/received/people/sign-ups"), PEOPLE);
    let asked = number(&summary, "/bots/tokens/let-in") + number(&summary, "/bots/tokens/refused");
    assert_eq!(asked, TOKENS, "every request of the bots was answered");
    let reached = number(&summary, "/received/bots/tokens");
    assert!(reached >= 5, "a ration is left to them: {reached}");
    assert!(reached <= number(&summary, "/bots/promise/tokens"));
    let reached = number(&summary, "/received/bots/sign-ups");
    assert!(reached <= number(&summary, "/bots/promise/sign-ups"));
    let out = number(&summary, "/bots/sign-ups/refused");
    let banned = refused(&summary, "mail-server", "enforce");
    let condemned = refused(&summary, "mail-cluster", "enforce");
    assert_eq!((banned, out >= banned + condemned), (10, true));
    assert!(
        condemned >= 1,
        "the later domains' server was found out: {summary}"
    );
    let tokens = refused(&summary, "rate", "enforce") + refused(&summary, "app-cluster", "enforce");
    assert!(tokens >= TOKENS / 2);
}

#[test]
fn with_nothing_banned_the_gate_finds_out_by_itself() {
    let (status, summary) = play(&["--no-ban"]);
    assert_eq!(status.code(), Some(0), "{summary}");
    assert_eq!(number(&summary, "/people/got-in"), PEOPLE);
    assert_eq!(refused(&summary, "mail-server", "enforce"), 0);
    let reached = number(&summary, "/received/bots/sign-ups");
    assert!((1..=12).contains(&reached), "{reached}");
    assert!(refused(&summary, "mail-cluster", "enforce") >= 6);
}

#[test]
fn observing_refuses_nothing_and_records_what_it_would_have() {
    let (status, summary) = play(&["--observe"]);
    assert_eq!(status.code(), Some(1), "the bots got in: {summary}");
    assert_eq!(summary["held"], false, "the verdict can fail");
    assert!(summary["broken"].to_string().contains("nothing is refused"));
    assert_eq!(number(&summary, "/bots/tokens/refused"), 0);
    assert_eq!(number(&summary, "/received/bots/tokens"), TOKENS);
    assert!(refused(&summary, "rate", "observe") >= TOKENS / 2);
    assert!(refused(&summary, "mail-server", "observe") > 0);
}

#[test]
fn a_variable_meant_for_a_real_gate_counts_for_nothing() {
    let folder = folder();
    let told = demo(&folder, &["--json"])
        .env("TUSKGATE_UPSTREAM_ADDRESS", "127.0.0.1:1")
        .env("TUSKGATE_CONFIG", "/nowhere/tuskgate.toml")
        .output()
        .expect("the program runs");
    assert_eq!(told.status.code(), Some(0));
}

#[test]
fn without_a_terminal_there_are_plain_lines_and_a_verdict() {
    let folder = folder();
    let told = demo(&folder, &[]).output().expect("the program runs");
    let text = String::from_utf8(told.stdout).expect("text");
    assert!(!text.contains('\x1b'), "no escape sequences: {text}");
    for part in ["a stand-in", "203.0.113.66", "Mastodon alone", "HELD."] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn kept_running_it_answers_the_other_verbs_and_ends_when_asked() {
    let folder = folder();
    let child = demo(&folder, &["--keep", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut running = Running(child);
    let stdout = running.0.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a summary");
    let summary: Value = serde_json::from_str(&line).expect("JSON");
    let config = summary["config"].as_str().expect("a file").to_owned();
    let verb = |arguments: &[&str]| {
        let told = Command::new(env!("CARGO_BIN_EXE_tuskgate"))
            .args(arguments)
            .args(["--config", &config])
            .output()
            .expect("the program runs");
        assert!(told.status.success(), "{arguments:?}: {told:?}");
        String::from_utf8(told.stdout).expect("text")
    };
    assert!(verb(&["status"]).contains("1 ban or allow entry"));
    assert!(verb(&["bans"]).contains("203.0.113.66/32"));
    let id = summary["example"].as_str().expect("a reference");
    assert!(verb(&["explain", id]).contains("203.0.113.66"));
    assert!(verb(&["reload"]).contains("reloaded"));
    assert!(verb(&["doctor", "--host", "social.example"]).contains("0 wrong"));
    assert!(running.interrupt().success(), "it held");
    assert!(is_empty(folder.path()), "the demo's folder stayed behind");
}

#[test]
fn asked_to_end_half_way_it_leaves_nothing_behind() {
    let folder = folder();
    let mut command = demo_at("1", &folder, &[]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut running = Running(child);
    let stdout = running.0.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.starts_with("minute"))));
    // Somebody must read on, or a full pipe would hold it up.
    let reading = std::thread::spawn(move || lines.count());
    assert_eq!(running.interrupt().code(), Some(1));
    reading.join().expect("the reader ends with the pipe");
    assert!(is_empty(folder.path()), "the demo's folder stayed behind");
}

/// Ended when dropped, whatever the test says.
struct Running(Child);

impl Running {
    fn interrupt(&mut self) -> ExitStatus {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status();
        assert!(told.expect("kill runs").success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("our child") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already, if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
