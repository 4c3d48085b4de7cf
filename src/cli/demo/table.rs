//! Who asked for what and what they were told, as lines of text.

use super::received::Received;
use super::refusals::Refusal;
use super::tally::{Count, Door, Tally, Who};
use super::terminal::{Look, Terminal};

/// Everything so far by who and door.
pub(super) fn counts(tally: &Tally, terminal: &Terminal) -> Vec<String> {
    let head = format!(
        "{:<8}{:<10}{:>9}{:>9}{:>9}",
        "", "", "asked", "let in", "refused"
    );
    let mut lines = vec![terminal.paint(Look::Dim, &head)];
    for (who, name) in [(Who::People, "people"), (Who::Bots, "bots")] {
        for (nth, door) in Door::ALL.into_iter().enumerate() {
            let name = if nth == 0 { name } else { "" };
            lines.push(row(name, door, who, tally.of(who, door), terminal));
        }
    }
    lines
}

fn row(name: &str, door: Door, who: Who, count: Count, terminal: &Terminal) -> String {
    let (good, bad) = match who {
        Who::People => (count.let_in, count.refused),
        Who::Bots => (count.refused, count.let_in),
    };
    let look = |value: u64| match value {
        0 => Look::Dim,
        _ if value == good => Look::Good,
        _ if value == bad => Look::Bad,
        _ => Look::Dim,
    };
    let cell = |value: u64| terminal.paint(look(value), &format!("{:>9}", spell(value)));
    let mut line = format!(
        "{name:<8}{:<10}{:>9}{}{}",
        door.name(),
        spell(count.asked()),
        cell(count.let_in),
        cell(count.refused)
    );
    if count.failed > 0 {
        let failed = format!("  {} failed", spell(count.failed));
        line.push_str(&terminal.paint(Look::Bad, &failed));
    }
    line
}

/// Refusals by rule, at most a few lines.
pub(super) fn refusals(refusals: &[Refusal], most: usize) -> Vec<String> {
    let shown = refusals.iter().take(most).map(|refusal| {
        let observed = match refusal.mode.as_str() {
            "observe" => "  (only recorded)",
            _ => "",
        };
        let name = format!("{}: {}", refusal.rule, refusal.reason);
        format!("{name:<36}{:>9}{observed}", spell(refusal.count))
    });
    shown.collect()
}

/// What got through to the upstream.
pub(super) fn received(received: &Received) -> Vec<String> {
    let of = |name: &str, doors: super::received::Doors| {
        format!(
            "{name:<8}{} apps, {} token requests, {} sign-ups",
            spell(doors.apps),
            spell(doors.tokens),
            spell(doors.sign_ups)
        )
    };
    vec![
        of("people", received.people),
        of("bots", received.bots),
        format!("gate    {} questions of its own", spell(received.gate)),
    ]
}

/// A number with a comma at every thousand.
pub(super) fn spell(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (4500, "4,500"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(spell(number), text);
        }
    }
}
