//! Our end of a server connection (manual, `source`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reactor::SockAddr;
use reactor::net::{ConnectOptions, stream_socket, stream_socket_from};

use super::Stream;
use crate::mux::our_end;
use crate::plan::{Presents, ServerId, Source};

/// The address that the server is to see instead of ours, where there is one to be had.
pub fn presented(stream: &Stream<'_>, id: ServerId) -> Option<SocketAddr> {
    let source = stream.generation.plan().server(id).source.as_deref()?;
    let client = stream.exchange.facts.src.or(stream.client.facts.src);
    match source.presents.as_ref()? {
        Presents::Client => client,
        Presents::ClientIp => client.map(|client| SocketAddr::new(client.ip(), 0)),
        Presents::Address(address) => Some(*address),
        Presents::Field(expr) => {
            let ip = stream.with_cx(|cx| expr.eval(cx).value().and_then(|value| value.address()));
            ip.map(|ip| SocketAddr::new(ip, 0))
        }
    }
}

/// Sockets for a connection to `to`, one for each attempt that is worth it: another port of the
/// configured range each.
pub struct Sockets<'a> {
    source: Option<&'a Source>,
    presented: Option<SocketAddr>,
    /// Which port of the range is next, and how many are left.
    next: u16,
    left: u16,
}

impl<'a> Sockets<'a> {
    /// `random` spreads connections over the range.
    pub fn new(source: Option<&'a Source>, presented: Option<SocketAddr>, random: u64) -> Self {
        let (low, high) = source.map_or((0, 0), |source| source.ports);
        let count = high.saturating_sub(low).saturating_add(1);
        Self {
            source,
            presented,
            next: (random % u64::from(count)) as u16,
            left: if presented.is_some() { 1 } else { count },
        }
    }

    /// A socket that is not connected yet, bound as configured; `None` once every port was tried.
    pub fn open(&mut self, to: &SockAddr) -> Option<io::Result<std::os::fd::OwnedFd>> {
        self.left = self.left.checked_sub(1)?;
        let Some(source) = self.source else {
            return Some(stream_socket(to));
        };
        let any = || any_address(to).filter(|_| source.ports != (0, 0));
        let own = source.address.or_else(any);
        let own = own.map(|ip| SocketAddr::new(ip, self.port(source)));
        let options = ConnectOptions {
            source: self.presented.or(own),
            transparent: self.presented.is_some(),
            ..our_end(Some(source))
        };
        Some(stream_socket_from(to, &options))
    }

    pub fn has_more(&self) -> bool {
        self.left > 0
    }

    fn port(&mut self, source: &Source) -> u16 {
        let (low, high) = source.ports;
        let port = low + self.next;
        self.next = if port >= high { 0 } else { self.next + 1 };
        port
    }
}

/// What binds a port and leaves the address to the kernel.
fn any_address(to: &SockAddr) -> Option<IpAddr> {
    Some(match to.as_socket()? {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    })
}

/// Whether another port of the range may do: this one is taken towards the same server.
pub fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrInUse, AddrNotAvailable};
    matches!(error.kind(), AddrInUse | AddrNotAvailable)
}
