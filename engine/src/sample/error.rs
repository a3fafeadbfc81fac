//! What a rule, expression or format that cannot be compiled says.

use cfgparse::model::Place;

/// An error in the configuration found while compiling it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    pub at: Place,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl CompileError {
    pub fn new(at: Place, message: impl Into<String>, remedy: impl Into<String>) -> CompileError {
        CompileError {
            at,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}
