//! Every bound in the program, with its unit and the reason for it.

/// Slots in a precomputed order of turns. 4096 servers with unlike weights of about 16 fit; beyond
/// it, weights are scaled down. A slot is 4 bytes.
pub const BALANCE_SLOTS_MAX: usize = 65_536;

/// Draws of `balance random`: more would cost more than `leastconn`, which does the same better.
pub const BALANCE_DRAWS_MAX: u32 = 64;

/// How often a core chooses again when another core took the permit it had chosen.
pub const ASSIGN_ATTEMPTS_MAX: u32 = 8;
