//! The fields of `show info`, in HAProxy's order.

use super::facts::ProcessFacts;
use super::value::{Tags, Value};

/// One field.
#[derive(Clone, Copy)]
pub struct Field {
    /// The position in the typed format, which keeps gaps for fields that are not set.
    pub position: u16,
    pub name: &'static str,
    pub tags: Tags,
    /// What `desc` appends.
    pub doc: &'static str,
    /// The value; [`Value::Empty`] hides the field.
    pub read: for<'a> fn(&'a ProcessFacts) -> Value<'a>,
}

const fn field(
    position: u16,
    name: &'static str,
    tags: &'static str,
    doc: &'static str,
    read: for<'a> fn(&'a ProcessFacts) -> Value<'a>,
) -> Field {
    Field {
        position,
        name,
        tags: Tags(tags),
        doc,
        read,
    }
}

const MEBIBYTE: u64 = 1 << 20;

fn uptime(process: &ProcessFacts) -> String {
    let seconds = process.uptime_ms / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    format!(
        "{days}d {hours}h{:02}m{:02}s",
        seconds / 60 % 60,
        seconds % 60
    )
}

fn resumed_percent(process: &ProcessFacts) -> u64 {
    let resumed = process.total.tls_front_resumed;
    (resumed * 100)
        .checked_div(resumed + process.total.tls_front_keys.total)
        .unwrap_or(0)
}

/// Every field. Those that describe mechanisms which do not exist here are a constant 0.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    field(0, "Name", "POSV", "Product name", |p| Value::text(p.name)),
    field(1, "Version", "POSV", "Product version", |p| Value::text(p.version.as_str())),
    field(2, "Release_date", "POSV", "Date of latest source code update", |p| Value::text(p.release_date.as_str())),
    field(3, "Nbthread", "CGSV", "Number of started threads (global.nbthread)", |p| Value::u32(p.cores.into())),
    field(4, "Nbproc", "CGSV", "Number of started worker processes (historical, always 1)", |_| Value::U32(1)),
    field(5, "Process_num", "KGPV", "Relative worker process number (1)", |_| Value::U32(1)),
    field(6, "Pid", "SGPV", "This worker process identifier for the system", |p| Value::U32(p.pid)),
    field(7, "Uptime", "MDPV", "How long ago this worker process was started (days+hours+minutes+seconds)", |p| Value::text(uptime(p))),
    field(8, "Uptime_sec", "MDPV", "How long ago this worker process was started (seconds)", |p| Value::Float(p.uptime_ms as f64 / 1000.0)),
    field(9, "Memmax_MB", "CLPV", "Worker process's hard limit on memory usage in MB (-m on command line)", |p| Value::u32(p.memory_limit_bytes / MEBIBYTE)),
    field(10, "PoolAlloc_MB", "MGPV", "Amount of memory allocated in pools (in MB)", |p| Value::u32(p.memory_bytes / MEBIBYTE)),
    field(11, "PoolUsed_MB", "MGPV", "Amount of pool memory currently used (in MB)", |p| Value::u32(p.memory_bytes / MEBIBYTE)),
    field(12, "PoolFailed", "MCPV", "Number of failed pool allocations since this worker was started", |_| Value::U32(0)),
    field(13, "Ulimit-n", "CLPV", "Hard limit on the number of per-process file descriptors", |p| Value::u32(p.ulimit_n)),
    field(14, "Maxsock", "CLPV", "Hard limit on the number of per-process sockets", |p| Value::u32(p.max_sockets)),
    field(15, "Maxconn", "CLPV", "Hard limit on the number of per-process connections (configured or imposed by Ulimit-n)", |p| Value::u32(p.max_connections)),
    field(16, "Hard_maxconn", "CLPV", "Hard limit on the number of per-process connections (imposed by Memmax_MB or Ulimit-n)", |p| Value::u32(p.hard_max_connections)),
    field(17, "CurrConns", "MGPV", "Current number of connections on this worker process", |p| Value::u32(p.total.open.now)),
    field(18, "CumConns", "MCPV", "Total number of connections on this worker process since started", |p| Value::u32(p.total.connections.total)),
    field(19, "CumReq", "MCPV", "Total number of requests on this worker process since started", |p| Value::u32(p.total.requests)),
    field(20, "MaxSslConns", "MMPV", "Hard limit on the number of per-process SSL endpoints (front+back), 0=unlimited", |p| Value::u32(p.max_tls_connections)),
    field(21, "CurrSslConns", "MGPV", "Current number of SSL endpoints on this worker process (front+back)", |p| Value::u32(p.total.tls_open.now)),
    field(22, "CumSslConns", "MCPV", "Total number of SSL endpoints on this worker process since started (front+back)", |p| Value::u32(p.total.tls_connections.total)),
    field(23, "Maxpipes", "CLPV", "Hard limit on the number of pipes for splicing, 0=unlimited", |p| Value::u32(p.max_pipes)),
    field(24, "PipesUsed", "MGPV", "Current number of pipes in use in this worker process", |p| Value::u32(p.total.pipes_used)),
    field(25, "PipesFree", "MGPV", "Current number of allocated and available pipes in this worker process", |p| Value::u32(p.total.pipes_free)),
    field(26, "ConnRate", "MRPV", "Number of front connections created on this worker process over the last second", |p| Value::u32(p.total.connections.per_second)),
    field(27, "ConnRateLimit", "CLPV", "Hard limit for ConnRate (global.maxconnrate)", |p| Value::u32(p.connection_rate_limit)),
    field(28, "MaxConnRate", "MMPV", "Highest ConnRate reached on this worker process since started (in connections per second)", |p| Value::u32(p.total.connections.max)),
    field(29, "SessRate", "MRPV", "Number of sessions created on this worker process over the last second", |p| Value::u32(p.total.sessions.per_second)),
    field(30, "SessRateLimit", "CLPV", "Hard limit for SessRate (global.maxsessrate)", |p| Value::u32(p.session_rate_limit)),
    field(31, "MaxSessRate", "MRPV", "Highest SessRate reached on this worker process since started (in sessions per second)", |p| Value::u32(p.total.sessions.max)),
    field(32, "SslRate", "MRPV", "Number of SSL connections created on this worker process over the last second", |p| Value::u32(p.total.tls_connections.per_second)),
    field(33, "SslRateLimit", "CLPV", "Hard limit for SslRate (global.maxsslrate)", |p| Value::u32(p.tls_rate_limit)),
    field(34, "MaxSslRate", "MMPV", "Highest SslRate reached on this worker process since started (in connections per second)", |p| Value::u32(p.total.tls_connections.max)),
    field(35, "SslFrontendKeyRate", "MGPV", "Number of SSL keys created on frontends in this worker process over the last second", |p| Value::u32(p.total.tls_front_keys.per_second)),
    field(36, "SslFrontendMaxKeyRate", "MMPV", "Highest SslFrontendKeyRate reached on this worker process since started (in SSL keys per second)", |p| Value::u32(p.total.tls_front_keys.max)),
    field(37, "SslFrontendSessionReuse_pct", "MGPV", "Percent of frontend SSL connections which did not require a new key", |p| Value::u32(resumed_percent(p))),
    field(38, "SslBackendKeyRate", "MRPV", "Number of SSL keys created on backends in this worker process over the last second", |p| Value::u32(p.total.tls_back_keys.per_second)),
    field(39, "SslBackendMaxKeyRate", "MMPV", "Highest SslBackendKeyRate reached on this worker process since started (in SSL keys per second)", |p| Value::u32(p.total.tls_back_keys.max)),
    field(40, "SslCacheLookups", "MCPV", "Total number of SSL session ID lookups in the SSL session cache on this worker since started", |_| Value::U32(0)),
    field(41, "SslCacheMisses", "MCPV", "Total number of SSL session ID lookups that didn't find a session in the SSL session cache on this worker since started", |_| Value::U32(0)),
    field(42, "CompressBpsIn", "MRPV", "Number of bytes submitted to the HTTP compressor in this worker process over the last second", |_| Value::U32(0)),
    field(43, "CompressBpsOut", "MRPV", "Number of bytes emitted by the HTTP compressor in this worker process over the last second", |_| Value::U32(0)),
    field(44, "CompressBpsRateLim", "CLPV", "Limit of CompressBpsOut beyond which HTTP compression is automatically disabled", |_| Value::U32(0)),
    field(45, "ZlibMemUsage", "MGPV", "Amount of memory currently used by HTTP compression", |_| Value::U32(0)),
    field(46, "MaxZlibMemUsage", "CLPV", "Limit of the memory used by HTTP compression", |_| Value::U32(0)),
    field(47, "Tasks", "MGPV", "Total number of tasks in the current worker process (active + sleeping)", |p| Value::u32(p.tasks)),
    field(48, "Run_queue", "MGPV", "Total number of active tasks+tasklets in the current worker process", |p| Value::u32(p.runnable_tasks)),
    field(49, "Idle_pct", "MaPV", "Percentage of last second spent waiting in the current worker thread", |p| Value::U32(p.idle_percent)),
    field(50, "node", "COSV", "Node name (global.node)", |p| Value::text(p.node.as_str())),
    field(51, "description", "COSV", "Node description (global.description)", |p| p.description.as_deref().map_or(Value::Empty, Value::text)),
    field(52, "Stopping", "MGPV", "1 if the worker process is currently stopping, otherwise zero", |p| Value::U32(u32::from(p.stopping))),
    field(53, "Jobs", "MGPV", "Current number of active jobs on the current worker process (frontend connections, master connections, listeners)", |p| Value::u32(p.total.open.now + p.listeners)),
    field(54, "Unstoppable Jobs", "MGPV", "Current number of unstoppable jobs on the current worker process (master connections)", |_| Value::U32(0)),
    field(55, "Listeners", "MGPV", "Current number of active listeners on the current worker process", |p| Value::u32(p.listeners)),
    field(56, "ActivePeers", "MGPV", "Current number of verified active peers connections on the current worker process", |p| Value::u32(p.active_peers)),
    field(57, "ConnectedPeers", "MGPV", "Current number of peers having passed the connection step on the current worker process", |p| Value::u32(p.connected_peers)),
    field(58, "DroppedLogs", "MGPV", "Total number of dropped logs for current worker process since started", |p| Value::u32(p.total.dropped_logs)),
    field(59, "BusyPolling", "MGPV", "1 if busy-polling is currently in use on the worker process, otherwise zero (config.busy-polling)", |_| Value::U32(0)),
    field(60, "FailedResolutions", "MGPV", "Total number of failed DNS resolutions in current worker process since started", |p| Value::u32(p.failed_resolutions)),
    field(61, "TotalBytesOut", "MGPV", "Total number of bytes emitted by current worker process since started", |p| Value::U64(p.total.bytes_out)),
    field(62, "TotalSplicedBytesOut", "MGPV", "Total number of bytes emitted by current worker process through a kernel pipe since started", |p| Value::U64(p.total.bytes_spliced)),
    field(63, "BytesOutRate", "MRPV", "Number of bytes emitted by current worker process over the last second", |p| Value::U64(p.bytes_out_rate)),
    field(64, "DebugCommandsIssued", "MGPV", "Number of debug commands issued on this process (anything > 0 is unsafe)", |_| Value::U32(0)),
    field(65, "CumRecvLogs", "MCPV", "Total number of log messages received by log-forwarding listeners on this worker process since started", |p| Value::u32(p.total.received_logs)),
    field(66, "Build info", "POSV", "Build info", |p| Value::text(p.version.as_str())),
    field(67, "Memmax_bytes", "CLPV", "Worker process's hard limit on memory usage in bytes (-m on command line)", |p| Value::u32(p.memory_limit_bytes)),
    field(68, "PoolAlloc_bytes", "MGPV", "Amount of memory allocated in pools (in bytes)", |p| Value::U64(p.memory_bytes)),
    field(69, "PoolUsed_bytes", "MGPV", "Amount of pool memory currently used (in bytes)", |p| Value::U64(p.memory_bytes)),
    field(70, "Start_time_sec", "MDPV", "Start time in seconds", |p| Value::u32(p.start_time_s)),
    field(71, "Tainted", "SGPV", "Experimental features used", |_| Value::text("0")),
    field(72, "TotalWarnings", "MCPV", "Total warnings issued", |p| Value::u32(p.warnings)),
    field(73, "MaxconnReached", "MCPV", "Number of times an accepted connection resulted in Maxconn being reached", |p| Value::u32(p.total.maxconn_reached)),
    field(74, "BootTime_ms", "MDPV", "How long ago it took to parse and process the config before being ready (milliseconds)", |p| Value::u32(p.boot_time_ms)),
    field(75, "Niced_tasks", "MGPV", "Total number of active tasks+tasklets in the current worker process (Run_queue) that are niced", |_| Value::U32(0)),
    field(76, "CurrStreams", "MGPV", "Current number of streams on this worker process", |p| Value::U64(p.total.streams.now)),
    field(77, "CumStreams", "MGPV", "Total number of streams created on this worker process since started", |p| Value::U64(p.total.streams_total)),
    field(78, "BlockedTrafficWarnings", "MGPV", "Total number of warnings issued about traffic being blocked by too slow a task", |_| Value::U32(0)),
    field(79, "PatternsAdded", "MGPV", "Total number of patterns added (acl/map entries)", |p| Value::U64(p.patterns_added)),
    field(80, "PatternsFreed", "MGPV", "Total number of patterns freed (acl/map entries)", |p| Value::U64(p.patterns_freed)),
    field(81, "NbThreadGroups", "CGSV", "Number of started thread groups (global.thread-groups)", |_| Value::U32(1)),
];
