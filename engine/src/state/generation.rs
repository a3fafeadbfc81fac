//! One plan as one core runs it: the plan itself, the state that outlives it, this core's counters.

use std::cell::RefCell;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use super::{ProcessState, Standing, Watch};
use crate::balance::View;
use crate::gate::Gate;
use crate::logger::Servers;
use crate::plan::{Endpoint, Plan, ProxyId, Server, ServerId};
use crate::ring::Ring;
use crate::sample::ProcVars;
use crate::sample::pattern::LivePatterns;
use crate::server::{BackendState, ServerState};
use crate::slots::{Current, Slots};
use crate::stats::{CoreStats, Stats};
use crate::table::Table;
use crate::tls;

/// What all cores share of one generation beside the plan.
pub struct Runtime {
    pub plan: Arc<Plan>,
    /// By [`ServerId`].
    pub servers: Slots<Current<Arc<ServerState>>>,
    /// By [`ProxyId`]; `None` for a proxy without a server side.
    pub backends: Box<[Option<Arc<BackendState>>]>,
    pub stats: Arc<Stats>,
    /// The process's `maxconn`.
    pub process_gate: Arc<Gate>,
    /// By [`ProxyId`]; `None` for a proxy without a client side.
    pub frontend_gates: Box<[Option<Arc<Gate>>]>,
    /// By `ListenerId`; `None` without a `maxconn` of its own.
    pub listener_gates: Box<[Option<Arc<Gate>>]>,
    /// Where connections to each server go now, by [`ServerId`].
    pub endpoints: Slots<RwLock<Endpoint>>,
    pub patterns: LivePatterns,
    pub proc_vars: ProcVars,
    pub tls: tls::Contexts,
    /// By `ListenerId`: the context in [`Self::tls`] of a line that says `ssl`.
    pub tls_of_listener: Box<[Option<usize>]>,
    /// By [`ServerId`]: likewise for `ssl` and `check-ssl`.
    pub tls_of_server: Slots<Current<Option<usize>>>,
    /// By ring, then by its server: likewise.
    pub tls_of_rings: Box<[Vec<Option<usize>>]>,
    /// By [`ServerId`]: what the control thread alone changes.
    pub watches: Slots<Current<Watch>>,
    /// By [`ProxyId`]: how the two sides of each proxy stand.
    pub standings: Box<[Standing]>,
    /// By `CacheId`.
    pub caches: Box<[Arc<crate::cache::Cache>]>,
    /// By `TableId`.
    pub tables: Box<[Arc<Table>]>,
    /// By [`ProxyId`]: lines that the frontend has written, counted where a format shows it.
    pub log_counters: Box<[AtomicU64]>,
    /// By `log-forward` section: its `maxconn`.
    pub log_forward_gates: Box<[Arc<Gate>]>,
    /// By `log-forward` section, then by its `bind` line: the context of one that says `ssl`.
    pub tls_of_log_forwards: Box<[Vec<Option<usize>>]>,
    /// By the plan's index.
    pub rings: Box<[Arc<Ring>]>,
    pub process: ProcessState,
}

/// A [`Runtime`] with what one core keeps for it.
pub struct Generation {
    pub runtime: Arc<Runtime>,
    pub stats: CoreStats,
    /// By [`ProxyId`]: the servers that new requests may go to.
    views: RefCell<Box<[Option<Arc<View>>]>>,
}

impl Generation {
    /// A generation as core number `core` runs it.
    pub fn new(runtime: Arc<Runtime>, views: Box<[Option<Arc<View>>]>, core: usize) -> Self {
        let stats = runtime.stats.on_core(core);
        Self {
            runtime,
            stats,
            views: RefCell::new(views),
        }
    }

    pub fn plan(&self) -> &Plan {
        &self.runtime.plan
    }

    /// The servers that new requests of a backend may go to.
    pub fn view(&self, backend: ProxyId) -> Option<Arc<View>> {
        self.views.borrow()[backend.index()].clone()
    }

    /// Replaces them: from now on every choice is made by the new picture.
    pub fn adopt(&self, backend: ProxyId, view: Arc<View>) {
        self.views.borrow_mut()[backend.index()] = Some(view);
    }

    pub fn server(&self, id: ServerId) -> &Arc<ServerState> {
        &self.runtime.servers[id.index()]
    }

    /// Where connections to a server go now. Read-mostly: written by admin commands and DNS only.
    pub fn endpoint(&self, server: &Server) -> Endpoint {
        let endpoint = &self.runtime.endpoints[server.id.index()];
        endpoint
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Servers for Runtime {
    fn view(&self, backend: ProxyId) -> Option<Arc<View>> {
        self.standings[backend.index()].backend().view.clone()
    }

    fn endpoint(&self, server: ServerId) -> Endpoint {
        let endpoint = &self.endpoints[server.index()];
        endpoint
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
