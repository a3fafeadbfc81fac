//! What a report shows beside the counters: names, limits and states at one instant.
//!
//! Whoever owns a state fills these in; a report is then a pure function of them.

use super::counters::{BackTotal, FrontTotal, ListenerTotal, ProcessTotal, ServiceTotal};

/// Everything that reports show, taken at one instant.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub process: ProcessFacts,
    /// In the order of the configuration.
    pub proxies: Vec<ProxyFacts>,
}

/// The mode of a proxy as far as reports differ by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Tcp,
    Http,
}

/// One proxy.
#[derive(Clone, Debug, Default)]
pub struct ProxyFacts {
    pub name: String,
    /// HAProxy's `iid`: the section's `id`, or its automatic number.
    pub id: u32,
    /// Whether `id` was configured.
    pub forced_id: bool,
    pub mode: Mode,
    /// The section's `description`.
    pub description: Option<String>,
    /// Present in `frontend` and `listen`.
    pub front: Option<FrontFacts>,
    /// Shown with `option socket-stats`.
    pub listeners: Vec<ListenerFacts>,
    pub servers: Vec<ServerFacts>,
    /// Present in `backend` and `listen`.
    pub back: Option<BackFacts>,
}

/// The client side of a proxy.
#[derive(Clone, Debug, Default)]
pub struct FrontFacts {
    /// `OPEN`, `PAUSED` or `STOP`.
    pub status: &'static str,
    /// `maxconn`.
    pub limit: u32,
    /// `rate-limit sessions`, a second; 0 for none.
    pub rate_limit: u32,
    pub total: FrontTotal,
}

/// One listening address.
#[derive(Clone, Debug, Default)]
pub struct ListenerFacts {
    /// The `name` of the bind line, or `sock-N`.
    pub name: String,
    /// HAProxy's `sid`.
    pub id: u32,
    /// `OPEN`, `PAUSED`, `WAITING` or `FULL`.
    pub status: &'static str,
    /// `maxconn` of the bind line; 0 for none.
    pub limit: u32,
    /// `address:port`, or `unix`.
    pub address: String,
    /// `tcpv4`, `tcpv6`, `unix_stream`.
    pub protocol: &'static str,
    pub total: ListenerTotal,
}

/// How a server or backend is doing, coarse enough for a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    #[default]
    Up,
    /// Up, and its last check failed.
    GoingDown,
    /// Down, and its last check succeeded.
    GoingUp,
    Down,
    /// Serves only what is bound to it (NOLB).
    NoLb,
    Drain,
    Maint,
    NoCheck,
}

impl Condition {
    /// Whether new requests may go there.
    pub fn takes_requests(self) -> bool {
        matches!(self, Self::Up | Self::GoingDown | Self::NoCheck)
    }
}

/// One server.
#[derive(Clone, Debug, Default)]
pub struct ServerFacts {
    pub name: String,
    /// HAProxy's `sid`.
    pub id: u32,
    /// How often the slot was taken by another server (`srid`).
    pub revision: u32,
    /// `UP`, `DOWN`, `UP 1/3`, `NOLB`, `MAINT (via b/s)`, `no check`, ...
    pub status: String,
    pub condition: Condition,
    pub backup: bool,
    /// Effective weight and the one a user set, 0 to 256.
    pub weight: u32,
    pub user_weight: u32,
    pub initial_weight: u32,
    /// Requests waiting, and the most that waited.
    pub queued: u32,
    pub queued_max: u32,
    /// `maxqueue`; 0 for none.
    pub queue_limit: u32,
    /// `maxconn`; 0 for none.
    pub limit: u32,
    /// Seconds since the last change of state.
    pub last_change_s: u32,
    /// Seconds down in all; shown for checked servers.
    pub downtime_s: u32,
    /// `UP -> DOWN` transitions; shown for checked servers.
    pub downs: u64,
    /// Slow start in per cent.
    pub throttle_percent: Option<u32>,
    /// `backend/server` that it tracks.
    pub tracked: Option<String>,
    /// Failures seen in traffic; only with `observe`.
    pub observed_failures: Option<u64>,
    pub check: Option<CheckFacts>,
    pub agent: Option<CheckFacts>,
    pub address: String,
    /// The name that `address` was resolved from.
    pub host: Option<String>,
    /// The SRV label that names it.
    pub service: Option<String>,
    pub cookie: Option<String>,
    pub idle: IdleFacts,
    /// Fields that only `show servers state` prints.
    pub state: StateFacts,
    pub total: ServiceTotal,
}

/// Health checks or agent checks of one server.
#[derive(Clone, Debug, Default)]
pub struct CheckFacts {
    /// Failed checks while the server was up.
    pub failed: u64,
    /// `L4OK`, `L7STS`, ...; with `* ` in front while a check runs.
    pub status: String,
    /// `Layer4 check passed`, ...
    pub description: String,
    pub code: Option<u32>,
    pub duration_ms: Option<u64>,
    /// What the last check received, or its textual error.
    pub last: String,
    pub rise: u32,
    pub fall: u32,
    /// 0 to rise + fall - 1.
    pub health: u32,
}

/// Connections of one server that carry no request, and those that do.
#[derive(Clone, Debug, Default)]
pub struct IdleFacts {
    /// Idle connections, and how many may be kept.
    pub idle: u32,
    pub limit: Option<u32>,
    pub unsafe_idle: u32,
    pub safe_idle: u32,
    pub private_idle: u32,
    pub used: u32,
    pub used_max: u32,
    /// How many the load of the last seconds needs.
    pub estimated_need: u32,
    /// `pool-purge-delay`.
    pub purge_delay_ms: u64,
    /// Idle connections on each core.
    pub per_core: Vec<u32>,
}

/// Numbers of `show servers state` (management.txt 9.3), in HAProxy's encoding.
#[derive(Clone, Copy, Debug, Default)]
pub struct StateFacts {
    /// 0 stopped, 1 starting, 2 running, 3 stopping.
    pub operational: u8,
    /// Bits 1 FMAINT, 2 IMAINT, 4 CMAINT, 8 FDRAIN, 16 IDRAIN, 32 RMAINT, 64 HMAINT.
    pub administrative: u8,
    /// HAProxy's number of the last check's status.
    pub check_status: u8,
    /// 0 unknown, 1 neutral, 2 failed, 3 passed, 4 conditionally passed.
    pub check_result: u8,
    /// Bits 1 running, 2 configured, 4 enabled, 8 paused, 16 agent.
    pub check_state: u8,
    /// What a server without checks shows as its check's health.
    pub unchecked_health: u32,
    pub agent_state: u8,
    pub port: u16,
    pub check_port: u16,
    pub agent_port: u16,
    pub forced_id: bool,
    /// 1 with TLS, -1 where `no-ssl` was written, 0 where nothing was.
    pub use_tls: i8,
}

/// The server side of a proxy.
#[derive(Clone, Debug, Default)]
pub struct BackFacts {
    /// `UP`, `DOWN`, `NOLB`, ...
    pub status: &'static str,
    pub condition: Condition,
    /// Effective and user weight of all usable servers.
    pub weight: u32,
    pub user_weight: u32,
    /// Usable servers.
    pub active: u32,
    pub backup: u32,
    /// Requests waiting without a server, and the most that waited.
    pub queued: u32,
    pub queued_max: u32,
    /// `fullconn`.
    pub limit: u32,
    /// Times that no server was left.
    pub downs: u64,
    pub last_change_s: u32,
    pub downtime_s: u32,
    /// Whether any server exists.
    pub has_servers: bool,
    /// `roundrobin`, `leastconn`, ...
    pub algorithm: String,
    /// The name of the persistence cookie.
    pub cookie: Option<String>,
    pub total: BackTotal,
}

/// The process and its machine.
#[derive(Clone, Debug, Default)]
pub struct ProcessFacts {
    pub name: &'static str,
    pub version: String,
    /// `YYYY/MM/DD`.
    pub release_date: String,
    pub node: String,
    /// `description` of the global section.
    pub description: Option<String>,
    pub pid: u32,
    pub cores: u32,
    pub uptime_ms: u64,
    /// Start of the process, seconds since 1970.
    pub start_time_s: u64,
    /// From start to ready.
    pub boot_time_ms: u64,
    /// Limits: descriptors, sockets, connections now and at start.
    pub ulimit_n: u64,
    pub max_sockets: u64,
    pub max_connections: u64,
    pub hard_max_connections: u64,
    pub max_tls_connections: u64,
    pub max_pipes: u64,
    /// Memory limit and resident memory in bytes.
    pub memory_limit_bytes: u64,
    pub memory_bytes: u64,
    /// `maxconnrate`, `maxsessrate`, `maxsslrate`, a second; 0 for none.
    pub connection_rate_limit: u64,
    pub session_rate_limit: u64,
    pub tls_rate_limit: u64,
    /// Spawned and runnable tasks.
    pub tasks: u64,
    pub runnable_tasks: u64,
    /// Part of the last second spent waiting, per cent.
    pub idle_percent: u32,
    pub stopping: bool,
    pub listeners: u64,
    pub active_peers: u64,
    pub connected_peers: u64,
    pub failed_resolutions: u64,
    /// Bytes sent over the last second.
    pub bytes_out_rate: u64,
    pub warnings: u64,
    pub patterns_added: u64,
    pub patterns_freed: u64,
    /// Monotonic clock of the cores, for ages.
    pub now_ms: u64,
    pub total: ProcessTotal,
}
