//! Numbers that one core writes with plain stores and anyone may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Something that one core writes and readers sum over all cores.
pub trait Summed: Sized {
    /// What a reader gets after adding up every core.
    type Total: Default + Clone;

    /// One instance a core; instances of one family may share what makes maxima exact.
    fn family(cores: usize) -> Vec<Self>;

    /// Adds this core's share to `total`.
    fn add_to(&self, total: &mut Self::Total, now_ms: u64);

    /// Takes what was there when counters were cleared away from `total`.
    fn subtract(total: &mut Self::Total, cleared: &Self::Total);

    /// Forgets the maxima (`clear counters`); may be called from any thread.
    fn clear_max(&self) {}

    /// Forgets averages (`clear counters all`); may be called from any thread.
    fn clear_mean(&self) {}
}

/// A cumulative count. One writer: a load and a store, no locked instruction.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the owning core may call it.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Adds one. Only the owning core may call it.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Takes one away, never below zero. Only the owning core may call it.
    #[inline]
    pub fn dec(&self) {
        self.0
            .store(self.0.load(Relaxed).saturating_sub(1), Relaxed);
    }

    /// Replaces the value. Only the owning core may call it.
    #[inline]
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// The value as last stored.
    #[inline]
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Summed for Counter {
    type Total = u64;

    fn family(cores: usize) -> Vec<Self> {
        (0..cores).map(|_| Self::default()).collect()
    }

    fn add_to(&self, total: &mut u64, _now_ms: u64) {
        *total = total.wrapping_add(self.value());
    }

    fn subtract(total: &mut u64, cleared: &u64) {
        *total = total.saturating_sub(*cleared);
    }
}

/// A number that goes up and down, with the highest process-wide value it reached.
///
/// The maximum is looked at whenever a core passes its own highest value of the running second, so
/// that the usual increment touches nothing that another core writes.
#[derive(Debug)]
pub struct Gauge {
    core: usize,
    shared: Arc<SharedGauge>,
    second: Counter,
    high: Counter,
}

#[derive(Debug)]
struct SharedGauge {
    cores: Box<[Lane]>,
    max: AtomicU64,
}

/// A value on its own cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Lane(Counter);

/// A gauge summed over all cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GaugeTotal {
    /// The value now.
    pub now: u64,
    /// The highest value since start or since `clear counters`.
    pub max: u64,
}

impl Gauge {
    /// One more. Only the owning core may call it.
    #[inline]
    pub fn enter(&self, now_ms: u64) {
        let lane = &self.shared.cores[self.core].0;
        lane.inc();
        let second = now_ms / 1000;
        if self.second.value() != second {
            self.second.set(second);
            self.high.set(0);
        }
        if lane.value() > self.high.value() {
            self.high.set(lane.value());
            self.shared.observe();
        }
    }

    /// One less. Only the owning core may call it.
    #[inline]
    pub fn leave(&self) {
        self.shared.cores[self.core].0.dec();
    }

    /// This core's share.
    pub fn here(&self) -> u64 {
        self.shared.cores[self.core].0.value()
    }

    /// The value over all cores.
    pub fn everywhere(&self) -> u64 {
        self.shared.sum()
    }
}

impl SharedGauge {
    fn sum(&self) -> u64 {
        self.cores.iter().map(|lane| lane.0.value()).sum()
    }

    fn observe(&self) -> u64 {
        let sum = self.sum();
        if sum > self.max.load(Relaxed) {
            self.max.fetch_max(sum, Relaxed);
        }
        self.max.load(Relaxed)
    }
}

impl Summed for Gauge {
    type Total = GaugeTotal;

    fn family(cores: usize) -> Vec<Self> {
        let shared = Arc::new(SharedGauge {
            cores: (0..cores).map(|_| Lane::default()).collect(),
            max: AtomicU64::new(0),
        });
        let one = |core| Self {
            core,
            shared: shared.clone(),
            second: Counter::default(),
            high: Counter::default(),
        };
        (0..cores).map(one).collect()
    }

    fn add_to(&self, total: &mut GaugeTotal, _now_ms: u64) {
        total.now += self.here();
        total.max = self.shared.observe();
    }

    fn subtract(_total: &mut GaugeTotal, _cleared: &GaugeTotal) {}

    fn clear_max(&self) {
        self.shared.max.store(self.shared.sum(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total<S: Summed>(family: &[S], now_ms: u64) -> S::Total {
        let mut total = S::Total::default();
        for one in family {
            one.add_to(&mut total, now_ms);
        }
        total
    }

    #[test]
    fn counters_of_all_cores_add_up() {
        let family = Counter::family(3);
        family[0].add(5);
        family[1].inc();
        family[2].add(10);
        family[2].dec();
        assert_eq!(total(&family, 0), 15);
    }

    #[test]
    fn a_counter_never_goes_below_zero() {
        let counter = Counter::default();
        counter.dec();
        assert_eq!(counter.value(), 0);
    }

    #[test]
    fn the_maximum_counts_all_cores_together() {
        let family = Gauge::family(2);
        family[0].enter(0);
        family[1].enter(0);
        family[1].enter(0);
        family[0].leave();
        assert_eq!(total(&family, 0), GaugeTotal { now: 2, max: 3 });
    }

    #[test]
    fn a_maximum_is_seen_although_no_core_passes_its_own() {
        let family = Gauge::family(2);
        for core in &family {
            (0..10).for_each(|_| core.enter(0));
            (0..10).for_each(|_| core.leave());
        }
        assert_eq!(total(&family, 0).max, 10);
        for _ in 0..9 {
            family[0].enter(1000);
            family[1].enter(1000);
        }
        family[0].leave();
        assert_eq!(total(&family, 1000), GaugeTotal { now: 17, max: 18 });
    }

    #[test]
    fn clearing_the_maximum_keeps_what_is_open() {
        let family = Gauge::family(1);
        family[0].enter(0);
        family[0].enter(0);
        family[0].leave();
        family[0].clear_max();
        assert_eq!(total(&family, 0), GaugeTotal { now: 1, max: 1 });
    }
}
