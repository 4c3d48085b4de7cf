//! The built binary between the stand-ins, Sidekiq played by openssl and a socket.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Span;
use serde_json::Value;
use tuskgate::cluster::{Change, SeenDomain};
use tuskgate::judge::cluster::keys;
use tuskgate::mail::dns::{MailServer, MxHost};
use tuskgate::mailbox::Domain;
use tuskgate::store::{Store, StoreSettings};

use super::super::support::judged::{ANA, Stage, zone};
use super::super::support::program::Program;
use super::{SECRET, account, deliver, hook, now};

/// A hoster with customers whom the gate has known for a month.
fn hoster() -> Stage {
    let mut zone = zone();
    for number in 0..20 {
        zone.mx(&format!("new{number}.example"), 10, "mx.hoster.example");
        zone.mx(&format!("village{number}.example"), 10, "mx.hoster.example");
    }
    zone.ip("mx.hoster.example", [45, 9, 10, 9]);
    Stage::new(zone)
}

fn remember_villages(program: &Program) {
    let hosts = vec![MxHost {
        name: Domain::new("mx.hoster.example").expect("a domain"),
        preference: 10,
        ips: vec!["45.9.10.9".parse().expect("an address")],
    }];
    let keys = keys::keys(&MailServer {
        hosts,
        implicit: false,
    });
    let path = program.folder().join("store");
    let store = Store::open(&StoreSettings::new(path)).expect("a store");
    let month_ago = (now() - Span::new().hours(24 * 30)).as_second();
    for number in 0..4 {
        let domain = Domain::new(&format!("village{number}.example")).expect("a domain");
        let seen = SeenDomain {
            first: month_ago,
            last: month_ago,
            accounts: 1,
            confirmed: 0,
            keys: Arc::clone(&keys),
        };
        store.keep_cluster(Change::Domain(domain, Some(seen)));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(store.flush()).expect("a disk");
}

fn serving_hooks(stage: &Stage) -> Program {
    serving(stage, "")
}

fn serving(stage: &Stage, more: &str) -> Program {
    let secret = format!("secret = \"{SECRET}\"\n");
    let tables = format!(
        "[webhooks]\naddress = \"127.0.0.1:0\"\n{secret}[rules.mail-cluster]\nmode = \"enforce\"\n{more}"
    );
    let mut program = Program::idle(stage, "", &tables);
    remember_villages(&program);
    program.serve(&[]);
    program
}

fn status(program: &Program) -> Value {
    serde_json::from_str(&program.does(&["status", "--json"])).expect("JSON")
}

fn hooks_at(program: &Program) -> SocketAddr {
    let at = status(program)["webhooks"]
        .as_str()
        .expect("it listens")
        .parse();
    at.expect("an address")
}

#[test]
fn confirmations_lift_a_condemnation_end_to_end() {
    let stage = hoster();
    let mut program = serving_hooks(&stage);
    let address = hooks_at(&program);
    let sign_up = |program: &Program, name: &str, domain: &str| {
        let mut person = program.person(ANA);
        person.web_sign_up(name, &format!("{name}@{domain}")).status
    };
    let mut refused = 0;
    for number in 0..12 {
        let (name, domain) = (format!("n{number}"), format!("new{number}.example"));
        match sign_up(&program, &name, &domain) {
            302 => {
                let body = hook(
                    "account.created",
                    &account(100 + number, &format!("{name}@{domain}"), false),
                    now(),
                );
                assert_eq!(deliver(address, &body), 200);
            }
            422 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused > 4, "{refused} refused");
    let shown = program.does(&["clusters", "show", "M1"]);
    assert!(
        shown.contains("100 unconfirmed") && shown.contains("n0"),
        "{shown}"
    );
    assert!(
        shown.contains("4    domains") && shown.contains("1    networks"),
        "{shown}"
    );

    // A suspect confirms: that lifts nothing, and is shown.
    let suspect = hook(
        "account.approved",
        &account(100, "n0@new0.example", true),
        now(),
    );
    assert_eq!(deliver(address, &suspect), 200);
    assert!(
        program
            .does(&["clusters", "show", "M1"])
            .contains("100 confirmed")
    );
    assert_eq!(sign_up(&program, "x", "new15.example"), 422);

    for number in 0..3 {
        let (name, domain) = (format!("v{number}"), format!("village{number}.example"));
        assert_eq!(
            sign_up(&program, &name, &domain),
            302,
            "who was here before passes"
        );
        let email = format!("{name}@{domain}");
        for (event, confirmed) in [("account.created", false), ("account.approved", true)] {
            let body = hook(event, &account(200 + number, &email, confirmed), now());
            assert_eq!(deliver(address, &body), 200);
            assert_eq!(deliver(address, &body), 200);
        }
        let lifted = program.does(&["clusters", "--all"]).contains("ended");
        assert_eq!(
            lifted,
            number == 2,
            "three people, however often it is said"
        );
    }
    assert_eq!(sign_up(&program, "y", "new16.example"), 302);

    // A recorded body is of no use after a restart either.
    let replayed = hook(
        "account.approved",
        &account(203, "v3@village3.example", true),
        now(),
    );
    assert_eq!(deliver(address, &replayed), 200);
    program.cut();
    program.serve(&[]);
    let address = hooks_at(&program);
    assert_eq!(deliver(address, &replayed), 200);
    assert_eq!(status(&program)["heard"]["events"], 0, "heard before");
    let told = program.does(&["status"]);
    assert!(told.contains("webhooks on http://127.0.0.1:"), "{told}");
    assert!(!program.log().contains(SECRET) && !program.log().contains("v3@"));
    for file in std::fs::read_dir(program.folder().join("store")).expect("a folder") {
        let path = file.expect("a file").path();
        let kept = std::fs::read(&path).unwrap_or_default();
        let holds = |what: &[u8]| kept.windows(what.len()).any(|bytes| bytes == what);
        let clear = holds(b"v3@village3") || holds(SECRET.as_bytes());
        assert!(!clear, "{}", path.display());
    }
}

#[test]
fn a_bypass_is_said_in_status_log_and_metrics() {
    let stage = hoster();
    let program = serving_hooks(&stage);
    let address = hooks_at(&program);
    assert_eq!(
        program
            .person(ANA)
            .web_sign_up("a", "a@good.example")
            .status,
        302
    );
    for number in 0..3 {
        let body = hook(
            "account.created",
            &account(300 + number, &format!("eve{number}@good.example"), false),
            now(),
        );
        assert_eq!(deliver(address, &body), 200);
    }
    let told = program.does(&["status"]);
    assert!(
        told.contains("3 accounts came to be beside the gate"),
        "{told}"
    );
    assert!(
        told.contains("trouble: an account came to be beside the gate: @eve2"),
        "{told}"
    );
    let doctor = program.verb(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("3 accounts came to be that the gate never let through"),
        "{doctor}"
    );
    let metrics = program.admin("/metrics").text();
    assert!(metrics.contains("tuskgate_bypasses_total 3"), "{metrics}");
    let log = program.log();
    assert_eq!(
        log.matches("beside the gate").count(),
        1,
        "said once: {log}"
    );
    let id = log
        .split("event ")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .expect("a reference");
    let explained = program.does(&["explain", id]);
    assert!(explained.contains("eve0"), "{explained}");
    assert!(explained.contains("never let through"), "{explained}");
}

#[test]
fn people_through_condemned_apps_are_shown() {
    let stage = hoster();
    let more = "[rules.app-cluster]\nmode = \"enforce\"\n";
    let program = serving(&stage, more);
    let address = hooks_at(&program);
    let mut ana = program.person(ANA);
    let app = ana.app("AaA");
    let token = ana.token(&app);
    for (number, email) in ["eve@good.example", "joe@new1.example"].iter().enumerate() {
        let name = email.split('@').next().expect("a name");
        assert_eq!(ana.sign_up(&token, name, email).status, 200);
        let body = hook(
            "account.created",
            &account(400 + number as u64, email, number == 1),
            now(),
        );
        assert_eq!(deliver(address, &body), 200);
    }
    for _ in 0..20 {
        let fields = [("client_name", "AaA"), ("redirect_uris", "x:y")];
        ana.post("/api/v1/apps", &fields);
    }
    let shown = program.does(&["clusters", "show", "A1"]);
    for part in [
        "400 unconfirmed",
        "401 confirmed",
        "eve",
        "joe",
        "good.example",
        &app.id,
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
