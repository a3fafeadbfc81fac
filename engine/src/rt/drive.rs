//! The driver task: turns the core whenever the other tasks have had their turn.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use reactor::{Core, Wait};

use super::with_core;

/// Times that tasks which woke each other run before the kernel is asked again.
const LOCAL_ROUNDS_MAX: u32 = 8;

/// Ends the driver.
pub(super) struct Stop {
    core: Core,
    stopped: Rc<Cell<bool>>,
}

impl Stop {
    pub(super) fn stop(&self) {
        self.stopped.set(true);
        self.core.mark_runnable();
    }
}

/// Starts the driver on the current executor.
pub(super) fn start(core: Core) -> Stop {
    let stopped = Rc::new(Cell::new(false));
    glommio::spawn_local(drive(core.clone(), stopped.clone())).detach();
    Stop { core, stopped }
}

/// Lets all other tasks that can run do so once.
pub fn yield_now() -> impl Future<Output = ()> {
    // The caller queues behind the driver, which must not sleep before it.
    with_core(Core::mark_runnable);
    step_back()
}

/// To the end of the executor's queue.
fn step_back() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// The executor runs tasks in the order in which they were woken. What the turn wakes stands
/// before the driver; what those tasks wake stands behind it, hence the rounds.
async fn drive(core: Core, stopped: Rc<Cell<bool>>) {
    // glommio polls a new task at once, inside the spawn: the main future has not begun yet.
    step_back().await;
    loop {
        let mut rounds = 0;
        while rounds < LOCAL_ROUNDS_MAX && core.take_runnable() {
            step_back().await;
            rounds += 1;
        }
        if stopped.get() {
            return;
        }
        let wait = if rounds == LOCAL_ROUNDS_MAX {
            Wait::Poll
        } else {
            Wait::Block
        };
        core.turn(wait);
        step_back().await;
    }
}
