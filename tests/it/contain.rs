//! `contain --tokens` and its words on the built binary: why none is contained,
//! what is, what the lists show of it, and which flags do not go together.

use crate::support::judged::{ANA, Stage, wait_until};
use crate::support::program::{Program, stage};

/// A burst of look-alike apps, some of which were let be made; each has a token.
fn burst(program: &Program) -> Vec<String> {
    let mut tokens = Vec::new();
    for number in 0..20 {
        let mut bot = program.person(&format!("81.2.{number}.5"));
        let fields = [
            ("client_name", "AaA"),
            ("redirect_uris", "urn:ietf:wg:oauth:2.0:oob"),
        ];
        let made = bot.post("/api/v1/apps", &fields);
        if made.status != 200 {
            assert!(program.does(&["clusters"]).starts_with("A1 "));
            return tokens;
        }
        let app = crate::support::judged::Credential::of(&made);
        tokens.push(bot.token(&app));
    }
    panic!("no burst was seen");
}

fn status_of(program: &Program, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let answer = program
        .person(ANA)
        .call("GET", "/api/v1/timelines/home", &headers, b"");
    answer.expect("an answer").status
}

#[test]
fn the_tokens_of_a_burst_are_contained_shown_and_let_go() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    let tokens = burst(&program);
    let before = status_of(&program, &tokens[0]);
    assert_ne!(before, 401);
    assert!(!program.does(&["clusters"]).contains("contained"));
    wait_until("every token is learned", || {
        program.does(&["contain", "--tokens", "A1", "--release"]);
        let told = program.does(&["contain", "--tokens", "A1"]);
        told.contains(&format!("A1 is contained: {} tokens of", tokens.len()))
    });
    for token in &tokens {
        assert_eq!(status_of(&program, token), 401);
    }
    for verb in [
        &["clusters"][..],
        &["clusters", "list"],
        &["clusters", "show", "A1"],
    ] {
        let told = program.does(verb);
        assert!(told.contains("tokens contained"), "{verb:?}: {told}");
    }
    let shown = program.does(&["clusters", "show", "A1"]);
    assert!(!shown.contains("for the 1st time"), "{shown}");
    let again = program.does(&["contain", "--tokens", "A1"]);
    assert!(again.contains("already contained"), "{again}");
    let told = program.does(&["contain", "--tokens", "A1", "--release"]);
    assert!(told.contains("A1 is let go"), "{told}");
    assert_eq!(status_of(&program, &tokens[0]), before);
    let told = program.does(&["contain", "--tokens", "A1", "--release"]);
    assert!(told.contains("was not contained"), "{told}");
    let released = program.does(&["clusters", "release", "A1", "--json"]);
    let released: serde_json::Value = serde_json::from_str(&released).expect("one object");
    assert_eq!(released["id"], "A1");
    assert_eq!(released["ended"][1], "by hand");
    let told = program.does(&["contain", "--tokens", "A1"]);
    assert!(
        told.contains("no token is contained: A1 has been released"),
        "{told}"
    );
    let (code, said) = program.fails(&["contain", "--tokens", "A99"]);
    assert_eq!((code, said.contains("clusters --all")), (1, true), "{said}");
}

#[test]
fn observing_is_said_to_be_why_nothing_is_held_back() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    program.serve(&["--observe"]);
    let told = program.does(&["contain", "--step", "2"]);
    assert!(
        told.contains("only observed, as everything is: --observe"),
        "{told}"
    );
    assert!(!told.contains("[rules.wave]"), "{told}");
    let told = program.does(&["status"]);
    assert!(told.contains("observes only: nothing is refused"), "{told}");
    drop(program);
    let program = Program::serving(&stage, "", "[rules.wave]\nmode = \"observe\"\n");
    let told = program.does(&["contain", "--step", "2"]);
    assert!(
        told.contains("(only observed: [rules.wave] mode)"),
        "{told}"
    );
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    let stage = Stage::new(crate::support::judged::zone());
    let program = Program::idle(&stage, "", "");
    for (wrong, said) in [
        (&["contain"][..], "--tokens"),
        (
            &["contain", "--tokens", "A3", "--step", "2"],
            "cannot be used",
        ),
        (&["contain", "--tokens", "A3", "--for", "2h"], "--for"),
        (&["contain", "--release"], "--tokens"),
        (&["contain", "--step", "2", "--release"], "--release"),
        (
            &["contain", "--tokens", "A3", "--release", "--step", "auto"],
            "cannot be used",
        ),
        (&["contain", "--for", "2h"], "--for"),
        (&["contain", "--step", "auto", "--for", "2h"], "--for"),
        (&["contain", "--step", "5"], "--step"),
        (&["contain", "--step", "1", "--for", "0s"], "--for"),
        (&["contain", "--tokens", "3"], "--tokens"),
        (&["contain", "--tokens", "a burst"], "--tokens"),
    ] {
        let (code, heard) = program.fails(wrong);
        assert_eq!(code, 64, "{wrong:?}: {heard}");
        assert!(heard.contains(said), "{wrong:?}: {said}: {heard}");
    }
}
