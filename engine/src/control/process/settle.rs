//! Waiting until all cores have applied what they were told.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::control::ops::Later;
use crate::mesh::Mesh;

/// Numbers settlements and knows which are done.
#[derive(Default)]
pub struct Settlements {
    asked: u64,
    /// Something was sent that nobody has asked about yet.
    open: Cell<bool>,
    done: Rc<Done>,
}

#[derive(Default)]
struct Done {
    last: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Settlements {
    /// Something was sent to the cores.
    pub fn note(&self) {
        self.open.set(true);
    }

    /// Completes when everything sent so far is in effect; `None` if nothing was sent since the
    /// last time.
    pub fn settle(&mut self, mesh: &Mesh) -> Option<Later<()>> {
        self.open.take().then(|| self.ask(mesh))
    }

    /// Completes when everything sent so far is in effect.
    pub fn ask(&mut self, mesh: &Mesh) -> Later<()> {
        self.asked += 1;
        mesh.settle(self.asked);
        Box::pin(Settled {
            number: self.asked,
            done: Rc::clone(&self.done),
        })
    }

    /// The cores have answered. Messages keep their order, so older settlements are done too.
    pub fn settled(&self, number: u64) {
        self.done.last.set(self.done.last.get().max(number));
        let waiting = std::mem::take(&mut *self.done.waiting.borrow_mut());
        waiting.into_iter().for_each(Waker::wake);
    }
}

struct Settled {
    number: u64,
    done: Rc<Done>,
}

impl Future for Settled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.done.last.get() >= self.number {
            return Poll::Ready(());
        }
        self.done.waiting.borrow_mut().push(context.waker().clone());
        Poll::Pending
    }
}
