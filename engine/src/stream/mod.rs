//! One exchange, from the request's first byte to the last log line.

mod buffer;
mod cached;
mod client;
mod coding;
mod connect;
mod connection_rules;
mod control;
mod decide;
mod error;
mod exchange;
mod fault;
mod finish;
mod forwarded;
mod hash;
mod journal;
mod judge;
mod local;
mod neighbours;
mod observe;
mod persist;
mod proxy_header;
mod queue;
mod registry;
mod relay;
mod reply;
mod request;
mod resolve;
mod response;
mod retry;
mod route;
mod run;
mod socks4;
mod source;
mod stats_page;
mod stick;
mod tcp;
mod tickets;
mod track;
mod tunnel;
mod wait;
mod watch;
mod world;

use cfgparse::model::Mode;
use cfgparse::model::proxy::HttpConnection;
use wire::h1::Limits;

pub use client::Client;
pub use connect::tune;
pub use connection_rules::{admits_connection, admits_session, refused};
pub use control::{Asked, Control, Order, Question};
pub use exchange::Exchange;
pub use fault::Fault;
pub use local::{Local, Ways};
pub use neighbours::{Neighbours, NewClient};
pub use registry::{Entry, Registered, Registry};
pub use run::{fail, run};
pub use tcp::run as run_tcp;
pub use tickets::Tickets;
pub use track::{session_begins, session_ends};
pub use wait::{Interrupted, Patience, wait};

use crate::plan::{Options, ProxyId, ServerId};
use crate::state::Generation;
use crate::stats::ListenerCounters;

/// What the connection does after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another request may come.
    Again,
    Close,
}

/// One exchange with everything that its stages work on.
pub struct Stream<'a> {
    pub local: &'a Local,
    pub generation: &'a Generation,
    pub client: &'a mut Client,
    pub exchange: &'a mut Exchange,
}

impl Stream<'_> {
    /// The proxy on whose server side the exchange is: the frontend until one is chosen.
    pub fn backend(&self) -> ProxyId {
        self.exchange.facts.backend.unwrap_or(self.client.frontend)
    }

    fn backend_options(&self) -> &Options {
        &self.generation.plan().proxy(self.backend()).options
    }

    fn front_options(&self) -> &Options {
        &self.generation.plan().proxy(self.client.frontend).options
    }

    /// Whether the connection speaks HTTP.
    pub fn is_http(&self) -> bool {
        self.generation.plan().proxy(self.client.frontend).mode == Mode::Http
    }

    /// Manual, `option abortonclose`. A client of `mode tcp` that leaves without a word is not kept
    /// either way.
    fn aborts_on_close(&self) -> bool {
        self.backend_options().abort_on_close || !self.is_http()
    }

    /// The bounds of heads in this process.
    fn limits(&self) -> &Limits {
        &self.generation.plan().process.head_limits
    }

    /// Whether the client's connection may go on after a response: `option httpclose` speaks of
    /// the side it stands on (manual, `option httpclose`).
    fn client_may_live(&self) -> bool {
        self.front_options().connection != HttpConnection::Close && !self.local.is_stopping.get()
    }

    /// Whether the server's connection may: `option http-server-close` holds from either side.
    fn server_may_live(&self) -> bool {
        self.backend_options().connection == HttpConnection::KeepAlive
            && self.front_options().connection != HttpConnection::ServerClose
    }

    fn count_on_listener(&self, count: impl FnOnce(&ListenerCounters)) {
        count(self.generation.stats.listener(self.client.facts.listener));
    }

    /// Counts the exchange as begun on the server side of `backend`.
    fn enter_backend(&mut self, backend: ProxyId) {
        let now_ms = self.local.core.now_ms();
        self.exchange.facts.backend = Some(backend);
        if backend != self.client.frontend {
            // What the frontend's rules set was meant for its own servers (manual, 4.4 `set-timeout`).
            self.exchange.facts.retries_max = None;
            self.exchange.overrides.forget_server_side();
        }
        self.client.entry.backend.set(Some(backend));
        persist::enter(self);
        let service = &self.generation.stats.back(backend).service;
        service.open.enter(now_ms);
        service.sessions.hit(now_ms);
        service.requests.inc();
        service.last_session.mark(now_ms);
        if let Some(state) = &self.generation.runtime.backends[backend.index()] {
            state.session_begins();
        }
        self.exchange.counted.backend = Some(backend);
    }

    /// Counts the exchange as begun on `server`, and as ended on the one tried before.
    fn enter_server(&mut self, server: ServerId) {
        let now_ms = self.local.core.now_ms();
        self.leave_server();
        let service = self.generation.stats.server(server);
        service.open.enter(now_ms);
        service.sessions.hit(now_ms);
        service.last_session.mark(now_ms);
        self.exchange.counted.server = Some(server);
    }

    fn leave_server(&mut self) {
        if let Some(server) = self.exchange.counted.server.take() {
            self.generation.stats.server(server).open.leave();
        }
    }

    /// Counts the exchange as ended wherever it was counted as begun.
    fn leave_all(&mut self) {
        self.leave_server();
        if let Some(backend) = self.exchange.counted.backend.take() {
            self.generation.stats.back(backend).service.open.leave();
            if let Some(state) = &self.generation.runtime.backends[backend.index()] {
                state.session_ends();
            }
        }
    }
}
