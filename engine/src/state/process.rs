//! What is known of the process beside its configuration.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::time::{SystemTime, UNIX_EPOCH};

/// The process as reports show it. The atomics are written by the control thread alone.
#[derive(Debug)]
pub struct ProcessState {
    pub pid: u32,
    pub cores: usize,
    /// When the process started, on the cores' clock.
    pub started_ms: u64,
    /// The same moment in seconds since 1970.
    pub started_unix_s: u64,
    /// From start to ready, in milliseconds.
    pub boot_time_ms: AtomicU64,
    /// A soft stop is under way.
    pub stopping: AtomicBool,
    /// Messages printed as warnings.
    pub warnings: AtomicU64,
    /// Part of the last second that the cores spent waiting, in per cent.
    pub idle_percent: AtomicU32,
    /// Bytes sent over the last second.
    pub bytes_out_rate: AtomicU64,
    /// Resident memory in bytes.
    pub memory_bytes: AtomicU64,
    /// Admin sockets that listen.
    pub admin_sockets: AtomicU32,
}

impl ProcessState {
    /// This process, with `cores` cores; `now_ms` on the cores' clock.
    pub fn new(cores: usize, now_ms: u64) -> Self {
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            pid: std::process::id(),
            cores,
            started_ms: now_ms,
            started_unix_s: since_1970.as_secs(),
            boot_time_ms: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            warnings: AtomicU64::new(0),
            idle_percent: AtomicU32::new(100),
            bytes_out_rate: AtomicU64::new(0),
            memory_bytes: AtomicU64::new(0),
            admin_sockets: AtomicU32::new(0),
        }
    }
}
