//! The verbs that look back: `events`, `replay`, `apps`, and what `explain`,
//! `clusters` and `mail-server` tell of a condemnation. On a running gate and
//! straight on its store.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tuskgate::stand_in::dns::Zone;

use crate::support::judged::{ANA, BEN, OOB, Stage, wait_until, zone};
use crate::support::program::{PROGRAM, Program, lines, stage};

const BOTS: u8 = 14;

/// The usual zone, and bots' domains that all lead to one server.
fn wave() -> Zone {
    let mut zone = zone();
    for number in 0..BOTS {
        zone.mx(&format!("wave{number}.example"), 10, "mx.wave.example");
    }
    zone.ip("mx.wave.example", [45, 9, 10, 10]);
    zone
}

/// Bots, each with an address and a domain of its own; the statuses of their sign-ups.
fn bots(program: &Program) -> Vec<u16> {
    let each = (0..BOTS).map(|number| {
        let mut bot = program.person(&format!("81.2.{number}.5"));
        let email = format!("b{number}@wave{number}.example");
        bot.web_sign_up(&format!("b{number}"), &email).status
    });
    each.collect()
}

fn people(program: &Program) {
    for (number, from) in [ANA, BEN, "192.0.2.99"].into_iter().enumerate() {
        let name = format!("p{number}");
        let email = format!("{name}@good.example");
        assert_eq!(program.person(from).web_sign_up(&name, &email).status, 302);
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a writable folder");
    path
}

/// A replay of a file under another configuration, which no gate has ever used.
fn replay_file(config: &Path, events: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .arg("replay")
        .arg(events)
        .arg("--config")
        .arg(config);
    command.args(more).output().expect("the binary runs")
}

/// Waits until the outcomes of all that was let in are on the record.
fn settled(program: &Program, attempts: usize) {
    wait_until("every outcome is on the record", || {
        let events = lines(&program.does(&["events", "--all", "--json"]));
        let open = |event: &&Value| event["admitted"] == true && event["outcome"].is_null();
        events.len() == attempts && !events.iter().any(|event| open(&event))
    });
}

#[test]
fn a_replay_tells_what_another_policy_would_have_done() {
    let stage = Stage::new(wave());
    let observing = "[rules.mail-cluster]\nmode = \"observe\"\n";
    let mut program = Program::serving(&stage, "", observing);
    people(&program);
    assert!(
        bots(&program).iter().all(|status| *status == 302),
        "observed"
    );
    program.does(&["ban", "mail-domain", "listed.example"]);
    let refused = program.person(ANA).web_sign_up("l", "l@listed.example");
    assert_eq!(refused.status, 422);
    let attempts = usize::from(BOTS) + 4;
    settled(&program, attempts);

    let same = json(&program.does(&["replay", "--json"]));
    assert_eq!(same["attempts"], attempts);
    assert_eq!(
        (&same["then"]["refused"], &same["now"]["refused"]),
        (&1.into(), &1.into())
    );
    assert_eq!(same["newly_refused"]["total"], 0);
    assert_eq!(same["newly_admitted"]["total"], 0, "{same}");

    let enforced = ["replay", "--enforce", "mail-cluster", "--json"];
    let strict = json(&program.does(&enforced));
    let hit = strict["newly_refused"]["total"].as_u64().expect("a number");
    assert!(hit >= 5, "{strict}");
    assert_eq!(strict["newly_refused"]["bots"], hit, "{strict}");
    assert_eq!(strict["newly_refused"]["by_rule"]["mail-cluster"], hit);
    assert_eq!(strict["people_refused"]["now"], 0);
    // The wave, and whoever a ban of today is about.
    let bots = u64::from(BOTS) + 1;
    assert_eq!(
        (&strict["people"], &strict["bots"]),
        (&3.into(), &bots.into())
    );
    let told = program.does(&["replay", "--enforce", "mail-cluster"]);
    for part in [
        "newly refused",
        "condemned as M1",
        "what this cannot know",
        "sign-up",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }

    program.does(&["unban", "mail-domain", "listed.example"]);
    let lenient = json(&program.does(&["replay", "--json"]));
    assert_eq!(lenient["newly_admitted"]["total"], 1, "{lenient}");
    assert_eq!(lenient["newly_admitted"]["by_rule"]["mail-domain"], 1);
    // Refused before anybody asked DNS: nobody can know where its mail goes.
    assert_eq!(lenient["not_recorded"]["mail-server"], 1);

    let events = program.does(&["events", "--all", "--json"]);
    assert!(
        !events.contains("p0@") && !events.contains("b1@"),
        "{events}"
    );
    let events = file(program.folder(), "events.jsonl", &events);
    let text = program.written() + "[limits]\nsign-up-per-mail-domain = \"2/1h\"\n";
    let elsewhere = text.replace("/store\"", "/no-store\"");
    let config = file(program.folder(), "new.toml", &elsewhere);
    let done = replay_file(&config, &events, &["--json"]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let done = json(&String::from_utf8_lossy(&done.stdout));
    assert_eq!(done["newly_refused"]["by_rule"]["rate"], 1, "{done}");
    assert_eq!(
        done["newly_refused"]["people"], 1,
        "the third at one domain: {done}"
    );
    assert!(
        !program.folder().join("no-store").exists(),
        "a file is all that is read"
    );

    program.signal("TERM");
    program.ended();
    assert_eq!(
        json(&program.does(&enforced))["newly_refused"]["total"],
        hit
    );
    let refused = lines(&program.does(&["events", "--refused", "--json"]));
    assert_eq!(refused.len(), 1);
    let first = program.does(&["events", "--limit", "1"]);
    assert!(
        first.contains("p0") && first.lines().count() == 1,
        "{first}"
    );
}

#[test]
fn a_bad_export_is_told_by_its_line() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    people(&program);
    settled(&program, 3);
    let good = program.does(&["events", "--all", "--json"]);
    let a_day_before = good.replace("\"at\":\"2", "\"at\":\"1");
    for (name, text, part) in [
        ("cut.jsonl", format!("{good}\n{{\"id\":\"7K3M"), "line 5"),
        ("words.jsonl", format!("\n\n{good}hello\n"), "line 6"),
        (
            "back.jsonl",
            format!("{good}{a_day_before}"),
            "older than the one before",
        ),
        ("long.jsonl", "x".repeat(2 << 20), "line 1"),
    ] {
        let path = file(program.folder(), name, &text);
        let (code, said) = program.fails(&["replay", path.to_str().expect("a path")]);
        assert_eq!(code, 1, "{name}: {said}");
        assert!(said.contains(name) && said.contains(part), "{name}: {said}");
    }
    assert_eq!(program.fails(&["replay", "missing.jsonl"]).0, 1);
    for wrong in [
        &["replay", "--enforce", "nonsense"][..],
        &["replay", "--bans", "x"],
        &["replay", "--since", "yesterday"],
        &["events", "--rule", "nonsense"],
        &["events", "--refused", "--admitted"],
    ] {
        assert_eq!(program.fails(wrong).0, 64, "{wrong:?}");
    }
    let empty = file(program.folder(), "empty.jsonl", "");
    let said = program.does(&["replay", empty.to_str().expect("a path")]);
    assert!(said.contains("no events"), "{said}");
}

#[test]
fn a_condemnation_is_explained_shown_measured_and_released() {
    let stage = Stage::new(wave());
    let enforce =
        "[rules.mail-cluster]\nmode = \"enforce\"\n[clusters]\nregister-size = \"8MiB\"\n";
    let program = Program::serving(&stage, "", enforce);
    let statuses = bots(&program);
    let refused = statuses.iter().filter(|status| **status == 422).count();
    assert!(refused >= 5, "{statuses:?}");
    let last = program.person(ANA).web_sign_up("z", "z@wave0.example");
    let last = if last.status == 422 {
        last
    } else {
        program.person(ANA).web_sign_up("y", "y@wave13.example")
    };
    let reference = last
        .header("x-tuskgate-reference")
        .expect("refused")
        .to_owned();
    let told = program.does(&["explain", &reference]);
    for part in [
        "cluster M1",
        "recognised by",
        "mx.wave.example",
        "let in before",
        "to undo: tuskgate clusters release M1",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let explained = json(&program.does(&["explain", &reference, "--json"]));
    assert_eq!(explained["clusters"][0]["id"], "M1");
    assert_eq!(explained["admitted"], false);

    let shown = program.does(&["clusters", "show", "M1"]);
    for part in [
        "domains",
        "networks",
        "wave0.example",
        "81.2.0.5",
        "user name",
        "b0",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let server = program.does(&["mail-server", "show", "mx.wave.example"]);
    for part in ["condemned as M1", "would hit", "wave0.example", "spare 0"] {
        assert!(server.contains(part), "{part}: {server}");
    }
    program.does(&["ban", "network", "45.9.10.0/24", "--scope", "mail"]);
    let server = program.does(&["mail-server", "show", "45.9.10.10"]);
    assert!(server.contains("45.9.10.0/24 [mail]"), "{server}");
    assert!(server.contains("45.9.0.0/20"), "the range too: {server}");

    let metric = |series: &str| {
        let text = program.admin("/metrics").text();
        let line = text.lines().find(|line| line.starts_with(series));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{series}: {text}"))
    };
    let open = "tuskgate_clusters_open{kind=\"mail\"}";
    assert!((metric(open) - 1.0).abs() < 0.1);
    assert!((metric("tuskgate_clusters_condemned_total{kind=\"mail\"}") - 1.0).abs() < 0.1);
    assert!(metric("tuskgate_clusters_register_entries{register=\"domains\"}") >= 3.0);
    assert!(metric("tuskgate_clusters_register_bytes{register=\"mail-servers\"}") > 1000.0);
    assert!(metric("tuskgate_clusters_evicted_total{register=\"domains\"}") < 0.1);
    program.does(&["clusters", "release", "M1", "--reason", "a test"]);
    assert!(metric(open) < 0.1);
    let released = "tuskgate_clusters_ended_total{kind=\"mail\",how=\"released\"}";
    assert!((metric(released) - 1.0).abs() < 0.1);
    assert!(metric("tuskgate_clusters_ended_total{kind=\"mail\",how=\"lifted\"}") < 0.1);
}

/// An alert on a metric that nobody writes would never fire.
#[test]
fn alerts_are_on_metrics_that_there_are() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    let shown = program.admin("/metrics").text();
    let rules = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/tuskgate.rules.yml"),
    );
    let rules = rules.expect("the file is shipped");
    let mut seen = 0;
    for part in rules.split("tuskgate_").skip(1) {
        let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_');
        let name = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
        let described = format!("# TYPE tuskgate_{} ", name.trim_end_matches("_total"));
        assert!(shown.contains(&described), "{described}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn apps_are_listed_shown_and_banned() {
    let stage = stage();
    let mut program = Program::serving(&stage, "", "");
    let mut person = program.person(ANA);
    let aaa = person.app("AaA");
    let quiet = person.app("Quiet one");
    let poser = person.app_at("Tusky", "https://evil.example/cb");
    for _ in 0..3 {
        person.token(&aaa);
    }
    person.token(&quiet);
    wait_until("tokens are learned", || {
        let apps = lines(&program.does(&["apps", "--json"]));
        apps.first()
            .is_some_and(|app| app["tokens"].as_u64() >= Some(1))
    });
    let oldest = lines(&program.does(&["apps", "--sort", "oldest", "--json"]));
    assert_eq!(oldest.len(), 3);
    assert_eq!(oldest[0]["client_id"], aaa.id.as_str());
    let newest = lines(&program.does(&["apps", "--sort", "newest", "--limit", "1", "--json"]));
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0]["client_id"], poser.id.as_str());
    // Cyrillic letters, and only a part of the name.
    let found = lines(&program.does(&["apps", "--name", "аА", "--json"]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["name"], "AaA");

    let shown = program.does(&["apps", "show", &aaa.id]);
    for part in [
        "\"AaA\"",
        OOB,
        "203.0.113.7",
        "tokens",
        "look",
        "token-per-app",
        "left",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains(&aaa.secret), "{shown}");
    let left = |program: &Program| {
        let report = json(&program.does(&["apps", "show", &aaa.id, "--json"]));
        let budgets = report["budgets"]
            .as_array()
            .expect("a running gate")
            .clone();
        let own = budgets
            .into_iter()
            .find(|one| one["limit"] == "token-per-app");
        own.expect("counted")["left"].as_u64().expect("a number")
    };
    let before = left(&program);
    person.token(&aaa);
    assert!(left(&program) < before, "{before}");
    let posing = program.does(&["apps", "show", &poser.id]);
    assert!(posing.contains("called like one"), "{posing}");

    program.does(&["apps", "ban", &aaa.id, "--reason", "a wave", "--for", "7d"]);
    assert_eq!(
        person.ask_token(&aaa, "client_credentials", "read").status,
        403
    );
    program.does(&["apps", "ban", "--name", "Quiet one"]);
    assert_eq!(
        person
            .ask_token(&quiet, "client_credentials", "read")
            .status,
        403
    );
    let shown = program.does(&["apps", "show", &aaa.id]);
    assert!(
        shown.contains("a wave") && shown.contains("unban --id"),
        "{shown}"
    );
    for wrong in [
        &["apps", "ban"][..],
        &["apps", "ban", "x", "--name", "y"],
        &["apps", "--sort", "beauty"],
        &["unban", "--id", "1", "mail-domain", "x.example"],
    ] {
        assert_eq!(program.fails(wrong).0, 64, "{wrong:?}");
    }
    let (code, said) = program.fails(&["apps", "show", "nobody"]);
    assert_eq!((code, said.contains("apps import")), (1, true), "{said}");

    program.signal("TERM");
    program.ended();
    assert_eq!(lines(&program.does(&["apps", "--json"])).len(), 3);
    let report = json(&program.does(&["apps", "show", &aaa.id, "--json"]));
    assert_eq!(report["budgets"], Value::Null);
    assert_eq!(report["entries"][0]["reason"], "a wave");
}
