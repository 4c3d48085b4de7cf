//! Three gates as an admin runs them: the built binary, a file each, one Redis.

use std::fs::{create_dir, write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::support::judged::{Stage, wait_until};
use crate::support::program::{PROGRAM, Program};
use crate::support::redis::{Make, Server};

const BOTS: usize = 30;

fn stage() -> Stage {
    let mut zone = crate::support::judged::zone();
    for number in 0..BOTS {
        zone.mx(&format!("b{number}.example"), 10, "mx.bots.example");
    }
    zone.ip("mx.bots.example", std::net::Ipv4Addr::new(45, 9, 10, 9));
    Stage::new(zone)
}

fn gate(stage: &Stage, server: &Server) -> Program {
    let rules = "[rules.mail-cluster]\nmode = \"enforce\"\n";
    let mut program = Program::idle(stage, "", rules);
    let store = format!("[store]\nurl = \"{}\"\ntimeout = \"1s\"\n", server.url());
    program.write(&program.written().replace("[store]\n", &store));
    let folder = program.folder().join("store");
    create_dir(&folder).expect("made");
    let key = folder.join("key");
    write(&key, "07".repeat(32)).expect("written");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("kept");
    program.serve(&[]);
    wait_until("it shares", || {
        let metrics = program.admin("/metrics").text();
        metrics.contains("tuskgate_shared_up 1") && metrics.contains("tuskgate_shared_hearing 1")
    });
    program
}

/// The last hour's, as its breaker counts them.
fn accounts(gate: &Program) -> u64 {
    let status: Value = serde_json::from_str(&gate.does(&["status", "--json"])).expect("JSON");
    let rates = status["breaker"]["rates"].as_array().expect("a list");
    let accounts = rates.iter().find(|rate| rate["kind"] == "sign-up");
    accounts.expect("one of them")["now"][1]
        .as_u64()
        .expect("a count")
}

fn condemned(gate: &Program) -> String {
    gate.does(&["clusters"])
}

#[test]
fn three_gates_condemn_together_and_release_together() {
    let server = Server::start(Make::Redis, &[]);
    let stage = stage();
    let gates = [(); 3].map(|()| gate(&stage, &server));
    let mut passed = 0;
    for number in 0..BOTS {
        let mut person = gates[number % 3].person(&format!("198.51.{number}.7"));
        let name = format!("bot{number}");
        let answer = person.web_sign_up(&name, &format!("{name}@b{number}.example"));
        passed += usize::from(answer.status == 302);
        // One after the other: what the breakers count is told last.
        wait_until("all have heard of it", || {
            gates.iter().all(|gate| accounts(gate) == passed as u64)
        });
    }
    assert!((3..=6).contains(&passed), "{passed} bots were let in");
    wait_until("all list it", || {
        let first = condemned(&gates[0]);
        !first.is_empty() && gates.iter().all(|gate| id(&condemned(gate)) == id(&first))
    });
    let one = condemned(&gates[1]);
    assert_eq!(one.lines().count(), 1, "{one}");
    let released = Command::new(PROGRAM)
        .args(["clusters", "release", id(&one), "--config"])
        .arg(gates[2].config())
        .output()
        .expect("the binary runs");
    assert!(released.status.success(), "{released:?}");
    wait_until("it is released on all", || {
        gates.iter().all(|gate| condemned(gate).is_empty())
    });
}

/// The number at the beginning of a line.
fn id(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}
