//! Events over the last second, exact over all cores.

use super::counter::{Counter, Summed};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts events, their total and how many fell into the last second.
///
/// Each core counts per second of the process clock; the rate shown is the running second plus the
/// part of the one before that a sliding window still covers. The maximum is looked at when a
/// core enters a new second, and whenever somebody reads.
#[derive(Debug)]
pub struct Rate {
    core: usize,
    shared: Arc<SharedRate>,
}

#[derive(Debug)]
struct SharedRate {
    cores: Box<[Lane]>,
    max: AtomicU64,
    /// The second in which the maximum was forgotten: what it held before no longer counts.
    cleared: AtomicU64,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Lane {
    total: Counter,
    second: Counter,
    current: Counter,
    previous: Counter,
}

/// A rate summed over all cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateTotal {
    /// Events since start, or since `clear counters all`.
    pub total: u64,
    /// Events over the last second.
    pub per_second: u64,
    /// The highest `per_second` known.
    pub max: u64,
}

impl Rate {
    /// One event. Only the owning core may call it.
    #[inline]
    pub fn hit(&self, now_ms: u64) {
        let lane = &self.shared.cores[self.core];
        let second = now_ms / 1000;
        if lane.second.value() != second {
            self.enter_second(second);
        }
        lane.current.inc();
        lane.total.inc();
    }

    /// This core's events since start.
    pub fn here(&self) -> u64 {
        self.shared.cores[self.core].total.value()
    }

    /// Events over the last second on all cores: what a rate limit compares with.
    pub fn everywhere(&self, now_ms: u64) -> u64 {
        self.shared.per_second(now_ms)
    }

    #[cold]
    fn enter_second(&self, second: u64) {
        self.shared
            .observe(self.shared.in_second(second.wrapping_sub(1)));
        let lane = &self.shared.cores[self.core];
        let follows = lane.second.value() + 1 == second;
        lane.previous
            .set(if follows { lane.current.value() } else { 0 });
        lane.current.set(0);
        lane.second.set(second);
    }
}

impl Lane {
    fn in_second(&self, second: u64) -> u64 {
        let at = self.second.value();
        if at == second {
            self.current.value()
        } else if at == second.wrapping_add(1) {
            self.previous.value()
        } else {
            0
        }
    }
}

impl SharedRate {
    fn in_second(&self, second: u64) -> u64 {
        self.cores.iter().map(|lane| lane.in_second(second)).sum()
    }

    fn per_second(&self, now_ms: u64) -> u64 {
        let (second, into_ms) = (now_ms / 1000, now_ms % 1000);
        let before = self.in_second(second.wrapping_sub(1));
        self.in_second(second) + before * (1000 - into_ms) / 1000
    }

    fn observe(&self, rate: u64) {
        if rate > self.max.load(Relaxed) {
            self.max.fetch_max(rate, Relaxed);
        }
    }
}

impl Summed for Rate {
    type Total = RateTotal;

    fn family(cores: usize) -> Vec<Self> {
        let shared = Arc::new(SharedRate {
            cores: (0..cores).map(|_| Lane::default()).collect(),
            max: AtomicU64::new(0),
            cleared: AtomicU64::new(0),
        });
        (0..cores)
            .map(|core| Self {
                core,
                shared: shared.clone(),
            })
            .collect()
    }

    fn add_to(&self, total: &mut RateTotal, now_ms: u64) {
        total.total += self.here();
        total.per_second = self.shared.per_second(now_ms);
        self.shared.observe(total.per_second);
        // A burst that ended before anybody looked is still in its lane.
        let last = self.shared.cores[self.core].second.value();
        if last > self.shared.cleared.load(Relaxed) {
            self.shared.observe(self.shared.in_second(last));
        }
        total.max = self.shared.max.load(Relaxed);
    }

    fn subtract(total: &mut RateTotal, cleared: &RateTotal) {
        total.total = total.total.saturating_sub(cleared.total);
    }

    fn clear_max(&self) {
        let lanes = self.shared.cores.iter();
        let last = lanes.map(|lane| lane.second.value()).max().unwrap_or(0);
        self.shared.cleared.store(last, Relaxed);
        self.shared.max.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(family: &[Rate], now_ms: u64) -> RateTotal {
        let mut total = RateTotal::default();
        for one in family {
            one.add_to(&mut total, now_ms);
        }
        total
    }

    #[test]
    fn the_window_slides_over_the_second_before() {
        let family = Rate::family(2);
        for core in &family {
            for _ in 0..50 {
                core.hit(10_500);
            }
        }
        let rows = [
            (10_500, 100),
            (10_999, 100),
            (11_000, 100),
            (11_250, 75),
            (11_999, 0),
        ];
        for (now_ms, expected) in rows {
            assert_eq!(total(&family, now_ms).per_second, expected, "at {now_ms}");
        }
        assert_eq!(
            total(&family, 12_000),
            RateTotal {
                total: 100,
                per_second: 0,
                max: 100
            }
        );
    }

    #[test]
    fn a_maximum_that_nobody_read_is_kept() {
        let family = Rate::family(2);
        (0..30).for_each(|_| family[0].hit(5_100));
        (0..12).for_each(|_| family[1].hit(5_900));
        family[0].hit(6_000);
        family[0].hit(60_000);
        assert_eq!(total(&family, 60_000).max, 42);
    }

    #[test]
    fn a_burst_counts_whenever_somebody_looks() {
        let family = Rate::family(2);
        (0..3).for_each(|_| family[0].hit(5_100));
        family[1].hit(5_200);
        assert_eq!(total(&family, 60_000).max, 4);
    }

    #[test]
    fn a_gap_leaves_nothing_of_the_old_second() {
        let family = Rate::family(1);
        (0..5).for_each(|_| family[0].hit(1_000));
        family[0].hit(3_000);
        assert_eq!(total(&family, 3_000).per_second, 1);
    }

    #[test]
    fn the_maximum_can_be_cleared() {
        let family = Rate::family(1);
        (0..5).for_each(|_| family[0].hit(1_000));
        assert_eq!(total(&family, 1_000).max, 5);
        family[0].clear_max();
        assert_eq!(total(&family, 9_000).max, 0);
    }
}
