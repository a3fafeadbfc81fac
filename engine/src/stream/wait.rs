//! Waiting for one thing while a timeout, the client's leaving or an order to end may come first.

use std::future::poll_fn;
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
            Self::Ended(cause) => cause,
        };
        Fault::new(cause, phase)
    }
}

/// Polls `what` until it is ready or the patience is over.
pub async fn wait<T>(
    local: &Local,
    client: &Client,
    patience: Patience,
    mut what: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Result<T, Interrupted> {
    poll_fn(|cx| {
        if let Poll::Ready(value) = what(cx) {
            return Poll::Ready(Ok(value));
        }
        match interrupted(local, client, patience, cx) {
            Some(interrupted) => Poll::Ready(Err(interrupted)),
            None => Poll::Pending,
        }
    })
    .await
}

/// What cuts a wait short now; registers the task's waker for what may later.
pub fn interrupted(
    local: &Local,
    client: &Client,
    patience: Patience,
    cx: &mut Context<'_>,
) -> Option<Interrupted> {
    if let Some(cause) = client.entry.ended_by() {
        return Some(Interrupted::Ended(cause));
    }
    client.entry.watch(cx.waker());
    if patience.watches_client && has_left(client, cx) {
        return Some(Interrupted::ClientGone);
    }
    match patience.until_ms {
        None => client.timer.clear(),
        Some(until_ms) if local.core.now_ms() >= until_ms => return Some(Interrupted::TimedOut),
        Some(until_ms) => {
            client.timer.set(until_ms);
            // Registers the waker; if it has fired meanwhile, the next look says so.
            if client.timer.poll_expired(cx).is_ready() && local.core.now_ms() >= until_ms {
                return Some(Interrupted::TimedOut);
            }
        }
    }
    None
}

/// Whether the client closed its connection, or at least its direction of it.
fn has_left(client: &Client, cx: &mut Context<'_>) -> bool {
    match client.link.poll_more(client.link.queued(), cx) {
        Poll::Ready(Readable::Eof | Readable::Failed(_)) => true,
        Poll::Ready(Readable::Data) | Poll::Pending => false,
    }
}
