//! Big bodies from socket to socket without entering user space.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use socket2::SockRef;

use super::pipe::Pipe;
use super::{PollOp, Sock};
use crate::slots::Op;

/// Bytes after which other tasks get their turn.
const STEP_BYTES: u64 = 1 << 20;

/// What one step of a splice has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpliceStep {
    /// This many bytes reached the receiver's socket.
    Moved(u64),
    /// Everything that was asked for is in the receiver's socket.
    Done,
    /// The sender finished; everything it sent is in the receiver's socket.
    Eof,
}

/// A transfer under way between two sockets of one core.
///
/// The caller drives it step by step, so that it sees progress for its timers. While it exists the
/// sender's receive queue stands still. Dropping it in the middle may lose bytes that are in the
/// pipe: the caller then has to end both connections.
pub struct Splice {
    from: Sock,
    to: Sock,
    left: Option<u64>,
    pipe: Option<Pipe>,
    phase: Phase,
    eof: bool,
    receiver_failed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The multishot receive is being cancelled.
    Quiesce,
    /// What was received already is being sent.
    Queue {
        unsent: usize,
    },
    Pipe,
}

impl Sock {
    /// Begins to move `max` bytes (`None`: all until the end) to `to`, those queued here first.
    ///
    /// Fails if no pipe can be had; nothing has changed then, and the caller copies instead.
    pub fn splice_to(&self, to: &Sock, max: Option<u64>) -> io::Result<Splice> {
        let pipe = self.inner().pools.pipe()?;
        self.set_nonblocking(true)?;
        if let Err(error) = to.set_nonblocking(true) {
            self.set_nonblocking(false)?;
            return Err(error);
        }
        self.hold_reading();
        let (from, to) = (self.clone(), to.clone());
        Ok(Splice {
            from,
            to,
            left: max,
            pipe: Some(pipe),
            phase: Phase::Quiesce,
            eof: false,
            receiver_failed: false,
        })
    }

    /// splice(2) waits on a socket in blocking mode whatever its flags say, and the ring's own
    /// operations fail with `EAGAIN` on one that is not: they are tried again after a poll.
    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        let mut io = self.state.io.borrow_mut();
        let users = if on {
            io.nonblocking_users + 1
        } else {
            io.nonblocking_users - 1
        };
        if users == u8::from(on) {
            SockRef::from(&io.borrowed()?).set_nonblocking(on)?;
        }
        io.nonblocking_users = users;
        Ok(())
    }

    fn splice_waits(&self, op: Op, context: &mut Context<'_>) {
        if op == Op::PollIn {
            self.wait_readable(context);
        } else {
            self.wait_sent(context);
        }
        self.state
            .io
            .borrow_mut()
            .poll(self.inner(), self.state.key, op, PollOp::ForTask);
    }
}

impl Splice {
    /// The next step, once something moved or the transfer is over.
    pub async fn step(&mut self) -> io::Result<SpliceStep> {
        poll_fn(|context| self.poll_step(context)).await
    }

    /// As [`Splice::step`].
    pub fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SpliceStep>> {
        if self.phase == Phase::Quiesce {
            if self.from.state.io.borrow().recv.armed {
                self.from.wait_readable(context);
                return Poll::Pending;
            }
            self.forward_queue();
        }
        if let Phase::Queue { unsent } = self.phase {
            return self.poll_queue(unsent, context);
        }
        self.poll_pipe(context)
    }

    /// Whether the transfer stands because the receiver takes no more.
    pub fn waits_for_receiver(&self) -> bool {
        matches!(self.phase, Phase::Queue { .. })
            || self.pipe.as_ref().is_some_and(|pipe| pipe.filled > 0)
    }

    /// Whether the error of the last step was the receiver's.
    pub fn receiver_failed(&self) -> bool {
        self.receiver_failed
    }

    /// Runs to the end and returns how many bytes moved.
    pub async fn run(mut self) -> io::Result<u64> {
        let mut total = 0;
        loop {
            match self.step().await? {
                SpliceStep::Moved(bytes) => total += bytes,
                SpliceStep::Done | SpliceStep::Eof => return Ok(total),
            }
        }
    }

    fn forward_queue(&mut self) {
        while self.left != Some(0)
            && let Some(piece) = self.from.take(clamp(self.left))
        {
            self.count(piece.len());
            self.to.send(piece);
        }
        self.to.flush();
        self.phase = Phase::Queue {
            unsent: self.to.unsent(),
        };
    }

    fn poll_queue(
        &mut self,
        unsent: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<SpliceStep>> {
        match self.to.poll_sent(0, context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => {
                self.receiver_failed = true;
                Poll::Ready(Err(error))
            }
            Poll::Ready(Ok(())) => {
                self.phase = Phase::Pipe;
                let io = self.from.state.io.borrow();
                self.eof = io.recv.eof;
                let error = io.recv.error;
                drop(io);
                if unsent > 0 {
                    return Poll::Ready(Ok(SpliceStep::Moved(unsent as u64)));
                }
                if error != 0 {
                    return Poll::Ready(Err(io::Error::from_raw_os_error(error)));
                }
                self.poll_pipe(context)
            }
        }
    }

    fn poll_pipe(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SpliceStep>> {
        let mut moved = 0;
        loop {
            let Some(filled) = self.pipe.as_ref().map(|pipe| pipe.filled) else {
                return Poll::Ready(Err(io::Error::from_raw_os_error(libc::EBADF)));
            };
            let over = self.eof || self.left == Some(0);
            if filled == 0 && over && moved == 0 {
                let end = if self.left == Some(0) {
                    SpliceStep::Done
                } else {
                    SpliceStep::Eof
                };
                return Poll::Ready(Ok(end));
            }
            let result = if filled > 0 {
                self.drain().map(|bytes| moved += bytes as u64)
            } else if over {
                return Poll::Ready(Ok(SpliceStep::Moved(moved)));
            } else {
                self.fill()
            };
            match result {
                Ok(()) if moved < STEP_BYTES => {}
                Ok(()) => return Poll::Ready(Ok(SpliceStep::Moved(moved))),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if moved > 0 => return Poll::Ready(Ok(SpliceStep::Moved(moved))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let (sock, op) = if filled > 0 {
                        (&self.to, Op::PollOut)
                    } else {
                        (&self.from, Op::PollIn)
                    };
                    sock.splice_waits(op, context);
                    return Poll::Pending;
                }
                Err(error) => {
                    self.receiver_failed = filled > 0;
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let max = clamp(self.left);
        let mut io = self.from.state.io.borrow_mut();
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let bytes = pipe.fill(io.borrowed()?, max)?;
        io.recv.total += bytes as u64;
        io.recv.eof |= bytes == 0;
        if bytes > 0 {
            io.moved_ms = self.from.core.now_ms();
        }
        drop(io);
        self.eof = bytes == 0;
        self.count(bytes);
        Ok(())
    }

    fn drain(&mut self) -> io::Result<usize> {
        let mut io = self.to.state.io.borrow_mut();
        let Some(pipe) = &mut self.pipe else {
            return Ok(0);
        };
        let bytes = pipe.drain(io.borrowed()?)?;
        io.send.total += bytes as u64;
        io.moved_ms = self.to.core.now_ms();
        Ok(bytes)
    }

    fn count(&mut self, bytes: usize) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes as u64);
        }
    }
}

fn clamp(left: Option<u64>) -> usize {
    left.and_then(|left| usize::try_from(left).ok())
        .unwrap_or(usize::MAX)
}

impl Drop for Splice {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            self.from.inner().pools.keep(pipe);
        }
        // Fails only on a socket that is closed already.
        let _ = self.from.set_nonblocking(false);
        let _ = self.to.set_nonblocking(false);
        self.from.release_reading();
    }
}
