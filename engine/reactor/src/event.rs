//! Local notification between the tasks of one core.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::core::Core;

/// Wakes tasks of this core. A clone is another handle of the same event.
///
/// `notify` wakes every task that waits; if none does, the next `wait` returns at once. A waiter
/// looks at its condition again after it was woken: the event carries no value.
#[derive(Clone)]
pub struct Event {
    core: Core,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Counts notifications, so that a waiter knows one has happened since it came.
    epoch: Cell<u64>,
    stored: Cell<bool>,
    waiters: RefCell<Vec<Waker>>,
}

impl Event {
    pub(crate) fn new(core: Core) -> Self {
        Self {
            core,
            shared: Rc::default(),
        }
    }

    /// Wakes all waiters, or lets the next `wait` pass.
    pub fn notify(&self) {
        self.shared
            .epoch
            .set(self.shared.epoch.get().wrapping_add(1));
        let waiters = std::mem::take(&mut *self.shared.waiters.borrow_mut());
        if waiters.is_empty() {
            self.shared.stored.set(true);
            return;
        }
        self.core.mark_runnable();
        for waker in waiters {
            waker.wake();
        }
    }

    /// Waits for the next notification.
    pub fn wait(&self) -> Wait<'_> {
        Wait {
            event: self,
            since: None,
        }
    }
}

/// The future of [`Event::wait`]; dropping it forgets the wish.
pub struct Wait<'a> {
    event: &'a Event,
    since: Option<u64>,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shared = &self.event.shared;
        let epoch = shared.epoch.get();
        if shared.stored.take() || self.since.is_some_and(|since| since != epoch) {
            return Poll::Ready(());
        }
        let mut waiters = shared.waiters.borrow_mut();
        if !waiters.iter().any(|waker| waker.will_wake(context.waker())) {
            waiters.push(context.waker().clone());
        }
        drop(waiters);
        self.since = Some(epoch);
        Poll::Pending
    }
}
