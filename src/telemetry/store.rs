//! Metrics of bans, limiter and events.

use prometheus_client::registry::Registry;

/// Counters of bans, limiter and events.
#[derive(Debug, Default)]
pub struct StoreMetrics {}

impl StoreMetrics {
    pub(super) fn register(&self, _registry: &mut Registry) {}
}
