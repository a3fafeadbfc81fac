//! Pipes for splice(2), pooled so that a body costs no pipe2 of its own.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::Pools;

pub(super) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    pub(super) capacity: usize,
    /// Bytes inside.
    pub(super) filled: usize,
}

impl Pipe {
    fn open(bytes: u32) -> io::Result<Self> {
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for the two descriptors.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: pipe2 has just created both, nobody else owns them.
        let [read, write] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        // SAFETY: no pointers. Refused beyond the user's pipe limit: then the default size stays.
        unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETPIPE_SZ, bytes as libc::c_int) };
        // SAFETY: no pointers.
        let size = unsafe { libc::fcntl(write.as_raw_fd(), libc::F_GETPIPE_SZ) };
        let capacity = usize::try_from(size).map_err(|_| io::Error::last_os_error())?;
        Ok(Self {
            read,
            write,
            capacity,
            filled: 0,
        })
    }

    /// Moves bytes from a non-blocking socket into the pipe; 0 at its end.
    pub(super) fn fill(&mut self, from: BorrowedFd<'_>, max: usize) -> io::Result<usize> {
        let moved = splice(
            from,
            self.write.as_fd(),
            max.min(self.capacity - self.filled),
        )?;
        self.filled += moved;
        Ok(moved)
    }

    /// Moves bytes from the pipe into a non-blocking socket.
    pub(super) fn drain(&mut self, to: BorrowedFd<'_>) -> io::Result<usize> {
        let moved = splice(self.read.as_fd(), to, self.filled)?;
        self.filled -= moved.min(self.filled);
        Ok(moved)
    }
}

fn splice(from: BorrowedFd<'_>, to: BorrowedFd<'_>, max: usize) -> io::Result<usize> {
    let flags = libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK;
    let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
    // SAFETY: null offsets, as sockets and pipes require; no other pointers.
    let moved = unsafe {
        libc::splice(
            from,
            std::ptr::null_mut(),
            to,
            std::ptr::null_mut(),
            max,
            flags,
        )
    };
    usize::try_from(moved).map_err(|_| io::Error::last_os_error())
}

impl Pools {
    pub(super) fn pipe(&self) -> io::Result<Pipe> {
        let kept = self.pipes.borrow_mut().pop();
        kept.map_or_else(|| Pipe::open(self.pipe_bytes), Ok)
    }

    /// Keeps an empty pipe; one that holds bytes of a broken transfer is closed.
    pub(super) fn keep(&self, pipe: Pipe) {
        let mut pipes = self.pipes.borrow_mut();
        if pipe.filled == 0 && pipes.len() < self.pipes_kept {
            pipes.push(pipe);
        }
    }
}
