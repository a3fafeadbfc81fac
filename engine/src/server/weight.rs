//! Weights: what the user set, and what the balancer uses after slow start.

/// Effective weights are counted in sixteenths, so that slow start has steps to climb.
pub const SCALE: u32 = 16;

/// The highest weight of a server (manual 5.2, `weight`).
pub const MAX: u32 = 256;

/// A weight as `set weight` and agents give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserWeight {
    /// 0 to 256.
    Absolute(u32),
    /// Of the weight in the configuration, in percent.
    Percent(u32),
}

impl UserWeight {
    /// Parses `12` or `75%`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(Self::Percent),
            None => text.parse().ok().map(Self::Absolute),
        }
    }

    /// The absolute weight, limited to 256; a share is rounded down as HAProxy does.
    pub fn resolve(self, initial: u32) -> u32 {
        let weight = match self {
            Self::Absolute(weight) => u64::from(weight),
            Self::Percent(percent) => u64::from(initial) * u64::from(percent) / 100,
        };
        weight.min(u64::from(MAX)) as u32
    }
}

/// The weight the balancer uses, in sixteenths: at least 1 unless the user's weight is 0.
pub fn effective(user_weight: u32, throttle_percent: u32) -> u32 {
    if user_weight == 0 {
        return 0;
    }
    (user_weight * SCALE * throttle_percent.min(100))
        .div_ceil(100)
        .max(1)
}

/// How far a server is in its slow start, 1 to 100 percent, linear in time (manual 5.2,
/// `slowstart`).
pub fn throttle_percent(up_since_ms: u64, slowstart_ms: u64, now_ms: u64) -> u32 {
    let elapsed = now_ms.saturating_sub(up_since_ms);
    if slowstart_ms == 0 || elapsed >= slowstart_ms {
        return 100;
    }
    ((elapsed * 100 / slowstart_ms) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_start_grows_linearly_and_ends() {
        assert_eq!(throttle_percent(1_000, 10_000, 1_000), 1);
        assert_eq!(throttle_percent(1_000, 10_000, 6_000), 50);
        assert_eq!(throttle_percent(1_000, 10_000, 11_000), 100);
        assert_eq!(throttle_percent(1_000, 0, 1_000), 100);
    }

    #[test]
    fn effective_weight_is_sixteen_times_and_never_zero_by_slow_start() {
        assert_eq!(effective(1, 100), 16);
        assert_eq!(effective(1, 1), 1);
        assert_eq!(effective(256, 50), 2048);
        assert_eq!(effective(0, 100), 0);
    }

    #[test]
    fn percentages_are_of_the_configured_weight() {
        assert_eq!(UserWeight::parse("75%").map(|w| w.resolve(100)), Some(75));
        assert_eq!(UserWeight::parse("300").map(|w| w.resolve(1)), Some(256));
        assert_eq!(UserWeight::parse("100%").map(|w| w.resolve(3)), Some(3));
        assert_eq!(UserWeight::parse("-1"), None);
    }
}
