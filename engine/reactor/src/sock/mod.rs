//! A connected stream socket: a receive queue that fills by itself, a send queue, and its life.

mod batch;
mod close;
mod detach;
mod pipe;
mod queue;
mod recv;
mod send;
mod splice;

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

use socket2::{SockAddr, SockRef};

pub(crate) use batch::Pools;
pub use detach::Detached;
pub use recv::Readable;
pub use splice::{Splice, SpliceStep};

use crate::core::{Core, Inner};
use crate::seg::Seg;
use crate::slots::{Key, Op, Tenant};

/// Queued received bytes at which reading stops, unless set otherwise.
const HIGH_WATER_BYTES: usize = 64 * 1024;

/// A socket of this core; a clone is another handle of the same socket.
///
/// Receiving begins at once and goes on by itself until the high water mark. When the last handle
/// is dropped the socket is closed: what was flushed may still go out for the core's `linger_ms`,
/// and the descriptor and all memory stay until the kernel has returned the last operation.
///
/// One task may wait for reading and one for writing: a later waiter replaces an earlier one.
pub struct Sock {
    core: Core,
    state: Rc<SockState>,
}

/// What the core keeps of a socket.
pub(crate) struct SockState {
    key: Key,
    handles: Cell<u32>,
    io: RefCell<Io>,
}

struct Io {
    /// Gone once closed or handed over.
    fd: Option<OwnedFd>,
    /// Operations in the kernel.
    ops: u8,
    life: Life,
    nonblocking_users: u8,
    /// When a byte last passed in either direction, milliseconds of the core's clock.
    moved_ms: u64,
    recv: recv::Recv,
    send: send::Send,
    poll_in: PollOp,
    poll_out: PollOp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Open,
    /// No handle needs it; closes with its last operation.
    Closing,
    Closed,
}

/// A one-shot poll in the kernel, and whom it serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PollOp {
    Idle,
    /// A splice waits; the waiting task is woken.
    ForTask,
    /// The operation itself would have blocked on a non-blocking descriptor: it is tried again.
    ForRetry,
}

impl Sock {
    pub(crate) fn adopt(core: Core, fd: OwnedFd, received: Vec<u8>) -> Self {
        let mut state = None;
        core.inner().settle(|key| {
            let io = Io {
                fd: Some(fd),
                ops: 0,
                life: Life::Open,
                nonblocking_users: 0,
                moved_ms: core.inner().clock.now_ms(),
                recv: recv::Recv::new(HIGH_WATER_BYTES, received),
                send: send::Send::default(),
                poll_in: PollOp::Idle,
                poll_out: PollOp::Idle,
            };
            let new = SockState {
                key,
                handles: Cell::new(1),
                io: RefCell::new(io),
            };
            Tenant::Sock(state.insert(Rc::new(new)).clone())
        });
        let Some(state) = state else {
            unreachable!("settle calls its argument")
        };
        state.io.borrow_mut().update_recv(core.inner(), state.key);
        Self { core, state }
    }

    /// The core this socket lives on.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The descriptor's number, or -1 once closed or handed over. For logs and as a name only.
    pub fn fd(&self) -> RawFd {
        self.state
            .io
            .borrow()
            .borrowed()
            .map_or(-1, |fd| fd.as_raw_fd())
    }

    /// Reads or sets socket options; `EBADF` once closed or handed over.
    pub fn options<T>(&self, act: impl FnOnce(SockRef<'_>) -> io::Result<T>) -> io::Result<T> {
        let io = self.state.io.borrow();
        act(SockRef::from(&io.borrowed()?))
    }

    /// Our end's address.
    pub fn local_addr(&self) -> io::Result<SockAddr> {
        self.options(|socket| socket.local_addr())
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> io::Result<SockAddr> {
        self.options(|socket| socket.peer_addr())
    }

    /// Bytes received so far, spliced ones included.
    pub fn bytes_in(&self) -> u64 {
        self.state.io.borrow().recv.total
    }

    /// Bytes that the kernel has taken for sending so far, spliced ones included.
    pub fn bytes_out(&self) -> u64 {
        self.state.io.borrow().send.total
    }

    /// When a byte last passed in either direction (`Core::now_ms`), for inactivity timeouts:
    /// nobody has to be woken to note it.
    pub fn moved_ms(&self) -> u64 {
        self.state.io.borrow().moved_ms
    }

    /// Whether two handles are of the same socket.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.state, &other.state)
    }

    fn inner(&self) -> &Inner {
        self.core.inner()
    }
}

impl Clone for Sock {
    fn clone(&self) -> Self {
        self.state.handles.set(self.state.handles.get() + 1);
        Self {
            core: self.core.clone(),
            state: self.state.clone(),
        }
    }
}

impl Drop for Sock {
    fn drop(&mut self) {
        let handles = self.state.handles.get() - 1;
        self.state.handles.set(handles);
        if handles == 0 {
            self.state.close(self.core.inner(), close::Manner::Linger);
        }
    }
}

impl SockState {
    /// An operation has come back.
    pub(crate) fn complete(
        self: &Rc<Self>,
        core: &Inner,
        op: Op,
        result: i32,
        piece: Option<Seg>,
        more: bool,
    ) {
        let mut io = self.io.borrow_mut();
        if !more {
            io.ops = io.ops.saturating_sub(1);
        }
        let waker = match op {
            Op::Recv => io.received(core, self.key, result, piece, more),
            Op::Send => io.sent(core, self.key, result),
            Op::PollIn => io.polled_in(core, self.key),
            Op::PollOut => io.polled_out(core, self.key),
            _ => None,
        };
        let finished = io.finish_closing(core);
        drop(io);
        if finished {
            core.leave(self.key);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Io {
    /// The descriptor while the socket is open, `EBADF` afterwards.
    fn borrowed(&self) -> io::Result<BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        match &self.fd {
            Some(fd) if self.life == Life::Open => Ok(fd.as_fd()),
            _ => Err(io::Error::from_raw_os_error(libc::EBADF)),
        }
    }

    /// For entries: the number, or -1, which the kernel refuses with `EBADF`.
    fn raw_fd(&self) -> RawFd {
        self.fd.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Starts a one-shot poll unless one is under way.
    fn poll(&mut self, core: &Inner, key: Key, op: Op, why: PollOp) {
        let (slot, events) = match op {
            Op::PollIn => (&mut self.poll_in, libc::POLLIN | libc::POLLRDHUP),
            _ => (&mut self.poll_out, libc::POLLOUT),
        };
        if *slot != PollOp::Idle {
            // Both a task and a retry want it: the retry's handler wakes the task too.
            *slot = if why == PollOp::ForRetry { why } else { *slot };
            return;
        }
        *slot = why;
        self.ops += 1;
        core.submit_poll(key, op, self.raw_fd(), events);
    }

    fn polled_in(&mut self, core: &Inner, key: Key) -> Option<std::task::Waker> {
        let why = std::mem::replace(&mut self.poll_in, PollOp::Idle);
        if why == PollOp::ForRetry {
            self.update_recv(core, key);
        }
        self.recv.waker.take()
    }

    fn polled_out(&mut self, core: &Inner, key: Key) -> Option<std::task::Waker> {
        let why = std::mem::replace(&mut self.poll_out, PollOp::Idle);
        if why == PollOp::ForRetry {
            self.submit_batch(core, key);
        }
        self.send.waker.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An idle connection costs this, its slot and a descriptor: no buffer, no vector.
    #[test]
    fn an_idle_socket_is_small() {
        assert!(size_of::<SockState>() <= 320, "{}", size_of::<SockState>());
    }
}
