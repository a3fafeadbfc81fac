//! Receiving: a multishot operation fills the queue between two water marks.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

use io_uring::{opcode, types};

use super::queue::Queue;
use super::{Io, Life, PollOp, Sock};
use crate::buffers::BUFFER_GROUP;
use crate::core::Inner;
use crate::seg::Seg;
use crate::slots::{Key, Op};

/// Pieces up to this size are copied behind the queue's last piece, so that a peer that sends
/// byte by byte pins one receive buffer and not one a byte.
const COALESCE_BYTES: usize = 4096;
/// A queued piece below this size is worth moving to the heap when it has to wait.
const PARK_BYTES: usize = 2048;

/// What a socket offers its reader.
#[derive(Debug)]
pub enum Readable {
    /// Bytes are queued.
    Data,
    /// The peer has finished sending; everything was consumed.
    Eof,
    /// Receiving failed (a reset, for example); everything that came before was consumed.
    Failed(io::Error),
}

pub(super) struct Recv {
    queue: Queue,
    pub(super) queued: usize,
    high_water: usize,
    /// The high water mark was reached, and half of it not yet undercut.
    full: bool,
    /// Reasons not to receive: the reader's pause, a splice, a hand-over.
    pub(super) holds: u8,
    user_paused: bool,
    /// The multishot operation is in the kernel.
    pub(super) armed: bool,
    cancelling: bool,
    /// Waits for a receive buffer.
    starving: bool,
    pub(super) eof: bool,
    /// The errno that ended receiving, or 0.
    pub(super) error: i32,
    pub(super) waker: Option<Waker>,
    pub(super) total: u64,
}

impl Recv {
    pub(super) fn new(high_water: usize, received: Vec<u8>) -> Self {
        let mut queue = Queue::default();
        let queued = received.len();
        if queued > 0 {
            queue.push(Seg::heap(received));
        }
        Self {
            queue,
            queued,
            high_water,
            full: queued >= high_water,
            holds: 0,
            user_paused: false,
            armed: false,
            cancelling: false,
            starving: false,
            eof: false,
            error: 0,
            waker: None,
            total: queued as u64,
        }
    }

    pub(super) fn clear(&mut self) -> Queue {
        self.queued = 0;
        std::mem::take(&mut self.queue)
    }

    fn enqueue(&mut self, piece: Seg, buffer_bytes: usize) {
        self.queued += piece.len();
        self.full |= self.queued >= self.high_water;
        if piece.len() <= COALESCE_BYTES
            && let Some(last) = self.queue.back_mut()
            && last.append(&piece, buffer_bytes)
        {
            return;
        }
        self.queue.push(piece);
    }

    fn drained(&mut self, bytes: usize) {
        self.queued -= bytes;
        if self.full && self.queued < self.high_water.div_ceil(2) {
            self.full = false;
        }
    }

    fn take(&mut self, max: usize) -> Option<Seg> {
        let front = self.queue.front_mut()?;
        let piece = if front.len() <= max {
            self.queue.pop()?
        } else {
            front.split_to(max)
        };
        self.drained(piece.len());
        Some(piece)
    }

    fn state(&self) -> Option<Readable> {
        if self.queued > 0 {
            Some(Readable::Data)
        } else if self.eof {
            Some(Readable::Eof)
        } else if self.error != 0 {
            Some(Readable::Failed(io::Error::from_raw_os_error(self.error)))
        } else {
            None
        }
    }
}

impl Sock {
    /// Waits for data, the end, or an error.
    pub async fn readable(&self) -> Readable {
        poll_fn(|context| self.poll_readable(context)).await
    }

    /// As [`Sock::readable`].
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<Readable> {
        let state = self.state.io.borrow().recv.state();
        if let Some(state) = state {
            return Poll::Ready(state);
        }
        self.wait_readable(context);
        Poll::Pending
    }

    /// Ready when more than `seen` bytes are queued, or nothing more will come.
    ///
    /// For a reader that found the queued bytes incomplete. Once the queue is at its high water
    /// mark no more is received: the reader must look at `queued` against its own limit first.
    pub fn poll_more(&self, seen: usize, context: &mut Context<'_>) -> Poll<Readable> {
        let io = self.state.io.borrow();
        let recv = &io.recv;
        if recv.queued > seen {
            return Poll::Ready(Readable::Data);
        }
        if recv.eof {
            return Poll::Ready(Readable::Eof);
        }
        if recv.error != 0 {
            return Poll::Ready(Readable::Failed(io::Error::from_raw_os_error(recv.error)));
        }
        drop(io);
        self.wait_readable(context);
        Poll::Pending
    }

    /// As [`Sock::poll_more`].
    pub async fn more(&self, seen: usize) -> Readable {
        poll_fn(|context| self.poll_more(seen, context)).await
    }

    /// The first queued piece.
    pub fn peek(&self) -> Option<Seg> {
        self.state.io.borrow().recv.queue.front().cloned()
    }

    /// The first queued piece, grown to at least `bytes` bytes by joining pieces if that many are
    /// queued; `None` otherwise.
    pub fn peek_at_least(&self, bytes: usize) -> Option<Seg> {
        if self.queued() < bytes {
            return None;
        }
        match self.peek() {
            Some(piece) if piece.len() >= bytes => Some(piece),
            _ => self.linearize(),
        }
    }

    /// All queued bytes as one piece; they stay queued. Copies only if they lie in several pieces.
    pub fn linearize(&self) -> Option<Seg> {
        let mut io = self.state.io.borrow_mut();
        let recv = &mut io.recv;
        if recv.queue.len() > 1 {
            let mut bytes = Vec::with_capacity(recv.queued);
            for piece in recv.queue.by_ref() {
                bytes.extend_from_slice(&piece);
            }
            recv.queue.push(Seg::heap(bytes));
        }
        recv.queue.front().cloned()
    }

    /// Moves a small queued piece to the heap, for a reader that will wait for the rest: a slow
    /// peer's half head then pins no receive buffer.
    pub fn park(&self) {
        let mut io = self.state.io.borrow_mut();
        if io.recv.queue.len() == 1
            && let Some(piece) = io.recv.queue.front_mut()
            && piece.pins_buffer()
            && piece.len() < PARK_BYTES
        {
            *piece = Seg::heap(piece.to_vec());
        }
    }

    /// Bytes that are received and not consumed.
    pub fn queued(&self) -> usize {
        self.state.io.borrow().recv.queued
    }

    /// Drops the first `bytes` queued bytes.
    pub fn consume(&self, bytes: usize) {
        let mut left = bytes;
        while left > 0
            && let Some(piece) = self.take(left)
        {
            left -= piece.len();
        }
    }

    /// Takes the first piece, or its first `max` bytes if it is longer.
    pub fn take(&self, max: usize) -> Option<Seg> {
        if max == 0 {
            return None;
        }
        let mut io = self.state.io.borrow_mut();
        let was_full = io.recv.full;
        let piece = io.recv.take(max);
        if was_full && !io.recv.full {
            io.update_recv(self.inner(), self.state.key);
        }
        piece
    }

    /// Queued bytes at which reading stops; it goes on below half of it. Not a hard limit: what
    /// the kernel has completed before it saw the cancellation is queued too.
    pub fn set_high_water(&self, bytes: usize) {
        let mut io = self.state.io.borrow_mut();
        io.recv.high_water = bytes.max(1);
        io.recv.full = io.recv.queued >= io.recv.high_water;
        io.update_recv(self.inner(), self.state.key);
    }

    /// Whether receiving stands still: paused, or at the high water mark.
    pub fn read_paused(&self) -> bool {
        let io = self.state.io.borrow();
        io.recv.user_paused || io.recv.full
    }

    /// Stops receiving; neither data nor the end is noticed until `resume_read`.
    pub fn pause_read(&self) {
        self.set_paused(true);
    }

    /// Receives again.
    pub fn resume_read(&self) {
        self.set_paused(false);
    }

    fn set_paused(&self, paused: bool) {
        let mut io = self.state.io.borrow_mut();
        io.recv.user_paused = paused;
        io.update_recv(self.inner(), self.state.key);
    }

    /// Remembers the reader to wake.
    pub(super) fn wait_readable(&self, context: &mut Context<'_>) {
        let mut io = self.state.io.borrow_mut();
        let known = match &io.recv.waker {
            Some(waker) if waker.will_wake(context.waker()) => return,
            _ => io.recv.waker.replace(context.waker().clone()),
        };
        drop(io);
        drop(known);
    }
}

impl super::SockState {
    /// Buffers exist again.
    pub(crate) fn fed(&self, core: &Inner) {
        let mut io = self.io.borrow_mut();
        io.recv.starving = false;
        io.update_recv(core, self.key);
    }
}

impl Io {
    /// Brings the multishot operation in line with what is wanted.
    pub(super) fn update_recv(&mut self, core: &Inner, key: Key) {
        let recv = &mut self.recv;
        let wanted = self.life == Life::Open
            && recv.holds == 0
            && !recv.user_paused
            && !recv.full
            && !recv.eof
            && recv.error == 0;
        if !wanted {
            if recv.armed && !recv.cancelling {
                recv.cancelling = true;
                core.cancel(key, Op::Recv);
            }
            return;
        }
        if recv.armed || recv.starving || self.poll_in == PollOp::ForRetry {
            return;
        }
        recv.armed = true;
        self.ops += 1;
        let entry = opcode::RecvMulti::new(types::Fd(self.raw_fd()), BUFFER_GROUP).build();
        // SAFETY: the entry names no memory; the buffer ring belongs to the core.
        unsafe { core.submit(key, Op::Recv, entry) };
    }

    pub(super) fn received(
        &mut self,
        core: &Inner,
        key: Key,
        result: i32,
        piece: Option<Seg>,
        more: bool,
    ) -> Option<Waker> {
        let recv = &mut self.recv;
        if !more {
            recv.armed = false;
            recv.cancelling = false;
        }
        match (result, piece) {
            (1.., Some(piece)) => {
                recv.total += piece.len() as u64;
                self.moved_ms = core.clock.now_ms();
                if self.life == Life::Open {
                    recv.enqueue(piece, core.buffers.buffer_bytes());
                }
            }
            (0, _) => recv.eof = true,
            (_, _) => self.receive_failed(core, key, -result),
        }
        self.update_recv(core, key);
        self.recv.waker.take()
    }

    fn receive_failed(&mut self, core: &Inner, key: Key, errno: i32) {
        match errno {
            libc::ENOBUFS if !self.recv.starving => {
                self.recv.starving = true;
                core.starve(key);
            }
            libc::ENOBUFS | libc::ECANCELED | libc::EINTR => {}
            libc::EAGAIN => self.poll(core, key, Op::PollIn, PollOp::ForRetry),
            // Data without a buffer cannot happen with a buffer group.
            ..=0 => self.recv.error = libc::EIO,
            _ => self.recv.error = errno,
        }
    }
}
