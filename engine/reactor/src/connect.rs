//! Opening a connection: a future that can be dropped at any time.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use io_uring::{opcode, types};
use socket2::{SockAddr, SockRef};

use crate::core::{Core, Inner};
use crate::slots::{Key, Op, Tenant};
use crate::sock::Sock;

/// A connection attempt; ready with the connected socket. Dropping it cancels the attempt.
pub struct Connect {
    core: Core,
    state: Rc<ConnectState>,
}

/// What the kernel needs while it connects.
pub(crate) struct ConnectState {
    key: Key,
    address: SockAddr,
    io: RefCell<Io>,
}

struct Io {
    fd: Option<OwnedFd>,
    result: Option<i32>,
    abandoned: bool,
    waker: Option<Waker>,
}

impl Connect {
    pub(crate) fn new(core: Core, fd: OwnedFd, to: &SockAddr) -> Self {
        let raw = fd.as_raw_fd();
        let mut state = None;
        let key = core.inner().settle(|key| {
            let io = RefCell::new(Io {
                fd: Some(fd),
                result: None,
                abandoned: false,
                waker: None,
            });
            let new = ConnectState {
                key,
                address: to.clone(),
                io,
            };
            Tenant::Connect(state.insert(Rc::new(new)).clone())
        });
        let Some(state) = state else {
            unreachable!("settle calls its argument")
        };
        let address = state.address.as_ptr().cast();
        let entry = opcode::Connect::new(types::Fd(raw), address, state.address.len()).build();
        // SAFETY: the address lies in the state, which the slot keeps until the completion.
        unsafe { core.inner().submit(key, Op::Connect, entry) };
        Self { core, state }
    }
}

impl Connect {
    /// Our end, once the kernel has chosen it and as long as the attempt lasts.
    pub fn local_addr(&self) -> Option<SockAddr> {
        let io = self.state.io.borrow();
        SockRef::from(io.fd.as_ref()?).local_addr().ok()
    }
}

impl Future for Connect {
    type Output = io::Result<Sock>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<Sock>> {
        let mut io = self.state.io.borrow_mut();
        match io.result {
            Some(0) => {
                let fd = io.fd.take();
                drop(io);
                let fd = fd.ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
                Poll::Ready(Ok(Sock::adopt(self.core.clone(), fd, Vec::new())))
            }
            Some(errno) => Poll::Ready(Err(io::Error::from_raw_os_error(errno))),
            None => {
                let known = io.waker.replace(context.waker().clone());
                drop(io);
                drop(known);
                Poll::Pending
            }
        }
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        let inner = self.core.inner();
        let mut io = self.state.io.borrow_mut();
        let waker = io.waker.take();
        io.abandoned = true;
        if io.result.is_none() {
            inner.cancel(self.state.key, Op::Connect);
        } else if let Some(fd) = io.fd.take() {
            inner.close(fd);
        }
        drop(io);
        drop(waker);
    }
}

impl ConnectState {
    pub(crate) fn complete(&self, core: &Inner, result: i32) {
        let mut io = self.io.borrow_mut();
        io.result = Some(-result);
        let waker = io.waker.take();
        if io.abandoned
            && let Some(fd) = io.fd.take()
        {
            core.close(fd);
        }
        drop(io);
        core.leave(self.key);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
