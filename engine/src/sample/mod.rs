//! Samples: typed values, the fetches that find them, the converters that change them.

mod args;
mod cast;
mod conv;
mod cx;
mod env;
mod error;
mod expr;
mod fetch;
mod figure;
mod outside;
pub mod pattern;
mod point;
mod proc_vars;
#[cfg(test)]
mod properties;
mod row;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod value;
mod var_condition;
mod vars;
mod world;

pub use cast::{castable, leading_int};
pub use cx::{
    CacheFacts, CaptureCounts, CaptureStore, Captures, Clock, ConnectionCounts, Cx, Data,
    LogOrigin, SessionFacts, Storing, StreamFacts, Timers, TlsFacts,
};
pub use env::{CaptureSlots, Compiler, Names};
pub use error::CompileError;
pub use expr::Expr;
pub use figure::increase;
pub use outside::Outside;
pub use point::{Needs, Point};
pub use proc_vars::{CoreProcVars, ProcVars};
pub use row::{ConvertRow, FetchRow, Fetched, Walk};
pub use value::{Type, Value, until_nul};
pub use var_condition::VarCondition;
pub use vars::{Effect, Effects, Scope, StreamVars, VarRef, VarStore, VarTable};
pub use world::{
    PacketMark, PatternChange, ProxyCounters, ProxyTimeout, ServerCounters, Side, TcpMeasures,
    World,
};

/// The comma-separated values of a header line with the blanks around them.
pub fn value_spans(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    fetch::header_spans(line)
}

pub use conv::{
    PublicKeys, expand_groups, find as find_converter, is_readable, names as converter_names, xxh64,
};
pub use fetch::{
    ConnectionError, common_name, find as find_fetch, key_algorithm, names as fetch_names,
    signature_algorithm,
};
