//! One client connection, from its first byte to its last.

mod admit;
mod idle;
mod proxy_header;

use std::future::Future;
use std::rc::Rc;

use cfgparse::model::Mode;
use reactor::Accepted;

use crate::gate::Pass;
use crate::mux::Link;
use crate::plan::ListenerId;
use crate::sample::{SessionFacts, VarStore};
use crate::state::Generation;
use crate::stream::{self, Client, Entry, Fault, Local, Next, Stream};

/// Serves one connection until it ends. `pass` is its right to be open.
///
/// The future is what an idle connection costs most. It keeps what it captured where it is, while
/// an `async fn` would keep its arguments twice; what is only needed for a while is boxed.
pub fn run(
    local: Rc<Local>,
    accepted: Accepted,
    listener: ListenerId,
    pass: Pass,
) -> impl Future<Output = ()> {
    let generation = local.generation();
    let mut client = begin(&local, &generation, accepted, listener);
    async move {
        let (local, generation) = (&*local, &*generation);
        let entry = Rc::clone(&client.entry);
        let registered = local.streams.add(entry);
        let open = Open::count(local, generation, listener);
        if admit::connection(local, generation, &mut client)
            && (!admit::shakes_hands(generation, &client)
                || Box::pin(admit::handshakes(local, generation, &mut client)).await)
            && admit::session(local, generation, &mut client)
        {
            match generation.plan().proxy(client.frontend).mode {
                Mode::Http => http(local, generation, &mut client).await,
                _ => Box::pin(tcp(local, generation, &mut client)).await,
            }
        }
        stream::session_ends(&mut client, local.core.now_ms());
        drop((open, registered));
        drop(pass);
    }
}

fn begin(
    local: &Local,
    generation: &Generation,
    accepted: Accepted,
    listener: ListenerId,
) -> Client {
    let plan = generation.plan().listener(listener);
    let frontend = plan.frontend;
    let mut facts = SessionFacts::new(frontend, listener);
    admit::address(&accepted, &mut facts);
    facts.accepted_us = local.clock().unix_us;
    let source = facts.src;
    let sock = local.core.socket(accepted.fd);
    admit::tune(&sock, generation.plan().proxy(frontend), &plan.bind);
    Client {
        link: Link::Plain(sock),
        frontend,
        facts,
        vars: VarStore::default(),
        timer: local.core.timer(),
        entry: Entry::new(frontend, source, local.core.now_ms()),
        exchanges: 0,
        ready_us: local.core.now_us(),
        is_drained: true,
        expects_proxy: plan.bind.accept_proxy,
        is_raw: generation.plan().proxy(frontend).mode == Mode::Tcp,
        unread: None,
        is_private: false,
        own: None,
    }
}

async fn http(local: &Local, generation: &Generation, client: &mut Client) {
    loop {
        let begun = match idle::next_request(local, generation, client).await {
            Ok(begun_ms) => begun_ms,
            Err(None) => break,
            Err(Some(fault)) => {
                exchange(local, generation, client, Err(fault)).await;
                break;
            }
        };
        if exchange(local, generation, client, Ok(begun)).await == Next::Close {
            break;
        }
    }
    idle::close(local, generation, client).await;
}

/// One exchange in borrowed memory; what is held between two of them stays small.
async fn exchange(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
    begun: Result<u64, Fault>,
) -> Next {
    let mut exchange = local.take_exchange();
    idle::begin(local, client, &mut exchange);
    let mut stream = Stream {
        local,
        generation,
        client,
        exchange: &mut exchange,
    };
    let next = match begun {
        Ok(begun_ms) => {
            stream.exchange.marks.begun_ms = begun_ms;
            Box::pin(stream::run(&mut stream)).await
        }
        Err(fault) => stream::fail(&mut stream, fault),
    };
    client.unread = exchange.take_rest().map(Box::new);
    client.is_drained = client.unread.is_none();
    client.ready_us = local.core.now_us();
    client.entry.between_exchanges();
    local.keep_exchange(exchange);
    next
}

async fn tcp(local: &Local, generation: &Generation, client: &mut Client) {
    let mut exchange = local.take_exchange();
    idle::begin(local, client, &mut exchange);
    let mut stream = Stream {
        local,
        generation,
        client,
        exchange: &mut exchange,
    };
    Box::pin(stream::run_tcp(&mut stream)).await;
    local.keep_exchange(exchange);
    idle::close(local, generation, client).await;
}

/// The counters of open connections, lowered when dropped.
struct Open<'a> {
    generation: &'a Generation,
    listener: ListenerId,
}

impl<'a> Open<'a> {
    fn count(local: &Local, generation: &'a Generation, listener: ListenerId) -> Self {
        let now_ms = local.core.now_ms();
        let stats = &generation.stats;
        let front = stats.front(generation.plan().listener(listener).frontend);
        stats.process.open.enter(now_ms);
        stats.process.connections.hit(now_ms);
        front.open.enter(now_ms);
        front.connections.hit(now_ms);
        stats.listener(listener).open.enter(now_ms);
        stats.listener(listener).connections.inc();
        Self {
            generation,
            listener,
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let stats = &self.generation.stats;
        let frontend = self.generation.plan().listener(self.listener).frontend;
        stats.process.open.leave();
        stats.front(frontend).open.leave();
        stats.listener(self.listener).open.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    /// Most of what an idle connection costs.
    #[test]
    fn the_task_of_a_connection_is_small() {
        let bytes = size_of_future(run);
        assert!(bytes <= 640, "{bytes}");
    }
}
