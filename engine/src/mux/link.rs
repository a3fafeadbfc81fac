//! A byte stream to a peer, in the clear or under TLS.

use std::io;
use std::task::{Context, Poll};

use reactor::{Readable, Seg, Sock};

use crate::tls;

/// One connection's bytes as the layers above see them. The same calls for both kinds, so that
/// nothing above knows which it is.
pub enum Link {
    Plain(Sock),
    Tls(Box<tls::Stream>),
}

macro_rules! each {
    ($self:expr, $link:ident => $call:expr) => {
        match $self {
            Link::Plain($link) => $call,
            Link::Tls($link) => $call,
        }
    };
}

impl Link {
    /// Ready when more than `have` bytes are queued, or when the peer has ended or failed.
    pub fn poll_more(&self, have: usize, cx: &mut Context<'_>) -> Poll<Readable> {
        each!(self, link => link.poll_more(have, cx))
    }

    /// The first queued piece, left where it is.
    pub fn peek(&self) -> Option<Seg> {
        each!(self, link => link.peek())
    }

    /// All that is queued as one contiguous piece, left where it is.
    pub fn linearize(&self) -> Option<Seg> {
        each!(self, link => link.linearize())
    }

    /// Bytes received and not yet consumed.
    pub fn queued(&self) -> usize {
        each!(self, link => link.queued())
    }

    /// Drops the first `count` queued bytes.
    pub fn consume(&self, count: usize) {
        each!(self, link => link.consume(count));
    }

    /// Takes at most `max` bytes of the first queued piece.
    pub fn take(&self, max: usize) -> Option<Seg> {
        each!(self, link => link.take(max))
    }

    /// Lets go of scarce receive memory while half a head waits for the rest.
    pub fn park(&self) {
        each!(self, link => link.park());
    }

    /// Appends text to what will be sent.
    pub fn write(&self, fill: impl FnOnce(&mut Vec<u8>)) {
        each!(self, link => link.write(fill));
    }

    /// Appends a piece to what will be sent, without copying it.
    pub fn send(&self, piece: Seg) {
        each!(self, link => link.send(piece));
    }

    /// Starts sending what was appended.
    pub fn flush(&self) {
        each!(self, link => link.flush());
    }

    /// Bytes appended that the kernel has not taken yet.
    pub fn unsent(&self) -> usize {
        each!(self, link => link.unsent())
    }

    /// Ready when at most `at_most` bytes are unsent.
    pub fn poll_sent(&self, at_most: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, link => link.poll_sent(at_most, cx))
    }

    /// Ends our direction after what was appended.
    pub fn shutdown_write(&self) {
        each!(self, link => link.shutdown_write());
    }

    /// Sends the rest and closes in one go, if that is possible (see [`Sock::end_at_once`]).
    pub fn end_at_once(&self) -> bool {
        self.plain().is_some_and(Sock::end_at_once)
    }

    /// Ends the connection with a reset.
    pub fn abort(&self) {
        each!(self, link => link.abort());
    }

    /// Bytes that passed since the connection began: received and sent.
    pub fn passed(&self) -> (u64, u64) {
        match self {
            Link::Plain(sock) => (sock.bytes_in(), sock.bytes_out()),
            Link::Tls(stream) => stream.passed(),
        }
    }

    /// When a byte last passed in either direction, milliseconds of the core's clock.
    pub fn moved_ms(&self) -> u64 {
        self.sock().moved_ms()
    }

    /// The socket, where bytes pass unchanged: the kernel may then move them by itself.
    pub fn plain(&self) -> Option<&Sock> {
        match self {
            Link::Plain(sock) => Some(sock),
            Link::Tls(_) => None,
        }
    }

    /// The socket that carries the bytes, encrypted or not: for its addresses and options.
    pub fn sock(&self) -> &Sock {
        match self {
            Link::Plain(sock) => sock,
            Link::Tls(stream) => stream.sock(),
        }
    }

    /// Waits until at most `at_most` bytes are unsent.
    pub async fn sent(&self, at_most: usize) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_sent(at_most, cx)).await
    }
}
