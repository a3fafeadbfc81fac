//! What the `global` section says about the whole process.

/// Settings of the whole process.
#[derive(Clone, Debug)]
pub struct Process {
    /// The machine's name, or `node`.
    pub node: String,
    pub host_name: String,
    pub description: Option<String>,
    /// Connections at once.
    pub maxconn: u32,
    /// What `show info` calls `Hard_maxconn`'s source: set by the configuration or computed.
    pub maxconn_is_configured: bool,
    /// Descriptors that may be open at once.
    pub descriptors: u64,
    /// A soft stop lasts no longer than this.
    pub hard_stop_after_ms: Option<u32>,
    /// Bounds of a message head (`tune.bufsize`, `tune.maxrewrite`, `tune.http.maxhdr`).
    pub head_limits: wire::h1::Limits,
    /// Bytes of the request line kept for logs (`tune.http.logurilen`).
    pub log_uri_bytes: usize,
    /// Some expression reads a message's body.
    pub reads_bodies: bool,
    /// Some proxy compresses bodies.
    pub compresses: bool,
    /// How hard it tries, 1 to 9 (`tune.comp.maxlevel`).
    pub compression_level: u32,
    /// Addresses taken from DNS (`dns-accept-family`); `None`: IPv6 where there is a way to it.
    pub dns_families: Option<crate::resolve::Families>,
    /// `log-tag`.
    pub log_tag: String,
    /// `log-send-hostname`.
    pub log_host: Option<String>,
    pub stats_timeout_ms: u64,
    /// `spread-checks`, 0 to 50 per cent.
    pub spread_checks_percent: u32,
    /// `external-check preserve-env`.
    pub check_keeps_environment: bool,
    /// Statuses that count as a client's errors and as a server's failures in stick tables
    /// (`http-err-codes`, `http-fail-codes`).
    pub err_statuses: super::Statuses,
    pub fail_statuses: super::Statuses,
    /// The keys that `jwt_verify` names.
    pub public_keys: crate::sample::PublicKeys,
}
