//! Message bodies: taken off one link piece by piece, put on another with its own framing.

use std::io;
use std::task::{Context, Poll, ready};

use reactor::{Readable, Seg};
use wire::Head;
use wire::h1::{BodyLength, ChunkDecoder, ChunkStep, write_chunk_size, write_trailers};

use crate::mux::Link;

/// What of a body is still to come on a link.
pub struct Incoming {
    state: State,
    /// Body bytes taken so far, framing left out.
    received: u64,
}

enum State {
    Done,
    Length(u64),
    Chunked(Box<ChunkDecoder>),
    UntilClose,
}

/// The next thing on a body's way.
pub enum Piece {
    Data(Seg),
    /// The body is complete.
    End,
}

/// Why a body did not come to its end.
#[derive(Debug)]
pub enum BodyError {
    /// The peer closed before the end that the framing announced.
    Cut,
    /// The connection failed.
    Failed(io::Error),
    /// The chunked coding was broken.
    Malformed,
}

impl Incoming {
    /// A body of the length that its head announced.
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::None | BodyLength::Length(0) => State::Done,
            BodyLength::Length(bytes) => State::Length(bytes),
            BodyLength::Chunked => State::Chunked(Box::default()),
            BodyLength::UntilClose | BodyLength::Tunnel => State::UntilClose,
        };
        Self { state, received: 0 }
    }

    /// Whether nothing more is to come.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Body bytes taken so far, framing left out.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that the kernel may move by itself: known to be body, or everything until the end.
    pub fn opaque_bytes(&self) -> u64 {
        match self.state {
            State::Length(left) => left,
            State::UntilClose => u64::MAX,
            State::Done | State::Chunked(_) => 0,
        }
    }

    /// Accounts for bytes that the kernel moved by itself.
    pub fn moved(&mut self, bytes: u64) {
        self.received += bytes;
        if let State::Length(left) = &mut self.state {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.state = State::Done;
            }
        }
    }

    /// The other side ended where the end of the connection is the end of the body.
    pub fn close(&mut self) {
        self.state = State::Done;
    }

    /// The next piece; [`Piece::End`] again and again once the body is complete.
    pub fn poll_piece(
        &mut self,
        link: &Link,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Piece, BodyError>> {
        loop {
            let max = match &mut self.state {
                State::Done => return Poll::Ready(Ok(Piece::End)),
                State::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX),
                State::UntilClose => usize::MAX,
                State::Chunked(decoder) => match step_chunked(decoder, link) {
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(Chunked::Data(bytes)) => bytes,
                    Ok(Chunked::Empty) => 0,
                    Ok(Chunked::End) => {
                        self.state = State::Done;
                        continue;
                    }
                },
            };
            if max > 0
                && let Some(piece) = link.take(max)
            {
                self.took(piece.len());
                return Poll::Ready(Ok(Piece::Data(piece)));
            }
            match ready!(link.poll_more(link.queued(), cx)) {
                Readable::Data => {}
                Readable::Eof => match self.state {
                    State::UntilClose => self.state = State::Done,
                    _ => return Poll::Ready(Err(BodyError::Cut)),
                },
                Readable::Failed(error) => return Poll::Ready(Err(BodyError::Failed(error))),
            }
        }
    }

    fn took(&mut self, bytes: usize) {
        self.received += bytes as u64;
        match &mut self.state {
            State::Length(left) => {
                *left -= bytes as u64;
                if *left == 0 {
                    self.state = State::Done;
                }
            }
            State::Chunked(decoder) => decoder.took(bytes),
            State::Done | State::UntilClose => {}
        }
    }
}

enum Chunked {
    /// So many bytes at the front of the link are body.
    Data(usize),
    /// The decoder needs more than what is queued.
    Empty,
    End,
}

/// Consumes chunk framing at the front of `link` until data, the end or nothing is left.
fn step_chunked(decoder: &mut ChunkDecoder, link: &Link) -> Result<Chunked, BodyError> {
    while let Some(front) = link.peek() {
        match decoder.step(&front).map_err(|_| BodyError::Malformed)? {
            ChunkStep::More { consumed } => link.consume(consumed),
            ChunkStep::Data { skip, available } => {
                link.consume(skip);
                if available > 0 {
                    return Ok(Chunked::Data(available));
                }
            }
            ChunkStep::End { consumed } => {
                link.consume(consumed);
                return Ok(Chunked::End);
            }
        }
    }
    Ok(Chunked::Empty)
}

/// How a body is put on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// As it is: its length was announced, or the end of the connection ends it.
    Plain,
    Chunked,
    /// Not at all: the response to a HEAD request.
    Nothing,
}

impl Outgoing {
    /// Appends a piece of body.
    pub fn data(self, link: &Link, piece: Seg) {
        match self {
            Self::Nothing => {}
            Self::Plain => link.send(piece),
            Self::Chunked => {
                link.write(|out| write_chunk_size(piece.len() as u64, out));
                link.send(piece);
                link.write(|out| out.extend_from_slice(b"\r\n"));
            }
        }
    }

    /// Appends the end of the body, with the trailers it came with.
    pub fn end(self, link: &Link, trailers: Option<&Head>) {
        if self == Self::Chunked {
            link.write(|out| write_trailers(trailers, out));
        }
    }
}
