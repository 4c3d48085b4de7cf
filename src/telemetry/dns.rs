//! Metrics of look-ups of mail servers.

use prometheus_client::registry::Registry;

/// Counters of look-ups of mail servers.
#[derive(Debug, Default)]
pub struct DnsMetrics {}

impl DnsMetrics {
    pub(super) fn register(&self, _registry: &mut Registry) {}
}
