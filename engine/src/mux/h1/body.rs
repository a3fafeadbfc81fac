//! Message bodies: taken off one link piece by piece, put on another with its own framing.

use std::io;
use std::task::{Context, Poll, ready};

use reactor::{Readable, Seg};
use wire::Head;
use wire::h1::{
    BodyLength, CHUNK_END, Chunk, ChunkDecoder, Limits, write_chunk_size, write_last_chunk,
    write_trailers,
};

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
    Chunked(Box<Coded>),
    UntilClose,
}

/// A chunked body: its decoder and the fields behind its last chunk.
#[derive(Default)]
struct Coded {
    decoder: ChunkDecoder,
    trailers: Head,
    ended: bool,
}

/// The next thing on a body's way.
pub enum Piece {
    Data(Seg),
    /// The data of a chunk that is at least as big as was asked about is next: so many bytes, which
    /// may be taken unseen.
    Big(u64),
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
        match &self.state {
            State::Done => true,
            State::Chunked(coded) => coded.ended,
            State::Length(_) | State::UntilClose => false,
        }
    }

    /// The fields behind a chunked body that has ended.
    pub fn trailers(&self) -> Option<&Head> {
        match &self.state {
            State::Chunked(coded) if coded.ended && !coded.trailers.is_empty() => {
                Some(&coded.trailers)
            }
            _ => None,
        }
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
            State::Chunked(ref coded) => coded.decoder.chunk_left(),
            State::Done => 0,
        }
    }

    /// Whether the body has a length from its beginning, or its connection's end for one.
    pub fn is_chunked(&self) -> bool {
        matches!(self.state, State::Chunked(_))
    }

    /// Accounts for bytes that the kernel moved by itself.
    pub fn moved(&mut self, bytes: u64) {
        self.took(bytes);
        if let State::Chunked(coded) = &mut self.state {
            coded.decoder.skip(bytes);
        }
    }

    /// The sender's connection ended; true if that is the end of the body too.
    pub fn end_of_connection(&mut self) -> bool {
        if matches!(self.state, State::UntilClose) {
            self.state = State::Done;
        }
        self.is_done()
    }

    /// The next piece; [`Piece::End`] again and again once the body is complete. A chunk of `big`
    /// bytes or more is told before it is taken.
    pub fn poll_piece(
        &mut self,
        link: &Link,
        limits: &Limits,
        big: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Piece, BodyError>> {
        loop {
            let max = match &mut self.state {
                State::Done => return Poll::Ready(Ok(Piece::End)),
                State::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX),
                State::UntilClose => usize::MAX,
                State::Chunked(coded) => match coded.front(link, limits, big)? {
                    Front::Data(bytes) => bytes,
                    Front::Big(bytes) => return Poll::Ready(Ok(Piece::Big(bytes))),
                    Front::End => return Poll::Ready(Ok(Piece::End)),
                },
            };
            if max > 0
                && let Some(piece) = link.take(max)
            {
                self.took(piece.len() as u64);
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

    fn took(&mut self, bytes: u64) {
        self.received += bytes;
        if let State::Length(left) = &mut self.state {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.state = State::Done;
            }
        }
    }
}

impl Coded {
    /// Consumes framing at the front of `link`; tells what stands there then.
    fn front(&mut self, link: &Link, limits: &Limits, big: u64) -> Result<Front, BodyError> {
        let mut front = link.peek();
        while let Some(bytes) = front.take().filter(|_| !self.ended) {
            match self.decoder.next(&bytes, limits, &mut self.trailers) {
                Ok(Chunk::Framing(bytes)) => {
                    link.consume(bytes);
                    if self.decoder.chunk_left() >= big {
                        return Ok(Front::Big(self.decoder.chunk_left()));
                    }
                }
                Ok(Chunk::Data(bytes)) => return Ok(Front::Data(bytes)),
                // Only trailers are read as a whole; everything else is told byte by byte.
                Ok(Chunk::Partial) if link.queued() > bytes.len() => {
                    drop(bytes);
                    front = link.linearize();
                    continue;
                }
                Ok(Chunk::Partial) => return Ok(Front::Data(0)),
                Ok(Chunk::End(bytes)) => {
                    link.consume(bytes);
                    self.ended = true;
                }
                Err(_) => return Err(BodyError::Malformed),
            }
            front = link.peek();
        }
        Ok(if self.ended {
            Front::End
        } else {
            Front::Data(0)
        })
    }
}

/// What stands at the front of a link, framing aside.
enum Front {
    /// So many bytes of data; 0 where more must arrive first.
    Data(usize),
    /// The beginning of a big chunk's data.
    Big(u64),
    End,
}

/// Looks through what has arrived of a chunked body, and leaves it where it is: a request whose
/// framing is broken within sight is refused before anything of it is passed on.
pub fn check_chunks(bytes: &[u8], limits: &Limits) -> Result<(), BodyError> {
    let (mut decoder, mut trailers) = (ChunkDecoder::default(), Head::new());
    let mut rest = bytes;
    loop {
        match decoder.next(rest, limits, &mut trailers) {
            Ok(Chunk::Framing(bytes) | Chunk::Data(bytes)) => rest = &rest[bytes.min(rest.len())..],
            Ok(Chunk::Partial | Chunk::End(_)) => return Ok(()),
            Err(_) => return Err(BodyError::Malformed),
        }
    }
}

/// How a body is put on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// As it is: its length was announced, or the end of the connection ends it.
    Plain,
    Chunked,
    /// As it is; its end is the end of our direction: a tunnel.
    Stream,
    /// Not at all: the response to a HEAD request.
    Nothing,
}

impl Outgoing {
    /// Appends a piece of body.
    pub fn data(self, link: &Link, piece: Seg) {
        match self {
            Self::Nothing => {}
            Self::Plain | Self::Stream => link.send(piece),
            Self::Chunked => {
                link.write(|out| write_chunk_size(piece.len() as u64, out));
                link.send(piece);
                link.write(|out| out.extend_from_slice(CHUNK_END));
            }
        }
    }

    /// Opens a chunk of so many bytes, which go out as they are; [`Self::close_chunk`] follows them.
    pub fn open_chunk(self, link: &Link, bytes: u64) {
        if self == Self::Chunked {
            link.write(|out| write_chunk_size(bytes, out));
        }
    }

    pub fn close_chunk(self, link: &Link) {
        if self == Self::Chunked {
            link.write(|out| out.extend_from_slice(CHUNK_END));
        }
    }

    /// Appends the end of the body, with the trailers it came with.
    pub fn end(self, link: &Link, trailers: Option<&Head>) {
        match self {
            Self::Plain | Self::Nothing => {}
            Self::Stream => link.shutdown_write(),
            Self::Chunked => link.write(|out| {
                write_last_chunk(out);
                match trailers {
                    Some(trailers) => write_trailers(trailers, out),
                    None => out.extend_from_slice(b"\r\n"),
                }
            }),
        }
    }
}
