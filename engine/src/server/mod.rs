//! What is known of a server while it runs: states, weight, permits, queue.
//!
//! This state lives outside the plan and is found by name (proxy, server), so that it survives a
//! reload. The control thread alone writes states and weights; every core takes permits.
//!
//! Invariant: permits in use never exceed the server's limit, whatever the number of cores, and a
//! waiting request is never forgotten: whoever gives a permit back, or raises a limit, serves the
//! queue.

mod admin;
mod backend;
mod health;
mod line;
mod padded;
mod permit;
mod queue;
mod registry;
mod saved;
mod state;
mod status;
mod transition;
mod weight;

#[cfg(test)]
mod tests;

pub use admin::{Admin, Operational};
pub use backend::{BackendSettings, BackendState, Usable};
pub use health::{CheckReport, CheckStatus, Health};
pub use padded::Padded;
pub use permit::Permit;
pub use queue::{Admission, Order, Outcome, Token, Waiting, Wake};
pub use registry::Registry;
pub use saved::Saved;
pub use state::{ServerSettings, ServerState};
pub use status::{StatusInput, status_text};
pub use transition::Change;
pub use weight::{
    SCALE as WEIGHT_SCALE, UserWeight, effective as effective_weight, throttle_percent,
};
