//! Datagrams in both directions on one socket, for a few messages a second.
//!
//! A read is tried first; only when there is nothing does the ring watch the descriptor. Nothing is
//! queued here: what waits does so in the kernel, datagram by datagram.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::core::{Core, Inner};
use crate::slots::{Key, Op, Tenant};

/// A UDP socket of this core. One task may wait for reading.
pub struct Datagram {
    core: Core,
    state: Rc<DatagramState>,
}

/// What the core keeps of it.
pub(crate) struct DatagramState {
    key: Key,
    io: RefCell<Io>,
}

struct Io {
    socket: UdpSocket,
    /// The poll is in the kernel.
    armed: bool,
    closing: bool,
    waker: Option<Waker>,
}

impl Datagram {
    pub(crate) fn new(core: Core, socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let mut state = None;
        core.inner().settle(|key| {
            let io = Io {
                socket,
                armed: false,
                closing: false,
                waker: None,
            };
            let new = DatagramState {
                key,
                io: RefCell::new(io),
            };
            Tenant::Datagram(state.insert(Rc::new(new)).clone())
        });
        let Some(state) = state else {
            unreachable!("settle calls its argument")
        };
        Ok(Self { core, state })
    }

    /// Sends to the connected peer; never waits (`WouldBlock` where the kernel has no room).
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        self.state.io.borrow().socket.send(message).map(|_| ())
    }

    /// The next datagram's length and sender; what does not fit into `buffer` is cut off. An error is
    /// the echo of something sent before (`ECONNREFUSED`): the socket goes on.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|context| self.poll_receive(buffer, context)).await
    }

    /// As [`Datagram::receive`].
    pub fn poll_receive(
        &self,
        buffer: &mut [u8],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut io = self.state.io.borrow_mut();
        match io.socket.recv_from(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                context.waker().wake_by_ref();
                self.core.mark_runnable();
                return Poll::Pending;
            }
            result => return Poll::Ready(result),
        }
        if !io.armed {
            io.armed = true;
            let fd = io.socket.as_raw_fd();
            self.core
                .inner()
                .submit_poll(self.state.key, Op::PollIn, fd, libc::POLLIN);
        }
        let known = io.waker.replace(context.waker().clone());
        drop(io);
        drop(known);
        Poll::Pending
    }

    /// Our address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.state.io.borrow().socket.local_addr()
    }
}

impl Drop for Datagram {
    fn drop(&mut self) {
        let mut io = self.state.io.borrow_mut();
        io.closing = true;
        let waker = io.waker.take();
        let armed = io.armed;
        drop(io);
        drop(waker);
        if armed {
            self.core.inner().cancel(self.state.key, Op::PollIn);
        } else {
            self.core.inner().leave(self.state.key);
        }
    }
}

impl DatagramState {
    /// The poll has come back: there is something, or it was cancelled.
    pub(crate) fn complete(&self, core: &Inner) {
        let mut io = self.io.borrow_mut();
        io.armed = false;
        let waker = io.waker.take();
        let finished = io.closing;
        drop(io);
        if finished {
            core.leave(self.key);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
