//! Metrics of look-ups of mail servers.

use std::fmt::{self, Write};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Counters of look-ups of mail servers.
#[derive(Debug)]
pub struct DnsMetrics {
    /// Look-ups that have ended, in the background too, by what was found.
    pub looked: Family<LookedLabel, Counter>,
    /// How long each took.
    pub seconds: Histogram,
    /// Look-ups under way.
    pub in_flight: Gauge,
    /// Askers answered out of the cache.
    pub cache_hits: Counter,
    /// Askers answered with what was known, while it is looked up again.
    pub stale_served: Counter,
    /// Askers who were told nothing, by cause.
    pub lapses: Family<LapseLabel, Counter>,
    /// 1 if at the last lapse not even the control names were answered for.
    pub resolver_down: Gauge,
}

/// How a look-up ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// MX hosts with addresses.
    Server,
    /// No MX, but addresses of the domain itself.
    Implicit,
    /// A null MX.
    Null,
    /// No such domain, or no address.
    Nowhere,
    /// Nothing could be found.
    Lapse,
}

/// Why an asker was told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LapseOf {
    /// No answer in time.
    Deadline,
    /// An error for an answer.
    Failure,
    /// No way to the resolver.
    Unreachable,
    /// More MX hosts than are looked at.
    TooManyHosts,
    /// More addresses than are looked at.
    TooManyAddresses,
    /// More look-ups than may be under way.
    TooBusy,
}

// Written out, because the derived labels are not the words of the configuration and the log.
impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Server => "server",
            Self::Implicit => "implicit",
            Self::Null => "null",
            Self::Nowhere => "nowhere",
            Self::Lapse => "lapse",
        })
    }
}

impl EncodeLabelValue for LapseOf {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Deadline => "deadline",
            Self::Failure => "failure",
            Self::Unreachable => "unreachable",
            Self::TooManyHosts => "too-many-hosts",
            Self::TooManyAddresses => "too-many-addresses",
            Self::TooBusy => "too-busy",
        })
    }
}

/// The label of [`DnsMetrics::looked`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LookedLabel {
    /// How it ended.
    pub outcome: Outcome,
}

/// The label of [`DnsMetrics::lapses`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LapseLabel {
    /// Why.
    pub cause: LapseOf,
}

/// From a cached answer of the local resolver to the end of a background look-up.
const SECONDS: [f64; 10] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.5, 5.0, 30.0];

impl Default for DnsMetrics {
    fn default() -> Self {
        Self {
            looked: Family::default(),
            seconds: Histogram::new(SECONDS),
            in_flight: Gauge::default(),
            cache_hits: Counter::default(),
            stale_served: Counter::default(),
            lapses: Family::default(),
            resolver_down: Gauge::default(),
        }
    }
}

impl DnsMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("dns");
        registry.register(
            "lookups",
            "Look-ups of mail servers that have ended, by outcome",
            self.looked.clone(),
        );
        registry.register_with_unit(
            "lookup_duration",
            "Time that look-ups of mail servers took",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "in_flight",
            "Look-ups of mail servers under way",
            self.in_flight.clone(),
        );
        registry.register(
            "cache_hits",
            "Mail servers answered out of the cache",
            self.cache_hits.clone(),
        );
        registry.register(
            "stale_served",
            "Mail servers answered past their TTL while looked up again",
            self.stale_served.clone(),
        );
        registry.register(
            "lapses",
            "Mail servers that could not be told, by cause",
            self.lapses.clone(),
        );
        registry.register(
            "resolver_down",
            "1 if at the last lapse the control names were not answered for either",
            self.resolver_down.clone(),
        );
    }
}
