//! The admin socket: HAProxy's runtime API (management.txt 9.3).
//!
//! [`Session`] is a client without its socket: lines come in, [`Ops`] is what commands may ask of
//! the process and do to it, texts come out; [`serve`] adds the socket. [`commands`] is the table of what can be said.

mod checks;
mod command;
#[cfg(test)]
mod conversation;
#[cfg(test)]
mod fake;
mod gauges;
mod level;
mod line;
mod ops;
mod process;
mod reply;
mod resolvers;
mod run;
mod serve;
pub mod servers;
mod session;

pub use command::{Call, Command, commands, help};
pub use level::Level;
pub use ops::{
    AdminState, CheckKind, Clear, ForcedHealth, Later, NewWeight, NotFound, Ops, RateLimit,
    ServerChange, SocketFacts, StreamFacts,
};
pub use process::{Process, Surroundings};
pub use reply::{Answer, Refusal, Reply, Severity};
pub use run::{AdminSocket, ControlSeed, Notify, run};
pub use serve::{Terms, serve, serve_client};
pub use session::{Client, Mode, Session, SeverityOutput, Step};
