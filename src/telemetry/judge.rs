//! Metrics of decisions and lapses.

use prometheus_client::registry::Registry;

/// Counters of decisions and lapses.
#[derive(Debug, Default)]
pub struct JudgeMetrics {}

impl JudgeMetrics {
    pub(super) fn register(&self, _registry: &mut Registry) {}
}
