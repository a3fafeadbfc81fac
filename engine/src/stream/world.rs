//! What expressions ask of the process, answered by one core.

use std::cell::{OnceCell, Ref};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;

use reactor::Sock;

use super::exchange::Marks;
use super::{Local, journal};
use crate::cache::{Cache, CacheId};
use crate::log::{Profile, Purpose};
use crate::mux::Link;
use crate::plan::{ListenerId, Plan, ProxyId, ServerId};
use crate::sample::pattern::{PatternId, PatternView, Patterns};
use crate::sample::{
    Cx, LogOrigin, PacketMark, PatternChange, ProxyCounters, ProxyTimeout, ServerCounters, Side,
    TcpMeasures, Timers, Value, World,
};
use crate::state::Generation;
use crate::table::{Table, TableId};

/// The process as one core sees it while it evaluates.
pub struct CoreWorld<'a> {
    pub local: &'a Local,
    pub generation: &'a Generation,
    pub client: &'a Link,
    /// The server's connection, once it stands.
    pub server: Option<&'a Sock>,
    pub marks: &'a Marks,
    /// Filled by the first look at a set.
    pub patterns: OnceCell<Ref<'a, Patterns>>,
}

impl CoreWorld<'_> {
    fn plan(&self) -> &Plan {
        self.generation.plan()
    }
}

impl World for CoreWorld<'_> {
    fn proxy_name(&self, proxy: ProxyId) -> &str {
        &self.plan().proxy(proxy).name
    }

    fn proxy_number(&self, proxy: ProxyId) -> u32 {
        self.plan().proxy(proxy).number
    }

    fn heeds_proxy_fields(&self, frontend: ProxyId) -> bool {
        self.plan().proxy(frontend).options.proxy_header
    }

    fn server_name(&self, server: ServerId) -> &str {
        &self.plan().server(server).name
    }

    fn server_number(&self, server: ServerId) -> u32 {
        self.generation.server(server).id()
    }

    fn listener_name(&self, listener: ListenerId) -> Option<&str> {
        self.plan().listener(listener).bind.name.as_deref()
    }

    fn listener_number(&self, listener: ListenerId) -> u32 {
        self.plan().listener(listener).number
    }

    fn default_backend(&self, frontend: ProxyId) -> Option<ProxyId> {
        match self
            .plan()
            .proxy(frontend)
            .frontend
            .as_ref()?
            .default_backend
            .as_ref()?
        {
            crate::plan::RouteTarget::Backend(backend) => Some(*backend),
            crate::plan::RouteTarget::Named(_) => None,
        }
    }

    fn usable_servers(&self, backend: ProxyId) -> u32 {
        let Some(state) = &self.generation.runtime.backends[backend.index()] else {
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
        self.generation.server(server).is_usable()
    }

    fn server_counters(&self, server: ServerId) -> ServerCounters {
        let state = self.generation.server(server);
        let now_ms = self.local.core.now_ms();
        ServerCounters {
            connections: state.in_use(),
            free: state
                .limit()
                .map(|limit| limit.saturating_sub(state.in_use())),
            queue: state.queued(),
            weight: state
                .effective_weight()
                .div_ceil(crate::server::WEIGHT_SCALE),
            initial_weight: state.initial_weight(),
            user_weight: state.user_weight(),
            session_rate: self
                .generation
                .stats
                .server(server)
                .sessions
                .everywhere(now_ms) as u32,
        }
    }

    fn proxy_counters(&self, proxy: ProxyId) -> ProxyCounters {
        let now_ms = self.local.core.now_ms();
        let stats = &self.generation.stats;
        let plan = self.plan().proxy(proxy);
        let servers: Vec<_> = plan
            .backend
            .iter()
            .flat_map(|backend| backend.servers.iter())
            .map(|&server| self.generation.server(server))
            .collect();
        let queue = self.generation.runtime.backends[proxy.index()]
            .as_ref()
            .map_or(0, |backend| backend.queued());
        let (front, back) = (stats.front(proxy), &stats.back(proxy).service);
        ProxyCounters {
            frontend_connections: front.open.everywhere() as u32,
            backend_connections: back.open.everywhere() as u32,
            free: servers
                .iter()
                .map(|state| {
                    state
                        .limit()
                        .map(|limit| limit.saturating_sub(state.in_use()))
                })
                .sum(),
            slots: servers
                .iter()
                .map(|state| {
                    let places = state.maxqueue().checked_sub(state.queued());
                    let free = state.limit()?.saturating_sub(state.in_use());
                    (state.maxqueue() > 0).then(|| free + places.unwrap_or(0))
                })
                .sum(),
            queue,
            total_queue: queue + servers.iter().map(|state| state.queued()).sum::<u32>(),
            frontend_session_rate: front.sessions.everywhere(now_ms) as u32,
            backend_session_rate: back.sessions.everywhere(now_ms) as u32,
            request_rate: front.requests.everywhere(now_ms) as u32,
        }
    }

    fn listener_connections(&self, listener: ListenerId) -> u32 {
        self.generation.stats.listener(listener).open.everywhere() as u32
    }

    fn process_connections(&self) -> u32 {
        self.generation.runtime.process_gate.used()
    }

    fn make_unique_id(&self, cx: &Cx<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        let frontend = self.plan().proxy(cx.session.frontend).frontend.as_ref();
        if let Some(format) = frontend.and_then(|frontend| frontend.unique_id.as_ref()) {
            format.render(cx, Purpose::Http, &mut text);
        }
        text
    }

    fn write_log(&self, cx: &Cx<'_>, origin: LogOrigin, profile: Option<&Profile>) {
        journal::write_now(self.local, self.generation, cx, origin, profile);
    }

    fn timers(&self) -> Timers {
        // Rules see none but requests that are fit so far.
        let marks = Marks {
            request_is_fit: true,
            ..*self.marks
        };
        marks.timers(self.local.core.now_us())
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        // The kernel knows its interfaces of this moment; sockets are bound to nothing else.
        address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
    }

    fn max_retries(&self, backend: ProxyId) -> u32 {
        let backend = self.plan().proxy(backend).backend.as_ref();
        backend.map_or(0, |backend| backend.retries)
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn host_name(&self) -> &str {
        &self.plan().process.host_name
    }

    fn core(&self) -> u32 {
        self.local.index as u32
    }

    fn is_stopping(&self) -> bool {
        self.local.is_stopping.get()
    }

    fn uptime_s(&self) -> u64 {
        let started_ms = self.generation.runtime.process.started_ms;
        self.local.core.now_ms().saturating_sub(started_ms) / 1000
    }

    fn proc_var(&self, slot: u32) -> Option<Value<'static>> {
        let vars = &self.generation.runtime.proc_vars;
        self.local.proc_vars.value(vars, slot)
    }

    fn set_proc_var(&self, slot: u32, value: Option<Value<'static>>) {
        self.generation.runtime.proc_vars.set(slot, value);
    }

    fn patterns(&self) -> PatternView<'_> {
        let live = &self.generation.runtime.patterns;
        let core = &self.local.patterns;
        PatternView::of_core(live, core, self.patterns.get_or_init(|| core.follow(live)))
    }

    fn change_patterns(&self, set: PatternId, change: PatternChange) {
        // A key that is no pattern of one of the file's uses changes nothing, as in HAProxy.
        let _ = self.generation.runtime.patterns.change(set, change);
    }

    fn proxy_timeout_ms(&self, proxy: ProxyId, which: ProxyTimeout) -> Option<u32> {
        let timeouts = &self.plan().proxy(proxy).timeouts;
        let ms = match which {
            ProxyTimeout::Client => timeouts.client_ms,
            ProxyTimeout::Connect => timeouts.connect_ms,
            ProxyTimeout::Server => timeouts.server_ms,
            ProxyTimeout::Queue => timeouts.queue_ms,
            ProxyTimeout::Tarpit => timeouts.tarpit_ms,
            ProxyTimeout::Tunnel => timeouts.tunnel_ms,
        };
        ms.map(|ms| ms as u32)
    }

    fn tcp_measures(&self, side: Side) -> Option<TcpMeasures> {
        let socket = match side {
            Side::Client => Some(self.client.sock()),
            Side::Server => self.server,
        };
        let info = socket?.options(|socket| Ok(reactor::net::tcp_info(socket.as_fd())));
        let info = info.ok()??;
        Some(TcpMeasures {
            rtt_us: info.rtt_us,
            rttvar_us: info.rttvar_us,
            unacked: info.unacked,
            sacked: info.sacked,
            lost: info.lost,
            retrans: info.retrans,
            fackets: info.fackets,
            reordering: info.reordering,
        })
    }

    fn public_key(&self, path: &[u8]) -> Option<&[u8]> {
        self.plan().process.public_keys.key(path)
    }

    fn server_side_source(&self) -> Option<SocketAddr> {
        self.server?.local_addr().ok()?.as_socket()
    }

    fn mark_packets(&self, mark: PacketMark) -> bool {
        let marked = self.client.sock().options(|socket| match mark {
            PacketMark::Tos(tos) => reactor::net::set_type_of_service(socket.as_fd(), tos),
            PacketMark::Mark(mark) => reactor::net::set_mark(socket.as_fd(), mark),
        });
        marked.is_ok()
    }

    fn find_server(&self, backend: &str, server: &str) -> Option<ServerId> {
        let backend = self.plan().find_backend(backend)?;
        let mut servers = self
            .plan()
            .proxy(backend)
            .backend
            .as_ref()?
            .servers
            .iter()
            .copied();
        servers.find(|&id| &*self.plan().server(id).name == server)
    }

    fn table(&self, table: TableId) -> Option<&Arc<Table>> {
        self.generation.runtime.tables.get(table.index())
    }

    fn cache(&self, cache: CacheId) -> Option<&Arc<Cache>> {
        self.generation.runtime.caches.get(cache.index())
    }

    fn is_error_status(&self, status: u16) -> bool {
        self.plan().process.err_statuses.has(status)
    }

    fn is_failure_status(&self, status: u16) -> bool {
        self.plan().process.fail_statuses.has(status)
    }

    fn now_ms(&self) -> u64 {
        self.local.core.now_ms()
    }

    fn find_backend(&self, name: &str) -> Option<ProxyId> {
        self.plan().find_backend(name)
    }

    fn find_frontend(&self, name: &str) -> Option<ProxyId> {
        self.plan().find_frontend(name)
    }
}
