//! One client connection, from its first byte to its last.

mod admit;
mod idle;
mod proxy_header;

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
pub async fn run(local: Rc<Local>, accepted: Accepted, listener: ListenerId, pass: Pass) {
    let generation = local.generation();
    let frontend = generation.plan().listener(listener).frontend;
    let entry = Entry::new(frontend);
    let _registered = local.streams.add(Rc::clone(&entry));
    let open = Open::count(&local, &generation, listener);
    let mut facts = SessionFacts::new(frontend, listener);
    admit::address(&accepted, &mut facts);
    facts.accepted_us = local.clock().unix_us;
    let sock = local.core.socket(accepted.fd);
    admit::tune(&sock, generation.plan().proxy(frontend));
    let mut client = Client {
        link: Link::Plain(sock),
        frontend,
        facts,
        vars: VarStore::default(),
        timer: local.core.timer(),
        entry,
        exchanges: 0,
        ready_us: local.core.now_us(),
        is_drained: true,
        own: None,
    };
    if admit::admit(&local, &generation, &mut client).await {
        match generation.plan().proxy(frontend).mode {
            Mode::Http => http(&local, &generation, &mut client).await,
            _ => tcp(&local, &generation, &mut client).await,
        }
    }
    drop(open);
    drop(pass);
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
    client.is_drained = exchange.is_request_over();
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
