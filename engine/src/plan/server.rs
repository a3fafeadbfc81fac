//! One `server` line, as the data path needs it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cfgparse::model::server::{Observe, ProxyVersion, SendProxy};

use ipnet::IpNet;

use super::{ProxyId, ResolversId, ServerId};
use crate::log::Format;
use crate::probe::{ConnectStep, Ruleset};
use crate::sample::Expr;

/// A server's constant facts. Its address is here as resolved at start; a change at run time lives
/// in the runtime state.
#[derive(Clone, Debug)]
pub struct Server {
    pub id: ServerId,
    pub backend: ProxyId,
    pub name: Arc<str>,
    pub endpoint: Endpoint,
    /// Its line leaves address or port to the client, or to the rules (`set-dst`).
    pub follows_client: bool,
    pub is_tls: bool,
    /// Which events of traffic count as checks; only where there are checks.
    pub observe: Option<Observe>,
    /// Bad ones in a row that are too many.
    pub error_limit: u32,
    /// The value that names the server in the persistence cookie.
    pub cookie: Option<Box<[u8]>>,
    pub pool: PoolTerms,
    pub shutdown_on_down: bool,
    /// How its health is checked.
    pub check: Option<ServerCheck>,
    /// `socks4`: the proxy that connections go through.
    pub socks4: Option<SocketAddr>,
    /// What goes first on every connection.
    pub proxy_header: Option<ProxyHeader>,
    /// What is special about our end of its connections; nothing mostly.
    pub source: Option<Box<Source>>,
    /// A server of a log backend that takes a stream: the ring in front of it, by its index.
    pub log_ring: Option<usize>,
    /// A rule or an expression names it.
    pub is_referenced: bool,
    /// Who follows its name while the process runs.
    pub resolving: Option<Resolving>,
    /// The line as the configuration has it: checks, addresses, texts.
    pub line: Arc<cfgparse::model::Server>,
}

/// Our end of a server's connections (manual 5.2: `source`, `tcp-ut`, `cc`).
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// One of this machine's addresses; checks use it too.
    pub address: Option<IpAddr>,
    /// The ports to use, low and high; 0 leaves the choice to the kernel.
    pub ports: (u16, u16),
    /// `usesrc`: what the server is shown instead.
    pub presents: Option<Presents>,
    pub interface: Option<Box<str>>,
    pub user_timeout_ms: Option<u32>,
    pub congestion: Option<Box<str>>,
}

/// `usesrc`: whose address a server sees.
#[derive(Clone, Debug)]
pub enum Presents {
    /// The client's address and port.
    Client,
    /// The client's address.
    ClientIp,
    Address(SocketAddr),
    /// What a field of the request names, `hdr_ip`.
    Field(Expr),
}

/// How the name of a server is followed (manual 5.2: `resolvers`, `resolve-*`).
#[derive(Clone, Debug)]
pub struct Resolving {
    pub by: ResolversId,
    pub prefer_ipv6: bool,
    pub nets: Box<[IpNet]>,
    /// `allow-dup-ip`.
    pub shares_addresses: bool,
    /// `ignore-weight`.
    pub ignores_weight: bool,
}

/// A server's health check.
#[derive(Clone, Debug)]
pub struct ServerCheck {
    /// What is said and heard; servers that are checked alike share it.
    pub rules: Arc<Ruleset>,
    /// How the server line says to connect.
    pub connection: ConnectStep,
}

/// The PROXY protocol header that a server wants (manual, 5.2 `send-proxy`).
#[derive(Clone, Debug)]
pub struct ProxyHeader {
    pub version: ProxyVersion,
    /// What the words of `proxy-v2-options` ask for.
    pub asked: SendProxy,
    /// `set-proxy-v2-tlv-fmt`: types and values, in order.
    pub records: Box<[(u8, Format)]>,
}

/// How idle connections to a server are kept (manual 5.2).
#[derive(Clone, Copy, Debug)]
pub struct PoolTerms {
    /// `pool-max-conn`: on all cores together; `None` is what the load needs.
    pub max: Option<u32>,
    /// `pool-low-conn`: with fewer on all cores, no core asks another for one.
    pub low: u32,
    /// `pool-purge-delay`: half of what was idle for so long is closed each time; 0 keeps none.
    pub purge_delay_ms: u64,
    /// `max-reuse`: how often a connection may be used again; `None` is no limit.
    pub reuse_max: Option<u32>,
}

/// Where connections to a server go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Tcp(SocketAddr),
    /// The client's destination port plus this offset, at the server's address.
    TcpOffset(IpAddr, i32),
    Unix(String),
    Abstract(String),
    /// The name could not be resolved yet (`init-addr none`): the server is down.
    Unresolved,
}
