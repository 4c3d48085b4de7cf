//! A replay's result for a person, and what it cannot know.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::NotGiven;
use super::tally::{Difference, Side, Tally};

/// What no record can tell, whatever is in it.
pub(super) const NEVER_KNOWN: [&str; 6] = [
    "what somebody refused would have done next, or did next: tried again, gave up, came by another way",
    "whether an account was confirmed: it is not recorded with the attempt, so condemnations are neither lifted nor shortened by it",
    "bans that have been taken back since, and lists as they were then: the present ones count",
    "attempts at doors that were not guarded, and requests of clients that were not banned everywhere then",
    "the limits on look-ups, and what one attempt of a flood merged into another's row was about",
    "domains, servers and apps from before the first event: they count as new, so give a replay some weeks before --since",
];

/// The whole result.
pub(super) fn tell(tally: &Tally, not_given: &[NotGiven]) -> String {
    let mut text = String::new();
    let (Some(from), Some(until)) = (tally.from, tally.until) else {
        return "no events in that time; `tuskgate events --all` lists what is kept\n".into();
    };
    let _ = writeln!(
        text,
        "{} attempts from {from:.0} to {until:.0}: {} by people, {} by bots, {} nobody can tell",
        tally.attempts, tally.people, tally.bots, tally.unknown
    );
    let _ = writeln!(
        text,
        "  bots: condemned or banned since; people: something came of it and nothing was said against it since"
    );
    if tally.warm_up > 0 {
        let _ = writeln!(
            text,
            "  {} events before that filled the registers",
            tally.warm_up
        );
    }
    text.push_str(&without(not_given));
    side(&mut text, "then", &tally.then);
    side(&mut text, "now", &tally.now);
    let _ = writeln!(
        text,
        "\nbots admitted    {} then, {} now\npeople refused   {} then, {} now",
        tally.bots_admitted.then,
        tally.bots_admitted.now,
        tally.people_refused.then,
        tally.people_refused.now
    );
    difference(&mut text, "newly refused", &tally.newly_refused);
    difference(&mut text, "newly admitted", &tally.newly_admitted);
    text.push_str("\nwhat this cannot know:\n");
    for (rule, count) in &tally.not_recorded {
        let _ = writeln!(
            text,
            "  {rule} could not be asked of {count} attempts: what it needs was not recorded with them"
        );
    }
    if tally.merged > 0 {
        let _ = writeln!(
            text,
            "  {} attempts of floods are counted like the row that they were merged into",
            tally.merged
        );
    }
    for never in NEVER_KNOWN {
        let _ = writeln!(text, "  {never}");
    }
    text
}

/// What nobody judged, because nobody gave it, and how to have it judged.
fn without(not_given: &[NotGiven]) -> String {
    let mut text = String::new();
    for what in not_given {
        text.push_str(match what {
            NotGiven::Clusters => {
                "\nNOT JUDGED: no --clusters were given, so bots that were let in before their cluster was
condemned count as people. To have them judged, where the events are from:
  tuskgate clusters --all --json > clusters.jsonl
and here: --clusters clusters.jsonl
"
            }
            NotGiven::Bans => {
                "\nNOT JUDGED: no --bans were given, so no ban refuses anybody \"now\", and whom today's bans
are about counts as a person. To have them judged, where the events are from:
  tuskgate bans --json > bans.jsonl
and here: --bans bans.jsonl
"
            }
        });
    }
    text
}

fn side(text: &mut String, name: &str, side: &Side) {
    let _ = writeln!(
        text,
        "\n{name:<16} {} refused, {} admitted",
        side.refused, side.admitted
    );
    kinds(text, "by rule", &side.by_rule);
    kinds(text, "by door", &side.by_door);
    kinds(text, "only observed", &side.observed);
}

fn kinds(text: &mut String, name: &str, kinds: &BTreeMap<&'static str, u64>) {
    if kinds.is_empty() {
        return;
    }
    let mut kinds: Vec<_> = kinds.iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let _ = writeln!(text, "  {name:<14} {}", words.join(", "));
}

fn difference(text: &mut String, name: &str, difference: &Difference) {
    let _ = writeln!(
        text,
        "\n{name:<16} {}: {} by people, {} by bots, {} nobody can tell",
        difference.total, difference.people, difference.bots, difference.unknown
    );
    kinds(text, "by rule", &difference.by_rule);
    kinds(text, "by door", &difference.by_door);
    for example in &difference.examples {
        let _ = writeln!(text, "    {}", example.event);
        if let Some(now) = &example.now {
            let _ = writeln!(text, "      now: {now}");
        }
    }
}
