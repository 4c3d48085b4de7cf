//! Metrics of decisions and lapses.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::few::Few;
use crate::endpoint::Endpoint;
use crate::event::Outcome;
use crate::verdict::{Because, Judged, Verdict};

/// One rule's word at one door.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    rule: &'static str,
    mode: &'static str,
    verdict: &'static str,
    reason: &'static str,
}

/// One attempt at one door.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempted {
    endpoint: &'static str,
    decision: &'static str,
}

/// What came of what was admitted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameOf {
    endpoint: &'static str,
    outcome: &'static str,
}

/// Counters of decisions and lapses.
#[derive(Debug)]
pub struct JudgeMetrics {
    decisions: Few<Decided>,
    attempts: Few<Attempted>,
    outcomes: Few<CameOf>,
    latency: Histogram,
    asks: Family<Asked, Counter>,
}

/// One look-up at the upstream on the gate's own behalf.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    what: &'static str,
    answer: &'static str,
}

impl Default for JudgeMetrics {
    fn default() -> Self {
        let buckets = [
            0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0,
        ];
        Self {
            decisions: Few::default(),
            attempts: Few::default(),
            outcomes: Few::default(),
            latency: Histogram::new(buckets),
            asks: Family::default(),
        }
    }
}

impl JudgeMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "decisions",
            "Refusals and abstentions by rule, mode and reason",
            self.decisions.family(),
        );
        registry.register(
            "attempts",
            "Guarded requests by door and decision",
            self.attempts.family(),
        );
        registry.register(
            "outcomes",
            "What the upstream's reply told of admitted attempts",
            self.outcomes.family(),
        );
        registry.register(
            "guarded_seconds",
            "Time from the end of a guarded request's body to the head of its answer",
            self.latency.clone(),
        );
        registry.register(
            "upstream_asks",
            "Look-ups at the upstream on the gate's own behalf",
            self.asks.clone(),
        );
    }

    /// Counts one verdict that is not a plain pass.
    pub fn decided(&self, judged: &Judged) {
        let (verdict, reason) = match &judged.verdict {
            Verdict::Pass => return,
            Verdict::Refuse(reason) => ("refuse", reason.because.name()),
            Verdict::Abstain(cause) => ("abstain", cause.name()),
        };
        let labels = Decided {
            rule: judged.rule.name(),
            mode: judged.mode.name(),
            verdict,
            reason,
        };
        self.decisions.inc(labels);
    }

    /// Counts one guarded request.
    pub fn attempted(&self, endpoint: Option<Endpoint>, admitted: bool) {
        let labels = Attempted {
            endpoint: endpoint.map_or("unknown", Endpoint::name),
            decision: if admitted { "admit" } else { "refuse" },
        };
        self.attempts.inc(labels);
    }

    /// Counts what came of an admitted attempt.
    pub fn came_of(&self, endpoint: Endpoint, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Create => "create",
            Outcome::Fail => "fail",
            Outcome::Unclear => "unclear",
        };
        let labels = CameOf {
            endpoint: endpoint.name(),
            outcome,
        };
        self.outcomes.inc(labels);
    }

    /// Counts a look-up at the upstream by what was asked and how it went.
    pub fn asked(&self, what: &'static str, answer: &'static str) {
        self.asks.get_or_create(&Asked { what, answer }).inc();
    }

    /// Notes how long a guarded request took, upstream included.
    pub fn observe_latency(&self, took: Duration) {
        self.latency.observe(took.as_secs_f64());
    }
}

impl Because {
    /// The metric label; the limit's own name where a budget is spent.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mailbox => "mailbox",
            Self::Unreadable(_) => "unreadable",
            Self::Undeliverable => "undeliverable",
            Self::TryAgain { .. } => "try-again",
            Self::Spent { limit, .. } => limit,
            Self::Paused { .. } => "paused",
        }
    }
}
