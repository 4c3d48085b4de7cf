//! What is counted of a store that several nodes share.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Why a request was decided by its own node alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// No answer within `store.timeout`.
    Late,
    /// The connection or the answer was no good.
    Broken,
    /// The server has no memory left.
    Full,
    /// It was known to be down, so it was not asked.
    Down,
}

impl Lapse {
    const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Broken => "broken",
            Self::Full => "full",
            Self::Down => "down",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LapseLabel {
    why: &'static str,
}

/// Counters of the shared store.
#[derive(Debug)]
pub struct SharedMetrics {
    /// 1 while it is in use.
    pub up: Gauge,
    /// Keys the limiter holds in it.
    pub keys: Gauge,
    /// Charges settled in it.
    pub settled: Counter,
    /// Charges that could not be settled and count as kept.
    pub unsettled: Counter,
    /// 1 while this node's bans and the shared ones are the same, as far as it can see.
    pub bans_in_step: Gauge,
    /// Bans and liftings taken over from other nodes.
    pub bans_received: Counter,
    /// Bans and liftings that were news to the shared store.
    pub bans_sent: Counter,
    /// Apps and tokens that could not be shared: queue or cap full.
    pub unlearned: Counter,
    /// Clusters that were news to the shared store.
    pub clusters_sent: Counter,
    /// 1 while this node hears what others count.
    pub hearing: Gauge,
    /// What this node has counted and told the others.
    pub told: Counter,
    /// What it could not tell: queue full, store away at the end, or too long.
    pub untold: Counter,
    /// What others have counted and this node has heard.
    pub heard: Counter,
    /// What was told and cannot be read.
    pub unheard: Counter,
    /// How often the others could not be heard from where this node stopped.
    pub missed: Counter,
    lapses: Family<LapseLabel, Counter>,
    reserve_seconds: Histogram,
}

const RESERVE_SECONDS: [f64; 9] = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.03, 0.1];

impl Default for SharedMetrics {
    fn default() -> Self {
        Self {
            up: Gauge::default(),
            keys: Gauge::default(),
            settled: Counter::default(),
            unsettled: Counter::default(),
            bans_in_step: Gauge::default(),
            bans_received: Counter::default(),
            bans_sent: Counter::default(),
            unlearned: Counter::default(),
            clusters_sent: Counter::default(),
            hearing: Gauge::default(),
            told: Counter::default(),
            untold: Counter::default(),
            heard: Counter::default(),
            unheard: Counter::default(),
            missed: Counter::default(),
            lapses: Family::default(),
            reserve_seconds: Histogram::new(RESERVE_SECONDS),
        }
    }
}

impl SharedMetrics {
    /// A request was decided by its own node alone.
    pub fn lapsed(&self, why: Lapse) {
        let label = LapseLabel { why: why.name() };
        self.lapses.get_or_create(&label).inc();
    }

    /// How many requests were decided by their own node alone for this reason.
    #[must_use]
    pub fn lapses(&self, why: Lapse) -> u64 {
        let label = LapseLabel { why: why.name() };
        self.lapses.get_or_create(&label).get()
    }

    /// A reservation was answered after this long.
    pub fn reserved(&self, took: Duration) {
        self.reserve_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("shared");
        registry.register("up", "Whether the shared store is in use", self.up.clone());
        registry.register("keys", "Budgets in the shared store", self.keys.clone());
        registry.register(
            "settled",
            "Charges settled in the shared store",
            self.settled.clone(),
        );
        registry.register(
            "unsettled",
            "Charges that could not be settled and count as kept",
            self.unsettled.clone(),
        );
        registry.register(
            "bans_in_step",
            "Whether this node's bans and the shared ones are the same",
            self.bans_in_step.clone(),
        );
        registry.register(
            "bans_received",
            "Bans and liftings taken over from other nodes",
            self.bans_received.clone(),
        );
        registry.register(
            "bans_sent",
            "Bans and liftings passed on to other nodes",
            self.bans_sent.clone(),
        );
        registry.register(
            "unlearned",
            "Apps and tokens that could not be shared",
            self.unlearned.clone(),
        );
        self.register_counts(registry);
        registry.register(
            "lapses",
            "Requests whose limits their own node decided alone, by why",
            self.lapses.clone(),
        );
        registry.register(
            "reserve_seconds",
            "How long the shared store took to charge a request",
            self.reserve_seconds.clone(),
        );
    }

    fn register_counts(&self, registry: &mut Registry) {
        registry.register(
            "clusters_sent",
            "Decisions on clusters passed on to other nodes",
            self.clusters_sent.clone(),
        );
        registry.register(
            "hearing",
            "Whether this node hears what others count",
            self.hearing.clone(),
        );
        for (name, help, counter) in [
            ("told", "Counts told to other nodes", &self.told),
            ("untold", "Counts that could not be told", &self.untold),
            ("heard", "Counts heard of other nodes", &self.heard),
            ("unheard", "Counts heard that cannot be read", &self.unheard),
            (
                "missed",
                "Counts of other nodes that were lost before they were heard",
                &self.missed,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}
