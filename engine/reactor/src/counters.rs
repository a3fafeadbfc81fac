//! What a core counts.

use std::cell::Cell;

/// What has gone on since the core began; for the admin socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Turns of the loop, that is, `io_uring_enter` calls with a wait or a poll.
    pub turns: u64,
    /// Completions handled.
    pub completions: u64,
    /// Accepts refused for want of descriptors or memory; each waits 100 ms.
    pub accept_backoffs: u64,
    /// Times the receive buffer ring was empty when data came.
    pub buffers_exhausted: u64,
    /// Enters that failed for a reason that no retry explains.
    pub enter_errors: u64,
    /// Completions that the kernel dropped (never on kernels that keep them).
    pub completions_lost: u64,
    /// Microseconds spent asleep.
    pub idle_us: u64,
    /// Operations in the kernel now.
    pub in_flight: u64,
    /// Sockets, listeners and connection attempts that exist now.
    pub slots: u64,
    /// Receive buffers that exist now.
    pub buffers: u64,
}

/// The counters as the core keeps them.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) turns: Cell<u64>,
    pub(crate) completions: Cell<u64>,
    pub(crate) accept_backoffs: Cell<u64>,
    pub(crate) buffers_exhausted: Cell<u64>,
    pub(crate) enter_errors: Cell<u64>,
    pub(crate) idle_us: Cell<u64>,
}

pub(crate) fn bump(counter: &Cell<u64>, by: u64) {
    counter.set(counter.get() + by);
}
