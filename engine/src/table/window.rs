//! Events over a period that slides (manual, 11.1: "the average ... over that period").

/// Counts events of the running period and of the one before. The figure shown is the running
/// period's count plus that part of the other which a window of one period still covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    begun_ms: u64,
    current: u32,
    previous: u32,
}

impl Window {
    /// `count` events happened now.
    pub fn add(&mut self, count: u32, period_ms: u32, now_ms: u64) {
        self.advance(period_ms, now_ms);
        self.current = self.current.wrapping_add(count);
    }

    /// As if `count` events had happened now, and none before.
    pub fn set(&mut self, count: u32, now_ms: u64) {
        *self = Window {
            begun_ms: now_ms,
            current: count,
            previous: 0,
        };
    }

    /// Events over the last period.
    pub fn total(&self, period_ms: u32, now_ms: u64) -> u32 {
        let mut seen = *self;
        seen.advance(period_ms, now_ms);
        // A lone event does not fade away bit by bit: it is there until it is over.
        if seen.current == 0 && seen.previous <= 1 {
            return seen.previous;
        }
        let period = u64::from(period_ms.max(1));
        let left = period.saturating_sub(now_ms.saturating_sub(seen.begun_ms));
        let before = u64::from(seen.previous) * left / period;
        seen.current.saturating_add(before as u32)
    }

    /// Enters the period in which `now_ms` lies. Another core's clock may be a turn behind: then
    /// the running period is not over yet.
    fn advance(&mut self, period_ms: u32, now_ms: u64) {
        let period = u64::from(period_ms.max(1));
        let elapsed = now_ms.saturating_sub(self.begun_ms);
        if elapsed < period {
            return;
        }
        if elapsed < 2 * period {
            self.previous = self.current;
            self.begun_ms += period;
        } else {
            self.previous = 0;
            self.begun_ms = now_ms;
        }
        self.current = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_period_before_fades_out() {
        let mut window = Window::default();
        window.add(100, 1_000, 50_000);
        let rows = [
            (50_000, 100),
            (50_999, 100),
            (51_000, 100),
            (51_250, 75),
            (51_500, 50),
            (51_999, 0),
            (52_000, 0),
        ];
        for (now_ms, expected) in rows {
            assert_eq!(window.total(1_000, now_ms), expected, "at {now_ms}");
        }
        window.add(10, 1_000, 51_500);
        assert_eq!(window.total(1_000, 51_500), 60);
        assert_eq!(window.total(1_000, 51_999), 10);
    }

    #[test]
    fn a_lone_event_is_there_until_it_is_over() {
        let mut window = Window::default();
        window.add(1, 1_000, 50_000);
        assert_eq!(window.total(1_000, 51_999), 1);
        assert_eq!(window.total(1_000, 52_000), 0);
    }

    proptest! {
        /// The figure is never more than what happened in the last two periods, and never less
        /// than what happened since the running period began.
        #[test]
        fn the_figure_lies_between_two_counts(
            period in 1u32..5_000,
            steps in prop::collection::vec((0u64..3_000, 0u32..50), 1..60),
            later in 0u64..12_000,
        ) {
            let mut window = Window::default();
            let mut now = 1_000_000;
            let mut events = Vec::new();
            for (after, count) in steps {
                now += after;
                window.add(count, period, now);
                events.push((now, count));
            }
            let begun = window.begun_ms;
            let current: u32 = events.iter().filter(|(at, _)| *at >= begun).map(|e| e.1).sum();
            prop_assert_eq!(window.current, current);
            let then = now + later;
            let span = 2 * u64::from(period);
            let recent: u32 = events.iter().filter(|(at, _)| at + span > then).map(|e| e.1).sum();
            prop_assert!(window.total(period, then) <= recent);
            if later < u64::from(period) && then < begun + u64::from(period) {
                prop_assert!(window.total(period, then) >= current);
            }
        }

        /// Without events the figure only falls.
        #[test]
        fn the_figure_falls_in_silence(period in 1u32..2_000, counts in prop::collection::vec(0u32..100, 1..8)) {
            let mut window = Window::default();
            let mut now = 500_000;
            for count in counts {
                window.add(count, period, now);
                now += u64::from(period) / 3;
            }
            let mut last = u32::MAX;
            for step in 0..200u64 {
                let total = window.total(period, now + step * u64::from(period) / 50);
                prop_assert!(total <= last, "{} after {}", total, last);
                last = total;
            }
            prop_assert_eq!(window.total(period, now + 3 * u64::from(period)), 0);
        }
    }
}
