//! Refusals by rule and reason, from the gate's own metrics: what `/metrics`
//! shows is what the demo shows.

use crate::telemetry;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Refusal {
    pub(super) rule: String,
    pub(super) reason: String,
    /// `enforce`, or `observe` where it was only recorded.
    pub(super) mode: String,
    pub(super) count: u64,
}

/// Everything refused so far by this process, most first.
pub(super) fn so_far() -> Vec<Refusal> {
    let text = telemetry::render().unwrap_or_default();
    read(&text)
}

fn read(text: &str) -> Vec<Refusal> {
    let mut all: Vec<_> = text.lines().filter_map(read_line).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    all
}

fn read_line(line: &str) -> Option<Refusal> {
    let rest = line.strip_prefix("tuskgate_decisions_total{")?;
    let (labels, count) = rest.split_once("} ")?;
    let label = |name: &str| {
        let mut pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(key, _)| *key == name)?;
        Some(value.trim_matches('"').to_owned())
    };
    (label("verdict")? == "refuse").then_some(())?;
    Some(Refusal {
        rule: label("rule")?,
        reason: label("reason")?,
        mode: label("mode")?,
        count: count.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Because, Judged, Mode, Reason, Rule, Verdict};

    #[test]
    fn what_the_metrics_say_is_read() {
        let spent = Because::Spent {
            limit: "token-per-name",
            burst: 40,
            after: std::time::Duration::from_secs(1),
        };
        let verdict = Verdict::Refuse(Reason {
            because: spent,
            fact: String::new().into(),
            undo: None,
        });
        telemetry::metrics().judge.decided(&Judged {
            rule: Rule::Rate,
            mode: Mode::Observe,
            verdict,
        });
        let found = so_far();
        let one = found
            .iter()
            .find(|refusal| refusal.reason == "token-per-name");
        let one = one.expect("counted, whatever other tests count");
        assert_eq!((one.rule.as_str(), one.mode.as_str()), ("rate", "observe"));
        assert!(one.count >= 1);
    }

    #[test]
    fn passes_and_other_metrics_are_left_out() {
        let text = "# TYPE x counter\ntuskgate_attempts_total{endpoint=\"token\"} 3\n\
            tuskgate_decisions_total{rule=\"rate\",mode=\"enforce\",verdict=\"abstain\",reason=\"x\"} 9\n";
        assert_eq!(read(text), []);
    }
}
