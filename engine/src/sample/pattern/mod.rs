//! Pattern sets: what ACLs and maps compare samples with (manual, 7.1).

mod address;
mod delimited;
mod live;
mod matcher;
mod number;
mod prefix;
mod regex;
mod set;
mod table;
mod text;
mod versions;

pub use address::parse_network;
pub use live::{CorePatterns, LivePatterns, PatternView};
pub(crate) use matcher::parse_hex;
pub use matcher::{Item, Matcher, PatternError};
pub use number::IntRange;
pub use regex::{compile as compile_regex, translate as translate_regex};
pub use set::KeyValue;
pub use table::{PatternFile, PatternId, PatternTable, Patterns, Serves, Use};
pub use versions::Versions;
