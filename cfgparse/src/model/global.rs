//! The `global` sections, merged (manual, chapter 3).

use super::Place;
use super::bind::Bind;
use super::log::LogTarget;
use super::tls::{TlsServerVerify, TlsVersions};

/// `global`. `None` means that nothing was written and the manual's default holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Global {
    /// Connections of the whole process.
    pub maxconn: Option<u32>,
    pub maxconnrate: Option<u32>,
    pub maxsslconn: Option<u32>,
    pub maxsslrate: Option<u32>,
    pub maxsessrate: Option<u32>,
    pub maxpipes: Option<u32>,
    /// KB a second over all compressed responses.
    pub maxcomprate: Option<u32>,
    /// Percent of CPU idle time below which compression stops.
    pub maxcompcpuusage: Option<u32>,
    pub nbthread: Option<u32>,
    pub thread_groups: Option<u32>,
    /// `cpu-map` lines in order.
    pub cpu_map: Vec<CpuMap>,
    pub ulimit_n: Option<u64>,
    pub fd_hard_limit: Option<u64>,
    pub daemon: bool,
    /// `None`: not said; `Some(None)`: `master-worker`; inner text is its argument.
    pub master_worker: Option<Option<String>>,
    pub mworker_max_reloads: Option<u32>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub chroot: Option<String>,
    pub pidfile: Option<String>,
    pub setcap: Vec<String>,
    pub node: Option<String>,
    pub description: Option<String>,
    pub localpeer: Option<String>,
    pub hard_stop_after_ms: Option<u32>,
    pub grace_ms: Option<u32>,
    pub close_spread_time_ms: Option<u32>,
    pub logs: Vec<LogTarget>,
    pub log_tag: Option<String>,
    /// `log-send-hostname`: `Some(None)` sends the machine's own name.
    pub log_send_hostname: Option<Option<String>>,
    pub quiet: bool,
    pub debug: bool,
    pub zero_warning: bool,
    pub strict_limits: Option<bool>,
    pub external_check: bool,
    /// `external-check preserve-env`.
    pub external_check_preserve_env: bool,
    pub insecure_setuid_wanted: bool,
    pub insecure_fork_wanted: bool,
    pub expose_experimental_directives: bool,
    pub expose_deprecated_directives: bool,
    /// Percent by which health checks spread, 0 to 50.
    pub spread_checks: Option<u32>,
    pub max_spread_checks_ms: Option<u32>,
    pub server_state_base: Option<String>,
    pub server_state_file: Option<String>,
    pub stats_file: Option<String>,
    /// `stats socket` lines.
    pub stats_sockets: Vec<Bind>,
    pub stats_timeout_ms: Option<u32>,
    pub stats_maxconn: Option<u32>,
    pub unix_bind: UnixBind,
    pub ca_base: Option<String>,
    pub crt_base: Option<String>,
    pub key_base: Option<String>,
    pub ssl_default_bind: TlsDefaults,
    pub ssl_default_server: TlsDefaults,
    pub ssl_server_verify: TlsServerVerify,
    pub ssl_dh_param_file: Option<String>,
    /// `ssl-load-extra-files`: `all`, `none`, `key`, `ocsp`, `issuer`, `sctl`, `bundle`.
    pub ssl_load_extra_files: Option<Vec<String>>,
    pub ssl_load_extra_del_ext: bool,
    pub issuers_chain_path: Option<String>,
    pub h1_case_adjust: Vec<(String, String)>,
    /// The pairs of `h1-case-adjust-file`.
    pub h1_case_adjust_file: Vec<(String, String)>,
    pub h1_accept_payload_with_any_method: bool,
    pub set_vars: Vec<GlobalVar>,
    /// `dns-accept-family`; `None`: `auto`.
    pub dns_accept_family: Option<DnsFamilies>,
    pub tune: Tune,
    /// Which classes of status `http-err-codes` and `http-fail-codes` count, as written.
    pub http_err_codes: Vec<String>,
    pub http_fail_codes: Vec<String>,
    pub noepoll: bool,
    pub nosplice: bool,
    pub noreuseport: bool,
    pub nogetaddrinfo: bool,
    pub busy_polling: bool,
    pub pp2_never_send_local: bool,
}

/// `dns-accept-family`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct DnsFamilies {
    pub ipv4: bool,
    pub ipv6: bool,
    /// IPv6 as long as there is a way to it.
    pub auto: bool,
}

/// `cpu-map [auto:]THREADS CPUS...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuMap {
    /// `auto:` pairs the n-th thread with the n-th CPU.
    pub auto: bool,
    /// Thread group counted from 1; 1 where none is written.
    pub group: u32,
    /// Threads counted from 1, ascending.
    pub threads: Vec<u32>,
    /// CPUs counted from 0, ascending.
    pub cpus: Vec<u32>,
    pub at: Place,
}

/// `unix-bind`: what unix sockets get where the `bind` line says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UnixBind {
    pub prefix: Option<String>,
    /// Permission bits.
    pub mode: Option<u32>,
    pub user: Option<String>,
    pub uid: Option<u32>,
    pub group: Option<String>,
    pub gid: Option<u32>,
}

/// `ssl-default-bind-*` and `ssl-default-server-*`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TlsDefaults {
    pub ciphers: Option<String>,
    pub ciphersuites: Option<String>,
    pub curves: Option<String>,
    pub sigalgs: Option<String>,
    pub client_sigalgs: Option<String>,
    pub versions: TlsVersions,
    pub no_tls_tickets: bool,
    pub prefer_client_ciphers: bool,
    pub strict_sni: bool,
    /// `ssl-default-server-options ssl-reuse` words that stand for nothing above.
    pub other: Vec<String>,
}

/// `set-var NAME EXPR` or `set-var-fmt NAME FORMAT` at start.
#[derive(Clone, Debug, PartialEq)]
pub struct GlobalVar {
    /// With its scope: `proc.name`.
    pub name: String,
    pub value: GlobalVarValue,
    pub at: Place,
}

/// What a variable of `global` is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum GlobalVarValue {
    Expr(super::expr::SampleExpr),
    Format(super::expr::LogFormat),
}

/// The `tune.*` settings that change what traffic sees. The others are rows of the registry only.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tune {
    /// Bytes.
    pub bufsize: Option<u32>,
    /// Bytes kept free for header rewriting.
    pub maxrewrite: Option<u32>,
    /// Header fields of a message, trailers included.
    pub http_maxhdr: Option<u32>,
    /// Bytes of a captured cookie.
    pub http_cookielen: Option<u32>,
    /// Bytes of the URI in logs.
    pub http_logurilen: Option<u32>,
    pub maxaccept: Option<i32>,
    pub stick_counters: Option<u32>,
    pub ssl_cachesize: Option<u32>,
    /// Seconds.
    pub ssl_lifetime_s: Option<u32>,
    pub ssl_default_dh_param: Option<u32>,
    /// Bytes of the ClientHello kept for `ssl_fc_cipherlist_*`.
    pub ssl_capture_buffer_size: Option<u32>,
    pub ssl_keylog: bool,
    /// Bytes of the kernel's socket buffers.
    pub rcvbuf_client: Option<u32>,
    pub rcvbuf_server: Option<u32>,
    pub sndbuf_client: Option<u32>,
    pub sndbuf_server: Option<u32>,
    pub idle_pool_shared: Option<bool>,
    pub idletimer_ms: Option<u32>,
    pub h2_initial_window_size: Option<u32>,
    pub h2_fe_initial_window_size: Option<u32>,
    pub h2_be_initial_window_size: Option<u32>,
    pub h2_max_concurrent_streams: Option<u32>,
    pub h2_fe_max_concurrent_streams: Option<u32>,
    pub h2_be_max_concurrent_streams: Option<u32>,
    pub h2_header_table_size: Option<u32>,
    pub h2_max_frame_size: Option<u32>,
    pub comp_maxlevel: Option<u32>,
    pub max_checks_per_thread: Option<u32>,
    /// Bytes of all variables of a scope.
    pub vars_global_max_size: Option<u32>,
    pub vars_proc_max_size: Option<u32>,
    pub vars_sess_max_size: Option<u32>,
    pub vars_txn_max_size: Option<u32>,
    pub vars_reqres_max_size: Option<u32>,
    /// Every `tune.*` line as written, name and arguments, those above included.
    pub written: Vec<(String, Vec<String>)>,
}

/// What `setenv` and its relatives do to the process's environment, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvChange {
    Set {
        name: String,
        value: String,
    },
    Unset {
        name: String,
    },
    /// `resetenv NAME...`: keep only these.
    Reset {
        keep: Vec<String>,
    },
}
