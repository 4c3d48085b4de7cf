//! The bars of the issue, and whether they are met in every case.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::attack::ATTACKS;
use crate::outcome::Outcome;
use crate::run::{Case, Results, Start};

/// People refused at most, of a hundred.
const PEOPLE: f64 = 0.05;
/// Honest people that a share must be of, to say anything.
const POOL: u64 = 20_000;

/// The table of bars.
pub(crate) fn markdown(results: &Results, page: &mut String) {
    page.push_str("## Bars\n\nThe worst of all seeds, servers and starts.\n\n| bar | allowed | worst | |\n|---|---|---|---|\n");
    let mut row = |what: &str, allowed: &str, worst: &str, met: bool| {
        let word = if met { "met" } else { "**missed**" };
        let _ = writeln!(page, "| {what} | {allowed} | {worst} | {word} |");
    };
    for attack in ATTACKS.iter().filter(|attack| attack.bar != Some(0)) {
        let all = || of(results, attack.key).flat_map(|(_, outcomes)| outcomes);
        let most = |of: fn(&Outcome) -> u32| all().map(of).max();
        if let (Some(bar), Some(got)) = (attack.bar, most(|o| o.bots.1)) {
            let what = format!("({}) accounts", attack.key);
            row(&what, &bar.to_string(), &got.to_string(), got <= bar);
        }
        if let (Some(bar), Some(got)) = (attack.tokens, most(|o| o.tokens.1)) {
            let what = format!("({}) tokens, as requests", attack.key);
            row(&what, &bar.to_string(), &got.to_string(), got <= bar);
        }
        if let (Some(bar), Some(got)) = (attack.within, all().map(|o| o.last_in).max()) {
            let what = format!(
                "({}) seconds from the first account to the last",
                attack.key
            );
            row(&what, &bar.to_string(), &got.to_string(), got <= bar);
        }
    }
    for (start, name) in [(Start::Cold, "cold"), (Start::Warm, "warm")] {
        let (key, share, pool) = worst_share(results, start);
        let what = format!("people refused, {name} start, worst scenario ({key}, {pool} people)");
        row(
            &what,
            &format!("{PEOPLE} %"),
            &format!("{share:.4} %"),
            share <= PEOPLE,
        );
    }
    let kinds = [
        (0, "people at curated providers refused"),
        (1, "people at access providers refused"),
        (4, "logins through established apps refused"),
    ];
    for (kind, what) in kinds {
        let got: u32 = results.values().flatten().map(|o| o.people[kind].1).sum();
        row(what, "0", &got.to_string(), got == 0);
    }
    page.push('\n');
}

fn of<'a>(
    results: &'a Results,
    key: &'a str,
) -> impl Iterator<Item = (&'a Case, &'a Vec<Outcome>)> {
    let found = results.iter();
    found.filter(move |(case, _)| ATTACKS[case.attack].key == key)
}

/// The scenario in which the largest share of people was refused, pooled over
/// servers and seeds; those with too few people say nothing alone.
fn worst_share(results: &Results, start: Start) -> (String, f64, u64) {
    let mut pools: BTreeMap<(usize, bool, bool), (u64, u64)> = BTreeMap::new();
    for (case, outcomes) in results.iter().filter(|(case, _)| case.start == start) {
        let pool = pools
            .entry((case.attack, case.rush, case.webhooks))
            .or_default();
        for outcome in outcomes {
            pool.0 += u64::from(outcome.honest());
            pool.1 += u64::from(outcome.refused());
        }
    }
    let shares = pools.iter().filter(|(_, (all, _))| *all >= POOL);
    let shares = shares.map(|((attack, rush, webhooks), (all, refused))| {
        let mut name = ATTACKS[*attack].key.to_owned();
        if *rush && name != "rush" {
            name.push_str(" in the rush");
        }
        if *webhooks {
            name.push_str(" with webhooks");
        }
        (name, 100.0 * *refused as f64 / *all as f64, *all)
    });
    let worst = shares.max_by(|a, b| a.1.total_cmp(&b.1));
    worst.unwrap_or_default()
}
