//! Every case on every seed: what the gate has seen before, then an attack among people.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use tuskgate::cluster::{Cluster, MailKey};
use tuskgate::judge::replay::Past;

use crate::attack::{ATTACKS, Attack};
use crate::dice::Dice;
use crate::honest::{self, SIZES, Size, Span};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::people::Kind;
use crate::play::Run;

/// The first day of the present; a midnight.
pub(crate) const T0: i64 = 1_700_006_400;
const DAY: i64 = 86_400;
/// When the rush begins, and when an attack on a calm day.
const RUSH: i64 = T0 + 9 * 3600;
const CALM: i64 = T0 + 1800;
const PAST: i64 = 40 * DAY;

/// Where and how an attack was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Case {
    pub(crate) attack: usize,
    pub(crate) size: usize,
    pub(crate) start: Start,
    pub(crate) rush: bool,
    pub(crate) webhooks: bool,
}

/// What the gate has seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Start {
    Cold,
    Warm,
}

pub(crate) type Results = BTreeMap<Case, Vec<Outcome>>;

/// Every case on every seed, on two threads.
pub(crate) fn all(options: &Options) -> Results {
    let Range { start, end } = options.seeds.clone();
    let half = start + (end - start) / 2;
    let mut results = Results::new();
    std::thread::scope(|scope| {
        let parts = [start..half, half..end];
        let parts = parts.map(|seeds| scope.spawn(move || some(seeds, options)));
        for part in parts {
            for (case, outcomes) in part.join().expect("a run does not panic") {
                results.entry(case).or_default().extend(outcomes);
            }
        }
    });
    results
}

fn some(seeds: Range<u64>, options: &Options) -> Results {
    let mut results = Results::new();
    for seed in seeds {
        for (size, of) in SIZES.iter().enumerate() {
            if options.sizes.is_some_and(|only| only != of.name) {
                continue;
            }
            for webhooks in [false, true] {
                let mut warm = None;
                for case in cases(size, webhooks, options) {
                    let past = match case.start {
                        Start::Cold => options.nothing(),
                        Start::Warm => warm
                            .get_or_insert_with(|| past(*of, seed, webhooks, options))
                            .clone(),
                    };
                    let outcome = one(case, &ATTACKS[case.attack], *of, seed, past);
                    results.entry(case).or_default().push(outcome);
                }
            }
        }
        eprintln!("seed {seed}");
    }
    results
}

fn cases(size: usize, webhooks: bool, options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, attack) in ATTACKS.iter().enumerate() {
        if !options.wants(attack.key) {
            continue;
        }
        let case = |start, rush| Case {
            attack: at,
            size,
            start,
            rush,
            webhooks,
        };
        let calm = attack.bar == Some(0);
        // Webhooks change something only where confirmations are the point.
        if webhooks && !calm && !matches!(attack.key, "e" | "h" | "k2" | "k4" | "k5") {
            continue;
        }
        cases.push(case(Start::Warm, attack.key == "rush"));
        if calm || size == 1 || attack.key == "k2" {
            cases.push(case(Start::Cold, attack.key == "rush"));
        }
        if size == 2 && matches!(attack.key, "a1" | "e" | "j") {
            cases.push(case(Start::Warm, true));
        }
    }
    cases
}

/// The registers after forty quiet days.
fn past(size: Size, seed: u64, webhooks: bool, options: &Options) -> Past {
    let mut dice = Dice::new(seed).fork(1);
    let span = Span {
        from: T0 - PAST,
        to: T0,
        rush: None,
        logins: false,
    };
    let people = honest::people(size, span, &mut dice, 1_000_000);
    let mut run = Run::new(options.nothing(), webhooks, seed);
    for act in people {
        run.act(act);
    }
    run.judge.past()
}

fn one(case: Case, attack: &Attack, size: Size, seed: u64, past: Past) -> Outcome {
    let mut dice = Dice::new(seed).fork(2);
    let from = T0;
    let rush = case.rush.then_some(RUSH);
    let hours = if case.rush {
        attack.hours.max(14) + 8
    } else {
        attack.hours
    };
    let span = Span {
        from,
        to: from + hours * 3600,
        rush,
        logins: true,
    };
    let mut acts = honest::people(size, span, &mut dice, 1);
    let begin = if case.rush { RUSH + 300 } else { CALM };
    let mut dice = Dice::new(seed).fork(3 + case.attack as u64);
    acts.extend((attack.bots)(begin, &mut dice));
    acts.sort_by_key(|act| act.at);
    let mut run = Run::new(past, case.webhooks, seed);
    let before = (
        run.judge.servers().clusters().len(),
        run.judge.apps().clusters().len(),
    );
    let started = Instant::now();
    run.out.cost.0 = acts.len() as u64;
    for act in acts {
        run.act(act);
    }
    run.out.cost.1 = started.elapsed().as_nanos();
    run.out.breaker = crate::outcome::breaker(run.judge.breaker().1, span.to);
    run.out.state = run.judge.servers().size();
    run.out.clusters = (
        (run.judge.servers().clusters().len() - before.0) as u32,
        (run.judge.apps().clusters().len() - before.1) as u32,
    );
    run.out.held = held(&run.judge.servers().clusters(), span);
    for (who, kind) in &run.met {
        let row = &mut run.out.people[kind.row()];
        row.0 += 1;
        if run.refused.contains(who) {
            row.1 += 1;
            run.out.busiest += u32::from(*kind == Kind::Hoster(0));
        }
    }
    run.out
}

/// How many seconds of `span` the busiest unlisted hoster was condemned, by
/// whatever of its machines.
fn held(clusters: &[Cluster], span: Span) -> i64 {
    let at_it = |key: &MailKey| match key {
        MailKey::Host(name) | MailKey::Registrable(name) => name.as_str().ends_with("hoster0.com"),
        MailKey::Address(ip) => honest::HOSTER_0.contains(ip),
        MailKey::Network(net) | MailKey::Range(net) => net.contains(&honest::HOSTER_0),
    };
    let mut times: Vec<_> = clusters
        .iter()
        .filter(|cluster| cluster.opened >= span.from && cluster.keys.iter().any(at_it))
        .map(|cluster| {
            let ended = cluster.ended.as_ref().map_or(i64::MAX, |(at, _)| *at);
            (cluster.opened, cluster.until.min(ended).min(span.to))
        })
        .collect();
    times.sort_unstable();
    let mut until = span.from;
    times.iter().fold(0, |held, (opened, end)| {
        let more = (end - until.max(*opened)).max(0);
        until = until.max(*end);
        held + more
    })
}
