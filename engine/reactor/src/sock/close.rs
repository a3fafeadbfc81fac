//! The end of a socket: cancel, wait for the kernel, close.

use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;

use super::{Io, Life, PollOp, Sock, SockState};
use crate::core::Inner;
use crate::slots::Op;

/// What the kernel surely takes at once on a fresh connection: half of the send buffer that Linux
/// begins with (tcp_wmem).
const AT_ONCE_BYTES: usize = 8 * 1024;

/// How a socket goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// What was flushed may still go out for a while.
    Linger,
    /// At once.
    Now,
}

impl Sock {
    /// Sends what is queued and closes, all with the next enter, so that FIN travels with the last
    /// bytes; for a connection whose input nobody wants any more.
    ///
    /// False, and nothing is done, if the kernel might not take those bytes at once: then the
    /// caller has to wait for them.
    pub fn end_at_once(&self) -> bool {
        let mut io = self.state.io.borrow_mut();
        let send = &io.send;
        let is_small = send.total as usize + send.unsent() <= AT_ONCE_BYTES;
        let in_turn = send.in_flight.is_none() || send.pending.is_none();
        if io.life != Life::Open || io.nonblocking_users > 0 || !is_small || !in_turn {
            return false;
        }
        io.send.end();
        io.start_send(self.inner(), self.state.key);
        drop(io);
        self.state.close(self.inner(), Manner::Linger);
        true
    }

    /// Closes at once with a reset; nothing queued is sent. Readers and writers are told
    /// `ECONNABORTED`.
    pub fn abort(&self) {
        {
            let io = self.state.io.borrow();
            if let Ok(fd) = io.borrowed() {
                // Without it the close is an ordinary one, which still ends the connection.
                let _ = SockRef::from(&fd).set_linger(Some(Duration::ZERO));
            }
        }
        self.state.close(self.inner(), Manner::Now);
    }
}

impl SockState {
    /// Begins to close; done when the last operation has come back.
    pub(super) fn close(self: &Rc<Self>, core: &Inner, manner: Manner) {
        let mut io = self.io.borrow_mut();
        if io.life != Life::Open {
            return;
        }
        io.life = Life::Closing;
        let received = io.recv.clear();
        let wakers = (io.recv.waker.take(), io.send.waker.take());
        io.recv.error = libc::ECONNABORTED;
        io.update_recv(core, self.key);
        if io.poll_in != PollOp::Idle {
            core.cancel(self.key, Op::PollIn);
        }
        let keep = manner == Manner::Linger && (io.send.flushed || io.send.in_flight.is_some());
        if keep {
            if !io.send.flushed {
                io.drop_pending(core);
            }
            core.lingering.push(core.clock.now_ms(), self.key);
        } else {
            io.stop_sending(core, self.key);
        }
        if io.send.pending.is_none() && io.nonblocking_users == 0 {
            // What is in flight holds the socket itself: only what has to be submitted again needs
            // the descriptor.
            io.close_descriptor(core);
        }
        let finished = io.finish_closing(core);
        drop(io);
        if finished {
            core.leave(self.key);
        }
        drop(received);
        if manner == Manner::Now {
            // Other handles may wait: they are told. (A dropped socket has no waiters left.)
            [wakers.0, wakers.1]
                .into_iter()
                .flatten()
                .for_each(std::task::Waker::wake);
            core.woken();
        }
    }

    /// The time to send the rest is over.
    pub(crate) fn stop_lingering(&self, core: &Inner) {
        let mut io = self.io.borrow_mut();
        if io.life == Life::Closing {
            io.stop_sending(core, self.key);
        }
    }
}

impl Io {
    /// Whether a closing socket still tries to send.
    pub(super) fn lingering(&self) -> bool {
        self.send.error == 0
    }

    fn drop_pending(&mut self, core: &Inner) {
        if let Some(batch) = self.send.pending.take() {
            core.pools.recycle(batch);
        }
    }

    fn stop_sending(&mut self, core: &Inner, key: crate::slots::Key) {
        self.drop_pending(core);
        self.send.flushed = false;
        self.send.error = libc::ECONNABORTED;
        if self.poll_out != PollOp::Idle {
            core.cancel(key, Op::PollOut);
        }
        if self.send.in_flight.is_some() {
            core.cancel(key, Op::Send);
        }
    }

    /// Closes the descriptor of a closing socket without operations; `true` when that happened
    /// and the slot may be freed.
    pub(super) fn finish_closing(&mut self, core: &Inner) -> bool {
        if self.life != Life::Closing || self.ops > 0 {
            return false;
        }
        self.life = Life::Closed;
        self.send.discard(core);
        self.close_descriptor(core);
        true
    }

    fn close_descriptor(&mut self, core: &Inner) {
        if let Some(fd) = self.fd.take() {
            core.close(fd);
        }
    }
}
