//! Questions that an expression asks about the running process.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::cache::{Cache, CacheId};
use crate::log::Profile;
use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::table::{Table, TableId};

use super::cx::{Cx, LogOrigin, Timers};
use super::pattern::{KeyValue, PatternId, PatternView};
use super::value::Value;

/// The process as seen by one core. Every answer is exact for the whole process.
///
/// The defaults answer for a process without servers and without counters.
#[allow(unused_variables)]
pub trait World {
    /// Name of a frontend, backend or listen section.
    fn proxy_name(&self, proxy: ProxyId) -> &str;
    /// `option http-use-proxy-header` of a frontend.
    fn heeds_proxy_fields(&self, frontend: ProxyId) -> bool {
        false
    }
    /// Numeric id of a proxy (`id`, or its position).
    fn proxy_number(&self, proxy: ProxyId) -> u32 {
        proxy.0
    }
    /// Name of a server.
    fn server_name(&self, server: ServerId) -> &str;
    /// Numeric id of a server inside its backend.
    fn server_number(&self, server: ServerId) -> u32 {
        server.0 + 1
    }
    /// Name of a `bind` line (`name`), if it has one.
    fn listener_name(&self, listener: ListenerId) -> Option<&str> {
        None
    }
    /// Numeric id of a `bind` line inside its frontend.
    fn listener_number(&self, listener: ListenerId) -> u32 {
        listener.0 + 1
    }
    /// The backend that `default_backend` names.
    fn default_backend(&self, frontend: ProxyId) -> Option<ProxyId> {
        None
    }
    /// Servers of `backend` that can take traffic (`nbsrv`).
    fn usable_servers(&self, backend: ProxyId) -> u32 {
        0
    }
    fn server_is_up(&self, server: ServerId) -> bool {
        false
    }
    fn server_counters(&self, server: ServerId) -> ServerCounters {
        ServerCounters::default()
    }
    fn proxy_counters(&self, proxy: ProxyId) -> ProxyCounters {
        ProxyCounters::default()
    }
    /// Current client connections of a listener (`dst_conn`).
    fn listener_connections(&self, listener: ListenerId) -> u32 {
        0
    }
    /// Current client connections of the process (`act_conn`).
    fn process_connections(&self) -> u32 {
        0
    }
    /// The process takes no new connections any more (`stopping`).
    fn is_stopping(&self) -> bool {
        false
    }
    /// Seconds since the process began (`uptime`).
    fn uptime_s(&self) -> u64 {
        0
    }
    /// The text of the frontend's `unique-id-format`; empty without one.
    fn make_unique_id(&self, cx: &Cx<'_>) -> Vec<u8> {
        Vec::new()
    }
    /// The stream's times so far.
    fn timers(&self) -> Timers {
        Timers::default()
    }
    /// Whether this machine has an address (`src_is_local`).
    fn is_own_address(&self, address: IpAddr) -> bool {
        address.is_loopback()
    }
    /// `retries` of a backend (`be_max_retries`).
    fn max_retries(&self, backend: ProxyId) -> u32 {
        3
    }
    /// Writes a line to the frontend's log targets now (`do-log`).
    fn write_log(&self, cx: &Cx<'_>, origin: LogOrigin, profile: Option<&Profile>) {}
    fn process_id(&self) -> u32 {
        0
    }
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "the process's own answer is borrowed"
    )]
    fn host_name(&self) -> &str {
        ""
    }
    /// Which core evaluates, from 0 (`thread`).
    fn core(&self) -> u32 {
        0
    }
    /// A process-wide variable.
    fn proc_var(&self, slot: u32) -> Option<Value<'static>> {
        None
    }
    fn set_proc_var(&self, slot: u32, value: Option<Value<'static>>) {}
    /// The pattern sets: what `-f` and maps refer to.
    fn patterns(&self) -> PatternView<'_>;
    /// Changes a pattern set on all cores; each sees it from its next look on. A key that the set
    /// cannot have changes nothing.
    fn change_patterns(&self, set: PatternId, change: PatternChange) {}
    /// A timeout of a proxy in milliseconds, if it is set.
    fn proxy_timeout_ms(&self, proxy: ProxyId, which: ProxyTimeout) -> Option<u32> {
        None
    }
    /// What the kernel measures of a TCP connection of this stream.
    fn tcp_measures(&self, side: Side) -> Option<TcpMeasures> {
        None
    }
    /// The public key of a path that a line named (`jwt_verify`), in DER.
    fn public_key(&self, path: &[u8]) -> Option<&[u8]> {
        None
    }
    /// Our address on the connection to the server.
    fn server_side_source(&self) -> Option<SocketAddr> {
        None
    }
    /// Marks packets to the client (`set-fc-tos`, `set-fc-mark`); whether it could be done.
    fn mark_packets(&self, mark: PacketMark) -> bool {
        false
    }
    /// A proxy or server by name, for converters that look names up while running.
    fn find_server(&self, backend: &str, server: &str) -> Option<ServerId> {
        None
    }
    fn find_backend(&self, name: &str) -> Option<ProxyId> {
        None
    }
    /// A stick table.
    fn table(&self, table: TableId) -> Option<&Arc<Table>> {
        None
    }
    /// A cache, which all cores share.
    fn cache(&self, cache: CacheId) -> Option<&Arc<Cache>> {
        None
    }
    /// Whether a status counts as a client's error in stick tables (`http-err-codes`).
    fn is_error_status(&self, status: u16) -> bool {
        false
    }
    /// Whether a status counts as a server's failure in stick tables (`http-fail-codes`).
    fn is_failure_status(&self, status: u16) -> bool {
        false
    }
    /// The clock of stick tables, milliseconds.
    fn now_ms(&self) -> u64 {
        0
    }
    fn find_frontend(&self, name: &str) -> Option<ProxyId> {
        None
    }
}

/// One of a stream's two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// The kernel's figures of a TCP connection (`fc_rtt` and relatives).
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpMeasures {
    pub rtt_us: u32,
    pub rttvar_us: u32,
    pub unacked: u32,
    pub sacked: u32,
    pub lost: u32,
    pub retrans: u32,
    pub fackets: u32,
    pub reordering: u32,
}

/// What packets to the client carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketMark {
    /// The type of service.
    Tos(u8),
    /// The packet filter's mark.
    Mark(u32),
}

/// A change of a file's pattern sets, made by a rule or an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternChange {
    /// The value of a key, which is added if it is not there (`set-map`, `add-acl`).
    Set {
        key: Arc<str>,
        value: Option<Arc<[u8]>>,
    },
    /// One entry more, whether its key is there or not.
    Append {
        key: Arc<str>,
        value: Option<Arc<[u8]>>,
    },
    /// All entries of a key go (`del-map`, `del-acl`).
    Remove { key: Arc<str> },
    /// The value of one entry.
    SetAt { reference: u32, value: Arc<[u8]> },
    /// One entry goes.
    RemoveAt { reference: u32 },
    /// These entries, and no others.
    Replace(Arc<[KeyValue]>),
}

/// Which timeout a fetch such as `be_server_timeout` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyTimeout {
    Client,
    Connect,
    Server,
    Queue,
    Tarpit,
    Tunnel,
}

/// Counters of one server that fetches show.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerCounters {
    pub connections: u32,
    /// Connections that it may still take; `None` without `maxconn`.
    pub free: Option<u32>,
    pub queue: u32,
    pub weight: u32,
    pub initial_weight: u32,
    pub user_weight: u32,
    /// New sessions in the last second.
    pub session_rate: u32,
}

/// Counters of one proxy that fetches show.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProxyCounters {
    /// Of its client side (`fe_conn`).
    pub frontend_connections: u32,
    /// Of its server side (`be_conn`).
    pub backend_connections: u32,
    /// Connections that its servers may still take; `None` when one has no `maxconn`.
    pub free: Option<u32>,
    /// The same with the places in their queues; `None` when one has no `maxqueue` either.
    pub slots: Option<u32>,
    pub queue: u32,
    /// Queues of the proxy and of all its servers.
    pub total_queue: u32,
    /// New sessions of its client side in the last second.
    pub frontend_session_rate: u32,
    /// New sessions of its server side in the last second.
    pub backend_session_rate: u32,
    /// Requests in the last second.
    pub request_rate: u32,
}
