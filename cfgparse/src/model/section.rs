//! Sections that are no proxies (manual, chapters 5.3, 6, 11, 12).

use std::net::IpAddr;

use super::Place;
use super::bind::Bind;
use super::expr::LogFormat;
use super::log::LogTarget;
use super::persist::StickTable;
use super::rule::Reply;
use super::server::{Addr, Server};

/// `userlist`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Userlist {
    pub name: String,
    pub users: Vec<User>,
    pub groups: Vec<String>,
    pub at: Place,
}

/// `user NAME password|insecure-password SECRET [groups A,B]`, groups' own `users` applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub password: Password,
    pub groups: Vec<String>,
}

/// A password as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// None was written: nobody gets in by it.
    None,
    /// A crypt(3) hash.
    Hash(String),
    Clear(String),
}

/// `http-errors NAME`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HttpErrors {
    pub name: String,
    pub files: Vec<ErrorFile>,
    pub at: Place,
}

/// `errorfile CODE FILE`, already read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFile {
    pub code: u16,
    pub path: String,
    /// A whole HTTP message; empty: close without an answer.
    pub message: Vec<u8>,
    pub at: Place,
}

/// `http-error status CODE ...`, `errorloc` and `errorloc303` lines.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpError {
    pub code: u16,
    pub reply: ErrorReply,
    pub at: Place,
}

/// What replaces an error answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ErrorReply {
    Reply(Reply),
    /// `errorloc`, `errorloc302` (302) and `errorloc303` (303).
    Location {
        status: u16,
        url: String,
    },
    File(ErrorFile),
    /// `errorfiles NAME [CODE...]`: a section of the model.
    Files(String),
}

/// `resolvers`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Resolvers {
    pub name: String,
    pub nameservers: Vec<Nameserver>,
    /// `parse-resolv-conf`: how many name servers stand before it.
    pub parse_resolv_conf: Option<usize>,
    /// Bytes; 512 where nothing is written.
    pub accepted_payload_size: Option<u32>,
    pub resolve_retries: Option<u32>,
    pub timeout_resolve_ms: Option<u32>,
    pub timeout_retry_ms: Option<u32>,
    pub hold_valid_ms: Option<u32>,
    pub hold_obsolete_ms: Option<u32>,
    pub hold_nx_ms: Option<u32>,
    pub hold_other_ms: Option<u32>,
    pub hold_refused_ms: Option<u32>,
    pub hold_timeout_ms: Option<u32>,
    pub at: Place,
}

/// `nameserver NAME ADDR:PORT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Nameserver {
    pub name: String,
    pub address: Addr,
    pub port: u16,
    /// `tcp@`.
    pub tcp: bool,
    pub at: Place,
}

/// `peers`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Peers {
    pub name: String,
    pub disabled: bool,
    pub binds: Vec<Bind>,
    pub peers: Vec<Server>,
    pub tables: Vec<StickTable>,
    pub logs: Vec<LogTarget>,
    pub shards: Option<u32>,
    pub at: Place,
}

/// `ring`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Ring {
    pub name: String,
    pub description: Option<String>,
    pub format: super::log::LogFraming,
    /// Bytes of a line.
    pub maxlen: Option<u32>,
    /// Bytes of the ring.
    pub size: Option<u32>,
    pub backing_file: Option<String>,
    pub timeout_connect_ms: Option<u32>,
    pub timeout_server_ms: Option<u32>,
    pub servers: Vec<Server>,
    pub at: Place,
}

/// `cache`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cache {
    pub name: String,
    /// Megabytes.
    pub total_max_size_mb: Option<u32>,
    /// Bytes.
    pub max_object_size: Option<u32>,
    /// Seconds; 60 where nothing is written.
    pub max_age_s: Option<u32>,
    pub process_vary: bool,
    pub max_secondary_entries: Option<u32>,
    pub at: Place,
}

/// `mailers`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Mailers {
    pub name: String,
    pub mailers: Vec<(String, Addr, u16)>,
    pub timeout_mail_ms: Option<u32>,
    pub at: Place,
}

/// `crt-store`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CrtStore {
    pub name: String,
    pub crt_base: Option<String>,
    pub key_base: Option<String>,
    /// `load` lines: words behind it, in pairs.
    pub loads: Vec<Vec<(String, String)>>,
    pub at: Place,
}

/// `log-forward`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LogForward {
    pub name: String,
    pub binds: Vec<Bind>,
    pub dgram_binds: Vec<Bind>,
    /// `log` lines; `log global` has been replaced by global's.
    pub logs: Vec<LogTarget>,
    /// `log global`, until it is replaced.
    pub log_global: bool,
    pub backlog: Option<u32>,
    /// 10 where nothing is written.
    pub maxconn: Option<u32>,
    pub timeout_client_ms: Option<u32>,
    /// `option assume-rfc6587-ntf`.
    pub lines_only: bool,
    /// `option dont-parse-log`.
    pub unparsed: bool,
    pub host: LogHost,
    pub at: Place,
}

/// `option host`: what becomes of the host field of a forwarded line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum LogHost {
    Replace,
    #[default]
    Fill,
    Keep,
    Append,
}

/// `log-profile`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LogProfile {
    pub name: String,
    pub tag: Option<String>,
    /// `on STEP` lines, later ones in the place of earlier ones.
    pub steps: Vec<(String, LogStep)>,
    pub at: Place,
}

/// What a profile does at a step.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LogStep {
    pub drop: bool,
    pub format: Option<LogFormat>,
    pub format_sd: Option<LogFormat>,
}

/// `fcgi-app`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FcgiApp {
    pub name: String,
    pub docroot: Option<String>,
    pub index: Option<String>,
    pub path_info: Option<String>,
    /// Lines that have no field here, words as written.
    pub other: Vec<Vec<String>>,
    pub at: Place,
}

/// An address range as written in `option forwardfor except` and its like.
pub type Network = (IpAddr, u8);
