//! Idle connections to servers, kept for the next request.
//!
//! A core keeps its own, and asks another one before it opens a connection. A connection that its server has closed, or on which the server spoke out
//! of turn, is never handed out: it is noticed when it is taken and when the pool is swept.

mod lending;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::limits::POOL_PER_CORE_MAX;
use crate::mux::Link;
use crate::plan::PoolTerms;
use crate::server::ServerState;

use lending::Asked;
pub use lending::{Answer, Asking, Wish};

/// What two connections must share so that one can stand in for the other.
///
/// Beside the server itself: everything that was said on the connection before the first request
/// (PROXY header, TLS server name). Connections without any of it have key 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Key(pub u64);

/// An idle connection.
pub struct Idle {
    pub link: Link,
    pub key: Key,
    /// Requests that it has carried.
    pub carried: u32,
    pub since_ms: u64,
    /// Our address on it.
    pub local: Option<std::net::SocketAddr>,
    /// The server's.
    pub peer: Option<std::net::SocketAddr>,
}

impl Idle {
    /// Whether nothing has come and nothing has ended on it.
    pub fn is_quiet(&self) -> bool {
        is_quiet(&self.link)
    }

    /// Closes it.
    pub fn end(self) {
        end(&self.link);
    }
}

/// The idle connections of one core.
pub struct Pool {
    core: usize,
    /// By the address of the server's runtime state, which outlives a reload.
    servers: RefCell<HashMap<usize, Shelf>>,
    held: Cell<usize>,
    asked: Asked,
}

struct Shelf {
    server: Arc<ServerState>,
    idle: Vec<Idle>,
    /// How many connections the traffic of the last seconds used at once: more are not kept.
    need: usize,
    purge_delay_ms: u64,
    next_purge_ms: u64,
}

impl Pool {
    pub fn new(core: usize) -> Self {
        Self {
            core,
            servers: RefCell::default(),
            held: Cell::new(0),
            asked: Asked::default(),
        }
    }

    /// Idle connections held for all servers together.
    pub fn held(&self) -> usize {
        self.held.get()
    }

    /// The connection of `server` that was used last, if it is still good and has carried at least
    /// `carried_min` requests.
    pub fn take(&self, server: &Arc<ServerState>, key: Key, carried_min: u32) -> Option<Idle> {
        if self.held.get() == 0 {
            return None;
        }
        let mut servers = self.servers.borrow_mut();
        let shelf = servers.get_mut(&identity(server))?;
        let fits = |idle: &Idle| idle.key == key && idle.carried >= carried_min;
        while let Some(position) = shelf.idle.iter().rposition(fits) {
            let idle = shelf.idle.remove(position);
            self.dropped(server, 1);
            if idle.is_quiet() {
                return Some(idle);
            }
        }
        None
    }

    /// Keeps a connection, if the server's terms allow and the load may need it.
    pub fn put(&self, server: &Arc<ServerState>, idle: Idle, terms: PoolTerms) {
        let is_unwanted = terms.purge_delay_ms == 0
            || self.held.get() >= POOL_PER_CORE_MAX
            || terms.max.is_some_and(|max| server.idle_total() >= max);
        if is_unwanted || !idle.is_quiet() {
            return idle.end();
        }
        let mut servers = self.servers.borrow_mut();
        let shelf = servers.entry(identity(server)).or_insert_with(|| Shelf {
            server: Arc::clone(server),
            idle: Vec::new(),
            need: 1,
            purge_delay_ms: terms.purge_delay_ms,
            next_purge_ms: 0,
        });
        shelf.need = shelf.need.max(server.in_use() as usize);
        shelf.purge_delay_ms = terms.purge_delay_ms;
        if shelf.idle.len() >= shelf.need {
            // What its server has closed meanwhile takes no place.
            let before = shelf.idle.len();
            shelf.idle.retain(Idle::is_quiet);
            self.dropped(server, before - shelf.idle.len());
        }
        if shelf.idle.len() >= shelf.need {
            return idle.end();
        }
        shelf.idle.push(idle);
        self.held.set(self.held.get() + 1);
        server.add_idle(self.core);
    }

    /// Keeps a connection that came too late from another core. One was opened in its place: with
    /// both, the next request need not wait for a core that is slow to answer.
    fn put_late(&self, server: &Arc<ServerState>, idle: Idle, terms: PoolTerms) {
        if let Some(shelf) = self.servers.borrow_mut().get_mut(&identity(server)) {
            shelf.need += 1;
        }
        self.put(server, idle, terms);
    }

    /// Closes what the servers have ended, and each `pool-purge-delay` half of what has been idle
    /// for that long.
    pub fn sweep(&self, now_ms: u64) {
        for shelf in self.servers.borrow_mut().values_mut() {
            let before = shelf.idle.len();
            shelf.need = (shelf.need + shelf.server.in_use() as usize)
                .div_ceil(2)
                .max(1);
            shelf.idle.retain(Idle::is_quiet);
            if now_ms >= shelf.next_purge_ms {
                let delay_ms = shelf.purge_delay_ms;
                shelf.next_purge_ms = now_ms + delay_ms;
                let is_old = |idle: &&Idle| now_ms.saturating_sub(idle.since_ms) >= delay_ms;
                let old = shelf.idle.iter().filter(is_old).count();
                // The oldest stand first: the last one put is the first one taken.
                shelf.idle.drain(..old.div_ceil(2)).for_each(Idle::end);
            }
            self.dropped(&shelf.server, before - shelf.idle.len());
        }
    }

    /// Closes all connections of a server that is no longer used.
    pub fn clear(&self, server: &Arc<ServerState>) {
        if let Some(shelf) = self.servers.borrow_mut().remove(&identity(server)) {
            self.dropped(server, shelf.idle.len());
            shelf.idle.into_iter().for_each(Idle::end);
        }
    }

    /// Closes everything.
    pub fn clear_all(&self) {
        for (_, shelf) in self.servers.borrow_mut().drain() {
            self.dropped(&shelf.server, shelf.idle.len());
            shelf.idle.into_iter().for_each(Idle::end);
        }
    }

    fn dropped(&self, server: &Arc<ServerState>, count: usize) {
        self.held.set(self.held.get() - count);
        for _ in 0..count {
            server.remove_idle(self.core);
        }
    }
}

fn identity(server: &Arc<ServerState>) -> usize {
    Arc::as_ptr(server) as usize
}

/// Closes a connection on which everything has been said.
///
/// With a reset: the side that closes first would keep the port for a minute (TIME_WAIT), and it
/// is this side that needs a port for each connection. A connection that the server has ended
/// already goes the usual way, at no cost.
pub fn end(link: &Link) {
    if is_quiet(link) {
        link.abort();
    }
}

/// Whether nothing has come and nothing has ended on an idle connection.
fn is_quiet(link: &Link) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    link.unsent() == 0 && matches!(link.poll_more(0, &mut cx), Poll::Pending)
}
