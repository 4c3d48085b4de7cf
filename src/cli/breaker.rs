//! The breaker in words, for `status` and `contain`.

use std::fmt::Write;

use jiff::Timestamp;

use crate::verdict::Mode;
use crate::wave::Standing;

/// Its step and why, what it is held against, and what is normal.
pub(super) fn tell(standing: &Standing) -> String {
    let mut text = format!(
        "breaker: step {}, {}{}\n",
        standing.step,
        standing.step.words(),
        match (standing.mode, standing.observe) {
            (Mode::Enforce, _) => "",
            (Mode::Observe, true) =>
                " (only observed, as everything is: --observe, or observe = true)",
            (Mode::Observe, false) => " (only observed: [rules.wave] mode)",
            (Mode::Off, _) => " (off: [rules.wave] mode)",
        }
    );
    let mut say = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    if let Some(pin) = &standing.pin {
        let until = pin.until.map_or_else(
            || "until `tuskgate contain --step auto`".to_owned(),
            |until| format!("until {}", time(until)),
        );
        say(format!(
            "put by hand {}, {until}; by itself it would be at {}",
            time(pin.since),
            standing.by_itself
        ));
    }
    if let Some(last) = &standing.last {
        let event = standing
            .reference
            .map_or_else(String::new, |id| format!(" (tuskgate explain {id})"));
        say(format!(
            "since {}, from step {}: {}{event}",
            time(last.at),
            last.from,
            last.why
        ));
    }
    if !standing.evidence.is_empty() {
        say(format!("evidence: {}", standing.evidence));
    }
    if standing.held > 0 {
        say(format!(
            "at step 2 or above by itself for {} min of the last 24 h",
            standing.held / 60
        ));
    }
    for rate in &standing.rates {
        let [minutes, hour] = rate.now;
        say(format!(
            "{:<8}{minutes} in 10 min ({:.1} normal, {:.0} pass), {hour} in 1 h ({:.1} normal, {:.0} pass)",
            rate.kind.name(),
            rate.normal[0],
            rate.bar[0],
            rate.normal[1],
            rate.bar[1],
        ));
    }
    if standing.learned < 24 {
        say(format!(
            "cold start: {} of 24 hours learned, until then a busy server's normal is assumed",
            standing.learned
        ));
    }
    text
}

fn time(at: i64) -> String {
    Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}
