//! Answers that are made here instead of by a server.

pub mod errors;
