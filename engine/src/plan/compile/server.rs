//! One `server` line.

use std::net::SocketAddr;
use std::sync::Arc;

use cfgparse::model::server::MarkedDown;
use cfgparse::model::{Addr, Port, Server as Line};

use super::Context;
use crate::plan::{Endpoint, ProxyId, Server, ServerId};

impl Context<'_> {
    pub(super) fn server(&mut self, line: &Line, backend: ProxyId, index: u32) -> Server {
        let header = line.send_proxy.as_ref();
        let refused = [
            (header.is_some_and(|h| h.ssl), "send-proxy-v2-ssl"),
            (
                header.is_some_and(|h| !h.tlvs.is_empty()),
                "set-proxy-v2-tlv-fmt",
            ),
            (
                header.is_some_and(|h| !h.other.is_empty()),
                "proxy-v2-options ssl-cipher",
            ),
            (line.socks4.is_some(), "socks4"),
        ];
        for (_, keyword) in refused.into_iter().filter(|(written, _)| *written) {
            self.error(
                line.at,
                format!("'{keyword}' on server '{}' is not supported yet", line.name),
                "take it out, or keep this server on HAProxy meanwhile",
            );
        }
        Server {
            id: ServerId(index),
            backend,
            name: line.name.as_str().into(),
            endpoint: endpoint(line),
            is_tls: line.tls.as_ref().is_some_and(|tls| tls.enabled),
            cookie: line.cookie.as_ref().map(|value| value.as_bytes().into()),
            pool_max: line.pool.max_conn.and_then(|max| u32::try_from(max).ok()),
            reuse_max: line.pool.max_reuse.and_then(|max| u32::try_from(max).ok()),
            shutdown_on_down: line.on_marked_down == Some(MarkedDown::ShutdownSessions),
            line: Arc::new(line.clone()),
        }
    }
}

/// Where the server is, as far as the text tells; names are resolved when the process starts.
fn endpoint(line: &Line) -> Endpoint {
    match (&line.address, line.port) {
        (Addr::Ip(ip), Port::Fixed(port)) => Endpoint::Tcp(SocketAddr::new(*ip, port)),
        (Addr::Ip(ip), Port::Offset(offset)) => Endpoint::TcpOffset(*ip, offset),
        (Addr::Ip(ip), Port::None) => Endpoint::TcpOffset(*ip, 0),
        (Addr::Unix(path), _) => Endpoint::Unix(path.clone()),
        (Addr::Abns(name), _) => Endpoint::Abstract(name.clone()),
        (Addr::Name { .. } | Addr::Fd(_) | Addr::Sockpair(_) | Addr::ReverseHttp, _) => {
            Endpoint::Unresolved
        }
    }
}
