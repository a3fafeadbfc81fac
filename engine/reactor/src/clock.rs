//! The core's clock: read once a turn, cached for everyone.

use std::cell::Cell;
use std::time::Duration;

/// How long the offset between wall clock and monotonic clock is trusted, in microseconds.
const WALL_REFRESH_US: u64 = 500_000;

/// Cached CLOCK_MONOTONIC (comparable between cores) with a derived wall clock.
#[expect(
    clippy::struct_field_names,
    reason = "the unit comes last in every name"
)]
pub(crate) struct Clock {
    now_us: Cell<u64>,
    wall_offset_us: Cell<u64>,
    wall_read_us: Cell<u64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let now = read_us(libc::CLOCK_MONOTONIC);
        Self {
            now_us: Cell::new(now),
            wall_offset_us: Cell::new(read_us(libc::CLOCK_REALTIME).saturating_sub(now)),
            wall_read_us: Cell::new(now),
        }
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.now_us.get()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_us.get() / 1000
    }

    pub(crate) fn wall(&self) -> Duration {
        Duration::from_micros(self.now_us.get() + self.wall_offset_us.get())
    }

    /// Reads the clock; the wall clock's offset is looked up again every half second, so that
    /// steps of the system time are followed.
    pub(crate) fn advance(&self) -> u64 {
        let now = read_us(libc::CLOCK_MONOTONIC);
        self.now_us.set(now);
        if now.saturating_sub(self.wall_read_us.get()) >= WALL_REFRESH_US {
            self.wall_read_us.set(now);
            self.wall_offset_us
                .set(read_us(libc::CLOCK_REALTIME).saturating_sub(now));
        }
        now
    }
}

fn read_us(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid, writable timespec for the duration of the call.
    let code = unsafe { libc::clock_gettime(clock, &raw mut time) };
    debug_assert_eq!(code, 0, "both clocks exist on every Linux");
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn time_stands_still_until_advanced() {
        let clock = Clock::new();
        let before = clock.now_us();
        std::thread::yield_now();
        assert_eq!(clock.now_us(), before);
        assert!(clock.advance() >= before);
    }

    #[test]
    fn wall_is_the_system_time() {
        let clock = Clock::new();
        clock.advance();
        let system = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert!(system.abs_diff(clock.wall()) < Duration::from_secs(5));
    }
}
