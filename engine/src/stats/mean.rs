//! The average of the last values and the highest one.

use super::counter::{Counter, Summed};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many values an average reaches back: columns 58 to 61 of management.txt 9.1.
pub const MEAN_WINDOW: u64 = 1024;

/// An exponential average over the last [`MEAN_WINDOW`] values of each core, in ms.
#[derive(Debug)]
pub struct Mean {
    /// The sum of the values in the window.
    sum: Counter,
    samples: Counter,
    max: AtomicU64,
    /// The clearing that `sum` and `samples` belong to.
    seen: Counter,
    clearings: Arc<AtomicU64>,
}

/// An average over all cores, each weighted by the values in its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanTotal {
    sum: u64,
    samples: u64,
    /// The highest value since start or since `clear counters`, in ms.
    pub max: u64,
}

impl MeanTotal {
    /// The average in ms, rounded up as HAProxy does; 0 before the first value.
    pub fn average(&self) -> u64 {
        self.sum
            .checked_div(self.samples)
            .map_or(0, |_| self.sum.div_ceil(self.samples))
    }
}

impl Mean {
    /// One value, in ms. Only the owning core may call it.
    #[inline]
    pub fn record(&self, value_ms: u64) {
        let clearings = self.clearings.load(Relaxed);
        if self.seen.value() != clearings {
            self.seen.set(clearings);
            self.sum.set(0);
            self.samples.set(0);
        }
        if self.samples.value() < MEAN_WINDOW {
            self.samples.inc();
            self.sum.add(value_ms);
        } else {
            let sum = self.sum.value();
            self.sum.set(sum - sum.div_ceil(MEAN_WINDOW) + value_ms);
        }
        if value_ms > self.max.load(Relaxed) {
            self.max.fetch_max(value_ms, Relaxed);
        }
    }
}

impl Summed for Mean {
    type Total = MeanTotal;

    fn family(cores: usize) -> Vec<Self> {
        let clearings = Arc::new(AtomicU64::new(0));
        let one = |_| Self {
            sum: Counter::default(),
            samples: Counter::default(),
            max: AtomicU64::new(0),
            seen: Counter::default(),
            clearings: clearings.clone(),
        };
        (0..cores).map(one).collect()
    }

    fn add_to(&self, total: &mut MeanTotal, _now_ms: u64) {
        if self.seen.value() == self.clearings.load(Relaxed) {
            total.sum += self.sum.value();
            total.samples += self.samples.value();
        }
        total.max = total.max.max(self.max.load(Relaxed));
    }

    fn subtract(_total: &mut MeanTotal, _cleared: &MeanTotal) {}

    fn clear_max(&self) {
        self.max.store(0, Relaxed);
    }

    fn clear_mean(&self) {
        self.clearings.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(family: &[Mean]) -> MeanTotal {
        let mut total = MeanTotal::default();
        for one in family {
            one.add_to(&mut total, 0);
        }
        total
    }

    #[test]
    fn few_values_give_their_plain_average() {
        let family = Mean::family(2);
        family[0].record(10);
        family[0].record(20);
        family[1].record(31);
        assert_eq!(total(&family).average(), 21);
        assert_eq!(total(&family).max, 31);
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(total(&Mean::family(4)).average(), 0);
    }

    #[test]
    fn old_values_fade() {
        let family = Mean::family(1);
        (0..5_000).for_each(|_| family[0].record(100));
        assert_eq!(total(&family).average(), 100);
        (0..20_000).for_each(|_| family[0].record(4));
        assert!(total(&family).average() <= 5);
    }

    #[test]
    fn clearing_forgets_the_average_on_every_core() {
        let family = Mean::family(2);
        for one in &family {
            one.record(50);
        }
        family[0].clear_mean();
        family.iter().for_each(Summed::clear_max);
        assert_eq!(total(&family), MeanTotal::default());
        family[1].record(7);
        assert_eq!((total(&family).average(), total(&family).max), (7, 7));
    }
}
