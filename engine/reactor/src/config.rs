//! The sizes of a core.

use crate::setup::SetupError;

/// Sizes of a core. Ring memory is charged to RLIMIT_MEMLOCK.
#[derive(Clone, Debug)]
pub struct CoreConfig {
    /// Submission queue entries, a power of two.
    pub sq_entries: u32,
    /// Completion queue entries, a power of two, at least `sq_entries`.
    pub cq_entries: u32,
    /// Slots of the receive buffer ring: a power of two, at most 256 so that it stays in the cache.
    pub buffers: u16,
    /// Bytes of one receive buffer (1 KiB to 1 MiB).
    pub buffer_bytes: u32,
    /// Receive buffers that may exist beyond the ring's slots, held by pieces on their way.
    pub spare_buffers_max: usize,
    /// How long a dropped socket may take to send what was flushed, in milliseconds.
    pub linger_ms: u64,
    /// Bytes of a pipe for `splice(2)`.
    pub pipe_bytes: u32,
    /// Idle pipes that are kept.
    pub pipes_kept: usize,
}

impl Default for CoreConfig {
    fn default() -> Self {
        Self {
            sq_entries: 1024,
            cq_entries: 4096,
            buffers: 256,
            buffer_bytes: 16 * 1024,
            spare_buffers_max: 8192,
            linger_ms: 1000,
            pipe_bytes: 256 * 1024,
            pipes_kept: 64,
        }
    }
}

impl CoreConfig {
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        if !self.buffers.is_power_of_two() || self.buffers > 256 {
            return Err(SetupError::Config(
                "buffers must be a power of two up to 256",
            ));
        }
        if !(1024..=1 << 20).contains(&self.buffer_bytes) {
            return Err(SetupError::Config(
                "buffer_bytes must be from 1024 to 1048576",
            ));
        }
        if !self.sq_entries.is_power_of_two() || !self.cq_entries.is_power_of_two() {
            return Err(SetupError::Config("queue entries must be powers of two"));
        }
        if self.cq_entries < self.sq_entries {
            return Err(SetupError::Config("cq_entries must be at least sq_entries"));
        }
        Ok(())
    }
}
