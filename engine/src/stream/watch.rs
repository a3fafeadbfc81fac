//! The inactivity timeouts of both sides, kept with one timer.

use std::task::{Context, Poll};

use super::wait::is_over;
use super::{Client, Local};
use crate::mux::Link;

/// One of the two connections of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// Watches both connections (manual, `timeout client`, `timeout server`).
///
/// A side is watched only while something is expected of it: more of its message, or that it takes
/// what waits for it. Every byte that passes in either direction starts its time anew.
pub struct Watch {
    client: Activity,
    server: Activity,
}

struct Activity {
    timeout_ms: Option<u64>,
    was_awaited: bool,
    is_half_closed: bool,
    /// From when something is expected.
    since_ms: u64,
}

impl Watch {
    /// Both sides count as active now.
    pub fn new(client_ms: Option<u64>, server_ms: Option<u64>, now_ms: u64) -> Self {
        Self {
            client: Activity::new(client_ms, now_ms),
            server: Activity::new(server_ms, now_ms),
        }
    }

    /// One direction towards a side has ended: what is still expected of it has a time of its own
    /// (manual, `timeout client-fin`, `timeout server-fin`).
    pub fn half_closed(&mut self, side: Side, fin_ms: Option<u64>) {
        let activity = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        if fin_ms.is_some() && !std::mem::replace(&mut activity.is_half_closed, true) {
            activity.timeout_ms = fin_ms;
            activity.was_awaited = false;
        }
    }

    /// Ready with the side that has not moved a byte for its timeout, although it is `awaited`
    /// (client, server).
    pub fn poll(
        &mut self,
        local: &Local,
        client: &Client,
        server: &Link,
        awaited: [bool; 2],
        cx: &mut Context<'_>,
    ) -> Poll<Side> {
        let now_ms = local.core.now_ms();
        let client_ms = self.client.deadline(&client.link, awaited[0], now_ms);
        let server_ms = self.server.deadline(server, awaited[1], now_ms);
        let (side, until_ms) = match (client_ms, server_ms) {
            (None, None) => {
                client.timer.clear();
                return Poll::Pending;
            }
            (Some(client_ms), None) => (Side::Client, client_ms),
            (None, Some(server_ms)) => (Side::Server, server_ms),
            (Some(client_ms), Some(server_ms)) if client_ms <= server_ms => {
                (Side::Client, client_ms)
            }
            (Some(_), Some(server_ms)) => (Side::Server, server_ms),
        };
        if is_over(local, client, until_ms, cx) {
            Poll::Ready(side)
        } else {
            Poll::Pending
        }
    }
}

impl Activity {
    fn new(timeout_ms: Option<u64>, now_ms: u64) -> Self {
        Self {
            timeout_ms,
            was_awaited: false,
            is_half_closed: false,
            since_ms: now_ms,
        }
    }

    fn deadline(&mut self, link: &Link, awaited: bool, now_ms: u64) -> Option<u64> {
        let timeout_ms = self.timeout_ms?;
        if awaited && !self.was_awaited {
            self.since_ms = now_ms;
        }
        self.was_awaited = awaited;
        awaited.then(|| link.moved_ms().max(self.since_ms) + timeout_ms)
    }
}
