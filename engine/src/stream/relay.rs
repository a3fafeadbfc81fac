//! Both bodies of an exchange on their way, each at the speed of its receiver.

use std::task::{Context, Poll};

use reactor::Timer;
use wire::h1::Limits;

use crate::limits::{RELAY_HIGH_BYTES, RELAY_LOW_BYTES};
use crate::mux::Link;
use crate::mux::h1::{BodyError, Incoming, Outgoing, Piece};

/// One direction of an exchange.
pub struct Flow {
    pub incoming: Incoming,
    pub outgoing: Outgoing,
    /// The end has been put on the receiving link.
    pub finished: bool,
}

/// Which link a direction failed on, and how.
#[derive(Debug)]
pub enum FlowError {
    /// The sender did not bring its body to an end.
    Source(BodyError),
    /// The receiver does not take it any more.
    Sink(std::io::Error),
}

impl Flow {
    pub fn new(incoming: Incoming, outgoing: Outgoing) -> Self {
        Self { incoming, outgoing, finished: false }
    }

    /// A direction in which nothing more moves.
    pub fn finished() -> Self {
        let incoming = Incoming::new(wire::h1::BodyLength::None);
        Self { incoming, outgoing: Outgoing::Nothing, finished: true }
    }

    /// Moves what can be moved now; ready once the end is on the receiving link.
    pub fn poll(
        &mut self,
        from: &Link,
        to: &Link,
        limits: &Limits,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FlowError>> {
        if self.finished {
            return Poll::Ready(Ok(()));
        }
        let moved = self.poll_pieces(from, to, limits, cx);
        to.flush();
        moved
    }

    fn poll_pieces(
        &mut self,
        from: &Link,
        to: &Link,
        limits: &Limits,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FlowError>> {
        loop {
            if to.unsent() >= RELAY_HIGH_BYTES {
                to.flush();
                match to.poll_sent(RELAY_LOW_BYTES, cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(FlowError::Sink(error))),
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.incoming.poll_piece(from, limits, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(FlowError::Source(error))),
                Poll::Ready(Ok(Piece::Data(piece))) => self.outgoing.data(to, piece),
                Poll::Ready(Ok(Piece::End)) => {
                    self.outgoing.end(to, self.incoming.trailers());
                    self.finished = true;
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

/// The inactivity timeouts of two sides, kept with one timer.
///
/// A side is watched only while something is expected of it: more of its message, or that it takes
/// what waits for it (manual, `timeout client`, `timeout server`).
pub struct Watch {
    client: Side,
    server: Side,
}

struct Side {
    timeout_ms: Option<u64>,
    seen: (u64, u64),
    deadline_ms: u64,
}

/// Whose patience ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    Client,
    Server,
}

impl Watch {
    /// Both sides count as active now.
    pub fn new(client_timeout_ms: Option<u64>, server_timeout_ms: Option<u64>, now_ms: u64) -> Self {
        let side = |timeout_ms: Option<u64>| Side {
            timeout_ms,
            seen: (0, 0),
            deadline_ms: timeout_ms.map_or(u64::MAX, |timeout| now_ms + timeout),
        };
        Self { client: side(client_timeout_ms), server: side(server_timeout_ms) }
    }

    /// Changes both timeouts, as a tunnel does.
    pub fn set_timeouts(&mut self, client_ms: Option<u64>, server_ms: Option<u64>, now_ms: u64) {
        for (side, timeout_ms) in [(&mut self.client, client_ms), (&mut self.server, server_ms)] {
            side.timeout_ms = timeout_ms;
            side.deadline_ms = timeout_ms.map_or(u64::MAX, |timeout| now_ms + timeout);
        }
    }

    /// Ready when a side that is `awaited` has not moved a byte for its timeout.
    pub fn poll(
        &mut self,
        links: [&Link; 2],
        awaited: [bool; 2],
        now_ms: u64,
        timer: &Timer,
        cx: &mut Context<'_>,
    ) -> Poll<Expired> {
        let client = self.client.deadline(links[0], awaited[0], now_ms);
        let server = self.server.deadline(links[1], awaited[1], now_ms);
        let earliest = client.min(server);
        if earliest <= now_ms {
            return Poll::Ready(if client <= server { Expired::Client } else { Expired::Server });
        }
        if earliest == u64::MAX {
            timer.clear();
        } else {
            timer.set(earliest);
            // Registers the waker; an early firing only brings us back here.
            let _ = timer.poll_expired(cx);
        }
        Poll::Pending
    }
}

impl Side {
    fn deadline(&mut self, link: &Link, awaited: bool, now_ms: u64) -> u64 {
        let Some(timeout_ms) = self.timeout_ms else { return u64::MAX };
        let passed = link.passed();
        if passed != self.seen || !awaited {
            self.seen = passed;
            self.deadline_ms = now_ms + timeout_ms;
        }
        if awaited { self.deadline_ms } else { u64::MAX }
    }
}
