//! What a command answers.

use super::ops::{Later, NotFound};
use crate::ring::{Ring, Start};
use std::sync::Arc;

/// How severe a message is; printed in front of it after `set severity-output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
    Info,
}

impl Severity {
    /// The syslog level as a number and as a word.
    pub fn names(self) -> (u8, &'static str) {
        match self {
            Self::Error => (3, "err"),
            Self::Warning => (4, "warning"),
            Self::Info => (6, "info"),
        }
    }
}

/// What a client wants of a ring.
pub struct Events {
    pub ring: Arc<Ring>,
    pub start: Start,
    /// Behind each line.
    pub delimiter: char,
    /// Goes on until the client says something.
    pub waits: bool,
}

/// The answer of a command.
pub enum Reply {
    /// Done, with nothing to say: an empty line.
    Done,
    /// A report.
    Report(String),
    /// A short message.
    Message(Severity, String),
    /// Lines of a ring, now and as they come.
    Events(Events),
    /// Known once other cores have answered.
    Later(Later<Reply>),
}

impl Reply {
    /// A message of success.
    pub fn info(text: impl Into<String>) -> Self {
        Self::Message(Severity::Info, text.into())
    }
}

/// Why a command was not carried out, in HAProxy's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<NotFound> for Refusal {
    fn from(what: NotFound) -> Self {
        Self::from(match what {
            NotFound::Backend => "No such backend.",
            NotFound::Server => "No such server.",
        })
    }
}

/// What running a command gives.
pub type Answer = Result<Reply, Refusal>;
