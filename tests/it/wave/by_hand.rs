//! `tuskgate contain --step`: the built binary, its admin socket and its disk.

use crate::support::judged::{ANA, Stage};
use crate::support::program::Program;

use super::with_gmail;

#[test]
fn a_step_put_by_hand_holds_over_a_restart_until_it_is_let_go() {
    let stage = Stage::new(with_gmail());
    let mut program = Program::serving(&stage, "", "");
    let told = program.does(&["contain", "--step", "4", "--for", "2h"]);
    assert!(told.contains("step 4, all sign-up is closed"), "{told}");
    // Too long a time is none, and never for good.
    let (code, said) = program.fails(&["contain", "--step", "3", "--for", "99999999d"]);
    assert_eq!(
        (code, said.contains("--for goes beyond")),
        (1, true),
        "{said}"
    );
    let told_again = program.does(&["contain", "--step", "4", "--for", "2h", "--json"]);
    let standing: serde_json::Value = serde_json::from_str(&told_again).expect("JSON");
    assert_eq!(standing["step"], 4, "{standing}");
    assert!(!standing["pin"]["until"].is_null(), "{standing}");
    assert!(
        told.contains("to undo: tuskgate contain --step auto"),
        "{told}"
    );
    let refused = program.person(ANA).web_sign_up("a", "a@gmail.com");
    assert_eq!(refused.status, 403, "{}", refused.text());
    let wait: u32 = refused
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((60..=3600).contains(&wait), "{wait}");

    program.cut();
    program.serve(&[]);
    let status = program.does(&["status"]);
    assert!(status.contains("breaker: step 4"), "{status}");
    assert!(status.contains("by itself it would be at 0"), "{status}");
    assert!(status.contains("cold start"), "{status}");
    assert!(
        status.contains("trouble: the breaker is at step 4"),
        "{status}"
    );
    let id = status
        .split("tuskgate explain ")
        .nth(1)
        .and_then(|rest| rest.get(..12))
        .expect("a reference");
    let explained = program.does(&["explain", id]);
    assert!(explained.contains("the breaker has moved"), "{explained}");
    assert!(explained.contains("from step 0 to step 4"), "{explained}");
    let metrics = program.admin("/metrics").text();
    assert!(metrics.contains("tuskgate_wave_step 4"), "{metrics}");

    program.does(&["contain", "--step", "auto"]);
    let made = program.person(ANA).web_sign_up("a", "a@gmail.com");
    assert_eq!(made.status, 302, "{}", made.text());
    let log = program.log();
    assert!(log.contains("the breaker has moved"), "{log}");
}

#[test]
fn wrong_words_are_wrong_usage() {
    let stage = Stage::new(with_gmail());
    let program = Program::idle(&stage, "", "");
    for wrong in [
        &["contain"][..],
        &["contain", "--step", "5"],
        &["contain", "--step", "2", "--for", "soon"],
        &["contain", "--for", "2h"],
        &["contain", "--step", "2", "--tokens", "A3"],
        &["contain", "--release"],
    ] {
        let said = program.verb(wrong);
        assert_eq!(said.status.code(), Some(64), "{wrong:?}");
    }
    let nobody = program.verb(&["contain", "--step", "2"]);
    assert_eq!(nobody.status.code(), Some(1), "no gate runs");
}
