//! The start of a body, looked at while it stays on its link.

use std::task::{Context, Poll, ready};

use reactor::{Readable, Seg};
use wire::Head;
use wire::h1::{BodyLength, Chunk, ChunkDecoder, Limits};

use super::{BodyError, Outgoing};
use crate::limits::RELAY_HIGH_BYTES;
use crate::mux::Link;

/// How much of a body has been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// More may come.
    #[default]
    Part,
    /// All of it.
    Whole,
    /// As much as is ever looked at: one buffer (manual, `option http-buffer-request`).
    Full,
    /// The chunked coding is broken behind what was seen.
    Malformed,
}

/// A copy of a body's first bytes, chunk framing left out. Rules read it; the body itself goes its
/// way later, as if nobody had looked.
#[derive(Default)]
pub struct Preview {
    bytes: Vec<u8>,
    coding: Option<Box<Coding>>,
    /// Bytes of the link's queue that the copy stands for.
    seen: usize,
    /// Bytes of the link's queue at the last look.
    looked_at: usize,
    extent: Extent,
}

#[derive(Default)]
struct Coding {
    decoder: ChunkDecoder,
    trailers: Head,
}

impl Preview {
    /// What was seen.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Forgets everything but memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.coding = None;
        self.seen = 0;
        self.looked_at = 0;
        self.extent = Extent::Part;
    }

    /// Looks at what has come of a body of `length` at the front of `link`.
    pub fn look(&mut self, link: &Link, length: BodyLength, limits: &Limits) -> Extent {
        if length == BodyLength::None {
            self.extent = Extent::Whole;
        }
        if self.extent != Extent::Part || link.queued() <= self.looked_at {
            return self.extent;
        }
        let Some(all) = link.linearize() else {
            return self.extent;
        };
        self.looked_at = all.len();
        match length {
            BodyLength::Chunked => self.decode(&all, limits),
            BodyLength::Length(bytes) => self.copy(&all, bytes, limits),
            BodyLength::UntilClose | BodyLength::Tunnel => self.copy(&all, u64::MAX, limits),
            BodyLength::None => {}
        }
        let is_full = self.bytes.len() >= limits.head_bytes || self.seen >= RELAY_HIGH_BYTES;
        if is_full && self.extent == Extent::Part {
            self.extent = Extent::Full;
        }
        self.extent
    }

    /// Ready when `enough` bytes, the whole body, or a full buffer have been seen.
    pub fn poll_look(
        &mut self,
        link: &Link,
        length: BodyLength,
        limits: &Limits,
        enough: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Extent, BodyError>> {
        loop {
            let extent = self.look(link, length, limits);
            if extent == Extent::Malformed {
                return Poll::Ready(Err(BodyError::Malformed));
            }
            if extent != Extent::Part || self.bytes.len() as u64 >= enough {
                return Poll::Ready(Ok(extent));
            }
            match ready!(link.poll_more(self.looked_at, cx)) {
                Readable::Data => {}
                Readable::Eof if length == BodyLength::UntilClose => self.extent = Extent::Whole,
                Readable::Eof => return Poll::Ready(Err(BodyError::Cut)),
                Readable::Failed(error) => return Poll::Ready(Err(BodyError::Failed(error))),
            }
        }
    }

    /// Takes the body that was seen as a whole off `link`; [`Self::send`] puts it on others.
    pub fn take_off(&mut self, link: &Link) {
        debug_assert_eq!(self.extent, Extent::Whole, "a part cannot stand for a body");
        link.consume(std::mem::take(&mut self.seen));
        self.looked_at = 0;
    }

    /// Puts the whole body on `link`.
    pub fn send(&self, outgoing: Outgoing, link: &Link) {
        if !self.bytes.is_empty() {
            outgoing.data(link, Seg::heap(self.bytes.clone()));
        }
        let trailers = self.coding.as_deref().map(|coding| &coding.trailers);
        outgoing.end(link, trailers.filter(|trailers| !trailers.is_empty()));
    }

    fn copy(&mut self, all: &[u8], length: u64, limits: &Limits) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let end = all.len().min(length).min(limits.head_bytes);
        self.bytes.extend_from_slice(&all[self.bytes.len()..end]);
        self.seen = all.len().min(length);
        if end == length {
            self.extent = Extent::Whole;
        }
    }

    fn decode(&mut self, all: &[u8], limits: &Limits) {
        let coding = self.coding.get_or_insert_default();
        while self.bytes.len() < limits.head_bytes {
            let rest = &all[self.seen..];
            match coding.decoder.next(rest, limits, &mut coding.trailers) {
                Ok(Chunk::Framing(bytes)) => self.seen += bytes,
                Ok(Chunk::Data(bytes)) => {
                    self.bytes.extend_from_slice(&rest[..bytes]);
                    self.seen += bytes;
                }
                // Trailers are read as a whole: the same bytes again, and what follows them.
                Ok(Chunk::Partial) => return,
                Ok(Chunk::End(bytes)) => {
                    self.seen += bytes;
                    self.extent = Extent::Whole;
                    return;
                }
                Err(_) => {
                    self.extent = Extent::Malformed;
                    return;
                }
            }
        }
    }
}
