//! `frontend`, `backend` and `listen` sections (manual, chapter 4).

use super::Place;
use super::balance::Balance;
use super::bind::Bind;
use super::check::Check;
use super::expr::{Acl, Condition, LogFormat, SampleExpr};
use super::log::Logging;
use super::persist::{Cookie, StickRule, StickTable};
use super::rule::{Redirect, Rule};
use super::section::{HttpError, Network};
use super::server::{Server, Source};
use super::stats::Stats;

/// One proxy, with what its `defaults` section says already applied.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Proxy {
    pub name: String,
    pub kind: ProxyKind,
    pub mode: Mode,
    pub id: Option<u32>,
    pub guid: Option<String>,
    pub description: Option<String>,
    /// `disabled`: neither listens nor is reachable.
    pub disabled: bool,
    pub binds: Vec<Bind>,
    pub servers: Vec<Server>,
    /// What `default-server` lines said, by their names; the unnamed one first, if it said anything.
    pub default_servers: Vec<(String, Server)>,
    pub timeouts: Timeouts,
    /// Connections of the frontend side; `None`: global's.
    pub maxconn: Option<u32>,
    /// Connections at which `minconn` reaches `maxconn`; `None`: a tenth of the frontends' sum.
    pub fullconn: Option<u32>,
    pub backlog: Option<u32>,
    /// `rate-limit sessions`.
    pub rate_limit_sessions: Option<u32>,
    /// 3 where nothing is written.
    pub retries: Option<u32>,
    /// `retry-on` words; empty: `conn-failure`.
    pub retry_on: Vec<RetryOn>,
    pub max_keep_alive_queue: Option<i32>,
    pub max_session_srv_conns: Option<u32>,
    pub balance: Balance,
    pub http_reuse: HttpReuse,
    pub options: Options,
    /// `acl` lines merged by name, in the order of first mention.
    pub acls: Vec<Acl>,
    pub rules: Rules,
    pub use_backends: Vec<UseBackend>,
    /// The name of a proxy with a backend side.
    pub default_backend: Option<Target>,
    pub use_servers: Vec<UseServer>,
    pub stats: Stats,
    pub logging: Logging,
    pub check: Check,
    pub cookie: Option<Cookie>,
    pub dynamic_cookie_key: Option<String>,
    pub stick_table: Option<StickTable>,
    pub stick_rules: Vec<StickRule>,
    /// `force-persist` and `ignore-persist`.
    pub persist_rules: Vec<PersistRule>,
    /// `errorfile`, `errorloc*`, `errorfiles` and `http-error` lines, in order.
    pub http_errors: Vec<HttpError>,
    pub monitor_uri: Option<String>,
    /// `monitor fail if|unless COND`.
    pub monitor_fail: Vec<Condition>,
    pub captures: Captures,
    pub compression: Compression,
    pub filters: Vec<Filter>,
    pub source: Option<Source>,
    pub http_send_name_header: Option<String>,
    pub email_alert: EmailAlert,
    pub load_server_state_from_file: Option<String>,
    pub server_state_file_name: Option<String>,
    pub at: Place,
}

/// Which sides a proxy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ProxyKind {
    Frontend,
    Backend,
    #[default]
    Listen,
}

impl ProxyKind {
    pub fn has_frontend(self) -> bool {
        self != Self::Backend
    }

    pub fn has_backend(self) -> bool {
        self != Self::Frontend
    }

    /// The section's keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::Listen => "listen",
        }
    }
}

/// `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The default.
    #[default]
    Tcp,
    Http,
    Log,
    Spop,
    /// The old `mode health`, which 2.6 no longer serves.
    Health,
}

impl Mode {
    /// The word behind `mode`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Log => "log",
            Self::Spop => "spop",
            Self::Health => "health",
        }
    }
}

/// `timeout ...`, in milliseconds; `None`: infinite, or the one the manual falls back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Timeouts {
    pub check: Option<u32>,
    pub client: Option<u32>,
    pub client_fin: Option<u32>,
    pub client_hs: Option<u32>,
    pub connect: Option<u32>,
    pub http_keep_alive: Option<u32>,
    pub http_request: Option<u32>,
    pub queue: Option<u32>,
    pub server: Option<u32>,
    pub server_fin: Option<u32>,
    pub tarpit: Option<u32>,
    pub tunnel: Option<u32>,
}

/// The rulesets, each in the order of evaluation: those of a named `defaults` section stand first.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Rules {
    pub tcp_request_connection: Vec<Rule>,
    pub tcp_request_session: Vec<Rule>,
    pub tcp_request_content: Vec<Rule>,
    pub tcp_response_content: Vec<Rule>,
    /// `tcp-request inspect-delay`.
    pub request_inspect_delay_ms: Option<u32>,
    /// `tcp-response inspect-delay`.
    pub response_inspect_delay_ms: Option<u32>,
    pub http_request: Vec<Rule>,
    pub http_response: Vec<Rule>,
    pub http_after_response: Vec<Rule>,
    pub quic_initial: Vec<Rule>,
    /// `redirect` lines, which run after `http-request`.
    pub redirects: Vec<RedirectRule>,
}

/// `redirect ... [if COND]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RedirectRule {
    pub redirect: Redirect,
    pub condition: Option<Condition>,
    pub at: Place,
}

/// `use_backend TARGET [if COND]`.
#[derive(Clone, Debug, PartialEq)]
pub struct UseBackend {
    pub target: Target,
    pub condition: Option<Condition>,
    pub at: Place,
}

/// Which backend.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The name of a proxy with a backend side.
    Static(String),
    /// Known only with the request.
    Dynamic(LogFormat),
}

/// `use-server TARGET if COND`.
#[derive(Clone, Debug, PartialEq)]
pub struct UseServer {
    /// A server of this proxy, where static.
    pub target: Target,
    pub condition: Option<Condition>,
    pub at: Place,
}

/// `force-persist` and `ignore-persist`.
#[derive(Clone, Debug, PartialEq)]
pub struct PersistRule {
    /// `force-persist`; otherwise `ignore-persist`.
    pub force: bool,
    pub condition: Condition,
    pub at: Place,
}

/// `capture ...` lines of the old kind.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Captures {
    /// Slots of requests and of responses, in the order in which lines make them.
    pub request: Vec<CaptureLine>,
    pub response: Vec<CaptureLine>,
    /// `capture cookie NAME len N`.
    pub cookie: Option<HeaderCapture>,
}

/// One header or cookie and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderCapture {
    pub name: String,
    /// Bytes.
    pub len: u32,
}

/// A capture slot; its id is its index on its side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureLine {
    /// `capture request|response header`: what is kept in it; `None` for `declare capture`.
    pub header: Option<String>,
    /// Bytes.
    pub len: u32,
}

/// `compression ...`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Compression {
    /// `algo`, or `algo-res`; empty: responses are not compressed.
    pub algo: Vec<String>,
    pub algo_req: Vec<String>,
    /// Media types compressed; empty: all.
    pub types: Vec<String>,
    pub types_req: Vec<String>,
    pub offload: bool,
    /// `request`, `response` or `both`.
    pub direction: Option<String>,
    pub minsize_req: Option<u32>,
    pub minsize_res: Option<u32>,
}

/// `filter NAME ARGS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub name: String,
    pub args: Vec<String>,
    pub at: Place,
}

/// `email-alert ...`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EmailAlert {
    pub from: Option<String>,
    pub to: Option<String>,
    pub level: Option<String>,
    pub mailers: Option<String>,
    pub myhostname: Option<String>,
}

/// `http-reuse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum HttpReuse {
    Never,
    /// The default.
    #[default]
    Safe,
    Aggressive,
    Always,
}

/// A word of `retry-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryOn {
    None,
    ConnFailure,
    EmptyResponse,
    JunkResponse,
    ResponseTimeout,
    ZeroRttRejected,
    Status(u16),
    AllRetryableErrors,
}

/// `option ...`: each field is named after its option. `None` of an `Option<bool>`: neither
/// `option` nor `no option` was written, and the manual's default holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Options {
    pub abortonclose: Option<bool>,
    pub accept_unsafe_violations_in_http_request: bool,
    pub accept_unsafe_violations_in_http_response: bool,
    pub allbackups: bool,
    pub checkcache: bool,
    pub clitcpka: bool,
    pub srvtcpka: bool,
    /// `clitcpka-cnt`, `-idle` (seconds), `-intvl` (seconds).
    pub clitcpka_settings: Keepalive,
    pub srvtcpka_settings: Keepalive,
    pub contstats: bool,
    pub disable_h2_upgrade: bool,
    pub external_check: bool,
    pub forwardfor: Option<Forwardfor>,
    pub forwarded: Option<Forwarded>,
    pub originalto: Option<Originalto>,
    pub h1_case_adjust_bogus_client: bool,
    pub h1_case_adjust_bogus_server: bool,
    pub http_buffer_request: bool,
    pub http_drop_request_trailers: bool,
    pub http_drop_response_trailers: bool,
    pub http_ignore_probes: bool,
    pub http_no_delay: bool,
    pub http_pretend_keepalive: bool,
    pub http_connection: HttpConnection,
    pub http_use_proxy_header: bool,
    pub http_restrict_req_hdr_names: Option<RestrictNames>,
    pub idle_close_on_response: bool,
    pub independent_streams: bool,
    pub log_health_checks: bool,
    pub nolinger: bool,
    pub persist: bool,
    pub prefer_last_server: bool,
    /// `option redispatch [N]`: `None`: the default; `Some(0)`: `no option redispatch`.
    pub redispatch: Option<i32>,
    pub socket_stats: bool,
    pub splice_auto: Option<bool>,
    pub splice_request: Option<bool>,
    pub splice_response: Option<bool>,
    pub spop_check: bool,
    pub tcp_smart_accept: Option<bool>,
    pub tcp_smart_connect: Option<bool>,
    pub transparent: bool,
    pub use_small_buffers: Vec<String>,
}

/// TCP keep-alive settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Keepalive {
    pub count: Option<u32>,
    pub idle_s: Option<u32>,
    pub interval_s: Option<u32>,
}

/// How connections end after an exchange; the strongest of both sides wins, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum HttpConnection {
    /// The default.
    #[default]
    KeepAlive,
    ServerClose,
    Close,
}

/// `option forwardfor [except NET] [header NAME] [if-none]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwardfor {
    pub except: Option<Network>,
    /// `X-Forwarded-For` where nothing is written.
    pub header: String,
    pub if_none: bool,
}

/// `option originalto [except NET] [header NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Originalto {
    pub except: Option<Network>,
    /// `X-Original-To` where nothing is written.
    pub header: String,
}

/// `option forwarded [proto] [host|host-expr] [by|by-expr] [for|for-expr] ...` (RFC 7239).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Forwarded {
    pub proto: bool,
    pub host: Option<ForwardedValue>,
    pub by: Option<ForwardedValue>,
    pub by_port: Option<ForwardedValue>,
    pub r#for: Option<ForwardedValue>,
    pub for_port: Option<ForwardedValue>,
}

/// Where an element of `Forwarded` comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ForwardedValue {
    Default,
    Expr(SampleExpr),
}

/// `option http-restrict-req-hdr-names`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestrictNames {
    Preserve,
    Delete,
    Reject,
}
