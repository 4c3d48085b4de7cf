//! Metrics of bans, limiter, register and events.
//!
//! Labels are limit names (static text from the configuration's closed set) and
//! file names: nothing here can grow with what an attacker sends.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::few::Few;
use crate::verdict::Mode;

/// Counters of bans, limiter, register and events.
#[derive(Debug)]
pub struct StoreMetrics {
    /// Slots of the limiter's table that are taken.
    pub limiter_slots: Gauge,
    /// Slots of the limiter's table given up after their period.
    pub limiter_expired: Counter,
    /// Bans and allow entries in force or not yet swept.
    pub bans: Gauge,
    /// Events that were put in the queue to be written.
    pub events_recorded: Counter,
    /// Events merged into the row of another of the same flood.
    pub events_merged: Counter,
    /// Events lost: queue full or disk refusing.
    pub events_dropped: Counter,
    spent: Few<SpentLabels>,
    fallbacks: Family<LimitLabel, Counter>,
    unlimited: Family<LimitLabel, Counter>,
    queue: Family<FileLabel, Gauge>,
    dropped: Family<FileLabel, Counter>,
    failures: Family<FileLabel, Counter>,
    hurried: Family<FileLabel, Counter>,
    bytes: Family<FileLabel, Gauge>,
    write_seconds: Family<FileLabel, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpentLabels {
    limit: &'static str,
    mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabel {
    file: &'static str,
}

const WRITE_SECONDS: [f64; 9] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0, 5.0];

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            limiter_slots: Gauge::default(),
            limiter_expired: Counter::default(),
            bans: Gauge::default(),
            events_recorded: Counter::default(),
            events_merged: Counter::default(),
            events_dropped: Counter::default(),
            spent: Few::default(),
            fallbacks: Family::default(),
            unlimited: Family::default(),
            queue: Family::default(),
            dropped: Family::default(),
            failures: Family::default(),
            hurried: Family::default(),
            bytes: Family::default(),
            write_seconds: Family::new_with_constructor(|| Histogram::new(WRITE_SECONDS)),
        }
    }
}

impl StoreMetrics {
    /// A limit was found spent; under [`Mode::Observe`] it did not refuse.
    pub fn limit_spent(&self, limit: &'static str, mode: Mode) {
        let labels = SpentLabels {
            limit,
            mode: mode.name(),
        };
        self.spent.inc(labels);
    }

    /// A new key of this limit found no room and its wider key stood for it.
    pub fn limit_fell_back(&self, limit: &'static str) {
        self.fallbacks.get_or_create(&LimitLabel { limit }).inc();
    }

    /// A new key of this limit found no room and has no wider key.
    pub fn limit_unlimited(&self, limit: &'static str) {
        self.unlimited.get_or_create(&LimitLabel { limit }).inc();
    }

    /// Jobs waiting for a file's writer: kept by who sets it at every job.
    pub fn queue_depth(&self, file: &'static str) -> Gauge {
        self.queue.get_or_create_owned(&FileLabel { file })
    }

    /// A job was not taken because a file's queue was full.
    pub fn job_dropped(&self, file: &'static str) {
        self.dropped.get_or_create(&FileLabel { file }).inc();
    }

    /// A write to a file failed.
    pub fn write_failed(&self, file: &'static str) {
        self.failures.get_or_create(&FileLabel { file }).inc();
    }

    /// A file's writer fell behind and gives way to requests no longer.
    pub fn hurried(&self, file: &'static str) {
        self.hurried.get_or_create(&FileLabel { file }).inc();
    }

    /// A batch reached a file after this long.
    pub fn wrote(&self, file: &'static str, took: Duration) {
        self.write_seconds
            .get_or_create(&FileLabel { file })
            .observe(took.as_secs_f64());
    }

    /// How large a file is.
    pub fn file_bytes(&self, file: &'static str, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.bytes.get_or_create(&FileLabel { file }).set(bytes);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.register_limiter(registry.sub_registry_with_prefix("limiter"));
        self.register_events(registry.sub_registry_with_prefix("events"));
        self.register_files(registry.sub_registry_with_prefix("store"));
    }

    fn register_limiter(&self, registry: &mut Registry) {
        registry.register(
            "slots",
            "Keys with a budget of their own",
            self.limiter_slots.clone(),
        );
        registry.register(
            "expired",
            "Keys that gave up their slot after their period",
            self.limiter_expired.clone(),
        );
        registry.register(
            "spent",
            "Attempts that found a limit spent, by limit and mode",
            self.spent.family(),
        );
        registry.register(
            "fallbacks",
            "New keys that found no room and fell back to their wider key",
            self.fallbacks.clone(),
        );
        registry.register(
            "unlimited",
            "New keys that found neither room nor a wider key",
            self.unlimited.clone(),
        );
    }

    fn register_events(&self, registry: &mut Registry) {
        registry.register(
            "recorded",
            "Events queued for the record",
            self.events_recorded.clone(),
        );
        registry.register(
            "merged",
            "Refusals merged into another's row during a flood",
            self.events_merged.clone(),
        );
        registry.register(
            "dropped",
            "Events lost to a full queue or disk",
            self.events_dropped.clone(),
        );
    }

    fn register_files(&self, registry: &mut Registry) {
        registry.register("bans", "Bans and allow entries", self.bans.clone());
        registry.register(
            "queue",
            "Jobs waiting for a file's writer",
            self.queue.clone(),
        );
        registry.register(
            "jobs_dropped",
            "Jobs refused because a file's queue was full",
            self.dropped.clone(),
        );
        registry.register(
            "write_failures",
            "Writes that failed, by file",
            self.failures.clone(),
        );
        registry.register(
            "writers_hurried",
            "How often a file's writer fell behind and gave way to requests no longer for a minute",
            self.hurried.clone(),
        );
        registry.register("file_bytes", "Size of a file", self.bytes.clone());
        registry.register(
            "write_seconds",
            "How long a batch took to reach its file",
            self.write_seconds.clone(),
        );
    }
}
