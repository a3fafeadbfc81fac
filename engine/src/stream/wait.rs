//! Waiting for one thing while a timeout, the client's leaving or an order to end may come first.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

use reactor::Readable;

use super::{Client, Fault, Local};
use crate::log::{Cause, Phase};

/// What may cut a wait short.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// Milliseconds of the core's clock; `None` waits without end.
    pub until_ms: Option<u64>,
    /// Give up when the client has closed (manual, `option abortonclose`).
    pub watches_client: bool,
}

/// Why a wait was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    TimedOut,
    ClientGone,
    /// Somebody asked for the end.
    Ended(Cause),
}

impl Interrupted {
    /// The fault that it is in a phase where a timeout is `on_timeout`'s doing.
    pub fn fault(self, on_timeout: Cause, phase: Phase) -> Fault {
        let cause = match self {
            Self::TimedOut => on_timeout,
            Self::ClientGone => Cause::ClientAbort,
            // HAProxy tells every stream that it ends by order as one that had no server yet.
            Self::Ended(cause) => return Fault::new(cause, Phase::Connect),
        };
        Fault::new(cause, phase)
    }
}

/// Polls `what` until it is ready or the patience is over.
///
/// No `async fn`, which would keep its arguments twice: this is where a connection idles.
pub fn wait<T>(
    local: &Local,
    client: &Client,
    patience: Patience,
    mut what: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> impl Future<Output = Result<T, Interrupted>> {
    poll_fn(move |cx| {
        if let Poll::Ready(value) = what(cx) {
            return Poll::Ready(Ok(value));
        }
        match interrupted(local, client, patience, cx) {
            Some(interrupted) => Poll::Ready(Err(interrupted)),
            None => Poll::Pending,
        }
    })
}

/// What cuts a wait short now; registers the task's waker for what may later.
fn interrupted(
    local: &Local,
    client: &Client,
    patience: Patience,
    cx: &mut Context<'_>,
) -> Option<Interrupted> {
    if let Some(broken) = broken(client, patience.watches_client, cx) {
        return Some(broken);
    }
    let Some(until_ms) = patience.until_ms else {
        client.timer.clear();
        return None;
    };
    is_over(local, client, until_ms, cx).then_some(Interrupted::TimedOut)
}

/// Whether somebody asked for the end, or the client has left.
pub fn broken(client: &Client, watches_client: bool, cx: &mut Context<'_>) -> Option<Interrupted> {
    if let Some(cause) = client.entry.ended_by() {
        return Some(Interrupted::Ended(cause));
    }
    client.entry.watch(cx.waker());
    (watches_client && has_left(client, cx)).then_some(Interrupted::ClientGone)
}

/// Whether a moment has come; otherwise the task is woken when it does.
pub fn is_over(local: &Local, client: &Client, until_ms: u64, cx: &mut Context<'_>) -> bool {
    // The millisecond in which it was set had begun already: a wait is never too short.
    let until_ms = until_ms + 1;
    if local.core.now_ms() >= until_ms {
        return true;
    }
    client.timer.set(until_ms);
    // Registers the waker; if an earlier setting fired meanwhile, the clock decides.
    client.timer.poll_expired(cx).is_ready() && local.core.now_ms() >= until_ms
}

/// Whether the client closed its connection, or at least its direction of it. In `mode tcp` what it
/// said before goes to the server all the same.
fn has_left(client: &Client, cx: &mut Context<'_>) -> bool {
    if client.is_raw && client.link.queued() > 0 {
        return false;
    }
    match client.link.poll_more(client.link.queued(), cx) {
        Poll::Ready(Readable::Eof | Readable::Failed(_)) => true,
        Poll::Ready(Readable::Data) | Poll::Pending => false,
    }
}
