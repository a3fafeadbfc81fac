//! `server` lines (manual, 5.2).

use std::net::IpAddr;

use super::Place;
use super::expr::{LogFormat, SampleExpr};
use super::section::Network;
use super::tls::ServerTls;

/// One server, with `default-server` already applied. A `server-template` line is unrolled.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    pub name: String,
    pub id: Option<u32>,
    pub guid: Option<String>,
    pub address: Addr,
    pub port: Port,
    /// The address as written.
    pub written: String,
    /// 0 to 256; 1 where nothing is written.
    pub weight: u32,
    pub backup: bool,
    /// Starts in maintenance.
    pub disabled: bool,
    /// Connections at the same time; 0: no limit.
    pub maxconn: u32,
    /// 0: `maxconn` is static.
    pub minconn: u32,
    /// Requests waiting for this server; 0: no limit.
    pub maxqueue: u32,
    pub strict_maxconn: bool,
    /// The value in the persistence cookie.
    pub cookie: Option<String>,
    pub check: ServerCheck,
    pub agent: AgentCheck,
    /// `Some` where `ssl`, or any parameter of it, was written.
    pub tls: Option<ServerTls>,
    pub send_proxy: Option<SendProxy>,
    /// Empty: `last,libc`.
    pub init_addr: Vec<InitAddr>,
    pub init_state: Option<InitState>,
    /// `resolvers NAME`, a section of the model.
    pub resolvers: Option<String>,
    pub resolve_opts: Vec<String>,
    pub resolve_prefer: Option<AddressFamily>,
    pub resolve_net: Vec<Network>,
    pub slowstart_ms: Option<u32>,
    pub on_marked_down: Option<MarkedDown>,
    pub on_marked_up: Option<MarkedUp>,
    /// `track [BACKEND/]SERVER`: backend and server, resolved.
    pub track: Option<(String, String)>,
    pub source: Option<Source>,
    pub redir: Option<String>,
    /// `non-stick`: never learned in a stick table.
    pub non_stick: bool,
    pub tfo: bool,
    pub tcp_ut_ms: Option<u32>,
    pub cc: Option<String>,
    pub namespace: Option<String>,
    pub interface: Option<String>,
    pub socks4: Option<String>,
    /// `proto h1|h2|fcgi`.
    pub proto: Option<String>,
    pub ws: Option<String>,
    pub pool: IdlePool,
    pub shard: Option<u32>,
    pub hash_key: Option<String>,
    pub log_proto: Option<String>,
    /// Bytes of the ring in front of a server of a log backend.
    pub log_bufsize: Option<u32>,
    /// Made by `server-template`: its prefix.
    pub template: Option<String>,
    pub at: Place,
}

impl Server {
    /// A server of which nothing is said.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: None,
            guid: None,
            address: Addr::Ip(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
            port: Port::Offset(0),
            written: String::new(),
            weight: 1,
            backup: false,
            disabled: false,
            maxconn: 0,
            minconn: 0,
            maxqueue: 0,
            strict_maxconn: false,
            cookie: None,
            check: ServerCheck::default(),
            agent: AgentCheck::default(),
            tls: None,
            send_proxy: None,
            init_addr: Vec::new(),
            init_state: None,
            resolvers: None,
            resolve_opts: Vec::new(),
            resolve_prefer: None,
            resolve_net: Vec::new(),
            slowstart_ms: None,
            on_marked_down: None,
            on_marked_up: None,
            track: None,
            source: None,
            redir: None,
            non_stick: false,
            tfo: false,
            tcp_ut_ms: None,
            cc: None,
            namespace: None,
            interface: None,
            socks4: None,
            proto: None,
            ws: None,
            pool: IdlePool::default(),
            shard: None,
            hash_key: None,
            log_proto: None,
            log_bufsize: None,
            template: None,
            at: Place::default(),
        }
    }
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Addr {
    Ip(IpAddr),
    /// A host name, resolved when the process starts (`init-addr`) or by `resolvers`.
    Name {
        host: String,
        /// From `ipv4@` and `ipv6@`.
        family: Option<AddressFamily>,
    },
    Unix(String),
    Abns(String),
    /// `fd@N` and `sockpair@N`.
    Fd(i32),
    Sockpair(i32),
    /// `rhttp@`: connections come from a gateway.
    ReverseHttp,
}

/// The port part of a server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    Fixed(u16),
    /// None written, `+0`: the port that the client connected to, plus the offset (which may be negative).
    Offset(i32),
    /// For addresses that have none.
    None,
}

/// `resolve-prefer`, `ipv4@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    Ipv4,
    Ipv6,
}

/// Health-check parameters of a server. `None`: the manual's default.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ServerCheck {
    pub enabled: bool,
    pub inter_ms: Option<u32>,
    pub fastinter_ms: Option<u32>,
    pub downinter_ms: Option<u32>,
    pub rise: Option<u32>,
    pub fall: Option<u32>,
    pub addr: Option<Addr>,
    pub port: Option<u16>,
    pub ssl: bool,
    /// `no-check-ssl`: plain although the server is `ssl`.
    pub no_ssl: bool,
    pub send_proxy: bool,
    pub alpn: Vec<String>,
    pub proto: Option<String>,
    /// `no-check-sni-auto`.
    pub no_sni_auto: bool,
    pub via_socks4: bool,
    pub reuse_pool: bool,
    pub observe: Option<Observe>,
    pub on_error: Option<OnError>,
    pub error_limit: Option<u32>,
    /// `healthcheck NAME`, a section of the model.
    pub healthcheck: Option<String>,
}

/// `agent-check` and its parameters.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AgentCheck {
    pub enabled: bool,
    pub addr: Option<Addr>,
    pub port: Option<u16>,
    pub inter_ms: Option<u32>,
    pub send: Option<String>,
}

/// `observe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observe {
    Layer4,
    Layer7,
}

/// `on-error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnError {
    Fastinter,
    FailCheck,
    SuddenDeath,
    MarkDown,
}

/// `on-marked-down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkedDown {
    ShutdownSessions,
}

/// `on-marked-up`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkedUp {
    ShutdownBackupSessions,
}

/// `init-addr` words, tried in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InitAddr {
    Last,
    Libc,
    None,
    Ip(IpAddr),
}

/// `init-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InitState {
    Up,
    FullyUp,
    Down,
    FullyDown,
}

/// PROXY header towards the server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SendProxy {
    /// `None`: no header is sent, whatever it would tell.
    pub version: Option<ProxyVersion>,
    /// `send-proxy-v2-ssl`, `proxy-v2-options ssl` and the four words that add to it.
    pub ssl: bool,
    pub ssl_cn: bool,
    pub ssl_cipher: bool,
    pub cert_sig: bool,
    pub cert_key: bool,
    pub unique_id: bool,
    pub crc32c: bool,
    pub authority: bool,
    /// `set-proxy-v2-tlv-fmt(ID) FORMAT`.
    pub tlvs: Vec<(u8, LogFormat)>,
}

/// Version of the PROXY protocol; where both are asked for, the later one is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyVersion {
    V1,
    V2,
}

/// `source ADDR[:PORT[-PORT]] [usesrc ...] [interface NAME]`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Source {
    /// `None`: `*` or `0.0.0.0`.
    pub ip: Option<IpAddr>,
    pub port_low: Option<u16>,
    pub port_high: Option<u16>,
    pub usesrc: Option<UseSrc>,
    pub interface: Option<String>,
}

/// `usesrc`: which address the server sees.
#[derive(Clone, Debug, PartialEq)]
pub enum UseSrc {
    Client,
    ClientIp,
    Address(IpAddr, u16),
    /// `hdr_ip(NAME[,OCCURRENCE])`.
    Header {
        name: String,
        occurrence: i32,
    },
}

/// Idle connections kept for reuse.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IdlePool {
    /// -1 or `None`: no limit; 0: none is kept.
    pub max_conn: Option<i32>,
    pub low_conn: Option<u32>,
    pub purge_delay_ms: Option<u32>,
    /// Requests over one connection; -1 or `None`: no limit.
    pub max_reuse: Option<i32>,
    pub conn_name: Option<SampleExpr>,
}
