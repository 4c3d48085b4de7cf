//! What the verbs say that look: nothing at all, the newest, what nobody
//! tried, and to a reader who has left.

use std::process::Stdio;

use serde_json::Value;
use tuskgate::stand_in::dns::Zone;

use crate::support::judged::{ANA, Stage, wait_until, zone};
use crate::support::program::{Program, stage};

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// A store with nothing in it, and nothing running.
fn empty(stage: &Stage) -> Program {
    let program = Program::idle(stage, "", "");
    program.does(&["ban", "mail-domain", "spam.example"]);
    program.does(&["unban", "mail-domain", "spam.example"]);
    program
}

#[test]
fn nothing_is_said_in_words_and_machines_get_nothing() {
    let stage = stage();
    let program = empty(&stage);
    for (verb, said) in [
        (&["bans"][..], "no bans"),
        (&["bans", "--kind", "website"], "no bans"),
        (&["events"], "--all"),
        (&["events", "--all"], "no events"),
        (&["events", "--all", "--limit", "3"], "no events"),
        (&["apps"], "apps import"),
        (&["apps", "list", "--name", "AaA"], "no app of such a name"),
        (&["clusters"], "nothing is condemned"),
        (&["clusters", "list", "--all"], "nothing is condemned"),
    ] {
        let output = program.verb(verb);
        assert!(output.status.success(), "{verb:?}");
        assert!(output.stdout.is_empty(), "{verb:?}");
        let heard = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(heard.contains(said), "{verb:?}: {heard}");
        let mut machine = verb.to_vec();
        machine.push("--json");
        let output = program.verb(&machine);
        assert!(output.status.success(), "{machine:?}");
        assert!(
            output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
    }
    program.does(&["ban", "mail-domain", "spam.example"]);
    let output = program.verb(&["bans", "--kind", "website"]);
    let heard = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(heard.contains("1 is there of other kinds"), "{heard}");
    assert_eq!(program.fails(&["bans", "--kind", "sites"]).0, 64);
}

#[test]
fn a_limit_shows_the_newest_in_the_order_of_time() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    // More than one page of them.
    let rows: usize = 512;
    let mut person = program.person(ANA);
    for _ in 0..rows {
        person.get("/auth/sign_up");
    }
    program.does(&["contain", "--step", "1"]);
    program.does(&["contain", "--step", "auto"]);
    let all = || lines(&program.does(&["events", "--all", "--json"]));
    wait_until("all is on the record", || all().len() >= rows + 2);
    let every = all();
    for limit in [1, 2, 3, 499, 500, 501, 10_000] {
        let limit_word = limit.to_string();
        let shown = lines(&program.does(&["events", "--all", "--limit", &limit_word, "--json"]));
        let from = every.len().saturating_sub(limit);
        assert_eq!(shown, every[from..], "{limit}");
    }
    assert_eq!(program.fails(&["events", "--limit", "0"]).0, 64);
    // A move is on the second, so it may stand before attempts of the same one.
    let told = program.does(&["events", "--all"]);
    let moves: Vec<_> = told
        .lines()
        .filter(|line| line.contains(" breaker "))
        .collect();
    assert_eq!(moves.len(), 2, "{told}");
    for part in ["from step 0 to step 1", "put by hand", "let go by hand"] {
        assert!(moves.concat().contains(part), "{part}: {moves:?}");
    }
    assert!(!moves.concat().contains("admitted"), "{moves:?}");
    // Nobody tried to move the breaker.
    for filter in ["--admitted", "--refused"] {
        let attempts = program.does(&["events", "--all", filter]);
        assert!(!attempts.contains("breaker"), "{attempts}");
    }
    let replayed: Value = serde_json::from_str(&program.does(&["replay", "--json"])).expect("JSON");
    let attempts = every.iter().filter(|event| !event["endpoint"].is_null());
    let attempts: u64 = attempts
        .map(|event| event["count"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(replayed["attempts"], attempts);

    let id_of = |why: &str| {
        let of_it = |event: &&Value| event["verdicts"][0]["fact"].to_string().contains(why);
        let found = every.iter().find(of_it).expect("on the record");
        found["id"].as_str().expect("an id").to_owned()
    };
    let told = program.does(&["explain", &id_of("let go by hand")]);
    for part in [
        "the breaker has moved",
        "from step 1 to step 0",
        "let go by hand",
        "tuskgate status",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("decision"), "{told}");
    let told = program.does(&["explain", &id_of("put by hand")]);
    assert!(told.contains("tuskgate contain --step auto"), "{told}");
}

#[test]
fn whoever_has_read_enough_may_leave() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    program.does(&["ban", "mail-domain", "spam.example"]);
    program.person(ANA).web_sign_up("ana", "ana@good.example");
    wait_until("it is on the record", || {
        !program.does(&["events", "--json"]).is_empty()
    });
    let id = lines(&program.does(&["events", "--json"]))[0]["id"].clone();
    let id = id.as_str().expect("an id");
    for verb in [
        &["bans"][..],
        &["bans", "--json"],
        &["bans", "--kind", "website"],
        &["events"],
        &["events", "--json", "--limit", "1"],
        &["explain", id],
        &["apps"],
        &["clusters"],
        &["clusters", "--json"],
        &["status"],
        &["status", "--json"],
        &["check"],
        &["replay"],
        &["mail-server", "show", "mx.good.example"],
        &["store", "check"],
        &["store", "export", "-"],
        &["completions", "bash"],
        &["contain", "--step", "auto"],
        &["reload"],
        &["--help"],
        &["ban", "--help"],
    ] {
        let output = program.unheard(verb);
        // As many as are run: nothing is said of it, and nothing failed.
        assert_eq!(output.status.code(), Some(0), "{verb:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for wrong in ["panicked", "Broken pipe", "cannot write"] {
            assert!(!said.contains(wrong), "{verb:?}: {said}");
        }
    }
}

impl Program {
    /// Runs a verb whose reader has left before it says its first word.
    fn unheard(&self, arguments: &[&str]) -> std::process::Output {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = std::process::Command::new(crate::support::program::PROGRAM);
        command.args(arguments);
        if !arguments.contains(&"--help") && arguments[0] != "completions" {
            command.arg("--config").arg(self.config());
        }
        command.stdout(writer).stderr(Stdio::piped());
        command.output().expect("the binary runs")
    }
}

fn with_mail() -> Zone {
    let mut zone = zone();
    zone.mx("club.example", 10, "mx1.club.example")
        .ip("mx1.club.example", [192, 0, 2, 40])
        .mx("gmail.com", 5, "gmail-smtp-in.l.google.com")
        .ip("gmail-smtp-in.l.google.com", [142, 250, 1, 26]);
    zone
}

#[test]
fn a_mail_domain_leads_to_the_servers_behind_it() {
    let stage = Stage::new(with_mail());
    let program = Program::serving(&stage, "", "");
    let made = program.person(ANA).web_sign_up("ana", "ana@good.example");
    assert_eq!(made.status, 302);
    program.does(&["ban", "mail-domain", "club.example", "--reason", "for now"]);
    for (asked, parts) in [
        (
            "good.example",
            &[
                "1 account let in",
                "when last seen: mx.good.example",
                "mx.good.example: nothing against it",
                "1 sign-up from",
            ][..],
        ),
        (
            "ana@good.example",
            &["good.example: 1 account", "mx.good.example"],
        ),
        (
            "club.example",
            &[
                "nobody that the register counts",
                "as DNS says now: mx1.club.example",
                "for now",
                "unban --id",
            ],
        ),
        (
            "gmail.com",
            &["gmail-smtp-in.l.google.com", "listed shared provider"],
        ),
        ("gone.example", &["no mail server"]),
        (
            "mx.good.example",
            &["mx.good.example: nothing against it", "1 sign-up"],
        ),
        (
            "192.0.2.25",
            &["192.0.2.25: nothing against it", "192.0.2.0/24"],
        ),
    ] {
        let told = program.does(&["mail-server", "show", asked]);
        for part in parts {
            assert!(told.contains(part), "{asked}: {part}: {told}");
        }
        assert!(!told.contains("ana@"), "{told}");
        let json = program.does(&["mail-server", "show", asked, "--json"]);
        let reports: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            reports.as_array().map(Vec::is_empty),
            Some(asked == "gone.example"),
            "{asked}"
        );
    }
    let (code, said) = program.fails(&["mail-server", "show", "no server"]);
    assert_eq!((code, said.contains("neither")), (1, true), "{said}");
}
