//! Answers that are made here instead of by a server.

mod errors;
pub mod metrics;
pub mod page;

pub use errors::{MESSAGES, Message, Persistence};
