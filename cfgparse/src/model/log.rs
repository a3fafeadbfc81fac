//! Log targets and formats (manual, chapter 8).

use std::net::IpAddr;

use super::Place;
use super::expr::LogFormat;
use super::server::Addr;

/// Where a proxy's log lines go.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Logging {
    /// `log ADDRESS` lines; `log global` has been replaced by global's.
    pub targets: Vec<LogTarget>,
    pub format: Format,
    pub error_format: Option<LogFormat>,
    /// `log-format-sd`: RFC 5424 structured data.
    pub format_sd: Option<LogFormat>,
    pub tag: Option<String>,
    /// `unique-id-format`.
    pub unique_id_format: Option<LogFormat>,
    pub unique_id_header: Option<String>,
    pub dontlognull: bool,
    pub dontlog_normal: bool,
    pub log_separate_errors: bool,
    pub logasap: bool,
    /// `log-steps` words.
    pub steps: Vec<String>,
}

/// Which line is written when a stream ends.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Format {
    /// Nothing written: the short line "Connect from ...", when the connection is accepted.
    #[default]
    Default,
    Tcp,
    /// `option tcplog clf`.
    TcpClf,
    /// `option jsonlog`: the fields of `httplog` or `tcplog`, by the proxy's mode.
    Json,
    /// `option httplog`.
    Http,
    /// `option httplog clf`.
    HttpClf,
    /// `option httpslog`.
    Https,
    Custom(LogFormat),
}

/// One `log` line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogTarget {
    pub address: LogAddr,
    /// Bytes of a line; 1024 where nothing is written.
    pub len: Option<u32>,
    pub framing: LogFraming,
    /// `sample RANGES:SIZE`: ranges counted from 1, both ends included.
    pub sample: Option<LogSample>,
    pub profile: Option<String>,
    /// 0 (kern) to 23 (local7).
    pub facility: u8,
    /// Lines less important than this are left out.
    pub level: LogLevel,
    /// Lines more important than this are sent as if they were only this important.
    pub min_level: LogLevel,
    pub at: Place,
}

/// `sample`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSample {
    pub ranges: Vec<(u32, u32)>,
    pub size: u32,
}

/// Where a log line goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogAddr {
    Udp(IpAddr, u16),
    /// A host name and port, resolved at start.
    UdpName(String, u16),
    /// A datagram socket's path.
    Unix(String),
    Abns(String),
    /// `tcp@`, `uxst@` and their like: an implicit ring with this server.
    Stream(Addr, u16),
    /// 1 is `stdout`, 2 is `stderr`.
    Fd(i32),
    /// `ring@NAME`, a section of the model.
    Ring(String),
    /// `backend@NAME`, a backend in log mode.
    Backend(String),
}

/// `format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum LogFraming {
    /// `rfc3164` for sockets.
    #[default]
    Default,
    Local,
    Rfc3164,
    Rfc5424,
    Priority,
    Short,
    Timed,
    Iso,
    Raw,
}

/// Severity, most important first (manual, 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    Emerg,
    Alert,
    Crit,
    Err,
    Warning,
    Notice,
    Info,
    Debug,
}
