//! Idle connections on their way between cores.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use reactor::{Core, Detached};

use super::{Idle, Key, Pool};
use crate::mux::Link;
use crate::plan::PoolTerms;
use crate::server::ServerState;

/// What one core asks of another: an idle connection.
pub struct Wish {
    pub server: Arc<ServerState>,
    pub key: Key,
    pub carried_min: u32,
    /// Who asks, and the number that the answer has to bear.
    pub core: usize,
    pub number: u64,
    pub terms: PoolTerms,
}

/// The answer to a wish.
pub struct Answer {
    number: u64,
    server: Arc<ServerState>,
    terms: PoolTerms,
    parcel: Option<Parcel>,
}

/// A connection between two cores.
struct Parcel {
    connection: Detached,
    key: Key,
    carried: u32,
    since_ms: u64,
    local: Option<SocketAddr>,
    peer: Option<SocketAddr>,
}

/// What this core has asked and not been told yet.
#[derive(Default)]
pub(super) struct Asked {
    pending: RefCell<Vec<Pending>>,
    numbers: RefCell<u64>,
}

struct Pending {
    number: u64,
    waker: Option<Waker>,
    answer: Poll<Option<Idle>>,
}

/// A wish that was sent; forgotten when dropped.
pub struct Asking<'a> {
    pool: &'a Pool,
    number: u64,
}

impl Pool {
    /// A wish for a connection of `server`, and the core to send it to; `None` if no other core
    /// has any, or all together have too few (manual, `pool-low-conn`).
    pub fn wish(
        &self,
        server: &Arc<ServerState>,
        key: Key,
        carried_min: u32,
        terms: PoolTerms,
    ) -> Option<(usize, Wish, Asking<'_>)> {
        let holder = server.idle_elsewhere(self.core)?;
        if server.idle_total() < terms.low {
            return None;
        }
        let number = {
            let mut numbers = self.asked.numbers.borrow_mut();
            *numbers += 1;
            *numbers
        };
        self.asked.pending.borrow_mut().push(Pending {
            number,
            waker: None,
            answer: Poll::Pending,
        });
        let wish = Wish {
            server: Arc::clone(server),
            key,
            carried_min,
            core: self.core,
            number,
            terms,
        };
        Some((holder, wish, Asking { pool: self, number }))
    }

    /// Takes a connection out for another core.
    pub async fn lend(&self, wish: Wish) -> (usize, Answer) {
        let idle = self.take(&wish.server, wish.key, wish.carried_min);
        let parcel = match idle {
            Some(idle) => pack(idle).await,
            None => None,
        };
        let answer = Answer {
            number: wish.number,
            server: wish.server,
            terms: wish.terms,
            parcel,
        };
        (wish.core, answer)
    }

    /// An answer is here. What comes too late for who asked is kept for the next.
    pub fn answered(&self, core: &Core, answer: Answer) {
        let idle = answer.parcel.map(|parcel| parcel.unpack(core));
        let mut pending = self.asked.pending.borrow_mut();
        let asker = pending
            .iter_mut()
            .find(|pending| pending.number == answer.number);
        if let Some(asker) = asker {
            asker.answer = Poll::Ready(idle);
            let waker = asker.waker.take();
            drop(pending);
            if let Some(waker) = waker {
                waker.wake();
            }
            return;
        }
        drop(pending);
        if let Some(idle) = idle {
            self.put_late(&answer.server, idle, answer.terms);
        }
    }
}

impl Asking<'_> {
    /// The connection, or `None` if there was none after all.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Idle>> {
        let mut pending = self.pool.asked.pending.borrow_mut();
        let Some(mine) = pending.iter_mut().find(|mine| mine.number == self.number) else {
            return Poll::Ready(None);
        };
        let answer = std::mem::replace(&mut mine.answer, Poll::Pending);
        if answer.is_pending() {
            mine.waker = Some(cx.waker().clone());
        }
        answer
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut pending = self.pool.asked.pending.borrow_mut();
        let place = pending.iter().position(|mine| mine.number == self.number);
        let mine = place.map(|place| pending.swap_remove(place));
        drop(pending);
        // An answer that nobody looked at: the connection ends in order.
        if let Some(Pending {
            answer: Poll::Ready(Some(idle)),
            ..
        }) = mine
        {
            idle.end();
        }
    }
}

/// Only a plain connection can move: a TLS session's state belongs to its core.
async fn pack(idle: Idle) -> Option<Parcel> {
    let Link::Plain(sock) = idle.link else {
        return None;
    };
    let connection = sock.into_fd().await.ok()?;
    // Bytes that came out of turn meanwhile: nobody can use it any more.
    connection.received.is_empty().then_some(Parcel {
        connection,
        key: idle.key,
        carried: idle.carried,
        since_ms: idle.since_ms,
        local: idle.local,
        peer: idle.peer,
    })
}

impl Parcel {
    fn unpack(self, core: &Core) -> Idle {
        Idle {
            link: Link::Plain(core.socket(self.connection.fd)),
            key: self.key,
            carried: self.carried,
            since_ms: self.since_ms,
            local: self.local,
            peer: self.peer,
        }
    }
}
