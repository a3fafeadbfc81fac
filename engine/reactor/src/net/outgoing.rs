//! Sockets for outgoing connections.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::options;

/// What is special about our end of a connection, named after the `server` line's words.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions<'a> {
    /// `source`: our address; the kernel chooses a port where it is 0.
    pub source: Option<SocketAddr>,
    /// `usesrc`: the address may be somebody else's (needs `CAP_NET_ADMIN` or `CAP_NET_RAW`).
    pub transparent: bool,
    /// `interface`: only through this device (needs `CAP_NET_RAW` for a bound one).
    pub interface: Option<&'a str>,
    /// `tcp-ut`: how long sent data may stay unacknowledged, in milliseconds.
    pub user_timeout_ms: Option<u32>,
    /// `cc`: congestion control algorithm.
    pub congestion: Option<&'a str>,
}

/// An unconnected stream socket for `to`: blocking mode (as the ring needs), close-on-exec, and
/// without Nagle's delay where there is one.
pub fn stream_socket(to: &SockAddr) -> io::Result<OwnedFd> {
    Ok(plain(to)?.into())
}

/// The same with options, which unix sockets have no use for.
pub fn stream_socket_from(to: &SockAddr, from: &ConnectOptions<'_>) -> io::Result<OwnedFd> {
    let socket = plain(to)?;
    let domain = to.domain();
    if domain == Domain::UNIX {
        return Ok(socket.into());
    }
    if let Some(interface) = from.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(timeout_ms) = from.user_timeout_ms {
        options::set_user_timeout(&socket, Duration::from_millis(timeout_ms.into()))?;
    }
    if let Some(algorithm) = from.congestion {
        socket.set_tcp_congestion(algorithm.as_bytes())?;
    }
    if let Some(source) = from.source {
        if from.transparent {
            options::set_transparent(&socket, domain)?;
        }
        if source.port() == 0 {
            options::set_late_port(&socket)?;
        } else {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&source.into())?;
    }
    Ok(socket.into())
}

fn plain(to: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(to.domain(), Type::STREAM, None)?;
    if to.domain() != Domain::UNIX {
        socket.set_tcp_nodelay(true)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::SockRef;

    #[test]
    fn a_plain_socket_blocks_and_does_not_delay() {
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let socket = stream_socket(&address.into()).unwrap();
        let socket = SockRef::from(&socket);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(!socket.nonblocking().unwrap());
    }

    #[test]
    fn options_are_set() {
        let to: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let options = ConnectOptions {
            source: Some("127.0.0.7:0".parse().unwrap()),
            user_timeout_ms: Some(3000),
            congestion: Some("reno"),
            ..ConnectOptions::default()
        };
        let socket = stream_socket_from(&to.into(), &options).unwrap();
        let socket = SockRef::from(&socket);
        let timeout = socket.tcp_user_timeout().unwrap();
        assert_eq!(timeout, Some(Duration::from_secs(3)));
        assert_eq!(
            socket.tcp_congestion().unwrap().split(|&b| b == 0).next(),
            Some(&b"reno"[..])
        );
        let ours = socket.local_addr().unwrap().as_socket().unwrap();
        assert_eq!(ours, "127.0.0.7:0".parse().unwrap(), "no port yet");
    }

    #[test]
    fn an_address_that_is_not_ours_is_refused() {
        let to: SocketAddr = "127.0.0.1:1".parse().unwrap();
        for source in ["192.0.2.1:0", "[::1]:0"] {
            let options = ConnectOptions {
                source: Some(source.parse().unwrap()),
                ..ConnectOptions::default()
            };
            assert!(stream_socket_from(&to.into(), &options).is_err());
        }
    }
}
