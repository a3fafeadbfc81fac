//! `bind` lines: addresses to accept from (manual, 5.1).

use std::net::IpAddr;

use super::Place;
use super::tls::BindTls;

/// One `bind` (or `stats socket`) line.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Bind {
    /// The comma list, port ranges unrolled, in order.
    pub addresses: Vec<BindAddr>,
    /// The addresses as written, for messages and `show stat`.
    pub written: String,
    /// `name`: how statistics call these sockets.
    pub name: Option<String>,
    pub id: Option<u32>,
    pub tls: Option<BindTls>,
    /// `alpn` in order of preference; empty where it is not written, `no-alpn` sets `no_alpn`.
    pub alpn: Vec<String>,
    pub no_alpn: bool,
    /// `proto`: `h1`, `h2`, ...: forced without negotiation.
    pub proto: Option<String>,
    pub accept_proxy: bool,
    pub accept_netscaler_cip: Option<u32>,
    /// Connections of each socket of this line.
    pub maxconn: Option<u32>,
    pub backlog: Option<u32>,
    pub defer_accept: bool,
    pub tfo: bool,
    pub transparent: bool,
    pub v4v6: bool,
    pub v6only: bool,
    pub interface: Option<String>,
    pub namespace: Option<String>,
    /// TCP maximum segment size; negative values are relative.
    pub mss: Option<i32>,
    pub tcp_ut_ms: Option<u32>,
    /// TCP congestion control algorithm.
    pub cc: Option<String>,
    pub nice: Option<i32>,
    /// Permission bits of a unix socket's file.
    pub mode: Option<u32>,
    pub user: Option<String>,
    pub uid: Option<u32>,
    pub group: Option<String>,
    pub gid: Option<u32>,
    /// What the admin socket allows.
    pub level: Option<SocketLevel>,
    pub severity_output: Option<String>,
    /// `expose-fd listeners`.
    pub expose_fd_listeners: bool,
    /// `process` and `thread` sets as written.
    pub process: Option<String>,
    pub thread: Option<String>,
    pub shards: Option<String>,
    pub guid_prefix: Option<String>,
    pub at: Place,
}

/// One address to listen on (manual, 2.9).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BindAddr {
    /// `ip:port`, `*:port`, `:port`, `[v6]:port`. `*` and nothing are `0.0.0.0`.
    Tcp(IpAddr, u16),
    /// A host name and port, resolved when the process starts.
    Name(String, u16),
    /// `udp@`, `quic4@`, `quic6@`: a datagram socket.
    Udp(IpAddr, u16),
    /// A path of the file system.
    Unix(String),
    /// A name of Linux's abstract space.
    Abns(String),
    /// `fd@N`: a listening socket that was inherited.
    Fd(i32),
    /// `sockpair@N`: one end of a pair that was inherited; it carries descriptors.
    Sockpair(i32),
    /// `rhttp@BACKEND/SERVER`: a connection made towards a gateway.
    ReverseHttp(String),
}

/// `level` of an admin socket, each allows what the former does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SocketLevel {
    User,
    /// The default.
    #[default]
    Operator,
    Admin,
}
