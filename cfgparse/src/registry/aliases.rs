//! Log-format aliases (manual, 8.2.6): one row each.

use super::Info;
use super::Status;
use super::prelude::*;

/// `%name` in a log-format string.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    pub info: Info,
    /// Known in `mode http` only.
    pub http_only: bool,
}

const fn row(name: &'static str, http_only: bool, status: Status, doc: &'static str) -> Alias {
    Alias {
        info: Info {
            name,
            syntax: "",
            status,
            doc,
        },
        http_only,
    }
}

/// Sorted by name.
#[rustfmt::skip]
pub const ALIASES: &[Alias] = &[
    row("B", false, Full, "bytes read from the server towards the client"),
    row("CC", true, Full, "captured request cookie"),
    row("CS", true, Full, "captured response cookie"),
    row("E", false, Planned, "error as error-log-format sees it"),
    row("H", false, Full, "host name of this machine"),
    row("HM", true, Full, "request's method"),
    row("HP", true, Full, "request's path without query string"),
    row("HPO", true, Full, "request's path without scheme, authority and query string"),
    row("HQ", true, Full, "request's query string"),
    row("HU", true, Full, "request's URI"),
    row("HV", true, Full, "request's HTTP version"),
    row("ID", false, Full, "unique id"),
    row("OG", false, Full, "origin of the log line"),
    row("ST", false, Full, "status code"),
    row("T", false, Full, "date of acceptance, GMT"),
    row("TR", true, Full, "time to receive the whole request"),
    row("Ta", true, Full, "time from the request's first byte to the end"),
    row("Tc", false, Full, "time to connect to the server"),
    row("Td", false, Full, "time of the data transfer"),
    row("Th", false, Full, "time of handshakes"),
    row("Ti", true, Full, "idle time before the request"),
    row("Tl", false, Full, "date of acceptance, local time"),
    row("Tq", true, Full, "time from acceptance to the whole request"),
    row("Tr", true, Full, "time until the server's response headers"),
    row("Ts", false, Full, "date of acceptance as a Unix time"),
    row("Tt", false, Full, "time from acceptance to the end"),
    row("Tu", false, Full, "time from the request's first byte to the end, as the user sees it"),
    row("Tw", false, Full, "time in queues"),
    row("U", false, Full, "bytes read from the client towards the server"),
    row("ac", false, Full, "connections of the process"),
    row("b", false, Full, "backend's name"),
    row("bc", false, Full, "connections of the backend"),
    row("bi", false, Full, "source address towards the server"),
    row("bp", false, Full, "source port towards the server"),
    row("bq", false, Full, "place in the backend's queue"),
    row("ci", false, Full, "client's address"),
    row("cp", false, Full, "client's port"),
    row("f", false, Full, "frontend's name"),
    row("fc", false, Full, "connections of the frontend"),
    row("fi", false, Full, "address the client connected to"),
    row("fp", false, Full, "port the client connected to"),
    row("ft", false, Full, "frontend's name, with ~ behind it for TLS"),
    row("hr", true, Full, "captured request headers, between braces"),
    row("hrl", true, Full, "captured request headers, as a list"),
    row("hs", true, Full, "captured response headers, between braces"),
    row("hsl", true, Full, "captured response headers, as a list"),
    row("lc", false, Full, "number of log lines of the frontend"),
    row("ms", false, Full, "milliseconds of the date of acceptance"),
    row("o", false, Full, "what follows takes its flags from here"),
    row("pid", false, Full, "process id"),
    row("r", true, Full, "request line"),
    row("rc", false, Full, "number of retries"),
    row("rt", false, Full, "request counter"),
    row("s", false, Full, "server's name"),
    row("sc", false, Full, "connections of the server"),
    row("si", false, Full, "server's address"),
    row("sp", false, Full, "server's port"),
    row("sq", false, Full, "place in the server's queue"),
    row("sslc", false, Full, "TLS cipher of the client's connection"),
    row("sslv", false, Full, "TLS version of the client's connection"),
    row("t", false, Full, "date of acceptance with milliseconds"),
    row("tr", true, Full, "date of the request's first byte with milliseconds"),
    row("trg", true, Full, "date of the request's first byte, GMT"),
    row("trl", true, Full, "date of the request's first byte, local time"),
    row("ts", false, Full, "termination state"),
    row("tsc", true, Full, "termination state with cookie status"),
];

/// The alias of this name.
pub fn find(name: &str) -> Option<&'static Alias> {
    ALIASES.iter().find(|row| row.info.name == name)
}
