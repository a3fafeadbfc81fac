//! Whether a server is fit for traffic: schedule, probes, verdicts.
//!
//! A [`Ruleset`] says what to send and expect, a [`Probe`] walks through it without a socket, a
//! [`Finding`] is what came out, and [`judge`] changes the server's state by it. Only [`run`] has
//! sockets and timers. Everything here runs on the control thread.

pub mod agent;
mod compile;
mod connection;
mod expect;
mod fixed;
mod http;
mod judge;
mod message;
mod probe;
mod ruleset;
pub mod run;
mod schedule;

#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use compile::{CompileError, rules, settings};
pub use judge::{Judged, judge, observe, prepare};
pub use message::{
    AdminEvent, Cause, Left, admin_text, agent_text, change_text, check_text, no_server_text,
};
pub use probe::{Finding, Probe, Todo};
pub use ruleset::{
    Action, ConnectStep, Expect, HeaderMatch, HttpRequest, Prologue, Ruleset, Step, Style,
    TextMatch, What,
};
pub use schedule::{Settings, delay_ms, spread_ms, start_delay_ms, timeouts};
