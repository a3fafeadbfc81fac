//! Both bodies of an exchange on their way, each at the speed of its receiver.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use reactor::{Seg, Splice, SpliceStep};
use wire::h1::{BodyLength, Limits};

use super::cached::Keeping;
use super::coding::Coding;
use super::wait::broken;
use super::watch::{Side, Watch};
use super::{Fault, Stream};
use crate::limits::{RELAY_HIGH_BYTES, RELAY_LOW_BYTES, SPLICE_BYTES, SPLICE_CHUNK_BYTES};
use crate::log::{Cause, Phase};
use crate::mux::Link;
use crate::mux::h1::{BodyError, Incoming, Outgoing, Piece};

/// One direction of an exchange.
pub struct Flow {
    pub incoming: Incoming,
    pub outgoing: Outgoing,
    /// The end has been put on the receiving link, or come to nothing.
    pub finished: bool,
    /// The receiver's connection ends with this direction: the last bytes are left for whoever
    /// closes it to send, in one segment with FIN.
    pub is_last: bool,
    is_discarded: bool,
    /// It stands because the receiver takes no more: nothing is expected of the sender meanwhile.
    waits_for_receiver: bool,
    /// Bytes that went through a pipe.
    pub spliced_bytes: u64,
    /// The kernel moves the bytes by itself.
    splice: Option<Box<Splice>>,
    /// The kernel could not: no pipe was to be had.
    copies: bool,
    /// Bytes to come of a chunk that was announced to the receiver as one.
    chunk_left: u64,
    /// A cache keeps the body.
    pub keeping: Option<Box<Keeping>>,
    /// The body is compressed on its way.
    pub coding: Option<Box<Coding>>,
}

impl Flow {
    /// Whether what comes now is big enough to be left to the kernel, and may be.
    fn is_for_splice(&self, from: &Link, to: &Link) -> bool {
        let left = self.incoming.opaque_bytes();
        let is_big = if self.incoming.is_chunked() {
            self.chunk_left > 0
        } else {
            // Without a length only what has come already tells that it is big.
            left >= SPLICE_BYTES && (left != u64::MAX || self.incoming.received() >= SPLICE_BYTES)
        };
        is_big && self.may_splice(from, to)
    }

    /// Whether the kernel could move bytes by itself: both sides are plain sockets.
    fn may_splice(&self, from: &Link, to: &Link) -> bool {
        !self.copies
            && self.coding.is_none()
            && self.keeping.is_none()
            && self.outgoing != Outgoing::Nothing
            && from.plain().is_some()
            && to.plain().is_some()
    }

    /// Accounts for bytes that went on: the last ones of an announced chunk end it.
    fn chunk_goes(&mut self, to: &Link, bytes: u64) {
        if self.chunk_left == 0 {
            return;
        }
        self.chunk_left = self.chunk_left.saturating_sub(bytes);
        if self.chunk_left == 0 {
            self.outgoing.close_chunk(to);
        }
    }

    /// Puts a piece of body on the receiver's link.
    fn put(&mut self, to: &Link, piece: Seg) {
        if let Some(keeping) = &mut self.keeping {
            keeping.see(&piece);
        }
        if let Some(coding) = &mut self.coding {
            return coding.put(self.outgoing, to, &piece);
        }
        if self.chunk_left == 0 {
            return self.outgoing.data(to, piece);
        }
        let bytes = piece.len() as u64;
        to.send(piece);
        self.chunk_goes(to, bytes);
    }

    /// Begins a splice once what was written before it has gone.
    fn poll_begin(
        &mut self,
        from: &Link,
        to: &Link,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FlowError>> {
        to.flush();
        let sent = to.poll_sent(0, cx);
        self.waits_for_receiver = sent.is_pending();
        ready!(sent).map_err(|_| FlowError::Sink)?;
        let left = self.incoming.opaque_bytes();
        if let (Some(from), Some(to)) = (from.plain(), to.plain()) {
            let left = (left != u64::MAX).then_some(left);
            self.splice = from.splice_to(to, left).ok().map(Box::new);
        }
        // Without a pipe the bytes are copied, as always.
        self.copies = self.splice.is_none();
        Poll::Ready(Ok(()))
    }

    /// Follows a splice to its end.
    fn poll_splice(
        &mut self,
        from: &Link,
        to: &Link,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FlowError>> {
        if self.splice.is_none() {
            ready!(self.poll_begin(from, to, cx))?;
        }
        while let Some(splice) = &mut self.splice {
            let step = splice.poll_step(cx);
            self.waits_for_receiver = step.is_pending() && splice.waits_for_receiver();
            match ready!(step) {
                Ok(SpliceStep::Moved(bytes)) => {
                    self.spliced_bytes += bytes;
                    self.incoming.moved(bytes);
                    self.chunk_goes(to, bytes);
                }
                Ok(SpliceStep::Done) => self.splice = None,
                Ok(SpliceStep::Eof) => {
                    self.splice = None;
                    if !self.incoming.end_of_connection() {
                        return Poll::Ready(Err(FlowError::Source(BodyError::Cut)));
                    }
                }
                Err(error) => {
                    let sink = splice.receiver_failed();
                    self.splice = None;
                    let source = BodyError::Failed(error);
                    return Poll::Ready(Err(if sink {
                        FlowError::Sink
                    } else {
                        FlowError::Source(source)
                    }));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Both directions of an exchange.
pub struct Flows {
    /// From the client to the server.
    pub up: Flow,
    /// From the server to the client.
    pub down: Flow,
}

/// Which link a direction failed on, and how.
#[derive(Debug)]
pub enum FlowError {
    /// The sender did not bring its body to an end.
    Source(BodyError),
    /// The receiver does not take it any more.
    Sink,
}

impl Flow {
    pub fn new(incoming: Incoming, outgoing: Outgoing) -> Self {
        Self {
            incoming,
            outgoing,
            finished: false,
            is_last: false,
            is_discarded: false,
            waits_for_receiver: false,
            spliced_bytes: 0,
            splice: None,
            copies: false,
            chunk_left: 0,
            keeping: None,
            coding: None,
        }
    }

    /// A direction in which nothing moves.
    pub fn nothing() -> Self {
        let incoming = Incoming::new(BodyLength::None);
        Self {
            incoming,
            outgoing: Outgoing::Nothing,
            finished: true,
            is_last: false,
            is_discarded: false,
            waits_for_receiver: false,
            spliced_bytes: 0,
            splice: None,
            copies: false,
            chunk_left: 0,
            keeping: None,
            coding: None,
        }
    }

    /// The receiver takes no more: the rest is taken off the sender's link and dropped.
    pub fn discard(&mut self) {
        self.outgoing = Outgoing::Nothing;
        self.splice = None;
        self.coding = None;
        self.keeping = None;
        self.chunk_left = 0;
        self.waits_for_receiver = false;
        self.is_discarded = true;
    }

    /// Whether all of it has been put on the receiving link.
    pub fn has_arrived(&self) -> bool {
        self.finished && !self.is_discarded
    }

    /// Whether more has to come from the sender; not while the receiver is full, for then nobody
    /// listens to it.
    fn sender_is_awaited(&self) -> bool {
        !self.finished && !self.waits_for_receiver
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
        let is_left_to_closer = self.finished && self.is_last;
        if !(self.is_discarded || is_left_to_closer) {
            to.flush();
        }
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
            if self.splice.is_some() || self.is_for_splice(from, to) {
                ready!(self.poll_splice(from, to, cx))?;
                continue;
            }
            if !self.is_discarded && to.unsent() >= RELAY_HIGH_BYTES {
                to.flush();
                let sent = to.poll_sent(RELAY_LOW_BYTES, cx);
                self.waits_for_receiver = sent.is_pending();
                ready!(sent).map_err(|_| FlowError::Sink)?;
            }
            let big = if self.incoming.is_chunked() && self.may_splice(from, to) {
                SPLICE_CHUNK_BYTES
            } else {
                u64::MAX
            };
            match self.incoming.poll_piece(from, limits, big, cx) {
                Poll::Pending => {
                    if let Some(coding) = &mut self.coding {
                        coding.pause(self.outgoing, to);
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(FlowError::Source(error))),
                Poll::Ready(Ok(Piece::Data(piece))) => self.put(to, piece),
                Poll::Ready(Ok(Piece::Big(bytes))) => {
                    self.outgoing.open_chunk(to, bytes);
                    self.chunk_left = bytes;
                }
                Poll::Ready(Ok(Piece::End)) => {
                    if let Some(coding) = &mut self.coding {
                        coding.finish(self.outgoing, to);
                    }
                    self.outgoing.end(to, self.incoming.trailers());
                    self.finished = true;
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

/// What brings a relay to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The response has gone to a client whose connection ends with it.
    Response,
    /// The same, and the whole request has been taken off a connection that goes on.
    Exchange,
    /// Both directions have ended: a tunnel.
    Tunnel,
}

/// Moves both bodies until `until`.
pub async fn bodies(
    stream: &Stream<'_>,
    server: &Link,
    flows: &mut Flows,
    watch: &mut Watch,
    until: Until,
) -> Result<(), Fault> {
    let client = &*stream.client;
    let limits = stream.limits();
    // The end of a tunnel's direction is passed on; that of a client of HTTP means that it left.
    let plan = stream.generation.plan();
    // Only the end of a tunnel's direction closes half of a connection.
    let fin_ms = |ms: Option<u64>| ms.filter(|_| until == Until::Tunnel);
    let client_fin_ms = fin_ms(plan.proxy(client.frontend).timeouts.client_fin_ms);
    let server_fin_ms = fin_ms(plan.proxy(stream.backend()).timeouts.server_fin_ms);
    let watches_client = until != Until::Tunnel && stream.aborts_on_close();
    poll_fn(|cx| {
        if let Poll::Ready(Err(error)) = flows.up.poll(&client.link, server, limits, cx) {
            match error {
                // The server may answer without having read everything: its answer still counts.
                FlowError::Sink if until != Until::Tunnel => flows.up.discard(),
                FlowError::Sink => return Poll::Ready(Err(flows.cut(Cause::ServerAbort))),
                FlowError::Source(error) => {
                    return Poll::Ready(Err(source(error, Side::Client, flows.phase())));
                }
            }
        }
        match flows.down.poll(server, &client.link, limits, cx) {
            Poll::Ready(Ok(())) if until != Until::Tunnel && flows.is_unwanted(server, cx) => {
                return Poll::Ready(Err(flows.cut(Cause::ServerAbort)));
            }
            Poll::Ready(Ok(())) if until == Until::Response || flows.up.finished => {
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(Ok(())) | Poll::Pending => {}
            Poll::Ready(Err(FlowError::Sink)) => {
                return Poll::Ready(Err(flows.cut(Cause::ClientAbort)));
            }
            Poll::Ready(Err(FlowError::Source(error))) => {
                return Poll::Ready(Err(source(error, Side::Server, Phase::Data)));
            }
        }
        if flows.up.finished {
            watch.half_closed(Side::Server, server_fin_ms);
        }
        if flows.down.finished {
            watch.half_closed(Side::Client, client_fin_ms);
        }
        // Whoever has asked and leaves does not wait for the answer (manual, 8.5: `CD`).
        if let Some(interrupted) = broken(client, watches_client && flows.up.finished, cx) {
            return Poll::Ready(Err(interrupted.fault(Cause::Internal, Phase::Data)));
        }
        let (up, down) = (&flows.up, &flows.down);
        let awaited = [
            up.sender_is_awaited() || down.waits_for_receiver || client.link.unsent() > 0,
            down.sender_is_awaited() || up.waits_for_receiver || server.unsent() > 0,
        ];
        match watch.poll(stream.local, client, server, awaited, cx) {
            Poll::Ready(Side::Client) => Poll::Ready(Err(flows.cut(Cause::ClientTimeout))),
            Poll::Ready(Side::Server) => Poll::Ready(Err(flows.cut(Cause::ServerTimeout))),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

impl Flows {
    /// How far the exchange is: the response has gone, or it has not (manual, 8.5: `L`, `D`).
    fn phase(&self) -> Phase {
        if self.down.finished {
            Phase::Last
        } else {
            Phase::Data
        }
    }

    /// Whether the server, which has said all it had to, was gone before it had read everything
    /// (manual, 8.5: `SL`).
    fn is_unwanted(&self, server: &Link, cx: &mut Context<'_>) -> bool {
        let failed = |sent: Poll<io::Result<()>>| matches!(sent, Poll::Ready(Err(_)));
        self.up.is_discarded || !self.up.finished && failed(server.poll_sent(RELAY_HIGH_BYTES, cx))
    }

    fn cut(&self, cause: Cause) -> Fault {
        Fault::new(cause, self.phase())
    }
}

/// The fault of a body that did not come to its end.
pub fn source(error: BodyError, side: Side, phase: Phase) -> Fault {
    match (error, side) {
        (BodyError::Malformed, Side::Client) => {
            Fault::new(Cause::Proxy, phase).with_status(400).untold()
        }
        (BodyError::Malformed, Side::Server) => Fault::new(Cause::Proxy, phase),
        (BodyError::Cut | BodyError::Failed(_), Side::Client) => {
            Fault::new(Cause::ClientAbort, phase)
        }
        (BodyError::Cut | BodyError::Failed(_), Side::Server) => {
            Fault::new(Cause::ServerAbort, phase)
        }
    }
}
