//! Sending: one gathered operation in flight, everything flushed meanwhile goes next.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

use io_uring::{opcode, types};

use super::batch::{Batch, Gather};
use super::{Io, Life, PollOp, Sock};
use crate::core::Inner;
use crate::seg::Seg;
use crate::slots::{Key, Op};

#[derive(Default)]
pub(super) struct Send {
    /// Queued, not yet in the kernel.
    pub(super) pending: Option<Box<Batch>>,
    /// In the kernel, or waiting for a poll to be tried again.
    pub(super) in_flight: Option<Box<Batch>>,
    /// `pending` was flushed while another batch was in flight.
    pub(super) flushed: bool,
    fin: Fin,
    /// The errno that ended sending, or 0.
    pub(super) error: i32,
    pub(super) waker: Option<Waker>,
    pub(super) total: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Fin {
    #[default]
    No,
    Wanted,
    Sent,
}

impl Send {
    pub(super) fn unsent(&self) -> usize {
        let left = |batch: &Option<Box<Batch>>| batch.as_ref().map_or(0, |batch| batch.left());
        left(&self.pending) + left(&self.in_flight)
    }

    /// Takes both batches out, if the kernel has returned the one in flight.
    pub(super) fn discard(&mut self, core: &Inner) {
        for batch in [self.pending.take(), self.in_flight.take()]
            .into_iter()
            .flatten()
        {
            core.pools.recycle(batch);
        }
        self.flushed = false;
    }

    /// What is queued is the last: FIN goes with it.
    pub(super) fn end(&mut self) {
        if self.fin == Fin::No {
            self.fin = Fin::Wanted;
        }
        self.flushed = self.pending.is_some();
    }

    fn closed(&self) -> bool {
        self.error != 0 || self.fin != Fin::No
    }
}

impl Sock {
    /// Appends text (heads, chunk sizes) to what is queued. The closure only appends.
    pub fn write(&self, fill: impl FnOnce(&mut Vec<u8>)) {
        // The batch is out of the cell while the closure runs, which may use this socket.
        let Some(mut batch) = self.take_pending() else {
            return;
        };
        batch.write(&self.inner().pools, fill);
        self.put_pending(batch);
    }

    /// Queues a piece; a large one is not copied.
    pub fn send(&self, piece: Seg) {
        if piece.is_empty() {
            return;
        }
        let Some(mut batch) = self.take_pending() else {
            return;
        };
        batch.push(&self.inner().pools, piece);
        self.put_pending(batch);
    }

    /// Starts to send what is queued, or marks it to be sent once the operation in flight is done.
    pub fn flush(&self) {
        let mut io = self.state.io.borrow_mut();
        if io.send.pending.is_some() && io.life == Life::Open {
            io.send.flushed = true;
            io.start_send(self.inner(), self.state.key);
        }
    }

    /// Bytes that the kernel has not taken yet.
    pub fn unsent(&self) -> usize {
        self.state.io.borrow().send.unsent()
    }

    /// Waits until at most `at_most` bytes are unsent; an error means that nothing more is sent.
    /// Only flushed bytes move.
    pub async fn sent(&self, at_most: usize) -> io::Result<()> {
        poll_fn(|context| self.poll_sent(at_most, context)).await
    }

    /// As [`Sock::sent`].
    pub fn poll_sent(&self, at_most: usize, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = self.state.io.borrow();
        if io.send.error != 0 {
            return Poll::Ready(Err(io::Error::from_raw_os_error(io.send.error)));
        }
        if io.send.unsent() <= at_most {
            return Poll::Ready(Ok(()));
        }
        drop(io);
        self.wait_sent(context);
        Poll::Pending
    }

    /// Flushes, and sends FIN after what is queued. What is written later is dropped.
    pub fn shutdown_write(&self) {
        let mut io = self.state.io.borrow_mut();
        if io.send.fin != Fin::No || io.life != Life::Open {
            return;
        }
        io.send.end();
        io.start_send(self.inner(), self.state.key);
        io.finish_send();
    }

    fn take_pending(&self) -> Option<Box<Batch>> {
        let mut io = self.state.io.borrow_mut();
        if io.send.closed() || io.life != Life::Open {
            return None;
        }
        Some(
            io.send
                .pending
                .take()
                .unwrap_or_else(|| self.inner().pools.batch()),
        )
    }

    fn put_pending(&self, mut batch: Box<Batch>) {
        let mut io = self.state.io.borrow_mut();
        // The closure may have written too, or closed the socket.
        let nested = io.send.pending.take();
        if let Some(mut nested) = nested {
            batch.append(&mut nested);
            self.inner().pools.recycle(nested);
        }
        if batch.left() == 0 || io.send.error != 0 || io.life != Life::Open {
            self.inner().pools.recycle(batch);
        } else {
            io.send.pending = Some(batch);
        }
    }

    /// Remembers the writer to wake.
    pub(super) fn wait_sent(&self, context: &mut Context<'_>) {
        let mut io = self.state.io.borrow_mut();
        let known = match &io.send.waker {
            Some(waker) if waker.will_wake(context.waker()) => return,
            _ => io.send.waker.replace(context.waker().clone()),
        };
        drop(io);
        drop(known);
    }
}

impl Io {
    /// Sends what was flushed if nothing is in flight.
    pub(super) fn start_send(&mut self, core: &Inner, key: Key) {
        if self.send.in_flight.is_some() || !std::mem::take(&mut self.send.flushed) {
            return;
        }
        let Some(mut batch) = self.send.pending.take() else {
            return;
        };
        if let Some(rest) = batch.split_excess(&core.pools) {
            self.send.pending = Some(rest);
            self.send.flushed = true;
        }
        self.send.in_flight = Some(batch);
        self.submit_batch(core, key);
    }

    /// Hands the batch in flight, or what is left of it, to the kernel.
    pub(super) fn submit_batch(&mut self, core: &Inner, key: Key) {
        let fd = types::Fd(self.raw_fd());
        let mut flags = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        if self.send.fin == Fin::Wanted && self.send.pending.is_none() {
            // FIN follows at once and travels in the same segment.
            flags |= libc::MSG_MORE;
        }
        let Some(batch) = &mut self.send.in_flight else {
            return;
        };
        let entry = match batch.gather() {
            Gather::One { data, len } => opcode::Send::new(fd, data, len).flags(flags).build(),
            Gather::Many(message) => opcode::SendMsg::new(fd, message)
                .flags(flags as u32)
                .build(),
        };
        self.ops += 1;
        // SAFETY: the batch is boxed and stays in `in_flight`, unchanged, until `sent` is called
        // with this operation's completion; its pieces own their bytes.
        unsafe { core.submit(key, Op::Send, entry) };
    }

    /// The send in flight has come back.
    pub(super) fn sent(&mut self, core: &Inner, key: Key, result: i32) -> Option<Waker> {
        let send = &mut self.send;
        let Some(batch) = &mut send.in_flight else {
            return None;
        };
        match result {
            1.. => {
                send.total += result as u64;
                self.moved_ms = core.clock.now_ms();
                batch.advance(result as usize);
            }
            0 => return self.send_ended(core, libc::EPIPE),
            _ if result == -libc::EINTR => {}
            _ if result == -libc::EAGAIN => {
                self.poll(core, key, Op::PollOut, PollOp::ForRetry);
                return None;
            }
            _ => return self.send_ended(core, -result),
        }
        if batch.left() > 0 {
            if self.life == Life::Closing && !self.lingering() {
                return self.send_ended(core, libc::ECANCELED);
            }
            self.submit_batch(core, key);
        } else if let Some(batch) = send.in_flight.take() {
            core.pools.recycle(batch);
            self.start_send(core, key);
            self.finish_send();
        }
        self.send.waker.take()
    }

    fn send_ended(&mut self, core: &Inner, errno: i32) -> Option<Waker> {
        self.send.error = errno;
        self.send.discard(core);
        self.send.waker.take()
    }

    /// Sends FIN if it is wanted and everything else is out.
    fn finish_send(&mut self) {
        if self.send.fin != Fin::Wanted || self.send.unsent() > 0 {
            return;
        }
        self.send.fin = Fin::Sent;
        // A system call, because the ring would pass it to a worker thread.
        if let Ok(fd) = self.borrowed() {
            // Fails only if the connection is gone already, which the reader learns.
            let _ = socket2::SockRef::from(&fd).shutdown(std::net::Shutdown::Write);
        }
    }
}
