//! Everything that reports show, taken at one instant.

use super::Runtime;
use crate::stats::Snapshot;

/// Takes a snapshot of a generation.
pub fn take(_runtime: &Runtime, _now_ms: u64) -> Snapshot {
    Snapshot::default()
}
