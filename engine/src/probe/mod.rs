//! What a check says to a server, and what it makes of the answer, without a socket.
//!
//! A [`Ruleset`] is the compiled form of `tcp-check` and `http-check` lines, or of an option with a
//! protocol of its own; a [`Probe`] walks through it: it says what to do next and is told what
//! happened, until there is a [`Finding`].

mod compile;
mod expect;
mod fixed;
mod http;
mod ruleset;
mod scene;
mod step;
#[cfg(test)]
mod tests;
mod walk;

pub use compile::{own_connection, ruleset};
pub use ruleset::{Action, ConnectStep, Prologue, Ruleset, Step, Style};
pub use scene::{Asking, Subject};
pub use walk::{Finding, Probe, Todo, errno_text};
