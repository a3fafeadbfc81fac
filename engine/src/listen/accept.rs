//! One listening socket on one core: accept, wait for room, hand over to a session.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use reactor::{Accepted, Listener};

use crate::gate::Pass;
use crate::plan::ListenerId;
use crate::rt;
use crate::session;
use crate::stream::{Local, NewClient};

/// What a listener is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Accept,
    /// Connections wait in the kernel.
    Pause,
    Close,
}

/// The switch of one listener, held by its core.
pub struct Switch {
    pub listener: ListenerId,
    wanted: Cell<Wanted>,
    waker: RefCell<Option<Waker>>,
}

impl Switch {
    pub fn new(listener: ListenerId) -> Rc<Self> {
        Rc::new(Self {
            listener,
            wanted: Cell::new(Wanted::Accept),
            waker: RefCell::default(),
        })
    }

    /// Changes what the listener does; a closed one stays closed.
    pub fn set(&self, wanted: Wanted) {
        if self.wanted.get() != Wanted::Close {
            self.wanted.set(wanted);
        }
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// Accepts until the switch says otherwise.
pub async fn run(local: Rc<Local>, socket: Listener, switch: Rc<Switch>) {
    while let Some(accepted) = next(&local, &socket, &switch).await {
        let pass = match enter(&local, switch.listener) {
            Some(pass) => pass,
            None => wait_for_room(&local, &socket, switch.listener).await,
        };
        if let Some(client) = hand_over(&local, accepted, switch.listener, pass) {
            serve(&local, client);
        }
    }
}

/// Serves a client that was accepted, here or on another core.
pub fn serve(local: &Rc<Local>, client: NewClient) {
    let NewClient {
        accepted,
        listener,
        pass,
    } = client;
    rt::spawn(session::run(Rc::clone(local), accepted, listener, pass));
}

/// Hands a client to a core that has fewer, before its first byte is read; it comes back if it is
/// to be served here.
fn hand_over(
    local: &Local,
    accepted: Accepted,
    listener: ListenerId,
    mut pass: Pass,
) -> Option<NewClient> {
    let other = local.loads.less_loaded(local.index, local.next_random());
    if let Some(other) = other {
        pass.move_to(other);
    }
    let client = NewClient {
        accepted,
        listener,
        pass,
    };
    let Some(other) = other else {
        return Some(client);
    };
    let mut client = local.neighbours.hand_over(other, client)?;
    client.pass.move_to(local.index);
    Some(client)
}

/// The next connection; `None` when the listener is to be closed.
async fn next(local: &Local, socket: &Listener, switch: &Switch) -> Option<Accepted> {
    let mut paused = false;
    loop {
        let accepted = poll_fn(|cx| {
            *switch.waker.borrow_mut() = Some(cx.waker().clone());
            match switch.wanted.get() {
                Wanted::Close => return Poll::Ready(None),
                Wanted::Pause if !paused => {
                    paused = true;
                    socket.pause();
                }
                Wanted::Accept if paused => {
                    paused = false;
                    socket.resume();
                }
                Wanted::Pause | Wanted::Accept => {}
            }
            if paused {
                Poll::Pending
            } else {
                socket.poll_accept(cx).map(Some)
            }
        })
        .await?;
        match accepted {
            Ok(accepted) => return Some(accepted),
            Err(_) => local.generation().stats.process.accept_errors.inc(),
        }
    }
}

/// The right to open one more connection, if there is room (manual, `maxconn`).
fn enter(local: &Local, listener: ListenerId) -> Option<Pass> {
    let generation = local.generation();
    let runtime = &generation.runtime;
    let frontend = runtime.plan.listener(listener).frontend;
    let gates = [
        Some(&runtime.process_gate),
        runtime.frontend_gates[frontend.index()].as_ref(),
        runtime.listener_gates[listener.index()].as_ref(),
    ];
    Pass::enter(gates, local.index, &local.wake, &local.loads)
}

/// Holds one connection back, and the others in the kernel, until somebody leaves.
async fn wait_for_room(local: &Local, socket: &Listener, listener: ListenerId) -> Pass {
    local.generation().stats.process.maxconn_reached.inc();
    socket.pause();
    let pass = loop {
        if let Some(pass) = enter(local, listener) {
            break pass;
        }
        local.room.wait().await;
    };
    socket.resume();
    pass
}
