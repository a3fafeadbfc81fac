//! Log lines: formats, termination states, syslog framing.

mod alias;
pub mod date;
mod defaults;
mod encode;
mod escape;
mod format;
mod incoming;
mod profile;
mod syslog;
mod termination;
#[cfg(test)]
mod tests;
mod write;

pub use alias::{Alias, find as find_alias, names as alias_names};
pub use defaults::{
    CLF_LOG_FORMAT, DEFAULT_RFC5424_SD, HTTP_LOG_FORMAT, HTTPS_LOG_FORMAT, JSON_HTTP_LOG_FORMAT,
    JSON_TCP_LOG_FORMAT, TCP_CLF_LOG_FORMAT, TCP_LOG_FORMAT, write_connect_line, write_error_line,
};
pub use escape::{Escape, write_hex};
pub use format::{Format, Purpose};
pub use incoming::{Form, Incoming, Stamp, Terms};
pub use profile::{Line as ProfileLine, Profile, Steps};
pub use syslog::{Facility, Frame, Framing, Level};
pub use termination::{Cause, CookieIn, CookieOut, Phase, Termination};
