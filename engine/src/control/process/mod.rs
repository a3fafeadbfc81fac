//! The running process as the control thread changes it.
//!
//! Invariant: nothing else writes a server's state or weight. Every change goes the same way: the
//! state, a new view of its backend for all cores, what follows for queued requests, streams and
//! tracking servers, and last the words about it.

mod agent;
mod change;
mod dump;
mod dynamic;
mod limits;
mod operate;
mod page;
mod resolved;
mod settle;
#[cfg(test)]
mod tests;
mod words;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cfgparse::Severity;
use cfgparse::model::global::Global;

use super::ops::{Later, SocketFacts};
use super::resolvers::Resolvers;
use crate::check::agent::Agent;
use crate::check::run::Watched;
use crate::log::Level;
use crate::mesh::{Mesh, ToShard};
use crate::plan::{Proxy, ProxyId, ServerId};
use crate::sample::Clock;
use crate::server::{Registry, ServerState};
use crate::state::{FrontendStatus, Runtime};

pub use resolved::News;
pub use settle::Settlements;

/// What the process needs of the thread that it lives on.
pub trait Surroundings {
    /// Milliseconds on the cores' clock.
    fn now_ms(&self) -> u64;
    /// The time of day.
    fn clock(&self) -> Clock;
    /// Writes a line to the logs of a proxy.
    fn log(&self, proxy: &Proxy, level: Level, text: &str);
    /// Tells whoever watches the process's standard error.
    fn print(&self, severity: Severity, text: &str);
    /// Completes after a while.
    fn sleep(&self, delay_ms: u64) -> Later<()>;
}

/// The process, owned by the control thread.
pub struct Process {
    runtime: Arc<Runtime>,
    mesh: Arc<Mesh>,
    surroundings: Rc<dyn Surroundings>,
    settlements: Settlements,
    /// By [`ServerId`]: the checks that run.
    checks: Vec<Option<Rc<Watched>>>,
    /// By [`ServerId`]: the agents that are asked.
    agents: Vec<Option<Rc<Agent>>>,
    sockets: Vec<SocketFacts>,
    /// For servers that come and go.
    registry: Registry,
    global: Box<Global>,
    /// Entries that deleted servers have left.
    free_servers: Vec<ServerId>,
    resolvers: Option<Rc<Resolvers>>,
}

impl Process {
    pub fn new(
        runtime: Arc<Runtime>,
        mesh: Arc<Mesh>,
        surroundings: Rc<dyn Surroundings>,
        sockets: Vec<SocketFacts>,
        registry: Registry,
        global: Box<Global>,
    ) -> Self {
        let checks = runtime.servers.iter().map(|_| None).collect();
        let agents = runtime.servers.iter().map(|_| None).collect();
        runtime
            .process
            .admin_sockets
            .store(sockets.len() as u32, Ordering::Relaxed);
        let settlements = Settlements::default();
        Self {
            runtime,
            mesh,
            surroundings,
            settlements,
            checks,
            agents,
            sockets,
            registry,
            global,
            free_servers: Vec::new(),
            resolvers: None,
        }
    }

    /// Who follows the names of servers.
    pub fn resolved_by(&mut self, resolvers: Rc<Resolvers>) {
        self.resolvers = Some(resolvers);
    }

    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// The checks of a server run now.
    pub fn checked_by(&mut self, server: ServerId, watched: Rc<Watched>) {
        watched.enable(
            self.runtime.watches[server.index()]
                .check_enabled
                .load(Ordering::Relaxed),
        );
        self.checks[server.index()] = Some(watched);
    }

    /// All cores have applied what was sent before the settlement of this number.
    pub fn cores_settled(&self, number: u64) {
        self.settlements.settled(number);
    }

    /// Gives the memory of expired keys back, to be called every second: a table that nobody asks
    /// for new keys would hold them.
    pub fn forget_expired(&self) {
        let now_ms = self.surroundings.now_ms();
        for table in &self.runtime.tables {
            table.drop_expired(now_ms);
        }
    }

    /// Moves slow starts on, to be called every second (manual 5.2, `slowstart`).
    pub fn advance_slowstarts(&mut self) {
        let now_ms = self.surroundings.now_ms();
        for index in 0..self.runtime.servers.len() {
            if self.runtime.servers[index].advance_slowstart(now_ms) {
                let server = ServerId(index as u32);
                self.refresh(self.runtime.plan.server(server).backend);
                let state = self.server(server);
                state.backend().serve(state);
            }
        }
    }

    /// Accepts no more and checks no more; every core ends when its last connection has.
    pub fn stop_softly(&mut self) {
        let runtime = Arc::clone(&self.runtime);
        if runtime.process.stopping.swap(true, Ordering::Relaxed) {
            return;
        }
        for proxy in runtime
            .plan
            .proxies
            .iter()
            .filter(|proxy| !proxy.section.disabled)
        {
            let standing = &runtime.standings[proxy.id.index()];
            if standing.frontend() != FrontendStatus::Stopped || proxy.frontend.is_none() {
                standing.set_frontend(FrontendStatus::Stopped);
                self.say_stopped(proxy);
            }
        }
        self.checks
            .iter()
            .flatten()
            .for_each(|watched| watched.stop());
        self.agents
            .iter()
            .flatten()
            .for_each(|agent| agent.is_enabled.set(false));
        self.mesh.broadcast(|| ToShard::SoftStop);
    }

    /// Ends every core now.
    pub fn stop(&self) {
        self.mesh.broadcast(|| ToShard::Stop);
    }

    fn server(&self, id: ServerId) -> &Arc<ServerState> {
        &self.runtime.servers[id.index()]
    }

    /// `backend/server`.
    fn name(&self, id: ServerId) -> String {
        let server = self.server(id);
        format!("{}/{}", server.backend().name(), server.name())
    }

    fn tell(&mut self, message: impl Fn() -> ToShard) {
        self.mesh.broadcast(message);
        self.settlements.note();
    }

    /// Shows all cores a backend as its servers stand now; true if it has just lost the last one.
    fn refresh(&mut self, backend: ProxyId) -> bool {
        let Some(view) = self.runtime.view_now(backend) else {
            return false;
        };
        view.install();
        let standing = &self.runtime.standings[backend.index()];
        // Before the cores are told: one that comes up between the two looks here.
        let lost = standing.replace(Arc::clone(&view), self.surroundings.now_ms());
        self.tell(|| ToShard::Adopt {
            backend,
            view: Arc::clone(&view),
        });
        lost
    }

    /// A warning for the operator, in the logs of the proxy and on standard error.
    fn say(&self, proxy: ProxyId, level: Level, text: &str) {
        self.runtime
            .process
            .warnings
            .fetch_add(1, Ordering::Relaxed);
        self.surroundings.print(Severity::Warning, text);
        self.surroundings
            .log(self.runtime.plan.proxy(proxy), level, text);
    }

    /// A backend has lost its last server.
    fn say_no_server(&self, backend: ProxyId) {
        let proxy = self.runtime.plan.proxy(backend);
        let kind = if proxy.frontend.is_some() {
            "proxy"
        } else {
            "backend"
        };
        let quoted = format!("'{}'", proxy.name);
        self.surroundings.print(
            Severity::Alert,
            &crate::check::no_server_text(kind, &quoted),
        );
        let text = crate::check::no_server_text(kind, &proxy.name);
        self.surroundings.log(proxy, Level::Emerg, &text);
    }
}
