//! Metrics of requests, connections and the upstream.
//!
//! Every counter that a request touches is resolved once, at start; counting
//! is one atomic addition and never a look-up by label.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use self::histogram::Histogram;

mod histogram;

/// Counters of requests, connections and the upstream.
#[derive(Debug)]
pub struct ProxyMetrics {
    requests: [Counter; 5],
    request_seconds: Histogram,
    /// Requests being served.
    pub requests_in_flight: Gauge,
    /// Requests that hyper could not read, and answered itself if at all.
    pub requests_malformed: Counter,
    /// Client connections accepted.
    pub connections: Counter,
    /// Client connections open, tunnels included.
    pub connections_open: Gauge,
    /// Client connections open without HTTP state: new or quiet.
    pub connections_parked: Gauge,
    /// Times that accepting paused: at `max-connections`, or out of descriptors.
    pub accept_pauses: Pauses,
    /// Connections opened to the upstream.
    pub upstream_connects: Counter,
    /// Requests sent on a kept connection.
    pub upstream_reuses: Counter,
    /// Requests sent again after a kept connection turned out dead.
    pub upstream_retries: Counter,
    /// Connections that became tunnels.
    pub upgrades: Counter,
    /// Tunnels open.
    pub tunnels: Gauge,
    /// Panics that cost a connection.
    pub panics: Counter,
    /// Time-outs by phase.
    pub timeouts: TimeoutCounters,
    /// How late workers' tickers come: the time that other work kept the loop busy.
    pub loop_lag: Histogram,
    faults: Family<FaultLabels, Counter>,
    request_family: Family<ClassLabels, Counter>,
    timeout_family: Family<PhaseLabels, Counter>,
    pause_family: Family<PauseLabels, Counter>,
}

/// Pauses in accepting, by cause.
#[derive(Debug)]
pub struct Pauses {
    /// `max-connections` were open.
    pub full: Counter,
    /// The process or system had no file descriptor or memory left.
    pub descriptors: Counter,
}

/// Time-outs by phase.
#[derive(Debug)]
pub struct TimeoutCounters {
    /// Between requests.
    pub idle: Counter,
    /// Within a request head.
    pub head: Counter,
    /// Within a request body, or the client took nothing of its reply.
    pub body_stall: Counter,
    /// Reaching the upstream.
    pub connect: Counter,
    /// Before the reply's head.
    pub reply_head: Counter,
    /// Within a reply.
    pub reply_stall: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PauseLabels {
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaultLabels {
    source: &'static str,
    fault: &'static str,
}

impl Default for ProxyMetrics {
    fn default() -> Self {
        let request_family = Family::<ClassLabels, Counter>::default();
        let timeout_family = Family::<PhaseLabels, Counter>::default();
        let pause_family = Family::<PauseLabels, Counter>::default();
        let phase = |phase| timeout_family.get_or_create_owned(&PhaseLabels { phase });
        let cause = |cause| pause_family.get_or_create_owned(&PauseLabels { cause });
        Self {
            requests: ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| request_family.get_or_create_owned(&ClassLabels { class })),
            timeouts: TimeoutCounters {
                idle: phase("idle"),
                head: phase("head"),
                body_stall: phase("body-stall"),
                connect: phase("connect"),
                reply_head: phase("reply-head"),
                reply_stall: phase("reply-stall"),
            },
            accept_pauses: Pauses {
                full: cause("max-connections"),
                descriptors: cause("descriptors"),
            },
            request_seconds: Histogram::default(),
            requests_in_flight: Gauge::default(),
            requests_malformed: Counter::default(),
            connections: Counter::default(),
            connections_open: Gauge::default(),
            connections_parked: Gauge::default(),
            upstream_connects: Counter::default(),
            upstream_reuses: Counter::default(),
            upstream_retries: Counter::default(),
            upgrades: Counter::default(),
            tunnels: Gauge::default(),
            panics: Counter::default(),
            loop_lag: Histogram::default(),
            faults: Family::default(),
            request_family,
            timeout_family,
            pause_family,
        }
    }
}

impl ProxyMetrics {
    /// A request was answered: its status, and the time until its reply's head.
    pub fn answered(&self, status: StatusCode, after: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.requests.get(class) {
            counter.inc();
        }
        self.request_seconds.observe(after);
    }

    /// A request could not be passed on or got no reply. A rare event: this
    /// one does look its counter up.
    pub fn failed(&self, source: &'static str, fault: &'static str) {
        let labels = FaultLabels { source, fault };
        self.faults.get_or_create_owned(&labels).inc();
    }

    /// Requests answered so far, for tests and summaries.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.iter().map(Counter::get).sum()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.register_requests(registry);
        self.register_connections(registry);
        self.register_upstream(registry);
    }

    fn register_requests(&self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Requests answered, by class of status",
            self.request_family.clone(),
        );
        registry.register(
            "request_seconds",
            "Time from a request's head to its reply's head",
            self.request_seconds.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests being served",
            self.requests_in_flight.clone(),
        );
        registry.register(
            "requests_malformed",
            "Requests that are not HTTP",
            self.requests_malformed.clone(),
        );
        registry.register(
            "faults",
            "Requests not passed on or not answered by the upstream",
            self.faults.clone(),
        );
        registry.register(
            "timeouts",
            "Time-outs, by phase",
            self.timeout_family.clone(),
        );
    }

    fn register_connections(&self, registry: &mut Registry) {
        registry.register(
            "connections",
            "Client connections accepted",
            self.connections.clone(),
        );
        registry.register(
            "connections_open",
            "Client connections open",
            self.connections_open.clone(),
        );
        registry.register(
            "connections_parked",
            "Client connections open and quiet, without buffers",
            self.connections_parked.clone(),
        );
        registry.register(
            "accept_pauses",
            "Pauses in accepting connections, by cause",
            self.pause_family.clone(),
        );
        registry.register(
            "upgrades",
            "Connections that became tunnels",
            self.upgrades.clone(),
        );
        registry.register("tunnels", "Tunnels open", self.tunnels.clone());
        registry.register(
            "panics",
            "Panics that cost a connection",
            self.panics.clone(),
        );
        registry.register(
            "loop_lag_seconds",
            "How late a worker's ticker came",
            self.loop_lag.clone(),
        );
    }

    fn register_upstream(&self, registry: &mut Registry) {
        registry.register(
            "upstream_connects",
            "Connections opened to the upstream",
            self.upstream_connects.clone(),
        );
        registry.register(
            "upstream_reuses",
            "Requests sent on a kept connection",
            self.upstream_reuses.clone(),
        );
        registry.register(
            "upstream_retries",
            "Requests sent again after a kept connection turned out dead",
            self.upstream_retries.clone(),
        );
    }
}
