//! Words of the configuration as reports spell them.

use cfgparse::model::{Algorithm, BindAddr};

use crate::plan::Endpoint;

/// The `algo` column. Without a word the manual's default counts: random.
pub fn algorithm(written: Option<&Algorithm>) -> &'static str {
    match written {
        // Nobody has chosen one: HAProxy says so, though it balances by chance.
        None => "unknown",
        Some(Algorithm::Random { .. }) => "random",
        Some(Algorithm::Roundrobin) => "roundrobin",
        Some(Algorithm::StaticRr) => "static-rr",
        Some(Algorithm::Leastconn) => "leastconn",
        Some(Algorithm::First) => "first",
        Some(Algorithm::Source) => "source",
        Some(Algorithm::Uri { .. }) => "uri",
        Some(Algorithm::UrlParam { .. }) => "url_param",
        Some(Algorithm::Hdr { .. }) => "hdr",
        Some(Algorithm::RdpCookie { .. }) => "rdp-cookie",
        Some(Algorithm::Hash(_)) => "hash",
        Some(Algorithm::LogHash(_)) => "log-hash",
        Some(Algorithm::Sticky) => "sticky",
    }
}

/// The `addr` and `proto` columns of a listener.
pub fn listening(address: &BindAddr) -> (String, &'static str) {
    match address {
        BindAddr::Tcp(ip, port) | BindAddr::Udp(ip, port) => {
            let protocol = match (matches!(address, BindAddr::Udp(..)), ip.is_ipv4()) {
                (false, true) => "tcpv4",
                (false, false) => "tcpv6",
                (true, true) => "udp4",
                (true, false) => "udp6",
            };
            (std::net::SocketAddr::new(*ip, *port).to_string(), protocol)
        }
        BindAddr::Name(host, port) => (format!("{host}:{port}"), "tcpv4"),
        BindAddr::Unix(_) => ("unix".to_owned(), "unix_stream"),
        BindAddr::Abns(_) => ("unix".to_owned(), "abns_stream"),
        BindAddr::Fd(number) => (format!("fd@{number}"), "tcpv4"),
        BindAddr::Sockpair(number) => (format!("sockpair@{number}"), "sockpair"),
        BindAddr::ReverseHttp(name) => (format!("rhttp@{name}"), "rhttp"),
    }
}

/// The `addr` column of a server.
pub fn connecting(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(address) => address.to_string(),
        Endpoint::TcpOffset(ip, _) => std::net::SocketAddr::new(*ip, 0).to_string(),
        Endpoint::Unix(_) | Endpoint::Abstract(_) => "unix".to_owned(),
        Endpoint::Unresolved => String::new(),
    }
}
