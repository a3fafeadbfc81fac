//! How a request waits for a permit, and how it learns that it has one.

use std::collections::HashMap;
use std::sync::Arc;

use super::line::{Key, Line};
use super::{BackendState, Permit, ServerState};

/// Whom to wake: the core that owns the waiting request, and that core's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    pub core: u32,
    pub ticket: u64,
}

/// Wakes a waiting request on its own core; called on the core that frees a permit.
///
/// It may be called before the waiter has gone to sleep, and at most once for each wait.
pub trait Wake: Send + Sync {
    fn wake(&self, token: Token);
}

/// A request's place in the order of a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order {
    /// `set-priority-class`: lower is served earlier.
    pub class: i32,
    /// `set-priority-offset`, in ms: negative is earlier.
    pub offset_ms: i32,
    /// When the request came, in ms.
    pub now_ms: u64,
    /// Bound to the server it waits for, even if that goes down (`force-persist`).
    pub pinned: bool,
}

/// What becomes of a request that asks for a permit.
#[derive(Debug)]
pub enum Admission {
    Granted(Permit),
    Queued(Waiting),
    /// The server's queue has reached `maxqueue`: try another server.
    QueueFull,
}

/// What became of a waiting request.
#[derive(Debug)]
pub enum Outcome {
    Pending,
    Granted {
        permit: Permit,
        /// Requests served from this queue since this one entered it (`%sq`, `%bq`).
        ahead: u32,
    },
    /// The server went down: choose another one.
    Redispatch,
}

/// Which line of a backend's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Backend,
    Server(u32),
}

/// A place in a queue, given up when dropped.
#[derive(Debug)]
pub struct Waiting {
    pub(super) backend: Arc<BackendState>,
    /// The one server it waits for; any server of the backend if `None`.
    pub(super) server: Option<Arc<ServerState>>,
    pub(super) key: Key,
    pub(super) settled: bool,
}

impl Waiting {
    /// Whether it waits for one server rather than for any of the backend.
    pub fn is_for_server(&self) -> bool {
        self.server.is_some()
    }

    /// What became of it. After `Granted` or `Redispatch` it is `Pending` for ever.
    pub fn outcome(&mut self) -> Outcome {
        match self.backend.settle(self.key.arrival) {
            Some(outcome) => {
                self.settled = true;
                outcome
            }
            None => Outcome::Pending,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.settled {
            self.backend.leave(self.server.as_deref(), self.key);
        }
    }
}

/// All queues of one backend, under one lock.
#[derive(Debug, Default)]
pub(super) struct Queues {
    pub backend: Line,
    servers: Vec<Line>,
    settled: HashMap<u64, Outcome>,
    arrivals: u64,
}

impl Queues {
    pub fn key(&mut self, order: &Order) -> Key {
        self.arrivals += 1;
        let now_ms = i64::try_from(order.now_ms).unwrap_or(i64::MAX / 2);
        Key {
            class: order.class,
            time_ms: now_ms + i64::from(order.offset_ms),
            arrival: self.arrivals,
        }
    }

    pub fn server(&mut self, slot: u32) -> &mut Line {
        let index = slot as usize;
        if self.servers.len() <= index {
            self.servers.resize_with(index + 1, Line::default);
        }
        &mut self.servers[index]
    }

    pub fn at(&mut self, place: Place) -> &mut Line {
        match place {
            Place::Backend => &mut self.backend,
            Place::Server(slot) => self.server(slot),
        }
    }

    /// The line whose head `server` must serve next, by the order of both heads.
    pub fn next_for(&mut self, server: &ServerState) -> Option<Place> {
        let own = self.server(server.slot()).head();
        let shared = if server.serves_backend_queue() {
            self.backend.head()
        } else {
            None
        };
        match (own, shared) {
            (None, None) => None,
            (None, Some(_)) => Some(Place::Backend),
            (Some(own), Some(shared)) if shared < own => Some(Place::Backend),
            (Some(_), _) => Some(Place::Server(server.slot())),
        }
    }

    pub fn settle(&mut self, arrival: u64, outcome: Outcome) {
        self.settled.insert(arrival, outcome);
    }

    pub fn take_settled(&mut self, arrival: u64) -> Option<Outcome> {
        self.settled.remove(&arrival)
    }
}
