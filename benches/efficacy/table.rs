//! The results as a page, and as plots.

use std::fmt::Write;
use std::path::Path;

use crate::attack::ATTACKS;
use crate::honest::SIZES;
use crate::outcome::Outcome;
use crate::people::KINDS;
use crate::run::{Case, Results, Start};

/// The page.
pub(crate) fn markdown(results: &Results, first: u64, seeds: u64) -> String {
    let mut page = String::from(include_str!("head.md"));
    let last = first + seeds - 1;
    let _ = writeln!(
        page,
        "\nSeeds {first} to {last}. Median and worst over all of them.\n"
    );
    attacks(results, &mut page);
    people(results, &mut page);
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
            median(outcomes, |o| o.first_refusal.map_or(-1, i64::from)),
            span(worst(outcomes, |o| o.last_in)),
            if asked == 0 {
                "-".into()
            } else {
                format!(
                    "{tokens} of {asked}{}",
                    attack
                        .tokens
                        .map_or(String::new(), |bar| format!(" (bar {bar})"))
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
    page.push_str(" µs an act |\n|---|---|---|---|---|---|");
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
        let _ = writeln!(page, " {:.0} |", nanos as f64 / 1000.0 / acts.max(1) as f64);
    }
    for (name, (all, refused)) in ["Cold", "Warm"].iter().zip(pooled) {
        let share = 100.0 * refused as f64 / all.max(1) as f64;
        let _ = writeln!(
            page,
            "\n{name} start, pooled: {refused} of {all} people refused, {share:.4} %."
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

/// One plot for each attack: bots let in over time, all seeds, warm 20k server.
pub(crate) fn plots(results: &Results, folder: &Path) -> std::io::Result<()> {
    for (case, outcomes) in results {
        let attack = &ATTACKS[case.attack];
        let shown = case.size == 1 && case.start == Start::Warm && !case.webhooks && !case.rush;
        if shown && outcomes.iter().any(|o| o.bots.0 > 0) {
            let file = folder.join(format!("{}.svg", attack.key));
            std::fs::write(file, plot(attack.title, attack.hours, attack.bar, outcomes))?;
        }
    }
    Ok(())
}

fn plot(title: &str, hours: i64, bar: Option<u32>, outcomes: &[Outcome]) -> String {
    let most = outcomes.iter().map(|o| o.curve.len()).max().unwrap_or(0);
    let top = (most as f64).max(f64::from(bar.unwrap_or(0))).max(10.0) * 1.1;
    let x = |at: i64| 50.0 + 540.0 * at as f64 / (hours as f64 * 3600.0);
    let y = |count: f64| 260.0 - 220.0 * count / top;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 620 300\" font-family=\"sans-serif\" font-size=\"12\"><rect width=\"620\" height=\"300\" fill=\"#fff\"/><text x=\"50\" y=\"20\">{title}: bots let in, {} seeds</text><path d=\"M50 30V260H600\" fill=\"none\" stroke=\"#333\"/><text x=\"560\" y=\"280\">{hours} h</text><text x=\"10\" y=\"44\">{top:.0}</text>",
        outcomes.len()
    );
    if let Some(bar) = bar {
        let at = y(f64::from(bar));
        let _ = write!(
            svg,
            "<path d=\"M50 {at:.1}H600\" stroke=\"#c22\" stroke-dasharray=\"4\"/><text x=\"552\" y=\"{:.1}\" fill=\"#c22\">bar {bar}</text>",
            at - 4.0
        );
    }
    for outcome in outcomes {
        let mut path = format!("M50 {:.1}", y(0.0));
        for (count, at) in outcome.curve.iter().enumerate() {
            let _ = write!(path, "H{:.1}V{:.1}", x(*at), y(count as f64 + 1.0));
        }
        let _ = write!(
            svg,
            "<path d=\"{path}H590\" fill=\"none\" stroke=\"#2563a8\" stroke-opacity=\".5\"/>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}
