//! Datagrams in both directions on one socket.
//!
//! A read is tried first; only when there is nothing does the ring watch the descriptor. Nothing is
//! queued here: what waits does so in the kernel, datagram by datagram.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use socket2::{SockAddr, SockRef};

use crate::core::{Core, Inner};
use crate::slots::{Key, Op, Tenant};

/// A datagram socket of this core, UDP or unix. One task may wait for reading.
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
    socket: OwnedFd,
    /// The poll is in the kernel.
    armed: bool,
    closing: bool,
    waker: Option<Waker>,
}

impl Datagram {
    pub(crate) fn new(core: Core, socket: OwnedFd) -> io::Result<Self> {
        SockRef::from(&socket).set_nonblocking(true)?;
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
        let io = self.state.io.borrow();
        SockRef::from(&io.socket).send(message).map(|_| ())
    }

    /// The next datagram's length and sender; what does not fit into `buffer` is cut off. An error is
    /// the echo of something sent before (`ECONNREFUSED`): the socket goes on.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SockAddr)> {
        poll_fn(|context| self.poll_receive(buffer, context)).await
    }

    /// As [`Datagram::receive`].
    pub fn poll_receive(
        &self,
        buffer: &mut [u8],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(usize, SockAddr)>> {
        let mut io = self.state.io.borrow_mut();
        match receive_now(&io.socket, buffer) {
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
    pub fn local_addr(&self) -> io::Result<SockAddr> {
        SockRef::from(&self.state.io.borrow().socket).local_addr()
    }
}

fn receive_now(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<(usize, SockAddr)> {
    // SAFETY: the kernel writes initialised bytes and nothing else, so the slice stays initialised.
    let room = unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) };
    SockRef::from(socket).recv_from(room)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoreConfig, Wait};
    use std::net::UdpSocket;

    #[test]
    fn datagrams_come_one_by_one_with_their_sender() {
        let core = Core::new(&CoreConfig::default()).expect("a ring");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let to = socket.local_addr().expect("bound");
        let inbox = core.datagram(socket.into()).expect("a socket");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let mut out = [0; 100];
        let mut context = Context::from_waker(Waker::noop());
        assert!(inbox.poll_receive(&mut out, &mut context).is_pending());
        for text in ["one", "", "three"] {
            sender.send_to(text.as_bytes(), to).expect("sent");
            let (length, from) = loop {
                match inbox.poll_receive(&mut out, &mut context) {
                    Poll::Ready(from) => break from.expect("a datagram"),
                    Poll::Pending => core.turn(Wait::Block),
                };
            };
            assert_eq!(&out[..length], text.as_bytes());
            assert_eq!(from.as_socket(), sender.local_addr().ok());
        }
        sender.send_to(b"0123456789", to).expect("sent");
        let cut = loop {
            match inbox.poll_receive(&mut out[..4], &mut context) {
                Poll::Ready(received) => break received.expect("a datagram").0,
                Poll::Pending => core.turn(Wait::Block),
            };
        };
        assert_eq!(&out[..cut], b"0123");
    }
}
