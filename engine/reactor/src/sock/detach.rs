//! Handing a connection over: its operations are cancelled and the descriptor comes back.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::task::Poll;

use super::{Life, Sock};

/// A connection between two cores; `Send`.
#[derive(Debug)]
pub struct Detached {
    /// The connected socket.
    pub fd: OwnedFd,
    /// What was received and not consumed.
    pub received: Vec<u8>,
}

impl Sock {
    /// Waits for what was flushed to be sent, cancels receiving, and gives the descriptor back.
    ///
    /// Other handles find the socket closed. A connection whose end or failure was received
    /// already is handed over all the same: the next owner receives that again.
    pub async fn into_fd(self) -> io::Result<Detached> {
        self.hold_reading();
        poll_fn(|context| self.poll_sent(0, context)).await?;
        poll_fn(|context| {
            if self.state.io.borrow().ops == 0 {
                return Poll::Ready(());
            }
            self.wait_readable(context);
            self.wait_sent(context);
            Poll::Pending
        })
        .await;
        let mut io = self.state.io.borrow_mut();
        let mut received = Vec::with_capacity(io.recv.queued);
        let pieces = io.recv.clear();
        for piece in pieces {
            received.extend_from_slice(&piece);
        }
        let fd = io
            .fd
            .take()
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
        io.recv.error = libc::EBADF;
        io.send.error = libc::EBADF;
        let was_open = io.life == Life::Open;
        io.life = Life::Closed;
        drop(io);
        if was_open {
            self.inner().leave(self.state.key);
        }
        Ok(Detached { fd, received })
    }

    /// Stops receiving for the reactor's own purposes.
    pub(super) fn hold_reading(&self) {
        let mut io = self.state.io.borrow_mut();
        io.recv.holds += 1;
        io.update_recv(self.inner(), self.state.key);
    }

    pub(super) fn release_reading(&self) {
        let mut io = self.state.io.borrow_mut();
        io.recv.holds -= 1;
        io.update_recv(self.inner(), self.state.key);
    }
}
