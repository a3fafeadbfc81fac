//! Ports that belong to one scenario alone.

use rustix::net::{Shutdown, shutdown};
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// A port held by a socket that never listens: nobody else is given it, connections to it are
/// refused, and whoever sets `SO_REUSEPORT` can listen on it.
pub struct Port {
    pub number: u16,
    ip: IpAddr,
    _reservation: Socket,
}

impl Port {
    pub fn reserve() -> Port {
        let mut port = Port::at(any(0));
        port.ip = Ipv4Addr::LOCALHOST.into();
        port
    }

    /// A port of this machine's choice where 0 is written, at this address alone.
    pub fn at(address: SocketAddr) -> Port {
        let socket = reusable();
        socket.bind(&address.into()).expect("a free port");
        let number = socket
            .local_addr()
            .expect("bound")
            .as_socket()
            .expect("inet")
            .port();
        Port {
            number,
            ip: address.ip(),
            _reservation: socket,
        }
    }

    /// So many ports in a row.
    pub fn range(count: u16) -> Vec<Port> {
        loop {
            let first = Port::reserve();
            let rest = (1..count).map(|offset| {
                let number = first.number.checked_add(offset)?;
                let socket = reusable();
                // Without SO_REUSEPORT a port in use by another scenario is refused.
                socket.set_reuse_port(false).ok()?;
                socket.bind(&any(number).into()).ok()?;
                socket.set_reuse_port(true).ok()?;
                Some(Port {
                    number,
                    ip: Ipv4Addr::LOCALHOST.into(),
                    _reservation: socket,
                })
            });
            if let Some(rest) = rest.collect::<Option<Vec<Port>>>() {
                return std::iter::once(first).chain(rest).collect();
            }
        }
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((self.ip, self.number))
    }

    /// Listens on the port.
    pub fn listen(&self, backlog: i32) -> TcpListener {
        let socket = reusable();
        socket
            .bind(&self.address().into())
            .expect("the reserved port");
        socket.listen(backlog).expect("listening");
        socket.into()
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}

/// Ends a listener in use by another thread: its `accept` fails from now on.
pub fn close(listener: &TcpListener) {
    let _ = shutdown(listener, Shutdown::Both);
}

fn any(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

fn reusable() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("SO_REUSEADDR");
    socket.set_reuse_port(true).expect("SO_REUSEPORT");
    socket
}
