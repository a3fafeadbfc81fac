//! The immutable runtime form of a configuration: dense, addressed by id, shared by all cores.

mod backend;
mod compile;
mod errors;
mod ids;
mod listener;
mod logging;
mod process;
mod proxy;
mod server;
mod statuses;
mod stick;

pub use backend::{
    Backend, Key, Persist, PersistRule, Redispatch, RetryOn, ServerTarget, Trouble, UseServer,
};
pub use compile::{Compiled, Machine, StartSource, StartValue, compile};
pub use errors::{ErrorPage, ErrorPages};
pub use ids::{ListenerId, ProxyId, ResolversId, ServerId};
pub use listener::Listener;
pub use logging::{Destination, LogForward, LogInput, LogSink, LogTarget, RingServer, RingSpec};
pub use process::Process;
pub use proxy::{
    AddressField, CookieCapture, Forwarded, Frontend, HeaderCapture, Options, Proxy, Route,
    RouteTarget, Rulesets, Said, StatsPage, Timeouts,
};
pub use server::{
    Endpoint, PoolTerms, Presents, ProxyHeader, Resolving, Server, ServerCheck, Source,
};
pub use statuses::Statuses;
pub use stick::StickRule;

use std::collections::HashMap;
use std::sync::Arc;

use crate::probe::Ruleset;
use crate::slots::{Current, Slots};

/// One configuration, ready to run. What changes while it runs lives in `server`, `stats` and
/// `shard`; here, only an operator adds, renames and deletes servers.
#[derive(Debug)]
pub struct Plan {
    pub process: Process,
    /// By [`ListenerId`].
    pub listeners: Box<[Listener]>,
    /// By [`ProxyId`].
    pub proxies: Box<[Proxy]>,
    /// By [`ServerId`].
    pub servers: Slots<Current<Server>>,
    /// Every distinct log target, by index.
    pub log_targets: Box<[LogTarget]>,
    pub rings: Box<[RingSpec]>,
    pub log_forwards: Box<[LogForward]>,
    /// By `TableId`.
    pub tables: Box<[crate::table::Spec]>,
    /// By `CacheId`.
    pub caches: Box<[crate::cache::Settings]>,
    /// By [`ResolversId`].
    pub resolvers: Box<[crate::resolve::Section]>,
    /// `healthcheck` sections by name.
    pub healthchecks: HashMap<String, Arc<Ruleset>>,
}

impl Plan {
    pub fn listener(&self, id: ListenerId) -> &Listener {
        &self.listeners[id.index()]
    }

    pub fn proxy(&self, id: ProxyId) -> &Proxy {
        &self.proxies[id.index()]
    }

    pub fn server(&self, id: ServerId) -> &Server {
        &self.servers[id.index()]
    }

    /// What checks of a server of this backend say and hear.
    pub fn check_rules(
        &self,
        line: &cfgparse::model::Server,
        backend: ProxyId,
    ) -> Option<&Arc<Ruleset>> {
        match &line.check.healthcheck {
            Some(name) => self.healthchecks.get(name),
            None => self.proxy(backend).backend.as_ref()?.check.as_ref(),
        }
    }

    /// The proxy of this name that has a server side.
    pub fn find_backend(&self, name: &str) -> Option<ProxyId> {
        let found = |proxy: &&Proxy| proxy.backend.is_some() && &*proxy.name == name;
        self.proxies.iter().find(found).map(|proxy| proxy.id)
    }

    /// The proxy of this name that has a client side.
    pub fn find_frontend(&self, name: &str) -> Option<ProxyId> {
        let found = |proxy: &&Proxy| proxy.frontend.is_some() && &*proxy.name == name;
        self.proxies.iter().find(found).map(|proxy| proxy.id)
    }
}
