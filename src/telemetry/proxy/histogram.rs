//! A histogram that is observed without a lock.
//!
//! Buckets double from 100 µs to 26 s, so an observation is one bit count and
//! two atomic additions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

const BUCKETS: usize = 20;
const SMALLEST: u64 = 100;

/// Spans of time, counted by size.
#[derive(Clone, Debug, Default)]
pub struct Histogram(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Histogram {
    /// Counts `span`.
    pub fn observe(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.0.buckets.get(bucket_of(micros)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.0.micros.fetch_add(micros, Relaxed);
    }

    /// How many spans were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|b| b.load(Relaxed)).sum()
    }
}

/// The first bucket whose bound, `SMALLEST` doubled that often, holds `micros`.
const fn bucket_of(micros: u64) -> usize {
    let steps = micros.saturating_sub(1) / SMALLEST;
    let bucket = (u64::BITS - steps.leading_zeros()) as usize;
    if bucket < BUCKETS {
        bucket
    } else {
        BUCKETS - 1
    }
}

fn bound(bucket: usize) -> f64 {
    if bucket == BUCKETS - 1 {
        return f64::INFINITY;
    }
    (SMALLEST << bucket) as f64 / 1e6
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let buckets: Vec<(f64, u64)> = self
            .0
            .buckets
            .iter()
            .enumerate()
            .map(|(at, count)| (bound(at), count.load(Relaxed)))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_micros(self.0.micros.load(Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_span_falls_under_its_bound() {
        for (micros, expected) in [(0, 0), (100, 0), (101, 1), (200, 1), (201, 2), (400, 2)] {
            assert_eq!(bucket_of(micros), expected, "{micros}");
        }
        for bucket in 0..BUCKETS - 1 {
            assert_eq!(bucket_of(SMALLEST << bucket), bucket);
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn it_is_shown_as_the_format_wants() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(1));
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register("span_seconds", "help", histogram.clone());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a String");
        assert!(
            text.contains("span_seconds_bucket{le=\"0.0016\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("span_seconds_bucket{le=\"0.0008\"} 0"),
            "{text}"
        );
        assert!(
            text.contains("span_seconds_bucket{le=\"+Inf\"} 1"),
            "{text}"
        );
        assert!(text.contains("span_seconds_count 1"), "{text}");
        assert_eq!(histogram.count(), 1);
    }
}
