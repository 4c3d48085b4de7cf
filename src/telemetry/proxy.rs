//! Metrics of requests, connections and the upstream.

use prometheus_client::registry::Registry;

/// Counters of requests, connections and the upstream.
#[derive(Debug, Default)]
pub struct ProxyMetrics {}

impl ProxyMetrics {
    pub(super) fn register(&self, _registry: &mut Registry) {}
}
