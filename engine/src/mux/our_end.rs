//! Our end of a server connection, as the configuration has it.

use std::net::SocketAddr;

use reactor::net::ConnectOptions;

use crate::plan::Source;

/// The options of a socket; its address is the configured one, with a port of the kernel's choice.
pub fn our_end(source: Option<&Source>) -> ConnectOptions<'_> {
    let Some(source) = source else {
        return ConnectOptions::default();
    };
    ConnectOptions {
        source: source.address.map(|ip| SocketAddr::new(ip, 0)),
        transparent: false,
        interface: source.interface.as_deref(),
        user_timeout_ms: source.user_timeout_ms,
        congestion: source.congestion.as_deref(),
    }
}
