//! Message heads, taken off a link.

use std::io;
use std::task::{Context, Poll, ready};

use reactor::{Readable, Seg};
use wire::Head;
use wire::h1::{Asked, Framing, HeadError, HeadParser, Limits, Parse};

use crate::mux::Link;

/// Why no head came.
#[derive(Debug)]
pub enum HeadFault {
    /// The peer closed; `begun` tells whether part of a head had come.
    Closed { begun: bool },
    /// The connection failed.
    Failed(io::Error),
    /// What came is no head that we accept.
    Refused(HeadError),
}

/// Reads one head; keeps its place while the peer takes its time.
#[derive(Default)]
pub struct HeadReader {
    parser: HeadParser,
    seen: usize,
}

impl HeadReader {
    /// Whether anything of the head has arrived.
    pub fn has_begun(&self) -> bool {
        self.parser.has_begun()
    }

    /// A request's head; what follows it stays on the link.
    pub fn poll_request(
        &mut self,
        link: &Link,
        limits: &Limits,
        head: &mut Head,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Framing, HeadFault>> {
        self.poll(link, cx, |parser, bytes| {
            parser.request(bytes, limits, head)
        })
    }

    /// The head of the response to what was `asked`.
    pub fn poll_response(
        &mut self,
        link: &Link,
        limits: &Limits,
        asked: Asked,
        head: &mut Head,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Framing, HeadFault>> {
        self.poll(link, cx, |parser, bytes| {
            parser.response(bytes, limits, asked, head)
        })
    }

    fn poll(
        &mut self,
        link: &Link,
        cx: &mut Context<'_>,
        mut parse: impl FnMut(&mut HeadParser, &[u8]) -> Result<Parse, HeadError>,
    ) -> Poll<Result<Framing, HeadFault>> {
        loop {
            // Most heads lie in the first piece; what follows it may be a large body.
            let mut bytes = if self.seen == 0 {
                link.peek()
            } else {
                self.all_of(link)
            };
            while let Some(input) = bytes.take() {
                match parse(&mut self.parser, &input) {
                    Ok(Parse::Complete { consumed, framing }) => {
                        drop(input);
                        link.consume(consumed);
                        self.seen = 0;
                        return Poll::Ready(Ok(framing));
                    }
                    Ok(Parse::Partial) => self.seen = input.len(),
                    Err(error) => return Poll::Ready(Err(HeadFault::Refused(error))),
                }
                drop(input);
                bytes = self.all_of(link);
                if bytes.is_none() {
                    // Half a head may stay for long: it must not hold on to a receive buffer.
                    link.park();
                }
            }
            match ready!(link.poll_more(self.seen, cx)) {
                Readable::Data => {}
                Readable::Eof => {
                    let begun = self.has_begun();
                    return Poll::Ready(Err(HeadFault::Closed { begun }));
                }
                Readable::Failed(error) => return Poll::Ready(Err(HeadFault::Failed(error))),
            }
        }
    }

    /// Everything that is queued, if that is more than what was seen.
    fn all_of(&self, link: &Link) -> Option<Seg> {
        if link.queued() > self.seen {
            link.linearize()
        } else {
            None
        }
    }
}
