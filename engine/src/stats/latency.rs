//! The distribution of durations, recorded in one store and read as percentiles.

use super::counter::{Counter, Summed};
use hdrhistogram::Histogram;
use std::sync::OnceLock;

/// Buckets per power of two: a percentile is at most 1/32 too high.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Longest duration told apart: 2^36 us, 19 hours.
const HIGHEST_US: u64 = (1 << 36) - 1;
const BUCKETS: usize = (36 - STEP_BITS as usize + 1) * STEPS as usize;

/// Durations of one core. The buckets (8 KB) are allocated by the first record.
#[derive(Debug, Default)]
pub struct Latency(OnceLock<Box<[Counter]>>);

/// Durations summed over all cores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencyTotal(Vec<u64>);

impl Latency {
    /// One duration in microseconds. Only the owning core may call it.
    #[inline]
    pub fn record_us(&self, duration_us: u64) {
        let buckets = self
            .0
            .get_or_init(|| (0..BUCKETS).map(|_| Counter::default()).collect());
        buckets[bucket(duration_us)].inc();
    }
}

impl LatencyTotal {
    /// The whole distribution in microseconds, for percentiles of any kind.
    pub fn histogram_us(&self) -> Option<Histogram<u64>> {
        let mut histogram = Histogram::new_with_bounds(1, HIGHEST_US, 2).ok()?;
        for (index, &count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            histogram.saturating_record_n(upper_edge_us(index), count);
        }
        (!histogram.is_empty()).then_some(histogram)
    }
}

/// The bucket of a duration: linear below 32 us, then 32 steps for each power of two.
fn bucket(duration_us: u64) -> usize {
    let value = duration_us.min(HIGHEST_US);
    if value < STEPS {
        return value as usize;
    }
    let octave = value.ilog2() - STEP_BITS;
    ((u64::from(octave) + 1) * STEPS + ((value >> octave) - STEPS)) as usize
}

/// The longest duration that falls into a bucket.
fn upper_edge_us(bucket: usize) -> u64 {
    let (octave, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    match octave {
        0 => step,
        _ => ((STEPS + step + 1) << (octave - 1)) - 1,
    }
}

impl Summed for Latency {
    type Total = LatencyTotal;

    fn family(cores: usize) -> Vec<Self> {
        (0..cores).map(|_| Self::default()).collect()
    }

    fn add_to(&self, total: &mut LatencyTotal, _now_ms: u64) {
        let Some(buckets) = self.0.get() else { return };
        total.0.resize(BUCKETS, 0);
        for (sum, bucket) in total.0.iter_mut().zip(buckets) {
            *sum += bucket.value();
        }
    }

    fn subtract(total: &mut LatencyTotal, cleared: &LatencyTotal) {
        for (sum, cleared) in total.0.iter_mut().zip(&cleared.0) {
            *sum = sum.saturating_sub(*cleared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_its_bucket() {
        for value in (0..5_000).chain((10..36).flat_map(|bit| {
            let power = 1u64 << bit;
            [power - 1, power, power + power / 3]
        })) {
            let edge = upper_edge_us(bucket(value));
            assert!(
                edge >= value && edge - value <= value / STEPS,
                "{value} -> {edge}"
            );
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_come_from_all_cores() {
        let family = Latency::family(2);
        (1..=500).for_each(|us| family[0].record_us(us * 10));
        (501..=1000).for_each(|us| family[1].record_us(us * 10));
        let mut total = LatencyTotal::default();
        for one in &family {
            one.add_to(&mut total, 0);
        }
        let histogram = total.histogram_us().expect("values were recorded");
        for (quantile, expected) in [(0.5, 5_000), (0.99, 9_900), (1.0, 10_000)] {
            let found = histogram.value_at_quantile(quantile);
            assert!(
                found >= expected && found <= expected * 105 / 100,
                "{quantile}: {found}"
            );
        }
    }

    #[test]
    fn nothing_recorded_has_no_percentile_and_no_memory() {
        let latency = Latency::default();
        let mut total = LatencyTotal::default();
        latency.add_to(&mut total, 0);
        assert!(total.histogram_us().is_none() && total.0.is_empty());
    }
}
