//! Where log lines go, and which line a proxy writes.

use std::sync::Arc;

use cfgparse::model::Server;
use cfgparse::model::bind::Bind;
use cfgparse::model::log::{LogAddr, LogFraming, LogTarget as Line};
use cfgparse::model::section::LogHost;

use super::{Endpoint, ProxyId};
use crate::log::{Format, Profile, Steps};

/// One `log` line.
#[derive(Clone, Debug)]
pub struct LogTarget {
    pub line: Line,
    pub to: Destination,
}

/// Where its lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Socket(LogAddr),
    /// Index into `Plan::rings`.
    Ring(usize),
    /// A backend in `mode log`.
    Backend(ProxyId),
    /// A ring that is not there.
    Nowhere,
}

/// A `ring` section, or what stands for one: a `log` line or a server of a log backend with a
/// stream's address.
#[derive(Clone, Debug)]
pub struct RingSpec {
    pub name: Arc<str>,
    pub description: Box<str>,
    /// Bytes of all lines.
    pub size: usize,
    /// Bytes of one line.
    pub maxlen: usize,
    /// `None`: lines come as the `log` line says.
    pub framing: Option<LogFraming>,
    pub connect_ms: Option<u64>,
    pub server_ms: Option<u64>,
    pub servers: Vec<RingServer>,
}

/// A server that lines of a ring are sent to.
#[derive(Clone, Debug)]
pub struct RingServer {
    /// Resolved when the process starts.
    pub endpoint: Endpoint,
    /// `log-proto octet-count`: each line's length goes in front of it (RFC 6587, 3.4.1).
    pub counts_octets: bool,
    pub line: Arc<Server>,
}

/// A `log-forward` section.
#[derive(Clone, Debug)]
pub struct LogForward {
    pub name: Arc<str>,
    /// Indices into `Plan::log_targets`.
    pub targets: Box<[usize]>,
    pub maxconn: u32,
    pub backlog: Option<u32>,
    pub client_ms: Option<u64>,
    /// `option assume-rfc6587-ntf`.
    pub lines_only: bool,
    /// `option dont-parse-log`.
    pub unparsed: bool,
    pub host: LogHost,
    pub binds: Vec<Arc<Bind>>,
    pub datagram_binds: Vec<Arc<Bind>>,
}

/// A `bind` line of a `log-forward` section, by their indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInput {
    pub forward: usize,
    pub bind: usize,
}

/// What one proxy logs.
#[derive(Clone, Debug, Default)]
pub struct LogSink {
    /// Indices into `Plan::log_targets`, in the order of the configuration.
    pub targets: Box<[usize]>,
    /// The line at the end of a stream; `None` where no target is set.
    pub format: Option<Arc<Format>>,
    /// The line of a stream that failed before a request was understood.
    pub error_format: Option<Arc<Format>>,
    /// `log-format-sd`.
    pub structured_data: Option<Arc<Format>>,
    pub tag: Option<Arc<str>>,
    /// By target: what makes its lines; empty where no target has a profile.
    pub profiles: Box<[Option<Profile>]>,
    /// `log-steps`.
    pub steps: Steps,
    /// A frontend in `mode http`.
    pub http: bool,
    pub dontlognull: bool,
    pub dontlog_normal: bool,
    pub separate_errors: bool,
    pub asap: bool,
    /// A format shows the count of lines (`%lc`).
    pub counts: bool,
}

impl LogSink {
    /// Whether anything would be written at all.
    pub fn is_on(&self) -> bool {
        !self.targets.is_empty()
    }
}
