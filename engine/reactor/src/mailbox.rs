//! Messages to one core from any thread, woken by one eventfd write per sleep.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::future::poll_fn;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::task::{Context, Poll, Waker};

use crate::core::Core;
use crate::setup::SetupError;

/// The receiving end; stays on its core.
pub struct Mailbox<M> {
    receiver: Receiver<M>,
    slot: Rc<Slot>,
}

/// A sending end: cloned freely, used from any thread.
pub struct Post<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Mailbox<M> {
    /// The next message, or `None` once every [`Post`] is gone and all messages are received.
    pub async fn recv(&self) -> Option<M> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// As [`Mailbox::recv`]; the last task that polled is woken.
    pub fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Option<M>> {
        match self.receiver.try_recv() {
            Ok(message) => Poll::Ready(Some(message)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                drop(self.slot.waker.replace(Some(context.waker().clone())));
                // What was posted between the look above and here set the flag, and the core
                // looks at the flag before it sleeps: nothing is missed.
                Poll::Pending
            }
        }
    }

    /// A message if one is there.
    pub fn try_recv(&self) -> Option<M> {
        self.receiver.try_recv().ok()
    }
}

impl<M> Post<M> {
    /// Sends a message; it comes back if the mailbox is gone.
    pub fn send(&self, message: M) -> Result<(), M> {
        if let Some(sender) = &self.shared.sender {
            sender.send(message).map_err(|refused| refused.0)?;
        }
        self.shared.announce();
        Ok(())
    }
}

impl<M> Clone for Post<M> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

struct Shared<M> {
    /// Present until the last `Post` goes.
    sender: Option<Sender<M>>,
    mail: Arc<AtomicBool>,
    alarm: Arc<Alarm>,
}

impl<M> Shared<M> {
    fn announce(&self) {
        self.mail.store(true, Ordering::SeqCst);
        self.alarm.ring();
    }
}

impl<M> Drop for Shared<M> {
    fn drop(&mut self) {
        drop(self.sender.take());
        self.announce();
    }
}

struct Slot {
    mail: Arc<AtomicBool>,
    waker: Cell<Option<Waker>>,
}

/// How other threads get a core out of its sleep.
pub(crate) struct Alarm {
    eventfd: File,
    asleep: AtomicBool,
    pending: AtomicBool,
}

impl Alarm {
    fn ring(&self) {
        self.pending.store(true, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            // Can only fail when the counter is full, and then the core wakes anyway.
            let _ = (&self.eventfd).write(&1u64.to_ne_bytes());
        }
    }
}

/// All mailboxes of a core, with the alarm that they share.
pub(crate) struct Mailroom {
    alarm: Arc<Alarm>,
    slots: RefCell<Vec<Weak<Slot>>>,
}

impl Mailroom {
    pub(crate) fn new() -> Result<Self, SetupError> {
        // SAFETY: plain system call without pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(SetupError::from_io(
                "eventfd",
                std::io::Error::last_os_error(),
            ));
        }
        // SAFETY: `fd` was just created and belongs to nobody else.
        let eventfd = unsafe { File::from_raw_fd(fd) };
        let alarm = Alarm {
            eventfd,
            asleep: AtomicBool::new(false),
            pending: AtomicBool::new(false),
        };
        Ok(Self {
            alarm: Arc::new(alarm),
            slots: RefCell::default(),
        })
    }

    pub(crate) fn eventfd(&self) -> RawFd {
        self.alarm.eventfd.as_raw_fd()
    }

    pub(crate) fn open<M>(&self) -> (Mailbox<M>, Post<M>) {
        let (sender, receiver) = channel();
        let mail = Arc::new(AtomicBool::new(false));
        let slot = Rc::new(Slot {
            mail: mail.clone(),
            waker: Cell::new(None),
        });
        let mut slots = self.slots.borrow_mut();
        slots.retain(|slot| slot.strong_count() > 0);
        slots.push(Rc::downgrade(&slot));
        let shared = Shared {
            sender: Some(sender),
            mail,
            alarm: self.alarm.clone(),
        };
        (
            Mailbox { receiver, slot },
            Post {
                shared: Arc::new(shared),
            },
        )
    }

    /// Announces the sleep; `false` if mail has come and the core must not sleep.
    pub(crate) fn may_sleep(&self) -> bool {
        self.alarm.asleep.store(true, Ordering::SeqCst);
        !self.alarm.pending.load(Ordering::SeqCst)
    }

    /// The core is awake: takes the receivers' wakers that have mail.
    pub(crate) fn awake(&self, wakers: &mut Vec<Waker>) {
        self.alarm.asleep.store(false, Ordering::SeqCst);
        if !self.alarm.pending.swap(false, Ordering::SeqCst) {
            return;
        }
        for slot in self.slots.borrow().iter().filter_map(Weak::upgrade) {
            if slot.mail.swap(false, Ordering::SeqCst) {
                wakers.extend(slot.waker.take());
            }
        }
    }
}

impl Core {
    /// A mailbox on this core and a way to post into it from any thread.
    pub fn mailbox<M: Send + 'static>(&self) -> (Mailbox<M>, Post<M>) {
        self.inner().mailroom.open()
    }
}
