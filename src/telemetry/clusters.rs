//! Metrics of what the gate condemns by itself, and of the memory behind it.
//!
//! Measured when somebody asks for metrics, from the registers as they are:
//! nothing is counted on a request's way.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::cluster::ClusterKind;

/// Condemnations and registers.
#[derive(Debug, Default)]
pub struct ClusterMetrics {
    open: Family<KindLabel, Gauge>,
    condemned: Family<KindLabel, Counter>,
    ended: Family<EndedLabels, Counter>,
    entries: Family<RegisterLabel, Gauge>,
    bytes: Family<RegisterLabel, Gauge>,
    evicted: Family<RegisterLabel, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndedLabels {
    kind: &'static str,
    how: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RegisterLabel {
    register: &'static str,
}

/// How a condemnation ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By hand.
    Released,
    /// Because honest people showed.
    Lifted,
}

const fn kind(kind: ClusterKind) -> KindLabel {
    KindLabel {
        kind: match kind {
            ClusterKind::Mail => "mail",
            ClusterKind::App => "app",
        },
    }
}

impl ClusterMetrics {
    /// So many condemnations are in force.
    pub fn open(&self, of: ClusterKind, count: usize) {
        self.open.get_or_create(&kind(of)).set(signed(count));
    }

    /// One more condemnation. The series are there from the first measuring on.
    pub fn condemned(&self, of: ClusterKind, count: u64) {
        self.condemned.get_or_create(&kind(of)).inc_by(count);
    }

    /// One ended before its time.
    pub fn ended(&self, of: ClusterKind, how: Ended, count: u64) {
        let labels = EndedLabels {
            kind: kind(of).kind,
            how: match how {
                Ended::Released => "released",
                Ended::Lifted => "lifted",
            },
        };
        self.ended.get_or_create(&labels).inc_by(count);
    }

    /// How full a register is, and how many entries it forgot for want of room, ever.
    pub fn register_fill(
        &self,
        register: &'static str,
        entries: usize,
        bytes: usize,
        evicted: u64,
    ) {
        let label = RegisterLabel { register };
        self.entries.get_or_create(&label).set(signed(entries));
        self.bytes.get_or_create(&label).set(signed(bytes));
        let counter = self.evicted.get_or_create(&label);
        counter.inc_by(evicted.saturating_sub(counter.get()));
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("open", "Condemnations in force, by kind", self.open.clone());
        registry.register(
            "condemned",
            "Condemnations since the start, by kind",
            self.condemned.clone(),
        );
        registry.register(
            "ended",
            "Condemnations that ended before their time: released by hand, or lifted",
            self.ended.clone(),
        );
        registry.register(
            "register_entries",
            "What the registers of mail servers and apps remember",
            self.entries.clone(),
        );
        registry.register(
            "register_bytes",
            "Memory that the registers take, counted high",
            self.bytes.clone(),
        );
        registry.register(
            "evicted",
            "Entries that a register forgot for want of room",
            self.evicted.clone(),
        );
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
