//! What the commands need from the running process.

use crate::cache::Cache;
use crate::plan::{ProxyId, ServerId};
use crate::ring::Ring;
use crate::sample::ProcVars;
use crate::sample::pattern::LivePatterns;
use crate::stats::Snapshot;
use crate::table::Table;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// An answer that other cores have to give first.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// Why a thing was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    Backend,
    Server,
}

/// The administrative state that `set server X state` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminState {
    Ready,
    Drain,
    Maint,
}

/// The operational state that `set server X health|agent` forces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForcedHealth {
    Up,
    Stopping,
    Down,
}

/// A weight as typed: 0 to 256, or per cent of the configured one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewWeight {
    Absolute(u32),
    Percent(u32),
}

/// The two kinds of checks that can be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckKind {
    Health,
    Agent,
}

/// A process-wide limit on events a second; the last in kB/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    Connections,
    Sessions,
    TlsSessions,
    Compression,
}

/// What `clear counters` clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// Maxima.
    Maxima,
    /// Everything.
    All,
    /// Everything of one server.
    Server(ServerId),
}

/// Parts of a server that `set server X ...` changes, beside state and weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerChange {
    Address { address: IpAddr, port: Option<u16> },
    CheckAddress { address: IpAddr, port: Option<u16> },
    CheckPort(u16),
    AgentAddress { address: IpAddr, port: Option<u16> },
    AgentPort(u16),
    AgentSend(String),
    Fqdn(String),
    Tls(bool),
    Name(String),
}

/// A stream as `show sess` lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamFacts {
    /// Identifies it for `shutdown session`, unique in the process.
    pub id: u64,
    /// `tcpv4`, `tcpv6`, `unix_stream`.
    pub protocol: &'static str,
    /// `address:port`, or `unix:N`.
    pub source: String,
    pub frontend: String,
    /// Empty before one is chosen.
    pub backend: String,
    pub server: String,
    pub age_ms: u64,
    /// Core that owns it.
    pub core: u32,
    /// Descriptors of both sides.
    pub client_fd: i32,
    pub server_fd: Option<i32>,
    /// Bytes of request and response that wait.
    pub request_pending: u64,
    pub response_pending: u64,
    /// Until the next timeout of the stream.
    pub expires_ms: Option<u64>,
    /// Attempts left of `retries`.
    pub retries_left: u32,
}

/// A line of `show cli sockets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFacts {
    /// `unix@/path`, `ipv4@addr:port`.
    pub name: String,
    pub level: super::Level,
}

/// What commands ask of the process and do to it.
///
/// Implemented by the control thread. A refusal is HAProxy's text, without a line end.
pub trait Ops {
    /// Completes when every core has applied what was changed since the last call; `None` if
    /// nothing has to be waited for. A client hears of a change only then, so that what it does
    /// next meets the new state on every core.
    fn settled(&mut self) -> Option<Later<()>>;

    /// Counters, states and limits of everything, for reports.
    fn snapshot(&mut self) -> Snapshot;
    /// The text of `show version`.
    fn version(&self) -> String;
    /// Milliseconds since start, for the timed prompt.
    fn uptime_ms(&self) -> u64;
    /// Local time as in `[21/Nov/2026:04:01:02.833]`, without brackets.
    fn date(&self) -> String;

    /// Both by name, or by `#id`.
    fn server(&self, backend: &str, server: &str) -> Result<ServerId, NotFound>;
    /// By name, or by `#id`.
    fn frontend(&self, name: &str) -> Option<ProxyId>;

    fn set_admin_state(&mut self, server: ServerId, state: AdminState) -> Result<(), String>;
    /// Current and initial weight.
    fn weight(&self, server: ServerId) -> (u32, u32);
    fn set_weight(&mut self, server: ServerId, weight: NewWeight) -> Result<(), String>;
    fn force_health(&mut self, server: ServerId, health: ForcedHealth) -> Result<(), String>;
    fn force_agent(&mut self, server: ServerId, health: ForcedHealth) -> Result<(), String>;
    /// Switches checks on or off; refused where none is configured.
    fn set_checks(&mut self, server: ServerId, kind: CheckKind, on: bool) -> Result<(), String>;
    /// Changes a part of a server; the answer's text, if the change has one.
    fn change_server(
        &mut self,
        server: ServerId,
        change: ServerChange,
    ) -> Result<Option<String>, String>;
    /// `add server`; `words` are the address and what follows. The answer's text.
    fn add_server(
        &mut self,
        backend: &str,
        server: &str,
        words: &[String],
    ) -> Result<String, String>;
    /// The names of each backend's `default-server` settings, of one backend or, for the empty
    /// name, of all that have some.
    fn default_servers(&self, backend: &str) -> Result<Vec<(String, Vec<String>)>, String>;
    fn delete_server(&mut self, server: ServerId) -> Result<(), String>;
    /// Completes when the server can be deleted, or it is known that it cannot.
    fn removable(
        &mut self,
        backend: &str,
        server: &str,
        patience_ms: u64,
    ) -> Later<Result<String, String>>;
    fn set_server_maxconn(&mut self, server: ServerId, maxconn: u32) -> Result<(), String>;

    /// Pauses or resumes all sockets; `false` when they were so already.
    fn set_frontend_enabled(&mut self, frontend: ProxyId, on: bool) -> Result<bool, String>;
    /// Closes the sockets for good.
    fn shutdown_frontend(&mut self, frontend: ProxyId) -> Result<(), String>;
    fn set_frontend_maxconn(&mut self, frontend: ProxyId, maxconn: u32) -> Result<(), String>;
    /// `None` goes back to the configured limit; refused above the hard limit.
    fn set_process_maxconn(&mut self, maxconn: Option<u32>) -> Result<(), String>;
    fn set_rate_limit(&mut self, limit: RateLimit, per_second: u64) -> Result<(), String>;

    fn clear_counters(&mut self, clear: Clear);

    /// Streams of all cores.
    fn streams(&mut self) -> Result<Later<Vec<StreamFacts>>, String>;
    /// Ends a stream, `K` in its termination state; `false` when it is gone.
    fn shutdown_stream(&mut self, id: u64) -> Result<Later<bool>, String>;
    fn shutdown_server_streams(&mut self, server: ServerId);

    /// Pattern sets, whose changes every core sees from its next look on.
    fn patterns(&self) -> &LivePatterns;
    /// Variables of the process, likewise.
    fn proc_vars(&self) -> &ProcVars;

    /// Stick tables, whose changes every core sees at once, and the time on their clock.
    fn tables(&self) -> &[Arc<Table>];
    fn table_clock_ms(&self) -> u64;

    fn caches(&self) -> &[Arc<Cache>];

    /// Rings of log lines.
    fn rings(&self) -> &[Arc<Ring>];
    /// What name servers were asked, of all sections or of one; `None` where there is none of it.
    fn resolvers(&self, section: Option<&str>) -> Option<String>;
    /// The same as a table.
    fn resolvers_table(&self) -> String;

    fn admin_sockets(&self) -> Vec<SocketFacts>;
    /// What was printed while starting.
    fn startup_logs(&self) -> String;
    /// `name=value` of the process, as the configuration may see it.
    fn environment(&self) -> Vec<String>;
    /// Completes after `delay_ms` on the control thread.
    fn sleep(&mut self, delay_ms: u64) -> Later<()>;
    /// Free text of one line for each core: threads, loop turns and the like.
    fn activity(&mut self) -> Vec<(String, Vec<u64>)>;
}
