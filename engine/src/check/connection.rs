//! A check's connection: bytes out, bytes in, in the clear or under TLS.

use std::io;
use std::net::SocketAddr;

use reactor::{Readable, Sock, SockAddr};

use crate::limits;
use crate::tls::{Scratch, TlsError, TlsSession};

/// An open connection.
pub(super) struct Connection {
    sock: Sock,
    tls: Option<TlsSession>,
    scratch: Scratch,
}

/// What came.
pub(super) enum Received {
    Bytes(Vec<u8>),
    Ended,
}

/// Why nothing more comes.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("Connection closed during SSL handshake")]
    ClosedInHandshake,
}

impl Connection {
    pub fn new(sock: Sock) -> Self {
        Self {
            sock,
            tls: None,
            scratch: Scratch::default(),
        }
    }

    /// Asks a SOCKS4 proxy at the other end for a connection to `server`; whether it gave one.
    pub async fn tunnel(&mut self, server: &SockAddr) -> Result<bool, Broken> {
        let Some(SocketAddr::V4(server)) = server.as_socket() else {
            return Ok(false);
        };
        let mut request = Vec::new();
        wire::socks4::request(server, &mut request);
        self.send(&request).await?;
        let mut reply = Vec::new();
        loop {
            match wire::socks4::granted(&reply) {
                Some(granted) => return Ok(granted),
                None => match self.receive().await? {
                    Received::Bytes(bytes) => reply.extend_from_slice(&bytes),
                    Received::Ended => return Ok(false),
                },
            }
        }
    }

    /// Our address and the other's, where they are addresses.
    pub fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let ip = |address: io::Result<SockAddr>| address.ok()?.as_socket();
        (ip(self.sock.local_addr()), ip(self.sock.peer_addr()))
    }

    /// Performs the handshake of `session` on what is a plain connection so far.
    pub async fn handshake(&mut self, session: TlsSession) -> Result<(), Broken> {
        self.tls = Some(session);
        self.exchange(&[])?;
        while !self.tls.as_ref().is_some_and(TlsSession::handshake_done) {
            match self.sock.readable().await {
                Readable::Data => {
                    let bytes = self.take();
                    self.exchange(&bytes)?;
                }
                Readable::Eof => return Err(Broken::ClosedInHandshake),
                Readable::Failed(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends all of it.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        match &mut self.tls {
            None => self.sock.write(|out| out.extend_from_slice(bytes)),
            Some(session) => {
                let mut cipher = Vec::new();
                session.encrypt(bytes, &mut cipher)?;
                self.sock.write(|out| out.append(&mut cipher));
            }
        }
        self.sock.flush();
        Ok(self.sock.sent(0).await?)
    }

    /// Waits for bytes or the end.
    pub async fn receive(&mut self) -> Result<Received, Broken> {
        loop {
            match self.sock.readable().await {
                Readable::Data => {
                    let bytes = self.take();
                    let plain = if self.tls.is_some() {
                        self.exchange(&bytes)?
                    } else {
                        bytes
                    };
                    if !plain.is_empty() {
                        return Ok(Received::Bytes(plain));
                    }
                }
                Readable::Eof => return Ok(Received::Ended),
                Readable::Failed(error) => return Err(error.into()),
            }
        }
    }

    /// Ends a connection that exchanged nothing by a reset, so that neither side keeps it in
    /// TIME-WAIT.
    pub fn abort(&self) {
        self.sock.abort();
    }

    fn take(&self) -> Vec<u8> {
        self.sock
            .take(limits::CHECK_RESPONSE_BYTES_MAX)
            .map(|piece| piece.to_vec())
            .unwrap_or_default()
    }

    /// Feeds received records to the session and sends what it has to say; returns plain text.
    fn exchange(&mut self, incoming: &[u8]) -> Result<Vec<u8>, Broken> {
        let (mut cipher, mut plain) = (Vec::new(), Vec::new());
        let Some(session) = &mut self.tls else {
            return Ok(plain);
        };
        let progress = session.feed(incoming, &mut self.scratch, &mut cipher, &mut plain);
        self.sock.write(|out| out.append(&mut cipher));
        self.sock.flush();
        progress?;
        Ok(plain)
    }
}
