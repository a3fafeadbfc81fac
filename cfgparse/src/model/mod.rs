//! The typed, resolved configuration.

pub mod expr;
pub mod rule;

/// Where something stands in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// Index into the list of files that were read.
    pub file: u32,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
}
