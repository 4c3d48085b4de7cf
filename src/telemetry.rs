//! Every metric name and label of the gate.
//!
//! One process, one registry: rooms count through [`metrics`], and only this
//! room and its files know what a metric is called. Labels are closed sets
//! (enums), never attacker-chosen text.

use std::sync::LazyLock;

use prometheus_client::registry::Registry;

pub mod clusters;
pub mod dns;
mod few;
pub mod hooks;
pub mod judge;
pub mod proxy;
pub mod shared;
pub mod store;
pub mod trouble;
pub mod wave;

/// Every counter, gauge and histogram.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests, connections, upstream.
    pub proxy: proxy::ProxyMetrics,
    /// Look-ups of mail servers.
    pub dns: dns::DnsMetrics,
    /// Bans, limiter, events.
    pub store: store::StoreMetrics,
    /// The store that several nodes share.
    pub shared: shared::SharedMetrics,
    /// Decisions and lapses.
    pub judge: judge::JudgeMetrics,
    /// What the gate condemns by itself.
    pub clusters: clusters::ClusterMetrics,
    /// What Mastodon tells afterwards.
    pub hooks: hooks::HookMetrics,
    /// The breaker.
    pub wave: wave::WaveMetrics,
}

/// The process's metrics.
#[must_use]
pub fn metrics() -> &'static Metrics {
    &PROCESS.0
}

/// The metrics in OpenMetrics text.
///
/// # Errors
/// Never in practice: writing to a `String` does not fail.
pub fn render() -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &PROCESS.1)?;
    Ok(text)
}

static PROCESS: LazyLock<(Metrics, Registry)> = LazyLock::new(|| {
    let metrics = Metrics::default();
    let mut registry = Registry::with_prefix("tuskgate");
    metrics.proxy.register(&mut registry);
    metrics.dns.register(&mut registry);
    metrics.store.register(&mut registry);
    metrics.shared.register(&mut registry);
    metrics.judge.register(&mut registry);
    metrics
        .clusters
        .register(registry.sub_registry_with_prefix("clusters"));
    metrics.hooks.register(&mut registry);
    metrics.wave.register(&mut registry);
    (metrics, registry)
});
