//! Facts that reports show over the last second.

use std::fs;
use std::sync::atomic::Ordering;

use crate::state::Runtime;

/// Bytes of a page of memory on the machines that we run on.
const PAGE_BYTES: u64 = 4_096;

/// What stood at the last look.
#[derive(Default)]
pub struct Gauges {
    at_ms: u64,
    idle_us: u64,
    turns: u64,
    bytes_out: u64,
}

impl Gauges {
    /// Looks again and stores what the time since the last look has brought.
    pub fn take(&mut self, runtime: &Runtime, now_ms: u64) {
        let total = runtime.stats.process.total(now_ms);
        let process = &runtime.process;
        let elapsed_ms = now_ms.saturating_sub(self.at_ms).max(1);
        if self.at_ms != 0 {
            let sent = total.bytes_out.saturating_sub(self.bytes_out);
            process
                .bytes_out_rate
                .store(sent * 1_000 / elapsed_ms, Ordering::Relaxed);
            let waited_us = total.idle_us.saturating_sub(self.idle_us);
            let all_us = elapsed_ms * 1_000 * process.cores as u64;
            // A core in a long sleep has not told yet that it sleeps.
            let has_turned = total.turns != self.turns;
            let idle = if has_turned {
                (waited_us * 100 / all_us).min(100)
            } else {
                100
            };
            process.idle_percent.store(idle as u32, Ordering::Relaxed);
        }
        if let Some(bytes) = resident_bytes() {
            process.memory_bytes.store(bytes, Ordering::Relaxed);
        }
        *self = Self {
            at_ms: now_ms,
            idle_us: total.idle_us,
            turns: total.turns,
            bytes_out: total.bytes_out,
        };
    }
}

/// The second number of `/proc/self/statm` (proc(5)).
fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
