//! Pattern sets: what ACLs and maps compare samples with (manual, 7.1).

mod address;
mod delimited;
mod matcher;
mod number;
mod prefix;
mod regex;
mod table;
mod text;

pub use address::parse_network;
pub(crate) use matcher::parse_hex;
pub use matcher::{Item, Matcher, PatternError};
pub use number::IntRange;
pub use regex::{compile as compile_regex, translate as translate_regex};
pub use table::{PatternId, PatternTable, Patterns, Use};
