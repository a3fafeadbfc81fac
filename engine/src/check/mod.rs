//! Whether a server is fit for traffic: schedule, probes, verdicts.
//!
//! [`crate::probe`] knows what to send and expect, its finding is what came out, and [`judge`]
//! changes the server's state by it. Only [`run`], [`agent`] and [`external`] have sockets, timers
//! and programs. Everything here runs on the control thread, but for the programs.

pub mod agent;
mod connection;
pub mod external;
mod judge;
mod message;
pub mod run;
mod schedule;

#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod simulation;

pub use judge::{Judged, judge, observe, prepare};
pub use message::{
    AdminEvent, Cause, Left, admin_text, agent_text, change_text, check_text, no_server_text,
};
pub use schedule::{Settings, delay_ms, settings, spread_ms, start_delay_ms, timeouts};
