//! A client connection's byte stream, plain or TLS.

use crate::ready::{Interest, Readiness};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

pub struct Transport {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

/// Name in the certificates that comparisons use.
pub const SERVER_NAME: &str = "localhost";

/// A client configuration that trusts one certificate; sessions are not resumed.
pub fn trust(certificate: CertificateDer<'static>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

impl Transport {
    /// Begins to connect; the socket turns writable when that is done.
    pub fn connect(to: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> io::Result<Transport> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&to.into()) {
            Ok(()) => {}
            Err(error)
                if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
        let name = ServerName::try_from(SERVER_NAME).map_err(io::Error::other)?;
        let session = tls.map(|config| ClientConnection::new(Arc::clone(config), name));
        let tls = session.transpose().map_err(io::Error::other)?.map(Box::new);
        Ok(Transport {
            stream: socket.into(),
            tls,
        })
    }

    pub fn register(&self, readiness: &Readiness, token: u64) -> io::Result<()> {
        readiness.add(&self.stream, token, Interest::ReadWrite)
    }

    pub fn watch(&self, readiness: &Readiness, token: u64, interest: Interest) -> io::Result<()> {
        readiness.change(&self.stream, token, interest)
    }

    /// Whether the connection was made; an error when it was refused.
    pub fn connected(&self) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether more than a full buffer can still be waiting after a short read.
    pub fn read_until_dry(&self) -> bool {
        self.tls.is_some()
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else {
            return self.stream.read(buffer);
        };
        loop {
            match session.reader().read(buffer) {
                Ok(n) => return Ok(n),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if session.read_tls(&mut self.stream)? == 0 {
                return Ok(0);
            }
            session.process_new_packets().map_err(io::Error::other)?;
            flush(session, &mut self.stream)?;
        }
    }

    /// Writes what fits: `WouldBlock` only when nothing did.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else {
            return self.stream.write(bytes);
        };
        flush(session, &mut self.stream)?;
        if session.wants_write() || session.is_handshaking() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let taken = session.writer().write(bytes)?;
        flush(session, &mut self.stream)?;
        if taken == 0 {
            Err(ErrorKind::WouldBlock.into())
        } else {
            Ok(taken)
        }
    }

    /// Whether sealed bytes or a handshake wait for the socket.
    pub fn wants_write(&self) -> bool {
        self.tls
            .as_ref()
            .is_some_and(|session| session.wants_write())
    }

    /// Sends sealed bytes that wait; true while the handshake is going on.
    pub fn push(&mut self) -> io::Result<bool> {
        let Some(session) = &mut self.tls else {
            return Ok(false);
        };
        flush(session, &mut self.stream)?;
        Ok(session.is_handshaking())
    }
}

fn flush(session: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    while session.wants_write() {
        match session.write_tls(stream) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
