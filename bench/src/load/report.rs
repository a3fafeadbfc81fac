//! What a run has shown.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How an exchange can fail. An answer with any status is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The connection could not be made.
    Connect,
    /// Closed or reset after the request, before the first byte of the answer.
    NoAnswer,
    /// Closed or reset inside the answer.
    CutOff,
    /// The answer is not HTTP.
    Junk,
    /// The answer carries another request's tag.
    Crossed,
    /// The body's bytes are not those of the pattern.
    Corrupted,
    /// No progress for too long.
    Stalled,
}

/// Histogram of latencies in microseconds, from 1 us to 10 minutes, three digits.
pub type Latencies = Histogram<u64>;

const LATENCY_MAX_US: u64 = 600_000_000;

#[derive(Debug, Serialize)]
pub struct Report {
    /// Complete answers within the measured time, whatever their status.
    pub requests: u64,
    pub seconds: f64,
    pub statuses: BTreeMap<u16, u64>,
    pub failures: BTreeMap<Failure, u64>,
    pub body_bytes: u64,
    pub connects: u64,
    #[serde(serialize_with = "percentiles")]
    pub latency_us: Latencies,
}

impl Report {
    pub fn new() -> Report {
        // The bounds are constants that the histogram accepts.
        let latency_us = Latencies::new_with_bounds(1, LATENCY_MAX_US, 3)
            .unwrap_or_else(|error| unreachable!("constant bounds: {error}"));
        Report {
            requests: 0,
            seconds: 0.0,
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            body_bytes: 0,
            connects: 0,
            latency_us,
        }
    }

    pub fn answered(&mut self, status: u16, body_bytes: u64, latency: Duration) {
        self.requests += 1;
        self.body_bytes += body_bytes;
        *self.statuses.entry(status).or_default() += 1;
        let us = (latency.as_micros() as u64).clamp(1, LATENCY_MAX_US);
        self.latency_us.saturating_record(us);
    }

    pub fn failed(&mut self, failure: Failure) {
        *self.failures.entry(failure).or_default() += 1;
    }

    pub fn failures_of(&self, failure: Failure) -> u64 {
        self.failures.get(&failure).copied().unwrap_or(0)
    }

    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 {
            self.requests as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// Answers other than 200, and failures.
    pub fn errors(&self) -> u64 {
        let ok = self.statuses.get(&200).copied().unwrap_or(0);
        self.requests - ok + self.failures.values().sum::<u64>()
    }
}

fn percentiles<S: serde::Serializer>(latencies: &Latencies, out: S) -> Result<S::Ok, S::Error> {
    let at = |quantile| latencies.value_at_quantile(quantile);
    out.collect_map([
        ("p50", at(0.5)),
        ("p90", at(0.9)),
        ("p99", at(0.99)),
        ("p99.9", at(0.999)),
        ("max", latencies.max()),
    ])
}
