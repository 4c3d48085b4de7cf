//! The admin listener of the built binary: health, readiness, metrics.

use std::collections::HashMap;

use tuskgate::stand_in::dns::Behaviour;

use crate::support::judged::{ANA, Stage, wait_until, zone};
use crate::support::ports::Port;
use crate::support::program::{Program, stage};

/// A family as OpenMetrics 1.0 writes it.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    helped: bool,
    samples: Vec<(String, f64)>,
}

/// Reads OpenMetrics text strictly: families in one piece, described before
/// their samples, names with the suffixes of their type, ended by `# EOF`.
fn parse(text: &str) -> HashMap<String, Family> {
    let body = text.strip_suffix("# EOF\n").expect("ends with # EOF");
    assert!(!body.contains("# EOF"));
    let mut families: HashMap<String, Family> = HashMap::new();
    let mut current = String::new();
    for line in body.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            let mut words = described.splitn(3, ' ');
            let (what, name) = (words.next().expect(line), words.next().expect(line));
            let rest = words.next().unwrap_or_default();
            if name != current {
                assert!(!families.contains_key(name), "in two pieces: {name}");
                name.clone_into(&mut current);
            }
            let family = families.entry(name.to_owned()).or_default();
            assert!(
                family.samples.is_empty(),
                "described after a sample: {line}"
            );
            match what {
                "HELP" => family.helped = !rest.is_empty(),
                "TYPE" => rest.clone_into(&mut family.kind),
                "UNIT" => assert!(name.ends_with(rest), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        sample(line, &current, families.get_mut(&current).expect(line));
    }
    families
}

fn sample(line: &str, name: &str, family: &mut Family) {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let value: f64 = value.parse().expect(line);
    let (full, labels) = series.split_once('{').unwrap_or((series, "}"));
    let suffix = full.strip_prefix(name).expect(line);
    let suffixes: &[&str] = match family.kind.as_str() {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        other => panic!("{other}: {line}"),
    };
    assert!(suffixes.contains(&suffix), "{line}");
    let labels = labels.strip_suffix('}').expect(line);
    for label in labels.split("\",").filter(|label| !label.is_empty()) {
        let (key, value) = label.split_once("=\"").expect(line);
        assert!(
            key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{line}"
        );
        assert!(value.len() < 60, "{line}");
    }
    family.samples.push((series.to_owned(), value));
}

fn metrics(program: &Program) -> HashMap<String, Family> {
    let answer = program.admin("/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").expect("a type");
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    parse(&answer.text())
}

fn value(families: &HashMap<String, Family>, series: &str) -> f64 {
    let mut all = families.values().flat_map(|family| &family.samples);
    let found = all.find(|(name, _)| name == series);
    found.map_or(0.0, |(_, value)| *value)
}

#[test]
fn metrics_are_strict_openmetrics_and_count_decisions() {
    let stage = stage();
    let program = Program::serving(&stage, "", "[limits]\napp-per-network = \"1/1h\"\n");
    let before = metrics(&program);
    assert!(before.len() > 20, "{}", before.len());
    for (name, family) in &before {
        assert!(name.starts_with("tuskgate_"), "{name}");
        assert!(family.helped && !family.kind.is_empty(), "{name}");
    }
    program.does(&["ban", "mail-domain", "listed.example"]);
    let mut person = program.person(ANA);
    assert_eq!(person.web_sign_up("a", "a@listed.example").status, 422);
    assert_eq!(person.web_sign_up("b", "b@good.example").status, 302);
    person.app("One");
    let spent = person.post(
        "/api/v1/apps",
        &[("client_name", "x"), ("redirect_uris", "y:z")],
    );
    assert_eq!(spent.status, 429);
    let odd = [("Content-Type", "text/plain")];
    person
        .call("POST", "/oauth/token", &odd, b"x")
        .expect("an answer");
    person.get("/health");
    let expected = [
        (
            "tuskgate_decisions_total{rule=\"mail-domain\",mode=\"enforce\",verdict=\"refuse\",reason=\"ban\"}",
            1.0,
        ),
        (
            "tuskgate_decisions_total{rule=\"rate\",mode=\"enforce\",verdict=\"refuse\",reason=\"app-per-network\"}",
            1.0,
        ),
        (
            "tuskgate_decisions_total{rule=\"unreadable\",mode=\"enforce\",verdict=\"refuse\",reason=\"unreadable\"}",
            1.0,
        ),
        (
            "tuskgate_attempts_total{endpoint=\"sign-up\",decision=\"refuse\"}",
            1.0,
        ),
        (
            "tuskgate_attempts_total{endpoint=\"sign-up\",decision=\"admit\"}",
            1.0,
        ),
        (
            "tuskgate_outcomes_total{endpoint=\"sign-up\",outcome=\"create\"}",
            1.0,
        ),
        (
            "tuskgate_outcomes_total{endpoint=\"app-create\",outcome=\"create\"}",
            1.0,
        ),
    ];
    wait_until("all is counted", || {
        let now = metrics(&program);
        expected
            .iter()
            .all(|(series, count)| value(&now, series) == *count)
    });
    let now = metrics(&program);
    let grown = |name: &str| {
        let sum = |families: &HashMap<String, Family>| {
            let samples = families.get(name).map(|family| family.samples.iter());
            samples.map_or(0.0, |samples| samples.map(|(_, value)| value).sum())
        };
        sum(&now) > sum(&before)
    };
    for name in [
        "tuskgate_requests",
        "tuskgate_dns_lookups",
        "tuskgate_limiter_slots",
        "tuskgate_events_recorded",
        "tuskgate_guarded_seconds",
    ] {
        assert!(grown(name), "{name}");
    }
}

#[test]
fn health_and_readiness() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    assert_eq!(program.admin("/healthz").text(), "ok\n");
    assert_eq!(program.admin("/readyz").text(), "ready\n");
    assert_eq!(program.admin("/else").status, 404);
    let mut person = program.person("10.1.2.3");
    assert_eq!(person.web_sign_up("a", "a@good.example").status, 302);
    let ready = program.admin("/readyz");
    assert_eq!(ready.status, 200, "it goes on judging");
    assert!(
        ready.text().contains("10.1.2.3 is private"),
        "{}",
        ready.text()
    );
    assert!(ready.text().contains("trusted-proxies"), "{}", ready.text());
    let told = program.does(&["status"]);
    assert!(
        told.contains("trouble: ") && told.contains("private"),
        "{told}"
    );
    let series = "tuskgate_decisions_total{rule=\"client-ban\",mode=\"enforce\",verdict=\"abstain\",reason=\"client-unknown\"}";
    assert!(value(&metrics(&program), series) >= 1.0);
    let log = program.log();
    assert_eq!(log.matches("is private").count(), 1, "said once: {log}");
}

#[test]
fn a_dead_resolver_is_seen() {
    let mut zone = zone();
    zone.behave_always(Behaviour::Stall);
    let stage = Stage::new(zone);
    let program = Program::serving(&stage, "", "timeout = \"300ms\"\n");
    assert_eq!(
        program
            .person(ANA)
            .web_sign_up("a", "a@good.example")
            .status,
        302
    );
    let ready = program.admin("/readyz").text();
    assert!(
        ready.contains("resolver") && ready.contains("[dns]"),
        "{ready}"
    );
}

#[test]
fn a_dead_upstream_is_seen_until_it_is_back() {
    let stage = stage();
    let nobody = Port::take();
    let address = nobody.address();
    let mut program = Program::idle(&stage, "", "");
    let written = program.written();
    program.write(&written.replace(&stage.mastodon.address().to_string(), &address.to_string()));
    program.serve(&[]);
    assert_eq!(program.person(ANA).get("/health").status, 503);
    let ready = program.admin("/readyz").text();
    assert!(ready.contains("troubles"), "{ready}");
    assert_eq!(
        program
            .person(ANA)
            .web_sign_up("a", "a@nowhere.example")
            .status,
        422,
        "it keeps judging"
    );
    let back = std::net::TcpListener::bind(address).expect("the port is ours");
    std::thread::spawn(move || {
        for mut stream in back.incoming().flatten() {
            let _ = std::io::Write::write_all(
                &mut stream,
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            );
        }
    });
    wait_until("it is back", || {
        program.person(ANA).get("/health").status == 200
    });
    assert_eq!(program.admin("/readyz").text(), "ready\n");
}

#[test]
fn a_damaged_store_is_seen() {
    let stage = stage();
    let mut program = Program::serving(&stage, "", "");
    program.signal("TERM");
    program.ended();
    let file = program.folder().join("store/events.sqlite3");
    std::fs::write(
        file,
        "no database at all, but long enough to be taken for one".repeat(100),
    )
    .expect("a writable folder");
    program.serve(&[]);
    let ready = program.admin("/readyz").text();
    assert!(
        ready.contains("damaged") && ready.contains("events.sqlite3"),
        "{ready}"
    );
    assert_eq!(
        program
            .person(ANA)
            .web_sign_up("a", "a@good.example")
            .status,
        302
    );
}

#[test]
fn observing_is_seen() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    program.serve(&["--observe"]);
    assert!(program.admin("/readyz").text().contains("observing"));
    program.does(&["ban", "mail-domain", "listed.example"]);
    let would = program.person(ANA).web_sign_up("a", "a@listed.example");
    assert_eq!(would.status, 302);
    let series = "tuskgate_decisions_total{rule=\"mail-domain\",mode=\"observe\",verdict=\"refuse\",reason=\"ban\"}";
    assert!(value(&metrics(&program), series) >= 1.0);
}
