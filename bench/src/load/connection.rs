//! One client connection of the load.

use super::report::Failure;
use super::response::{Arrival, Response};
use super::transport::Transport;
use crate::pattern::Pattern;
use std::io::ErrorKind;
use std::time::Instant;

/// What the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Connecting,
    Idle,
    Busy,
    /// The answer is complete; the server is going to close.
    Closing,
}

/// What came out of looking at the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report yet.
    None,
    Connected,
    /// The answer in `response` is complete.
    Answered,
    /// Closed by the server while no request was out.
    Closed,
    Failed(Failure),
}

/// A request to send.
pub struct Request<'a> {
    pub head: &'a [u8],
    pub tag: Option<u64>,
    pub upload: u64,
    /// From when its latency counts.
    pub intended: Instant,
    pub asks_close: bool,
}

pub struct Connection {
    pub transport: Transport,
    pub phase: Phase,
    pub response: Response,
    pub intended: Instant,
    pub last_progress: Instant,
    pub waits_for_write: bool,
    out: Vec<u8>,
    out_sent: usize,
    upload_left: u64,
    pattern: Pattern,
    asks_close: bool,
}

impl Connection {
    pub fn new(transport: Transport, now: Instant) -> Connection {
        Connection {
            transport,
            phase: Phase::Connecting,
            response: Response::new(),
            intended: now,
            last_progress: now,
            waits_for_write: true,
            out: Vec::new(),
            out_sent: 0,
            upload_left: 0,
            pattern: Pattern::of_tag(0),
            asks_close: false,
        }
    }

    /// Sends a request on an idle connection.
    pub fn start(&mut self, request: &Request) -> Outcome {
        debug_assert_eq!(self.phase, Phase::Idle);
        self.phase = Phase::Busy;
        self.intended = request.intended;
        self.last_progress = Instant::now();
        self.response.expect(request.tag);
        self.asks_close = request.asks_close;
        self.out.clear();
        self.out.extend_from_slice(request.head);
        self.out_sent = 0;
        self.upload_left = request.upload;
        self.pattern = Pattern::of_tag(request.tag.unwrap_or(0));
        self.send()
    }

    /// Goes on after the socket turned ready.
    pub fn ready(&mut self, readable: bool, writable: bool, scratch: &mut [u8]) -> Outcome {
        if self.phase == Phase::Connecting {
            return self.finish_connect(readable || writable, scratch);
        }
        if writable && self.waits_for_write {
            let outcome = self.send();
            if outcome != Outcome::None {
                return outcome;
            }
        }
        if readable {
            self.receive(scratch)
        } else {
            Outcome::None
        }
    }

    fn finish_connect(&mut self, ready: bool, scratch: &mut [u8]) -> Outcome {
        match self.transport.connected() {
            Ok(true) => {}
            Ok(false) => return Outcome::None,
            Err(_) => return Outcome::Failed(Failure::Connect),
        }
        // A TLS handshake is driven by reading; no application data can come before it ends.
        if ready && self.transport.read_until_dry() {
            match self.transport.read(scratch) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(_) | Err(_) => return Outcome::Failed(Failure::Connect),
            }
        }
        match self.transport.push() {
            Ok(true) => {
                self.waits_for_write = self.transport.wants_write();
                Outcome::None
            }
            Ok(false) => {
                self.phase = Phase::Idle;
                self.waits_for_write = false;
                Outcome::Connected
            }
            Err(_) => Outcome::Failed(Failure::Connect),
        }
    }

    fn send(&mut self) -> Outcome {
        loop {
            if self.out_sent == self.out.len() {
                let piece = self.pattern.piece(self.upload_left.min(64 * 1024));
                if piece.is_empty() {
                    self.waits_for_write =
                        self.transport.push().is_ok() && self.transport.wants_write();
                    return Outcome::None;
                }
                self.out.clear();
                self.out.extend_from_slice(piece);
                self.out_sent = 0;
                self.upload_left -= piece.len() as u64;
                self.pattern.advance(piece.len());
            }
            match self.transport.write(&self.out[self.out_sent..]) {
                Ok(sent) => self.out_sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waits_for_write = true;
                    return Outcome::None;
                }
                // An early answer may be waiting although the server reads no further.
                Err(_) if self.upload_left > 0 || self.out_sent > 0 => {
                    self.waits_for_write = false;
                    return Outcome::None;
                }
                Err(_) => return Outcome::Failed(Failure::NoAnswer),
            }
        }
    }

    fn receive(&mut self, scratch: &mut [u8]) -> Outcome {
        loop {
            let n = match self.transport.read(scratch) {
                Ok(0) => return self.closed(),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::None,
                Err(_) => return self.closed_by_error(),
            };
            if self.phase != Phase::Busy {
                return Outcome::Failed(Failure::Junk);
            }
            self.last_progress = Instant::now();
            match self.response.take(&scratch[..n]) {
                Ok(Arrival::Partial) => {}
                Ok(Arrival::Complete { used }) if used < n => {
                    return Outcome::Failed(Failure::Junk);
                }
                Ok(Arrival::Complete { .. }) => return self.complete(),
                Err(failure) => return Outcome::Failed(failure),
            }
            if n < scratch.len() && !self.transport.read_until_dry() {
                return Outcome::None;
            }
        }
    }

    fn complete(&mut self) -> Outcome {
        let more_to_send = self.upload_left > 0 || self.out_sent < self.out.len();
        let ends = self.asks_close || self.response.close || more_to_send;
        self.phase = if ends { Phase::Closing } else { Phase::Idle };
        Outcome::Answered
    }

    fn closed(&mut self) -> Outcome {
        match self.phase {
            Phase::Connecting => Outcome::Failed(Failure::Connect),
            Phase::Idle | Phase::Closing => Outcome::Closed,
            Phase::Busy if self.response.ends_at_close() => {
                self.phase = Phase::Closing;
                Outcome::Answered
            }
            Phase::Busy => self.closed_by_error(),
        }
    }

    fn closed_by_error(&mut self) -> Outcome {
        match self.phase {
            Phase::Connecting => Outcome::Failed(Failure::Connect),
            Phase::Idle | Phase::Closing => Outcome::Closed,
            Phase::Busy if self.response.begun => Outcome::Failed(Failure::CutOff),
            Phase::Busy => Outcome::Failed(Failure::NoAnswer),
        }
    }
}
