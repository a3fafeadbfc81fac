//! The submission and completion queues, and the one system call of a turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{IoUring, squeue};

use crate::buffers::{BUFFER_GROUP, Buffers};
use crate::setup::SetupError;

/// `IORING_ENTER_GETEVENTS`: without it a ring with deferred task work reaps nothing.
const ENTER_GETEVENTS: u32 = 1;
/// `IORING_ENTER_EXT_ARG`: the argument carries a timeout (Linux 5.11).
const ENTER_EXT_ARG: u32 = 1 << 3;

/// One completion, copied out of the queue.
#[derive(Clone, Copy)]
pub(crate) struct Completion {
    pub(crate) user_data: u64,
    pub(crate) result: i32,
    pub(crate) flags: u32,
}

/// How long an enter may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleep {
    No,
    Until { timeout_us: u64 },
    Forever,
}

pub(crate) struct Ring {
    inner: RefCell<Inner>,
}

struct Inner {
    uring: IoUring,
    /// Entries that did not fit into the submission queue; they go first at the next chance.
    backlog: VecDeque<squeue::Entry>,
}

impl Ring {
    /// Sets the ring up on the calling thread, which must stay the only one to use it.
    pub(crate) fn new(sq_entries: u32, cq_entries: u32) -> Result<Self, SetupError> {
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(cq_entries)
            .dontfork()
            .build(sq_entries)
            .map_err(|error| SetupError::from_io("io_uring_setup", error))?;
        let inner = Inner {
            uring,
            backlog: VecDeque::new(),
        };
        Ok(Self {
            inner: RefCell::new(inner),
        })
    }

    /// Registers the buffer ring and fills it.
    pub(crate) fn register(&self, buffers: &Rc<Buffers>) -> Result<(), SetupError> {
        let inner = self.inner.borrow();
        // SAFETY: the mapping has `slots` entries and outlives the ring: the core drops its ring
        // before its reference to the buffers.
        let result = unsafe {
            inner.uring.submitter().register_buf_ring_with_flags(
                buffers.ring_address(),
                buffers.slots(),
                BUFFER_GROUP,
                0,
            )
        };
        result.map_err(|error| SetupError::from_io("buffer ring", error))?;
        buffers.fill();
        Ok(())
    }

    /// Queues an entry for the next enter. Never fails: what does not fit waits in a backlog.
    ///
    /// # Safety
    ///
    /// All memory that the entry names must stay valid until its completion was reaped.
    pub(crate) unsafe fn push(&self, entry: squeue::Entry) {
        let mut inner = self.inner.borrow_mut();
        if inner.backlog.is_empty() && inner.offer(&entry) {
            return;
        }
        // A full queue is emptied by a submission without waiting; completions stay unreaped.
        let _ = inner.uring.submitter().submit();
        inner.drain_backlog();
        if !inner.backlog.is_empty() || !inner.offer(&entry) {
            inner.backlog.push_back(entry);
        }
    }

    /// Submits what is queued, reaps what is ready, and sleeps for at most `sleep` if nothing is.
    pub(crate) fn enter(&self, sleep: Sleep, into: &mut Vec<Completion>) -> io::Result<()> {
        let mut inner = self.inner.borrow_mut();
        inner.drain_backlog();
        let result = inner.enter(sleep);
        inner.reap(into);
        match result {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                // The timeout; a signal; completions that must be reaped first; a moment's lack
                // of memory. Each is answered by the next turn.
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// Completions that the kernel had to drop (never on kernels with IORING_FEAT_NODROP).
    pub(crate) fn overflowed(&self) -> u32 {
        self.inner.borrow_mut().uring.completion().overflow()
    }
}

impl Inner {
    fn offer(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: the caller of `Ring::push` vouches for the memory that the entry names.
        unsafe { self.uring.submission().push(entry) }.is_ok()
    }

    fn drain_backlog(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if !self.offer(&entry) {
                self.backlog.push_front(entry);
                return;
            }
        }
    }

    fn enter(&mut self, sleep: Sleep) -> io::Result<usize> {
        let ready = !self.uring.completion().is_empty() || !self.backlog.is_empty();
        let queued = self.uring.submission().len() as u32;
        let submitter = self.uring.submitter();
        let timespec;
        let (wanted, args) = match sleep {
            Sleep::Until { timeout_us } if !ready => {
                timespec = Timespec::new()
                    .sec(timeout_us / 1_000_000)
                    .nsec((timeout_us % 1_000_000) as u32 * 1000);
                (1, Some(SubmitArgs::new().timespec(&timespec)))
            }
            Sleep::Forever if !ready => (1, None),
            _ => (0, None),
        };
        match args {
            // SAFETY: with EXT_ARG the kernel expects exactly this structure, which lives here.
            Some(args) => unsafe {
                submitter.enter(queued, wanted, ENTER_GETEVENTS | ENTER_EXT_ARG, Some(&args))
            },
            // SAFETY: no argument is passed.
            None => unsafe {
                submitter.enter::<libc::sigset_t>(queued, wanted, ENTER_GETEVENTS, None)
            },
        }
    }

    fn reap(&mut self, into: &mut Vec<Completion>) {
        into.extend(self.uring.completion().map(|entry| Completion {
            user_data: entry.user_data(),
            result: entry.result(),
            flags: entry.flags(),
        }));
    }
}
