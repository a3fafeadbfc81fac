//! When a server is checked, and how long a check may take.

use cfgparse::model::server::{InitState, Observe, OnError};
use cfgparse::model::{Proxy, Server};

use crate::server::Health;

/// A server's `check` parameters with their defaults applied (manual 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub inter_ms: u64,
    pub fastinter_ms: Option<u64>,
    pub downinter_ms: Option<u64>,
    pub rise: u32,
    pub fall: u32,
    pub init_state: InitState,
    pub observe: Option<Observe>,
    pub on_error: OnError,
    /// Errors in a row that `observe` bears.
    pub error_limit: u32,
    /// `timeout connect` of the backend.
    pub connect_timeout_ms: Option<u64>,
    /// `timeout check` of the backend.
    pub check_timeout_ms: Option<u64>,
    pub disable_on_404: bool,
    /// `option log-health-checks`.
    pub log_checks: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            inter_ms: 2_000,
            fastinter_ms: None,
            downinter_ms: None,
            rise: 2,
            fall: 3,
            init_state: InitState::Up,
            observe: None,
            on_error: OnError::FailCheck,
            error_limit: 10,
            connect_timeout_ms: None,
            check_timeout_ms: None,
            disable_on_404: false,
            log_checks: false,
        }
    }
}

/// A server's check parameters with the proxy's timeouts.
pub fn settings(proxy: &Proxy, server: &Server) -> Settings {
    let default = Settings::default();
    let check = &server.check;
    let ms = |value: Option<u32>| value.map(u64::from);
    Settings {
        inter_ms: ms(check.inter_ms).unwrap_or(default.inter_ms),
        fastinter_ms: ms(check.fastinter_ms),
        downinter_ms: ms(check.downinter_ms),
        rise: check.rise.unwrap_or(default.rise),
        fall: check.fall.unwrap_or(default.fall),
        init_state: server.init_state.unwrap_or(default.init_state),
        observe: check.observe,
        on_error: check.on_error.unwrap_or(default.on_error),
        error_limit: check.error_limit.unwrap_or(default.error_limit),
        connect_timeout_ms: ms(proxy.timeouts.connect),
        check_timeout_ms: ms(proxy.timeouts.check),
        disable_on_404: proxy.check.disable_on_404,
        log_checks: proxy.check.log_health_checks || proxy.options.log_health_checks,
    }
}

/// Milliseconds from the end of one check to the next (manual 5.2, `inter`). `checked` is false
/// before the first result.
pub fn delay_ms(settings: &Settings, health: Health, checked: bool) -> u64 {
    let special = if !checked || !health.is_settled() {
        settings.fastinter_ms
    } else if health.is_up() {
        None
    } else {
        settings.downinter_ms
    };
    special.unwrap_or(settings.inter_ms).max(1)
}

/// When the first check of server number `index` of `count` starts, so that checks of all servers
/// are spread over the shortest interval `shortest_inter_ms` of them.
pub fn start_delay_ms(shortest_inter_ms: u64, index: usize, count: usize) -> u64 {
    shortest_inter_ms * index as u64 / count.max(1) as u64
}

/// `spread-checks`: a delay changed by up to `percent` of itself, more or less, by a random number.
pub fn spread_ms(delay_ms: u64, percent: u32, random: u64) -> u64 {
    let range = delay_ms * u64::from(percent.min(50)) / 100;
    if range == 0 {
        return delay_ms;
    }
    delay_ms - range + random % (2 * range + 1)
}

/// How long a check may take: (to connect, then for everything else), both in ms.
///
/// With `timeout check` the connection gets the shorter of `timeout connect` and `inter`; without
/// it `inter` covers the whole check (manual 4.2, `timeout check`).
pub fn timeouts(settings: &Settings) -> (u64, Option<u64>) {
    match settings.check_timeout_ms {
        Some(check) => {
            let connect = settings.connect_timeout_ms.unwrap_or(settings.inter_ms);
            (connect.min(settings.inter_ms).max(1), Some(check))
        }
        None => (settings.inter_ms.max(1), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_follow_the_state() {
        let settings = Settings {
            fastinter_ms: Some(500),
            downinter_ms: Some(9_000),
            ..Settings::default()
        };
        let at = |counter| Health {
            rise: 2,
            fall: 3,
            counter,
        };
        assert_eq!(delay_ms(&settings, at(4), true), 2_000);
        assert_eq!(delay_ms(&settings, at(4), false), 500);
        assert_eq!(delay_ms(&settings, at(3), true), 500);
        assert_eq!(delay_ms(&settings, at(1), true), 500);
        assert_eq!(delay_ms(&settings, at(0), true), 9_000);
        assert_eq!(delay_ms(&Settings::default(), at(0), true), 2_000);
    }

    #[test]
    fn starts_are_spread_over_the_shortest_interval() {
        let starts: Vec<u64> = (0..4)
            .map(|index| start_delay_ms(2_000, index, 4))
            .collect();
        assert_eq!(starts, [0, 500, 1_000, 1_500]);
        assert_eq!(start_delay_ms(2_000, 0, 0), 0);
    }

    #[test]
    fn spreading_stays_within_its_share() {
        for random in [0, 1, 77, u64::MAX] {
            let delay = spread_ms(1_000, 20, random);
            assert!((800..=1_200).contains(&delay), "{delay}");
        }
        assert_eq!(spread_ms(1_000, 0, 5), 1_000);
    }

    #[test]
    fn inter_is_the_timeout_unless_timeout_check_is_set() {
        let plain = Settings {
            connect_timeout_ms: Some(10_000),
            ..Settings::default()
        };
        assert_eq!(timeouts(&plain), (2_000, None));
        let split = Settings {
            connect_timeout_ms: Some(300),
            check_timeout_ms: Some(7_000),
            ..Settings::default()
        };
        assert_eq!(timeouts(&split), (300, Some(7_000)));
    }
}
