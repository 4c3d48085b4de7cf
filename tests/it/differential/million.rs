//! Many generated requests, by several clients at a time, until enough of them
//! have been read by both Rails.
//!
//! `TUSKGATE_DIFFERENTIAL` says how many (20,000 else), `TUSKGATE_SEED` repeats
//! a run. A request that differs is shrunk, printed with its seed and added to
//! `tests/differential/regressions.jsonl`, which is run ever after.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::sent::Sent;
use super::stage::Stage;
use super::tricks;
use super::witness::{Verdict, Witness};

/// Clients at a time: enough to keep both Rails busy.
const CLIENTS: u64 = 6;
/// How often a failing request is made simpler.
const SHRINKS: usize = 400;

/// What a run came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// Answered by the gate itself; the upstream heard nothing.
    pub(crate) refused: u64,
    /// Sent to both Rails: no door to any of the three, or judged and reached nowhere.
    pub(crate) no_door: u64,
    /// Sent to both Rails and read alike by at least one that reached the door.
    pub(crate) compared: u64,
    /// Of those refused, by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) failures: Vec<String>,
    pub(crate) took: Duration,
}

impl Tally {
    /// How many were read by both Rails.
    pub(crate) fn at_rails(&self) -> u64 {
        self.no_door + self.compared
    }
}

/// Sends until `enough` requests were read by both Rails.
pub(crate) fn run(stage: &Stage, seed: u64, enough: u64) -> Tally {
    let began = Instant::now();
    let tally = Mutex::new(Tally::default());
    let read = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (tally, read) = (&tally, &read);
            scope.spawn(move || one_client(stage, (seed, client), (began, enough), read, tally));
        }
    });
    let mut tally = tally.into_inner().expect("no client panics");
    tally.failures.extend(stage.recorder.faults());
    tally.took = began.elapsed();
    tally
}

fn runner(seed: u64, client: u64) -> TestRunner {
    let mut bytes = [0; 32];
    for (into, from) in bytes
        .iter_mut()
        .zip(seed.to_be_bytes().into_iter().chain(client.to_be_bytes()))
    {
        *into = from;
    }
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

fn one_client(
    stage: &Stage,
    (seed, client): (u64, u64),
    (began, enough): (Instant, u64),
    read: &AtomicU64,
    tally: &Mutex<Tally>,
) {
    let mut witness = Witness::new(stage, &format!("g{client}"));
    let mut runner = runner(seed, client);
    let strategy = tricks::request();
    let mut own = Tally::default();
    while read.load(Ordering::Relaxed) < enough && own.failures.is_empty() {
        let mut tree = strategy
            .new_tree(&mut runner)
            .expect("the grammar refuses nothing");
        let sent = tree.current();
        own.sent += 1;
        match witness.send(&sent) {
            Verdict::Refused(status) => {
                own.refused += 1;
                *own.statuses.entry(status).or_default() += 1;
            }
            Verdict::Equal { compared, .. } => {
                progress(read.fetch_add(1, Ordering::Relaxed) + 1, enough, began);
                *if compared > 0 {
                    &mut own.compared
                } else {
                    &mut own.no_door
                } += 1;
            }
            Verdict::Differs(_) => {
                let failure = shrink(&mut witness, &mut tree);
                own.failures.push(format!(
                    "seed {seed}, client {client}, request {}: {failure}",
                    own.sent
                ));
                read.store(enough, Ordering::Relaxed);
            }
        }
    }
    let mut all = tally.lock().expect("no client panics");
    all.sent += own.sent;
    all.refused += own.refused;
    all.no_door += own.no_door;
    all.compared += own.compared;
    for (status, count) in own.statuses {
        *all.statuses.entry(status).or_default() += count;
    }
    all.failures.extend(own.failures);
}

/// A line now and then: a long run takes an hour.
fn progress(read: u64, enough: u64, began: Instant) {
    if read.is_multiple_of((enough / 50).max(5_000)) {
        let took = began.elapsed().as_secs();
        eprintln!("{read} of {enough} so far, {took} s");
    }
}

/// The simplest request found that still differs; kept as a vector.
fn shrink(witness: &mut Witness, tree: &mut impl ValueTree<Value = Sent>) -> String {
    let mut simplest = tree.current();
    let mut fault = String::from("differs only sometimes");
    let mut tries = 0;
    let mut further = true;
    while further && tries < SHRINKS {
        tries += 1;
        let sent = tree.current();
        further = match witness.send(&sent) {
            Verdict::Differs(found) => {
                (simplest, fault) = (sent, found);
                tree.simplify()
            }
            _ => tree.complicate(),
        };
    }
    keep(&simplest, &fault);
    format!("{fault}: {simplest:?}")
}

fn keep(sent: &Sent, fault: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/regressions.jsonl");
    let mut kept = sent.clone();
    kept.source = format!("regression: {fault}");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    let _ = file.and_then(|mut file| writeln!(file, "{}", kept.line()));
}
