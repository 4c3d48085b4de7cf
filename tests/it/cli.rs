//! The command line, on the built binary.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::judged::{ANA, BAD_SERVER, BEN, wait_until};
use crate::support::program::{PROGRAM, Program, lines, stage};
use crate::support::{TRIES, assert_once_within};

const VERBS: [&str; 19] = [
    "serve",
    "demo",
    "doctor",
    "check",
    "ban",
    "allow",
    "unban",
    "bans",
    "explain",
    "events",
    "replay",
    "clusters",
    "contain",
    "mail-server",
    "apps",
    "status",
    "reload",
    "store",
    "completions",
];

#[test]
fn every_verb_helps_even_with_a_broken_configuration() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    program.write("this is = not [ toml");
    for verb in VERBS {
        let help = program.does(&[verb, "--help"]);
        assert!(help.contains("Usage:") && help.len() > 80, "{verb}: {help}");
        let all = Command::new(PROGRAM)
            .arg("--help")
            .output()
            .expect("it runs");
        assert!(
            String::from_utf8_lossy(&all.stdout).contains(verb),
            "{verb}"
        );
    }
    let version = Command::new(PROGRAM)
        .arg("--version")
        .output()
        .expect("it runs");
    assert!(String::from_utf8_lossy(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn exit_codes_tell_usage_configuration_and_the_rest_apart() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    assert!(program.does(&["check"]).contains("right"));
    for wrong in [
        &["check", "--nonsense"][..],
        &["ban"],
        &["ban", "network"],
        &["explain", "short"],
        &["unban"],
        &["ban", "app"],
    ] {
        assert_eq!(program.fails(wrong).0, 64, "{wrong:?}");
    }
    let unknown = Command::new(PROGRAM)
        .arg("nonsense")
        .output()
        .expect("it runs");
    assert_eq!(unknown.status.code(), Some(64));
    assert_eq!(program.fails(&["ban", "network", "no-network"]).0, 1);
    let nothing = Command::new(PROGRAM).output().expect("it runs");
    assert_eq!(nothing.status.code(), Some(64));
    let help = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(help.contains("Examples:"), "{help}");
    let (code, said) = program.fails(&["ban", "mail-domain", "x.example", "--for", "99999999d"]);
    assert_eq!(
        (code, said.contains("--for goes beyond")),
        (1, true),
        "{said}"
    );
    let (code, said) = program.fails(&["status"]);
    assert_eq!(code, 1);
    assert!(said.contains("tuskgate serve"), "what to do: {said}");

    let good = program.written();
    program.write(&format!(
        "{good}[rules.rate]\nmode = \"maybe\"\n[limits]\ntoken-per-ap = \"3/1h\"\n"
    ));
    for verb in ["check", "serve", "bans", "status", "reload"] {
        let (code, said) = program.fails(&[verb]);
        assert_eq!(code, 78, "{verb}: {said}");
        for mistake in ["maybe", "enforce", "token-per-ap", "token-per-app"] {
            assert!(said.contains(mistake), "{verb}: {mistake}: {said}");
        }
    }
    program.write(&format!("{good}[lists]\nnetworks = \"missing.txt\"\n"));
    let (code, said) = program.fails(&["check"]);
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("missing.txt"), "{said}");
    assert!(program.does(&["check", "--no-lists"]).contains("right"));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let made = Command::new(PROGRAM).args(["completions", shell]).output();
        let made = made.expect("it runs");
        let text = String::from_utf8(made.stdout).expect("text");
        assert!(made.status.success());
        for verb in VERBS {
            assert!(text.contains(verb), "{shell}: {verb}");
        }
    }
}

/// Straight on the store, without a gate; and the gate that starts later knows.
#[test]
fn bans_without_a_running_gate() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    let made = program.does(&[
        "ban",
        "network",
        "45.9.9.0/24",
        "--for",
        "7d",
        "--reason",
        "bots",
        "--json",
    ]);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(made["subject"]["value"], "45.9.9.0/24");
    assert_eq!(
        made["scopes"],
        serde_json::json!({"sign-up": true, "mail": true, "all": false})
    );
    program.does(&["ban", "mail-domain", "Listed.Example."]);
    program.does(&[
        "ban",
        "mail-server",
        "mx.evil.example",
        "--reason",
        "theirs",
    ]);
    program.does(&["ban", "address", "eve@good.example"]);
    program.does(&["ban", "address", "mallory@good.example", "--with-variants"]);
    program.does(&["ban", "app", "--client-id", "abc"]);
    program.does(&["ban", "app", "--name", "AaA"]);
    program.does(&["ban", "app", "--redirect-uri", "https://evil.example/cb"]);
    program.does(&["ban", "app", "--website", "spam.example"]);
    program.does(&["allow", "mail-domain", "good.listed.example"]);
    program.does(&["allow", "app", "--client-id", "def"]);
    let (code, said) = program.fails(&["allow", "app", "--name", "AaA"]);
    assert_eq!((code, said.contains("--client-id")), (1, true));

    let all = lines(&program.does(&["bans", "--json"]));
    assert_eq!(all.len(), 11);
    let kinds: Vec<_> = all
        .iter()
        .filter_map(|ban| ban["subject"]["kind"].as_str())
        .collect();
    for kind in [
        "network",
        "mail-domain",
        "mail-server",
        "address",
        "canonical-address",
        "client-id",
        "app-name",
        "redirect-uri",
        "website",
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let told = program.does(&["bans"]);
    assert!(!told.contains("eve") && !told.contains("mallory"), "{told}");
    assert_eq!(
        lines(&program.does(&["bans", "--kind", "website", "--json"])).len(),
        1
    );

    program.does(&["unban", "mail-domain", "listed.example"]);
    let id = made["id"].to_string();
    assert!(
        program
            .does(&["unban", "--id", &id])
            .contains("45.9.9.0/24")
    );
    assert_eq!(program.fails(&["unban", "--id", &id]).0, 1);
    assert_eq!(
        program
            .fails(&["unban", "mail-domain", "good.listed.example"])
            .0,
        1
    );
    program.does(&["unban", "mail-domain", "good.listed.example", "--allow"]);

    program.serve(&[]);
    assert_eq!(lines(&program.does(&["bans", "--json"])).len(), 8);
    let refused = program.person(ANA).web_sign_up("eve", "eve@good.example");
    assert_eq!(refused.status, 422, "{}", refused.text());
}

/// In force on the running gate within a second, for the very next request after
/// the command returns, and on disk by then.
#[test]
fn a_ban_counts_at_once_and_survives_a_power_cut() {
    let stage = stage();
    let mut program = Program::serving(&stage, "", "");
    let mut person = program.person(ANA);
    assert_eq!(person.web_sign_up("a", "a@bot.example").status, 302);
    program.does(&["ban", "network", BAD_SERVER, "--scope", "mail"]);
    assert_eq!(person.web_sign_up("b", "b@bot.example").status, 422);
    let took = [(); TRIES].map(|()| {
        let mut there = program.person(BEN);
        assert_eq!(there.get("/health").status, 200);
        let began = Instant::now();
        program.does(&["ban", "network", BEN, "--scope", "all"]);
        assert_eq!(there.get("/health").status, 403);
        let took = began.elapsed();
        program.does(&["unban", "network", BEN]);
        took
    });
    assert_once_within(Duration::from_secs(1), &took);
    program.does(&["ban", "network", "203.0.113.0/24", "--scope", "all"]);
    assert_eq!(person.get("/health").status, 403);
    program.cut();

    program.serve(&[]);
    assert_eq!(program.person(ANA).get("/health").status, 403);
    assert_eq!(
        program.person(BEN).web_sign_up("c", "c@bot.example").status,
        422
    );
    assert_eq!(lines(&program.does(&["bans", "--json"])).len(), 2);
    program.does(&["unban", "network", "203.0.113.0/24"]);
    assert_eq!(program.person(ANA).get("/health").status, 200);
}

#[test]
fn a_ban_ends_by_itself() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    program.does(&[
        "ban",
        "network",
        "203.0.113.0/24",
        "--scope",
        "all",
        "--for",
        "1s",
    ]);
    assert_eq!(program.person(ANA).get("/health").status, 403);
    wait_until("the ban has ended", || {
        program.person(ANA).get("/health").status == 200
    });
    assert!(program.does(&["bans"]).is_empty());
}

#[test]
fn explain_tells_the_attempt_the_verdicts_and_the_remedy() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    program.does(&[
        "ban",
        "network",
        BAD_SERVER,
        "--scope",
        "mail",
        "--reason",
        "the wave of May",
    ]);
    let refused = program.person(ANA).web_sign_up("aaa1", "aaa1@bot.example");
    let reference = refused
        .header("x-tuskgate-reference")
        .expect("a reference")
        .to_owned();
    let told = program.does(&["explain", &reference.to_lowercase()]);
    for part in [
        reference.as_str(),
        "sign-up (row 1)",
        ANA,
        "aaa1",
        "bot.example",
        "mail.bot.example",
        BAD_SERVER,
        "refused",
        "mail-server (enforce) refuse",
        "the wave of May",
        "to undo: tuskgate unban --id",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("aaa1@"), "{told}");
    let json: Value =
        serde_json::from_str(&program.does(&["explain", &reference, "--json"])).expect("JSON");
    assert_eq!(json["admitted"], false);
    assert_eq!(json["verdicts"][0]["rule"], "mail-server");
    let undo = told.split("to undo: tuskgate ").nth(1).expect("a command");
    let undo: Vec<_> = undo.split_whitespace().collect();
    program.does(undo.get(..3).expect("unban --id N"));
    assert_eq!(
        program
            .person(ANA)
            .web_sign_up("aaa1", "aaa1@bot.example")
            .status,
        302
    );
    let (code, said) = program.fails(&["explain", "000000000000"]);
    assert_eq!((code, said.contains("retention")), (1, true), "{said}");
}

fn export(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, text).expect("a writable folder");
    file.display().to_string()
}

#[test]
fn apps_are_imported_from_csv_and_json_lines() {
    let stage = stage();
    let program = Program::serving(&stage, "", "[limits]\ncode-per-app = \"1/1h\"\n");
    let csv = export(
        program.folder(),
        "apps.csv",
        "uid,name,redirect_uri,website,created_at\n\
         csv-1,\"Old, friend\",\"https://old.example/cb\nurn:x\",https://old.example,2019-02-03 04:05:06.789\n\
         csv-2,Plain,urn:ietf:wg:oauth:2.0:oob,,\n",
    );
    let jsonl = export(
        program.folder(),
        "apps.jsonl",
        "{\"uid\":\"json-1\",\"name\":\"AaA\",\"redirect_uri\":\"https://evil.example/cb\",\"website\":null}\n\n",
    );
    assert!(
        program
            .does(&["apps", "import", &csv])
            .starts_with("2 apps read, 2 new")
    );
    assert!(
        program
            .does(&["apps", "import", &jsonl])
            .starts_with("1 app read, 1 new")
    );
    assert!(
        program
            .does(&["apps", "import", &csv])
            .starts_with("2 apps read, 0 new")
    );
    let again: Value = serde_json::from_str(&program.does(&["apps", "import", &csv, "--json"]))
        .expect("one object");
    assert_eq!(again, serde_json::json!({"read": 2, "new": 0}));
    program.does(&["ban", "app", "--name", "aaa"]);
    program.does(&["ban", "app", "--redirect-uri", "old.example"]);
    let mut person = program.person(ANA);
    let page = |id: &str| format!("/oauth/authorize?client_id={id}");
    assert_eq!(person.get(&page("json-1")).status, 403);
    assert_eq!(person.get(&page("csv-1")).status, 403);
    assert_eq!(
        person.get(&page("csv-2")).status,
        404,
        "reached the upstream"
    );
    for (name, text) in [
        ("bad.csv", "a,b\n1,2\n"),
        ("bad.jsonl", "{\"uid\":1}\n"),
        ("apps.txt", "x"),
        ("missing.csv", ""),
    ] {
        let file = export(program.folder(), name, text);
        if text.is_empty() {
            fs::remove_file(&file).expect("just written");
        }
        let (code, said) = program.fails(&["apps", "import", &file]);
        assert_eq!((code, said.contains(name)), (1, true), "{said}");
    }
}

#[test]
fn status_says_where_and_what() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    program.does(&["ban", "mail-domain", "x.example"]);
    let status: Value = serde_json::from_str(&program.does(&["status", "--json"])).expect("JSON");
    assert_eq!(status["upstream"], stage.mastodon.address().to_string());
    assert_eq!(
        (&status["bans"], &status["observe"]),
        (&1.into(), &false.into())
    );
    assert_eq!(status["troubles"], serde_json::json!([]));
    let told = program.does(&["status"]);
    assert!(told.contains(&program.address().to_string()), "{told}");
    assert!(told.contains("1 ban or allow entry"), "{told}");
}

/// Two gates on one store or socket would each believe half of the truth.
#[test]
fn a_second_gate_on_the_same_store_does_not_start() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    let (code, said) = program.fails(&["serve"]);
    assert_eq!(code, 1);
    assert!(said.contains("store"), "{said}");
    assert_eq!(program.person(ANA).get("/health").status, 200);
    let socket = fs::metadata(program.folder().join("admin.sock")).expect("a socket");
    let mode = std::os::unix::fs::PermissionsExt::mode(&socket.permissions());
    assert_eq!(mode & 0o777, 0o600);
}
