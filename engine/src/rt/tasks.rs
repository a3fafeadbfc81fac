//! The tasks of this thread's core, remembered so that they end with it.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use reactor::Core;
use slab::Slab;

use super::{with_core, yield_now};

/// Rounds in which tasks may be dropped that other tasks spawned while they were dropped.
const END_ROUNDS: u32 = 4;

thread_local! {
    /// A task without a handle has not returned from its first steps yet.
    static TASKS: RefCell<Slab<Option<glommio::Task<()>>>> = const { RefCell::new(Slab::new()) };
}

/// Starts a task on this thread's core. It runs until it ends or the core does.
///
/// The task's first steps, up to where it first waits, run inside this call.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    let key = TASKS.with_borrow_mut(|tasks| tasks.insert(None));
    let handle = glommio::spawn_local(Listed {
        task,
        entry: Some(Entry(key)),
    });
    let ended = TASKS.with_borrow_mut(|tasks| match tasks.get_mut(key) {
        Some(entry @ None) => {
            *entry = Some(handle);
            None
        }
        _ => Some(handle),
    });
    if let Some(handle) = ended {
        handle.detach();
    }
    // A task that yielded in its first steps queues behind the driver, which must not sleep.
    with_core(Core::mark_runnable);
}

/// Drops all tasks: those that wait for each other would otherwise stay for ever, as nothing but
/// their wakers owns them.
pub(super) async fn end_all() {
    for _ in 0..END_ROUNDS {
        let handles = TASKS.take();
        if handles.is_empty() {
            return;
        }
        // Dropping a handle cancels its task; the executor drops the future in its turn.
        drop(handles);
        yield_now().await;
        yield_now().await;
    }
}

pin_project! {
    /// A task with its place in the list. (An `async` block would keep room for the task twice:
    /// as what it captured and as what it awaits.)
    struct Listed<F> {
        #[pin]
        task: F,
        entry: Option<Entry>,
    }
}

impl<F: Future<Output = ()>> Future for Listed<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let polled = this.task.poll(context);
        if polled.is_ready() {
            // Here and not when the future is dropped: glommio never frees a task whose handle
            // goes while it takes the future apart.
            *this.entry = None;
        }
        polled
    }
}

/// A task's place in the list, given up when the task ends.
struct Entry(usize);

impl Drop for Entry {
    fn drop(&mut self) {
        let handle = TASKS
            .with_borrow_mut(|tasks| tasks.try_remove(self.0))
            .flatten();
        if let Some(handle) = handle {
            handle.detach();
        }
    }
}
