//! Metrics of the breaker: its step, what comes to be, and what is normal.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::few::Few;
use crate::wave::{Kind, Rate, Step};

/// Gauges and counters of the breaker.
#[derive(Debug, Default)]
pub struct WaveMetrics {
    step: Gauge,
    counted: Few<OfKind>,
    present: Family<OfKind, Gauge>,
    normal: Family<OfKind, Gauge<f64, std::sync::atomic::AtomicU64>>,
}

/// One kind of what comes to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

impl OfKind {
    const fn new(kind: Kind) -> Self {
        Self { kind: kind.name() }
    }
}

impl WaveMetrics {
    /// The step in force.
    pub fn step(&self, step: Step) {
        self.step.set(step.number().into());
    }

    /// So much came to be.
    pub fn counted(&self, kind: Kind, count: u32) {
        self.counted.inc_by(OfKind::new(kind), count.into());
    }

    /// The last hour, and what is normal for one.
    pub fn rate(&self, rate: &Rate) {
        let labels = OfKind::new(rate.kind);
        let [_, hour] = rate.now;
        let [_, normal] = rate.normal;
        self.present.get_or_create(&labels).set(hour.into());
        self.normal.get_or_create(&labels).set(normal.into());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("wave");
        registry.register(
            "step",
            "How far the breaker is up, from 0 to 4",
            self.step.clone(),
        );
        registry.register(
            "counted",
            "What came to be, as the breaker counts it",
            self.counted.family(),
        );
        registry.register(
            "last_hour",
            "What came to be in the last hour",
            self.present.clone(),
        );
        registry.register(
            "normal_hour",
            "What normally comes to be in an hour at this time of the week",
            self.normal.clone(),
        );
    }
}
