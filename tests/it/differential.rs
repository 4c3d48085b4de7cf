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
mod recorder;
mod sent;
mod stage;
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
fn vectors_of_rack() {
    let stage = Stage::start().expect("the gate and both Rails");
    let vectors = vectors("tests/rack/vectors.jsonl");
    assert!(vectors.len() >= 1_000, "only {} vectors", vectors.len());
    tell(&all(&stage, &vectors));
}

/// Sends each; fails with every difference, and with every refusal of an honest one.
fn all(stage: &Stage, vectors: &[Sent]) -> BTreeMap<String, usize> {
    let mut witness = Witness::new(stage, "v");
    let mut counts = BTreeMap::new();
    let mut faults = Vec::new();
    for sent in vectors {
        let verdict = witness.send(sent);
        let strays = stage.recorder.faults();
        if !strays.is_empty() {
            faults.push(format!("{strays:?}: {sent:?}"));
        }
        let kind = match verdict {
            Verdict::Differs(fault) => {
                faults.push(format!("{fault}: {sent:?}"));
                "differ"
            }
            Verdict::Refused(status) if sent.honest => {
                faults.push(format!("honest, and refused with {status}: {sent:?}"));
                "refused"
            }
            Verdict::Refused(_) => "refused",
            Verdict::Equal { compared: 2 } => "equal at both",
            Verdict::Equal { compared: 1 } => "equal at one, no door at the other",
            Verdict::Equal { .. } => "no door",
        };
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), vectors.len(), faults.join("\n"));
    counts
}

fn tell(counts: &BTreeMap<String, usize>) {
    for (kind, count) in counts {
        eprintln!("{count:>8}  {kind}");
    }
}
