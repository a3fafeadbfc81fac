//! A listening socket: one multishot accept that survives a lack of descriptors.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use io_uring::{opcode, types};
use socket2::{SockAddr, SockRef};

use crate::core::{Core, Inner};
use crate::counters::bump;
use crate::slots::{Key, Op, Tenant};

/// Connections accepted and not taken at which accepting stops; the rest waits in the kernel.
const QUEUE_MAX: usize = 256;

/// Accepts connections on one core; several cores may listen on the same descriptor.
pub struct Listener {
    core: Core,
    state: Rc<ListenerState>,
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The connected socket, in blocking mode, close-on-exec.
    pub fd: OwnedFd,
    /// Who connected; `None` if it is gone already.
    pub peer: Option<SockAddr>,
}

/// What the core keeps of a listener.
pub(crate) struct ListenerState {
    key: Key,
    io: RefCell<Io>,
}

struct Io {
    fd: OwnedFd,
    queue: VecDeque<OwnedFd>,
    armed: bool,
    cancelling: bool,
    paused: bool,
    backing_off: bool,
    closing: bool,
    /// The errno that made the socket useless, or 0.
    error: i32,
    waker: Option<Waker>,
}

impl Listener {
    pub(crate) fn new(core: Core, fd: OwnedFd) -> Self {
        let mut state = None;
        core.inner().settle(|key| {
            let io = Io {
                fd,
                queue: VecDeque::new(),
                armed: false,
                cancelling: false,
                paused: false,
                backing_off: false,
                closing: false,
                error: 0,
                waker: None,
            };
            let new = ListenerState {
                key,
                io: RefCell::new(io),
            };
            Tenant::Listener(state.insert(Rc::new(new)).clone())
        });
        let Some(state) = state else {
            unreachable!("settle calls its argument")
        };
        state.io.borrow_mut().update(core.inner(), state.key);
        Self { core, state }
    }

    /// The next connection. A lack of descriptors or memory is waited out (and counted); an error
    /// means that the socket does not listen (any more).
    pub async fn accept(&self) -> io::Result<Accepted> {
        poll_fn(|context| self.poll_accept(context)).await
    }

    /// As [`Listener::accept`]; the last task that polled is woken.
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let mut io = self.state.io.borrow_mut();
        if let Some(fd) = io.queue.pop_front() {
            io.update(self.core.inner(), self.state.key);
            drop(io);
            let peer = SockRef::from(&fd).peer_addr().ok();
            return Poll::Ready(Ok(Accepted { fd, peer }));
        }
        if io.error != 0 {
            return Poll::Ready(Err(io::Error::from_raw_os_error(io.error)));
        }
        let known = io.waker.replace(context.waker().clone());
        drop(io);
        drop(known);
        Poll::Pending
    }

    /// Stops accepting: new connections wait in the kernel's backlog. What was accepted before
    /// stays queued.
    pub fn pause(&self) {
        self.set_paused(true);
    }

    /// Accepts again.
    pub fn resume(&self) {
        self.set_paused(false);
    }

    /// Connections that are accepted and not taken.
    pub fn queued(&self) -> usize {
        self.state.io.borrow().queue.len()
    }

    /// Our address.
    pub fn local_addr(&self) -> io::Result<SockAddr> {
        SockRef::from(&self.state.io.borrow().fd).local_addr()
    }

    /// Stops listening; the same as dropping it. Queued connections are closed.
    pub fn close(self) {}

    fn set_paused(&self, paused: bool) {
        let mut io = self.state.io.borrow_mut();
        io.paused = paused;
        io.update(self.core.inner(), self.state.key);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut io = self.state.io.borrow_mut();
        io.closing = true;
        let waker = io.waker.take();
        io.update(self.core.inner(), self.state.key);
        let finished = !io.armed;
        drop(io);
        drop(waker);
        if finished {
            self.core.inner().leave(self.state.key);
        }
    }
}

impl ListenerState {
    pub(crate) fn complete(&self, core: &Inner, result: i32, more: bool) {
        let mut io = self.io.borrow_mut();
        if !more {
            io.armed = false;
            io.cancelling = false;
        }
        match -result {
            ..=0 => {
                // SAFETY: the kernel has just created this descriptor for us.
                io.queue.push_back(unsafe { OwnedFd::from_raw_fd(result) });
            }
            libc::ECANCELED | libc::EINTR | libc::EAGAIN | libc::ECONNABORTED | libc::EPROTO => {}
            libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EPERM => {
                bump(&core.counters.accept_backoffs, 1);
                if !io.backing_off {
                    io.backing_off = true;
                    core.accept_backoff.push(core.clock.now_ms(), self.key);
                }
            }
            // Errors of the network that accept(2) reports although they are the connection's.
            libc::ENETDOWN
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ENETUNREACH
            | libc::ETIMEDOUT
                if more => {}
            errno => io.error = errno,
        }
        io.update(core, self.key);
        let waker = io.waker.take();
        let finished = io.closing && !io.armed;
        drop(io);
        if finished {
            core.leave(self.key);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The pause after a lack of descriptors is over.
    pub(crate) fn try_again(&self, core: &Inner) {
        let mut io = self.io.borrow_mut();
        io.backing_off = false;
        io.update(core, self.key);
    }
}

impl Io {
    /// Brings the multishot accept in line with what is wanted.
    fn update(&mut self, core: &Inner, key: Key) {
        let wanted = !self.closing
            && !self.paused
            && !self.backing_off
            && self.error == 0
            && self.queue.len() < QUEUE_MAX;
        if !wanted && self.armed && !self.cancelling {
            self.cancelling = true;
            core.cancel(key, Op::Accept);
        } else if wanted && !self.armed {
            self.armed = true;
            let fd = types::Fd(self.fd.as_raw_fd());
            let entry = opcode::AcceptMulti::new(fd)
                .flags(libc::SOCK_CLOEXEC)
                .build();
            // SAFETY: a multishot accept names no memory.
            unsafe { core.submit(key, Op::Accept, entry) };
        }
    }
}
