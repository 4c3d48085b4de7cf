//! The gate reads what Rails reads, or refuses: every request is sent raw to
//! the gate; what it forwards must be the bytes that were sent, and two real
//! Rails, asked with those bytes, must reach the action that the gate judged
//! with the parameters that it judged by.
//!
//! The requests: every row of the facts about Mastodon 4.1 and main
//! (`tests/differential/rows.jsonl`, each named after its row), the vectors of
//! `tests/rack`, what honest clients send, and as many as one likes from a
//! grammar of tricks.

mod compare;
mod lane;
mod million;
mod recorder;
mod sent;
mod stage;
mod tricks;
mod witness;

use std::collections::BTreeMap;
use std::path::Path;

use sent::Sent;
use stage::Stage;
use witness::{Verdict, Witness};

/// The lines of a file of vectors.
fn vectors(name: &str) -> Vec<Sent> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).expect("the vectors are checked in");
    text.lines().map(Sent::read).collect()
}

#[test]
fn rows_of_the_facts_and_vectors_of_rack() {
    let stage = Stage::start().expect("the gate and both Rails");
    for (file, least) in [
        ("tests/differential/rows.jsonl", 2_700),
        ("tests/rack/vectors.jsonl", 1_100),
        ("tests/differential/regressions.jsonl", 0),
    ] {
        let vectors = vectors(file);
        assert!(vectors.len() >= least, "only {} in {file}", vectors.len());
        let counts = all(&stage, &vectors);
        tell(file, &counts);
        let compared = counts
            .get("the same to all three")
            .copied()
            .unwrap_or_default();
        assert!(
            compared * 5 >= least,
            "{file}: only {compared} were read by all three"
        );
    }
}

/// Captured from real clients, and those reconstructed from public sources.
#[test]
fn honest_requests_are_never_refused() {
    let stage = Stage::start().expect("the gate and both Rails");
    let captured = vectors("tests/differential/honest.jsonl");
    assert!(captured.len() >= 250, "only {} captured", captured.len());
    let mut honest = vectors("tests/rack/vectors.jsonl");
    honest.retain(|sent| sent.honest);
    assert!(honest.len() >= 150, "only {} reconstructed", honest.len());
    honest.extend(captured);
    let counts = all(&stage, &honest);
    tell("honest", &counts);
    let deleting = |sent: &&Sent| {
        sent.wire("")
            .windows(14)
            .any(|window| window == b"_method=delete")
    };
    let deletes = honest.iter().filter(deleting).count();
    let same = counts.get("the same to all three").copied();
    assert_eq!(
        same,
        Some(honest.len() - deletes),
        "each of the others reaches its door"
    );
}

#[test]
fn a_grammar_of_tricks() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    let enough: u64 = number("TUSKGATE_DIFFERENTIAL").unwrap_or(20_000);
    let now = jiff::Timestamp::now().as_nanosecond();
    let seed: u64 =
        number("TUSKGATE_SEED").unwrap_or(u64::try_from(now % (1 << 62)).expect("62 bits"));
    eprintln!("TUSKGATE_SEED={seed}");
    let stage = Stage::start().expect("the gate and both Rails");
    let tally = million::run(&stage, seed, enough);
    eprintln!(
        "{} requests sent, {} refused by the gate {:?}, {} read by both Rails ({} of them at a door), {} s",
        tally.sent,
        tally.refused,
        tally.statuses,
        tally.at_rails(),
        tally.compared,
        tally.took.as_secs()
    );
    assert!(
        tally.failures.is_empty(),
        "TUSKGATE_SEED={seed}\n{}",
        tally.failures.join("\n")
    );
    assert!(tally.at_rails() >= enough);
    assert!(
        tally.compared * 4 >= tally.at_rails(),
        "too few reach a door: {}",
        tally.compared
    );
}

/// Sends each; fails with every difference, and with every refusal of an honest one.
fn all(stage: &Stage, vectors: &[Sent]) -> BTreeMap<String, usize> {
    let mut witness = Witness::new(stage, "v");
    witness.both_ways = true;
    let mut counts = BTreeMap::new();
    let mut faults = Vec::new();
    for sent in vectors {
        let verdict = witness.send(sent);
        let strays = stage.recorder.faults();
        if !strays.is_empty() {
            faults.push(format!("{strays:?}: {sent:?}"));
        }
        let kind = match verdict {
            verdict if encoded(sent) && verdict != Verdict::Refused(415) => {
                faults.push(format!("an encoded body, and {verdict:?}: {sent:?}"));
                "encoded"
            }
            Verdict::Differs(fault) => {
                faults.push(format!("{fault}: {sent:?}"));
                "differ"
            }
            Verdict::Refused(status) if sent.honest => {
                faults.push(format!("honest, and refused with {status}: {sent:?}"));
                "refused"
            }
            Verdict::Refused(_) => "refused",
            Verdict::Equal { judged: false, .. } => "no door to any of the three",
            Verdict::Equal { compared: 2, .. } => "the same to all three",
            Verdict::Equal { compared: 1, .. } => {
                "the same to one Rails, refused or unrouted by the other"
            }
            Verdict::Equal { .. } => "judged, and refused or unrouted by both Rails",
        };
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    assert!(
        faults.is_empty(),
        "{} of {}:\n{}",
        faults.len(),
        vectors.len(),
        faults.join("\n")
    );
    counts
}

/// A body that Rails would parse as it is, in spite of the one coding it names.
fn encoded(sent: &Sent) -> bool {
    let mut codings = sent
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let coding = codings.next().filter(|_| codings.next().is_none());
    coding.is_some_and(|(_, value)| !value.eq_ignore_ascii_case(b"identity"))
}

fn tell(what: &str, counts: &BTreeMap<String, usize>) {
    eprintln!("{what}");
    for (kind, count) in counts {
        eprintln!("{count:>8}  {kind}");
    }
}
