//! What the admin socket's commands do to the process.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Process;
use super::change::Why;
use super::words::Told;
use crate::control::ops::{
    AdminState, CheckKind, Clear, ForcedHealth, Later, NewWeight, NotFound, Ops, RateLimit,
    ServerChange, SocketFacts, StreamFacts,
};
use crate::log::date::Date;
use crate::log::{Cause, Level};
use crate::mesh::{Listed, Streams, ToShard};
use crate::plan::{ProxyId, ServerId};
use crate::ring::Ring;
use crate::sample::ProcVars;
use crate::sample::pattern::LivePatterns;
use crate::server::UserWeight;
use crate::state::{FrontendStatus, snapshot};
use crate::stats::Snapshot;
use crate::table::Table;

const STATIC_WEIGHTS: &str =
    "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";

impl Process {
    /// By name, or `#id`.
    pub(super) fn find_proxy(
        &self,
        name: &str,
        wanted: fn(&crate::plan::Proxy) -> bool,
    ) -> Option<ProxyId> {
        let number = name
            .strip_prefix('#')
            .and_then(|number| number.parse::<u32>().ok());
        let named = |proxy: &&crate::plan::Proxy| {
            wanted(proxy) && (*proxy.name == *name || number == Some(proxy.number))
        };
        self.runtime
            .plan
            .proxies
            .iter()
            .find(named)
            .map(|proxy| proxy.id)
    }

    fn switch_frontend(&mut self, frontend: ProxyId, on: bool) {
        let runtime = Arc::clone(&self.runtime);
        let proxy = runtime.plan.proxy(frontend);
        let Some(side) = &proxy.frontend else { return };
        self.tell(|| ToShard::Accept {
            listeners: side.listeners.clone(),
            on,
        });
        let (status, word) = if on {
            (FrontendStatus::Open, "Resumed")
        } else {
            (FrontendStatus::Paused, "Paused")
        };
        runtime.standings[frontend.index()].set_frontend(status);
        self.say(
            frontend,
            Level::Warning,
            &format!("{word} frontend {}.", proxy.name),
        );
    }
}

impl Ops for Process {
    fn snapshot(&mut self) -> Snapshot {
        snapshot::take(&self.runtime, self.surroundings.now_ms())
    }

    fn version(&self) -> String {
        snapshot::VERSION.to_owned()
    }

    fn uptime_ms(&self) -> u64 {
        self.surroundings
            .now_ms()
            .saturating_sub(self.runtime.process.started_ms)
    }

    fn date(&self) -> String {
        let clock = self.surroundings.clock();
        let mut text = Vec::new();
        Date::new(clock.unix_us as i64, clock.utc_offset_s).write_log(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn settled(&mut self) -> Option<Later<()>> {
        self.settlements.settle(&self.mesh)
    }

    fn server(&self, backend: &str, server: &str) -> Result<ServerId, NotFound> {
        let backend = self.find_backend(backend).ok_or(NotFound::Backend)?;
        let number = server
            .strip_prefix('#')
            .and_then(|number| number.parse::<u32>().ok());
        let own = self
            .runtime
            .plan
            .proxy(backend)
            .backend
            .iter()
            .flat_map(|b| b.servers.iter());
        let named = |id: &&ServerId| {
            let state = &self.runtime.servers[id.index()];
            *self.runtime.plan.server(**id).name == *server || number == Some(state.id())
        };
        own.copied().find(|id| named(&id)).ok_or(NotFound::Server)
    }

    fn frontend(&self, name: &str) -> Option<ProxyId> {
        self.find_proxy(name, |proxy| proxy.frontend.is_some())
    }

    fn set_admin_state(&mut self, server: ServerId, state: AdminState) -> Result<(), String> {
        let before = self.runtime.servers[server.index()].admin();
        let after = match state {
            AdminState::Ready => before.ready(),
            AdminState::Drain => before.drain(),
            AdminState::Maint => before.maint(),
        };
        self.change_admin(server, after, Told::default());
        Ok(())
    }

    fn weight(&self, server: ServerId) -> (u32, u32) {
        let state = &self.runtime.servers[server.index()];
        (state.user_weight(), state.initial_weight())
    }

    fn set_weight(&mut self, server: ServerId, weight: NewWeight) -> Result<(), String> {
        let state = Arc::clone(&self.runtime.servers[server.index()]);
        let initial = state.initial_weight();
        let wanted = match weight {
            NewWeight::Absolute(weight) => UserWeight::Absolute(weight),
            NewWeight::Percent(percent) => UserWeight::Percent(percent),
        };
        let weight = wanted.resolve(initial);
        let backend = self.runtime.plan.server(server).backend;
        let side = self.runtime.plan.proxy(backend).backend.as_ref();
        let is_dynamic = side.is_some_and(|side| side.balance.is_dynamic());
        if !is_dynamic && weight != 0 && weight != initial {
            return Err(STATIC_WEIGHTS.to_owned());
        }
        state.set_user_weight(weight);
        if self.apply(server, None).0 {
            self.say_no_server(backend);
        }
        Ok(())
    }

    fn force_health(&mut self, server: ServerId, forced: ForcedHealth) -> Result<(), String> {
        if self.runtime.watches[server.index()].tracks.is_some() {
            return Err("cannot change health on a tracking server.".to_owned());
        }
        let state = Arc::clone(&self.runtime.servers[server.index()]);
        if let Some(mut health) = state.health() {
            match forced {
                ForcedHealth::Up | ForcedHealth::Stopping => health.fill(),
                ForcedHealth::Down => health.counter = 0,
            }
            state.set_health(Some(health));
        }
        if state.admin().in_maint() {
            return Ok(());
        }
        let now_ms = self.surroundings.now_ms();
        let change = match forced {
            ForcedHealth::Up => state.go_up(now_ms),
            ForcedHealth::Down => state.go_down(now_ms),
            ForcedHealth::Stopping => {
                // From down it comes up first, as far as the clocks of the statistics go.
                let _ = state.go_up(now_ms);
                state.go_stopping()
            }
        };
        if let Some(change) = change {
            self.went(server, change, Why::Cli);
        }
        Ok(())
    }

    fn force_agent(&mut self, server: ServerId, health: ForcedHealth) -> Result<(), String> {
        self.force(server, health)
    }

    fn set_checks(&mut self, server: ServerId, kind: CheckKind, on: bool) -> Result<(), String> {
        let runtime = Arc::clone(&self.runtime);
        let watch = &runtime.watches[server.index()];
        let watched = self.checks[server.index()].as_ref();
        match (kind, watched) {
            (CheckKind::Agent, _) if self.agents[server.index()].is_some() => {
                self.agents[server.index()]
                    .iter()
                    .for_each(|agent| agent.is_enabled.set(on));
                watch.agent_enabled.store(on, Ordering::Relaxed);
                Ok(())
            }
            (CheckKind::Health, Some(watched)) => {
                watched.enable(on);
                watch.check_enabled.store(on, Ordering::Relaxed);
                Ok(())
            }
            (_, _) if !on => Ok(()),
            // Just added: its checks begin as they are told here.
            (CheckKind::Health, None) if watch.checked => {
                watch.check_enabled.store(on, Ordering::Relaxed);
                Ok(())
            }
            (CheckKind::Health, None) => {
                Err("Health check was not configured on this server, cannot enable.".to_owned())
            }
            (CheckKind::Agent, _) => {
                Err("Agent was not configured on this server, cannot enable.".to_owned())
            }
        }
    }

    fn change_server(
        &mut self,
        server: ServerId,
        change: ServerChange,
    ) -> Result<Option<String>, String> {
        self.change(server, &change)
    }

    fn add_server(
        &mut self,
        backend: &str,
        server: &str,
        words: &[String],
    ) -> Result<String, String> {
        self.add(backend, server, words)
    }

    fn default_servers(&self, backend: &str) -> Result<Vec<(String, Vec<String>)>, String> {
        Process::default_servers(self, backend)
    }

    fn delete_server(&mut self, server: ServerId) -> Result<(), String> {
        self.delete(server)
    }

    fn removable(
        &mut self,
        backend: &str,
        server: &str,
        patience_ms: u64,
    ) -> Later<Result<String, String>> {
        Process::removable(self, backend, server, patience_ms)
    }

    fn set_server_maxconn(&mut self, server: ServerId, maxconn: u32) -> Result<(), String> {
        let state = &self.runtime.servers[server.index()];
        state.set_maxconn(maxconn);
        state.backend().serve(state);
        Ok(())
    }

    fn set_frontend_enabled(&mut self, frontend: ProxyId, on: bool) -> Result<bool, String> {
        match (self.runtime.standings[frontend.index()].frontend(), on) {
            (FrontendStatus::Stopped, _) => {
                let word = if on { "enable" } else { "disable" };
                Err(format!("Frontend was previously shut down, cannot {word}."))
            }
            (FrontendStatus::Open, true) | (FrontendStatus::Paused, false) => Ok(false),
            (FrontendStatus::Open, false) | (FrontendStatus::Paused, true) => {
                self.switch_frontend(frontend, on);
                Ok(true)
            }
        }
    }

    fn shutdown_frontend(&mut self, frontend: ProxyId) -> Result<(), String> {
        let runtime = Arc::clone(&self.runtime);
        let standing = &runtime.standings[frontend.index()];
        let proxy = runtime.plan.proxy(frontend);
        if standing.frontend() == FrontendStatus::Stopped {
            return Err("Frontend was already shut down.".to_owned());
        }
        let listeners = || {
            proxy
                .frontend
                .iter()
                .flat_map(|side| side.listeners.clone())
                .collect()
        };
        self.tell(|| ToShard::Close {
            listeners: listeners(),
        });
        standing.set_frontend(FrontendStatus::Stopped);
        self.say_stopped(proxy);
        Ok(())
    }

    fn set_frontend_maxconn(&mut self, frontend: ProxyId, maxconn: u32) -> Result<(), String> {
        if let Some(gate) = &self.runtime.frontend_gates[frontend.index()] {
            self.set_gate(gate, maxconn);
        }
        Ok(())
    }

    fn set_process_maxconn(&mut self, maxconn: Option<u32>) -> Result<(), String> {
        let hard = self.runtime.plan.process.maxconn;
        match maxconn {
            Some(maxconn) if maxconn > hard => Err("Value out of range.".to_owned()),
            wanted => {
                self.set_gate(&self.runtime.process_gate, wanted.unwrap_or(hard));
                Ok(())
            }
        }
    }

    fn set_rate_limit(&mut self, limit: RateLimit, per_second: u64) -> Result<(), String> {
        // 0 is no limit, which is how things are.
        if per_second == 0 {
            return Ok(());
        }
        let what = match limit {
            RateLimit::Connections => "connections",
            RateLimit::Sessions => "sessions",
            RateLimit::TlsSessions => "TLS sessions",
            RateLimit::Compression => "compression",
        };
        Err(format!("Limiting the rate of {what} is not supported yet."))
    }

    fn clear_counters(&mut self, clear: Clear) {
        let now_ms = self.surroundings.now_ms();
        let runtime = &self.runtime;
        if let Clear::Server(server) = clear {
            runtime.stats.servers[server.index()].clear_all(now_ms);
            runtime.servers[server.index()].clear_peaks();
            return;
        }
        runtime.stats.clear(clear == Clear::All, now_ms);
        runtime
            .servers
            .iter()
            .for_each(|server| server.clear_peaks());
        runtime
            .backends
            .iter()
            .flatten()
            .for_each(|backend| backend.clear_peaks());
        if clear == Clear::All {
            for server in runtime.servers.iter() {
                let mut report = server.check_report();
                (report.failed, report.went_down) = (0, 0);
            }
            runtime
                .standings
                .iter()
                .for_each(|standing| standing.backend().downs = 0);
        }
    }

    fn streams(&mut self) -> Result<Later<Vec<StreamFacts>>, String> {
        let found: Arc<Mutex<Vec<Listed>>> = Arc::default();
        self.mesh.broadcast(|| ToShard::List(Arc::clone(&found)));
        let settled = self.settlements.ask(&self.mesh);
        let runtime = Arc::clone(&self.runtime);
        Ok(Box::pin(async move {
            settled.await;
            let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
            found
                .iter()
                .map(|listed| stream_facts(&runtime, listed))
                .collect()
        }))
    }

    fn shutdown_stream(&mut self, id: u64) -> Result<Later<bool>, String> {
        let found = Arc::new(AtomicBool::new(false));
        self.mesh.broadcast(|| ToShard::ShutdownOne {
            id,
            found: Arc::clone(&found),
        });
        let settled = self.settlements.ask(&self.mesh);
        Ok(Box::pin(async move {
            settled.await;
            found.load(Ordering::Relaxed)
        }))
    }

    fn shutdown_server_streams(&mut self, server: ServerId) {
        let streams = Streams::OfServer(server);
        self.tell(|| ToShard::Shutdown {
            streams,
            cause: Cause::Killed,
        });
    }

    fn patterns(&self) -> &LivePatterns {
        &self.runtime.patterns
    }

    fn proc_vars(&self) -> &ProcVars {
        &self.runtime.proc_vars
    }

    fn tables(&self) -> &[Arc<Table>] {
        &self.runtime.tables
    }

    fn caches(&self) -> &[Arc<crate::cache::Cache>] {
        &self.runtime.caches
    }

    fn table_clock_ms(&self) -> u64 {
        self.surroundings.now_ms()
    }

    fn rings(&self) -> &[Arc<Ring>] {
        &self.runtime.rings
    }

    fn resolvers(&self, section: Option<&str>) -> Option<String> {
        self.resolvers.as_ref()?.report(section)
    }

    fn resolvers_table(&self) -> String {
        self.resolvers
            .as_ref()
            .map(|resolvers| resolvers.table())
            .unwrap_or_default()
    }

    fn admin_sockets(&self) -> Vec<SocketFacts> {
        self.sockets.clone()
    }

    fn startup_logs(&self) -> String {
        String::new()
    }

    fn environment(&self) -> Vec<String> {
        std::env::vars()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    fn sleep(&mut self, delay_ms: u64) -> Later<()> {
        self.surroundings.sleep(delay_ms)
    }

    fn activity(&mut self) -> Vec<(String, Vec<u64>)> {
        let process = &self.runtime.stats.process;
        let cores: Vec<_> = (0..self.runtime.process.cores)
            .map(|core| process.on_core(core))
            .collect();
        let row = |name: &str, value: fn(&crate::stats::ProcessCounters) -> u64| {
            (
                name.to_owned(),
                cores.iter().map(|core| value(core)).collect(),
            )
        };
        vec![
            row("loops", |core| core.turns.value()),
            row("idle_us", |core| core.idle_us.value()),
            row("requests", |core| core.requests.value()),
            row("curr_conns", |core| core.open.here()),
            row("bytes_out", |core| core.bytes_out.value()),
            row("accept_errors", |core| core.accept_errors.value()),
        ]
    }
}

fn stream_facts(runtime: &crate::state::Runtime, listed: &Listed) -> StreamFacts {
    let plan = &runtime.plan;
    let name = |proxy: ProxyId| plan.proxy(proxy).name.to_string();
    StreamFacts {
        id: listed.id,
        protocol: match listed.source {
            Some(source) if source.is_ipv4() => "tcpv4",
            Some(_) => "tcpv6",
            None => "unix_stream",
        },
        source: match listed.source {
            Some(source) => source.to_string().replace(['[', ']'], ""),
            None => "unix:1".to_owned(),
        },
        age_ms: listed.age_ms,
        frontend: name(listed.frontend),
        backend: listed.backend.map(name).unwrap_or_default(),
        server: listed
            .server
            .map(|id| plan.server(id).name.to_string())
            .unwrap_or_default(),
        core: listed.core,
        ..StreamFacts::default()
    }
}
