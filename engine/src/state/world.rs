//! What expressions ask of the process where no core serves a stream: at the start and in checks.

use std::sync::Arc;

use super::Runtime;
use crate::log::Purpose;
use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::sample::pattern::{PatternId, PatternView};
use crate::sample::{Cx, PatternChange, ProxyCounters, ServerCounters, Value, World};
use crate::server::WEIGHT_SCALE;
use crate::table::{Table, TableId};

/// The process as the control thread sees it.
pub struct ProcessWorld {
    runtime: Arc<Runtime>,
}

impl ProcessWorld {
    pub fn new(runtime: Arc<Runtime>) -> Self {
        Self { runtime }
    }

    fn server(&self, server: ServerId) -> &Arc<crate::server::ServerState> {
        &self.runtime.servers[server.index()]
    }
}

impl World for ProcessWorld {
    fn proxy_name(&self, proxy: ProxyId) -> &str {
        &self.runtime.plan.proxy(proxy).name
    }

    fn proxy_number(&self, proxy: ProxyId) -> u32 {
        self.runtime.plan.proxy(proxy).number
    }

    fn server_name(&self, server: ServerId) -> &str {
        &self.runtime.plan.server(server).name
    }

    fn server_number(&self, server: ServerId) -> u32 {
        self.server(server).id()
    }

    fn listener_name(&self, listener: ListenerId) -> Option<&str> {
        let listener = self.runtime.plan.listeners.get(listener.index())?;
        listener.bind.name.as_deref()
    }

    fn usable_servers(&self, backend: ProxyId) -> u32 {
        let Some(state) = &self.runtime.backends[backend.index()] else {
            return 0;
        };
        let usable = state.usable();
        if usable.active > 0 {
            usable.active
        } else {
            usable.backup
        }
    }

    fn server_is_up(&self, server: ServerId) -> bool {
        self.server(server).is_usable()
    }

    fn server_counters(&self, server: ServerId) -> ServerCounters {
        let state = self.server(server);
        let total = self.runtime.stats.servers[server.index()].total(self.now_ms());
        ServerCounters {
            connections: state.in_use(),
            free: state
                .limit()
                .map(|limit| limit.saturating_sub(state.in_use())),
            queue: state.queued(),
            weight: state.effective_weight().div_ceil(WEIGHT_SCALE),
            initial_weight: state.initial_weight(),
            user_weight: state.user_weight(),
            session_rate: total.sessions.per_second as u32,
        }
    }

    fn proxy_counters(&self, proxy: ProxyId) -> ProxyCounters {
        let total = self.runtime.stats.proxies[proxy.index()].total(self.now_ms());
        let plan = self.runtime.plan.proxy(proxy);
        let servers = plan
            .backend
            .iter()
            .flat_map(|backend| backend.servers.iter());
        let servers: Vec<_> = servers.map(|&server| self.server(server)).collect();
        let queue = self.runtime.backends[proxy.index()]
            .as_ref()
            .map_or(0, |backend| backend.queued());
        let free = |state: &&Arc<crate::server::ServerState>| {
            let limit = state.limit()?;
            Some(limit.saturating_sub(state.in_use()))
        };
        let slots = |state: &&Arc<crate::server::ServerState>| {
            let places = state.maxqueue().checked_sub(state.queued());
            (state.maxqueue() > 0).then_some(free(state)? + places.unwrap_or(0))
        };
        ProxyCounters {
            frontend_connections: total.front.open.now as u32,
            backend_connections: total.back.service.open.now as u32,
            free: servers.iter().map(free).sum(),
            slots: servers.iter().map(slots).sum(),
            queue,
            total_queue: queue + servers.iter().map(|state| state.queued()).sum::<u32>(),
            frontend_session_rate: total.front.sessions.per_second as u32,
            backend_session_rate: total.back.service.sessions.per_second as u32,
            request_rate: total.front.requests.per_second as u32,
        }
    }

    fn process_connections(&self) -> u32 {
        self.runtime.process_gate.used()
    }

    fn is_stopping(&self) -> bool {
        let stopping = &self.runtime.process.stopping;
        stopping.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn uptime_s(&self) -> u64 {
        self.now_ms()
            .saturating_sub(self.runtime.process.started_ms)
            / 1000
    }

    /// A backend's own format serves its checks.
    fn make_unique_id(&self, cx: &Cx<'_>) -> Vec<u8> {
        let proxy = self.runtime.plan.proxy(cx.session.frontend);
        let of_frontend = proxy
            .frontend
            .as_ref()
            .and_then(|side| side.unique_id.as_ref());
        let of_backend = proxy
            .backend
            .as_ref()
            .and_then(|side| side.unique_id.as_ref());
        let mut text = Vec::new();
        if let Some(format) = of_frontend.or(of_backend) {
            format.render(cx, Purpose::Http, &mut text);
        }
        text
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn host_name(&self) -> &str {
        &self.runtime.plan.process.host_name
    }

    fn proc_var(&self, slot: u32) -> Option<Value<'static>> {
        self.runtime.proc_vars.now(slot)
    }

    fn set_proc_var(&self, slot: u32, value: Option<Value<'static>>) {
        self.runtime.proc_vars.set(slot, value);
    }

    fn patterns(&self) -> PatternView<'_> {
        PatternView::of_all(&self.runtime.patterns)
    }

    fn change_patterns(&self, set: PatternId, change: PatternChange) {
        // A key that is no pattern of one of the file's uses changes nothing, as in HAProxy.
        let _ = self.runtime.patterns.change(set, change);
    }

    fn table(&self, table: TableId) -> Option<&Arc<Table>> {
        self.runtime.tables.get(table.index())
    }

    fn is_error_status(&self, status: u16) -> bool {
        self.runtime.plan.process.err_statuses.has(status)
    }

    fn is_failure_status(&self, status: u16) -> bool {
        self.runtime.plan.process.fail_statuses.has(status)
    }

    fn now_ms(&self) -> u64 {
        reactor::process::monotonic_ms()
    }

    fn find_server(&self, backend: &str, server: &str) -> Option<ServerId> {
        let backend = self.runtime.plan.find_backend(backend)?;
        let side = self.runtime.plan.proxy(backend).backend.as_ref()?;
        let mut servers = side.servers.iter().copied();
        servers.find(|&id| self.server_name(id) == server)
    }

    fn find_backend(&self, name: &str) -> Option<ProxyId> {
        self.runtime.plan.find_backend(name)
    }

    fn find_frontend(&self, name: &str) -> Option<ProxyId> {
        self.runtime.plan.find_frontend(name)
    }
}
