//! The results as a page, and as plots.

use std::fmt::Write;
use std::ops::Range;

use crate::attack::ATTACKS;
use crate::bars;
use crate::honest::SIZES;
use crate::outcome::Outcome;
use crate::people::KINDS;
use crate::run::{Case, Results, Start};

/// The page.
pub(crate) fn markdown(results: &Results, seeds: &Range<u64>) -> String {
    let mut page = String::from(include_str!("head.md"));
    let (first, last) = (seeds.start, seeds.end - 1);
    let _ = writeln!(
        page,
        "\nSeeds {first} to {last}. Median and worst over all of them.\n"
    );
    bars::markdown(results, &mut page);
    attacks(results, &mut page);
    people(results, &mut page);
    hoster(results, &mut page);
    breaker(results, &mut page);
    why(results, &mut page);
    page
}

fn attacks(results: &Results, page: &mut String) {
    page.push_str("## Bots\n\n| attack | server | start | bots | let in, median | worst | bar | first refused | last let in (worst) | tokens, worst | clusters M/A |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (case, outcomes) in results {
        let attack = &ATTACKS[case.attack];
        let tried = outcomes.iter().map(|o| o.bots.0).max().unwrap_or(0);
        if tried == 0 {
            continue;
        }
        let tokens = worst(outcomes, |o| i64::from(o.tokens.1));
        let asked = worst(outcomes, |o| i64::from(o.tokens.0));
        let distinct = worst(outcomes, |o| i64::from(o.distinct));
        let bar = attack.bar.map_or("-".into(), |bar| bar.to_string());
        let _ = writeln!(
            page,
            "| {} {} | {} | {} | {tried} | {} | {} | {bar} | {} | {} | {} | {}/{} |",
            attack.key,
            attack.title,
            SIZES[case.size].name,
            start(case),
            median(outcomes, |o| i64::from(o.bots.1)),
            worst(outcomes, |o| i64::from(o.bots.1)),
            refused_first(outcomes),
            span(worst(outcomes, |o| o.last_in)),
            if asked == 0 {
                "-".into()
            } else {
                let bar = attack.tokens.map(|bar| format!(" (bar {bar})"));
                format!(
                    "{tokens} of {asked}, {distinct} distinct{}",
                    bar.unwrap_or_default()
                )
            },
            median(outcomes, |o| i64::from(o.clusters.0)),
            median(outcomes, |o| i64::from(o.clusters.1)),
        );
    }
}

fn people(results: &Results, page: &mut String) {
    page.push_str("\n## People\n\nRefused of all, over all seeds. A person is refused who meets one refusal at any step.\n\n| scenario | server | start | people | refused | share |");
    for kind in KINDS {
        let _ = write!(page, " {kind} |");
    }
    page.push_str(" µs an act | keys, domains, sign-ups held |\n|---|---|---|---|---|---|---|");
    page.push_str(&"---|".repeat(KINDS.len() + 1));
    page.push('\n');
    let mut pooled = [(0_u64, 0_u64); 2];
    for (case, outcomes) in results {
        let all: u64 = outcomes.iter().map(|o| u64::from(o.honest())).sum();
        let refused: u64 = outcomes.iter().map(|o| u64::from(o.refused())).sum();
        let pool = &mut pooled[usize::from(case.start == Start::Warm)];
        pool.0 += all;
        pool.1 += refused;
        let _ = write!(
            page,
            "| {} | {} | {} | {all} | {refused} | {:.4} % |",
            ATTACKS[case.attack].key,
            SIZES[case.size].name,
            start(case),
            100.0 * refused as f64 / all.max(1) as f64
        );
        for kind in 0..KINDS.len() {
            let all: u32 = outcomes.iter().map(|o| o.people[kind].0).sum();
            let refused: u32 = outcomes.iter().map(|o| o.people[kind].1).sum();
            let _ = write!(page, " {refused} of {all} |");
        }
        let acts: u64 = outcomes.iter().map(|o| o.cost.0).sum();
        let nanos: u128 = outcomes.iter().map(|o| o.cost.1).sum();
        let held = [0, 1, 2].map(|at| worst(outcomes, |o| o.state[at] as i64));
        let _ = writeln!(
            page,
            " {:.0} | {}, {}, {} |",
            nanos as f64 / 1000.0 / acts.max(1) as f64,
            held[0],
            held[1],
            held[2]
        );
    }
    for (name, (all, refused)) in ["Cold", "Warm"].iter().zip(pooled) {
        let share = 100.0 * refused as f64 / all.max(1) as f64;
        let _ = writeln!(
            page,
            "\n{name} start, pooled: {refused} of {all} people refused, {share:.4} %."
        );
    }
}

fn breaker(results: &Results, page: &mut String) {
    page.push_str("\n## The breaker\n\nWhere it was above step 1 in some run, in all of (k), and where it moved at all in the rush: the highest step, runs in which step 2 was taken, and the longest time at it or above.\n\n| scenario | server | start | highest | runs | of | longest |\n|---|---|---|---|---|---|---|\n");
    for (case, outcomes) in results {
        let held = outcomes.iter().filter(|o| o.breaker.1 > 0).count();
        let highest = worst(outcomes, |o| i64::from(o.breaker.0));
        let key = ATTACKS[case.attack].key;
        let watched = key.starts_with('k') || (case.rush && highest > 0);
        if held == 0 && !watched {
            continue;
        }
        let _ = writeln!(
            page,
            "| {key} | {} | {} | {highest} | {held} | {} | {} |",
            SIZES[case.size].name,
            start(case),
            outcomes.len(),
            span(worst(outcomes, |o| o.breaker.1)),
        );
    }
}

/// (k) for a hoster that is on no list and has not been learned yet.
fn hoster(results: &Results, page: &mut String) {
    page.push_str("\n## The busiest unlisted hoster\n\nPeople with a new domain there while 500 domains of its customers are typed (k2) within a day, over three days; hours that any of its machines was condemned.\n\n| server | start | customers who signed up | refused | hours condemned, median | worst |\n|---|---|---|---|---|---|\n");
    let of = results.iter();
    for (case, outcomes) in of.filter(|(case, _)| ATTACKS[case.attack].key == "k2") {
        let all: u32 = outcomes.iter().map(|o| o.people[2].0).sum();
        let busiest: u32 = outcomes.iter().map(|o| o.busiest).sum();
        let _ = writeln!(
            page,
            "| {} | {} | {all} (all hosters) | {busiest} | {} | {} |",
            SIZES[case.size].name,
            start(case),
            median(outcomes, |o| o.held) / 3600,
            worst(outcomes, |o| o.held) / 3600,
        );
    }
}

fn why(results: &Results, page: &mut String) {
    page.push_str("\n## Why people were refused\n\nThe first few of each case.\n\n");
    for (case, outcomes) in results {
        let mut lines: Vec<_> = outcomes.iter().flat_map(|o| &o.why).collect();
        lines.truncate(4);
        for line in lines {
            let attack = ATTACKS[case.attack].key;
            let _ = writeln!(
                page,
                "- {attack}, {}, {}: {line}",
                SIZES[case.size].name,
                start(case)
            );
        }
    }
}

fn start(case: &Case) -> String {
    let mut words = vec![match case.start {
        Start::Cold => "cold",
        Start::Warm => "warm",
    }];
    if case.rush {
        words.push("rush");
    }
    if case.webhooks {
        words.push("webhooks");
    }
    words.join(", ")
}

/// The bot sign-up that is the first to be refused, in the median run.
fn refused_first(outcomes: &[Outcome]) -> String {
    let first = median(outcomes, |o| o.first_refusal.map_or(i64::MAX, i64::from));
    if first == i64::MAX {
        "never".into()
    } else {
        first.to_string()
    }
}

fn median(outcomes: &[Outcome], of: impl Fn(&Outcome) -> i64) -> i64 {
    let mut all: Vec<_> = outcomes.iter().map(of).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(0)
}

fn worst(outcomes: &[Outcome], of: impl Fn(&Outcome) -> i64) -> i64 {
    outcomes.iter().map(of).max().unwrap_or(0)
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
