//! One `server` line, as the data path needs it.

use std::net::SocketAddr;
use std::sync::Arc;

use cfgparse::model::server::{Observe, ProxyVersion, SendProxy};

use super::{ProxyId, ServerId};
use crate::log::Format;

/// A server's constant facts. Its address is here as resolved at start; a change at run time lives
/// in the runtime state.
#[derive(Clone, Debug)]
pub struct Server {
    pub id: ServerId,
    pub backend: ProxyId,
    pub name: Arc<str>,
    pub endpoint: Endpoint,
    pub is_tls: bool,
    /// Which events of traffic count as checks; only where there are checks.
    pub observe: Option<Observe>,
    /// Bad ones in a row that are too many.
    pub error_limit: u32,
    /// The value that names the server in the persistence cookie.
    pub cookie: Option<Box<[u8]>>,
    /// Idle connections that one core may keep; `None` is the program's own bound.
    pub pool_max: Option<u32>,
    /// Requests over one connection; `None` is no limit.
    pub reuse_max: Option<u32>,
    pub shutdown_on_down: bool,
    /// What goes first on every connection.
    pub proxy_header: Option<ProxyHeader>,
    /// The line as the configuration has it: checks, addresses, texts.
    pub line: Arc<cfgparse::model::Server>,
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

/// Where connections to a server go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Tcp(SocketAddr),
    /// The client's destination port plus this offset, at the server's address.
    TcpOffset(std::net::IpAddr, i32),
    Unix(String),
    Abstract(String),
    /// The name could not be resolved yet (`init-addr none`): the server is down.
    Unresolved,
}
