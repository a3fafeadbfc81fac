//! From a compiled plan to what cores share while they run it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use cfgparse::model::Model;
use cfgparse::model::global::Global;

use super::resolve::{Found, Names};
use super::restore::States;
use super::{ProcessState, Runtime, Standing, Watch, contexts, initial};
use crate::balance::{Member, View};
use crate::cache::Cache;
use crate::gate::Gate;
use crate::persist;
use crate::plan::{Compiled, Endpoint, Plan, ProxyId};
use crate::ring::Ring;
use crate::sample::CompileError;
use crate::sample::pattern::LivePatterns;
use crate::server::{self, BackendSettings, BackendState, ServerState, Wake};
use crate::slots::{Current, Slots};
use crate::stats;
use crate::table::Table;

/// The servers that requests may go to, by [`ProxyId`].
pub type Views = Box<[Option<Arc<View>>]>;

/// A generation that is ready to run.
pub struct Built {
    pub runtime: Arc<Runtime>,
    /// What each core starts with.
    pub views: Views,
    /// For servers that are added while it runs.
    pub registry: server::Registry,
    /// Oddities that do no harm.
    pub warnings: Vec<CompileError>,
}

/// Resolves names, loads certificates and gives every server its first state. `wake` tells a core
/// that one of its waiting requests has got its permit.
///
/// # Errors
///
/// All names and files at fault, each with its place in the configuration.
pub fn build(
    model: &Model,
    compiled: Compiled,
    cores: usize,
    wake: Arc<impl Wake + 'static>,
) -> Result<Built, Vec<CompileError>> {
    let now_ms = reactor::process::monotonic_ms();
    let Compiled {
        mut plan,
        patterns,
        proc_vars,
        startup,
        ..
    } = compiled;
    let mut states = States::default();
    let mut errors = resolve(&mut plan, &model.global, &mut states);
    give_dynamic_cookies(&mut plan);
    let watches = watches(&plan, &mut errors);
    let loaded = contexts::load(&plan, &model.global);
    errors.extend(loaded.errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut warnings = loaded.warnings;
    let mut registry = server::Registry::new(cores, wake);
    let backends = backends(&plan, &mut registry);
    let servers = servers(&plan, &mut registry, now_ms);
    let global = &model.global;
    restore(&plan, global, &mut states, &servers, &watches, now_ms);
    initial::follow(&servers, &watches);
    warnings.append(&mut states.warnings);
    let servers = servers.into_iter().map(Current::new).collect();
    let views = views(&plan, &backends, &servers);
    let runtime = Runtime {
        stats: stats::Registry::new(cores).generation(&names(&plan)),
        process_gate: Arc::new(Gate::new(plan.process.maxconn, cores)),
        frontend_gates: frontend_gates(&plan, cores),
        listener_gates: listener_gates(&plan, cores),
        endpoints: endpoints(&plan),
        log_counters: plan.proxies.iter().map(|_| AtomicU64::new(0)).collect(),
        servers,
        backends,
        patterns: LivePatterns::new(patterns),
        proc_vars,
        tls: loaded.contexts,
        tls_of_listener: loaded.of_listener.into(),
        tls_of_server: loaded.of_server.into_iter().map(Current::new).collect(),
        tls_of_rings: loaded.of_rings.into(),
        watches: watches.into_iter().map(Current::new).collect(),
        standings: standings(&views, now_ms),
        tables: tables(&plan),
        caches: caches(&plan),
        rings: rings(&plan),
        log_forward_gates: log_forward_gates(&plan, cores),
        tls_of_log_forwards: loaded.of_log_forwards.into(),
        process: ProcessState::new(cores, now_ms),
        plan: Arc::new(plan),
    };
    let runtime = Arc::new(runtime);
    super::startup::set(&runtime, &startup);
    Ok(Built {
        runtime,
        views,
        registry,
        warnings,
    })
}

fn endpoints(plan: &Plan) -> Slots<RwLock<Endpoint>> {
    let now = |server: &Current<crate::plan::Server>| RwLock::new(server.endpoint.clone());
    plan.servers.iter().map(now).collect()
}

fn standings(views: &Views, now_ms: u64) -> Box<[Standing]> {
    let standing = |view: &Option<Arc<View>>| Standing::new(view.clone(), now_ms);
    views.iter().map(standing).collect()
}

fn caches(plan: &Plan) -> Box<[Arc<Cache>]> {
    let cache = |settings: &_| Arc::new(Cache::new(Clone::clone(settings)));
    plan.caches.iter().map(cache).collect()
}

fn log_forward_gates(plan: &Plan, cores: usize) -> Box<[Arc<Gate>]> {
    let gate = |forward: &crate::plan::LogForward| Arc::new(Gate::new(forward.maxconn, cores));
    plan.log_forwards.iter().map(gate).collect()
}

fn rings(plan: &Plan) -> Box<[Arc<Ring>]> {
    let ring = |spec: &crate::plan::RingSpec| {
        Arc::new(Ring::new(
            &spec.name,
            &spec.description,
            spec.size,
            spec.maxlen,
        ))
    };
    plan.rings.iter().map(ring).collect()
}

fn tables(plan: &Plan) -> Box<[Arc<Table>]> {
    let table = |spec: &crate::table::Spec| Arc::new(Table::new(spec.clone()));
    plan.tables.iter().map(table).collect()
}

/// `cookie ... dynamic`: servers without a value of their own get one from their address.
fn give_dynamic_cookies(plan: &mut Plan) {
    for server in plan.servers.first_mut() {
        let server = server.first_mut();
        let section = &plan.proxies[server.backend.index()].section;
        let is_dynamic = section.cookie.as_ref().is_some_and(|cookie| cookie.dynamic);
        if let (true, None, Some(key), Endpoint::Tcp(address)) = (
            is_dynamic,
            &server.cookie,
            &section.dynamic_cookie_key,
            &server.endpoint,
        ) {
            let value = persist::dynamic_value(key, *address);
            server.cookie = Some(value.into_bytes().into());
        }
    }
}

/// Gives every server whose line holds a name its address.
fn resolve(plan: &mut Plan, global: &Global, states: &mut States) -> Vec<CompileError> {
    use cfgparse::model::Addr;
    let mut names = Names::default();
    let mut errors = Vec::new();
    for server in plan.servers.first_mut() {
        let server = server.first_mut();
        let section = &plan.proxies[server.backend.index()].section;
        let saved = states.of(global, section, &server.name);
        if !matches!(server.line.address, Addr::Name { .. }) {
            // An address that is written stays; a port may have been changed.
            if let (Endpoint::Tcp(address), Some(port)) =
                (&mut server.endpoint, saved.and_then(|saved| saved.port))
            {
                address.set_port(port);
            }
            continue;
        }
        let last = saved.and_then(|saved| saved.address);
        match names.first_endpoint(&server.line, last.filter(|ip| !ip.is_unspecified())) {
            Found::Endpoint(endpoint) => server.endpoint = endpoint,
            Found::Nothing { host } => {
                let backend = &plan.proxies[server.backend.index()].name;
                let text = format!(
                    "'server {backend}/{}' : could not resolve address '{host}'.",
                    server.name
                );
                let remedy =
                    "check the name, or add 'init-addr last,libc,none' to start without it";
                errors.push(CompileError::new(server.line.at, text, remedy));
            }
        }
    }
    for server in plan.rings.iter_mut().flat_map(|ring| &mut ring.servers) {
        let line = Arc::clone(&server.line);
        if !matches!(line.address, Addr::Name { .. }) {
            continue;
        }
        match names.first_endpoint(&line, None) {
            Found::Endpoint(endpoint) => server.endpoint = endpoint,
            Found::Nothing { host } => errors.push(CompileError::new(
                line.at,
                format!(
                    "'server {}' : could not resolve address '{host}'.",
                    line.name
                ),
                "check the name, or write an address",
            )),
        }
    }
    errors
}

/// Gives servers the states of a former process.
fn restore(
    plan: &Plan,
    global: &Global,
    states: &mut States,
    servers: &[Arc<ServerState>],
    watches: &[Watch],
    now_ms: u64,
) {
    for (server, state) in plan.servers.iter().zip(servers) {
        let section = &plan.proxy(server.backend).section;
        let Some(saved) = states.of(global, section, &server.name) else {
            continue;
        };
        saved.apply(state, now_ms);
        let watch = &watches[server.id.index()];
        if watch.checked && saved.check_is_off() {
            watch.check_enabled.store(false, Ordering::Relaxed);
        }
        if server.line.agent.enabled && saved.agent_is_off() {
            watch.agent_enabled.store(false, Ordering::Relaxed);
        }
    }
}

/// Whether something finds out how a server is.
fn is_watched(line: &cfgparse::model::Server) -> bool {
    line.check.enabled || line.agent.enabled || line.track.is_some()
}

fn watches(plan: &Plan, errors: &mut Vec<CompileError>) -> Vec<Watch> {
    let watch = |server: &Current<crate::plan::Server>| Watch::new(&server.line);
    let mut watches: Vec<Watch> = plan.servers.iter().map(watch).collect();
    let trackers = || plan.servers.iter().filter(|s| s.line.track.is_some());
    if trackers().next().is_none() {
        return watches;
    }
    let backend_of = |server: &crate::plan::Server| &*plan.proxy(server.backend).name;
    let by_name: HashMap<(&str, &str), _> = plan
        .servers
        .iter()
        .map(|server| ((backend_of(server), &*server.name), server))
        .collect();
    for server in trackers() {
        let Some((backend, name)) = &server.line.track else {
            continue;
        };
        let backend = if backend.is_empty() {
            backend_of(server)
        } else {
            backend
        };
        match by_name.get(&(backend, name)).copied() {
            Some(tracked) if !is_watched(&tracked.line) => errors.push(CompileError::new(
                server.line.at,
                format!(
                    "unable to use {}/{} for tracking as it does not have any check nor agent enabled.",
                    plan.proxy(tracked.backend).name,
                    tracked.name
                ),
                "add 'check' to that server",
            )),
            Some(tracked) => {
                watches[server.id.index()].tracks = Some(tracked.id);
                watches[tracked.id.index()].track_by(server.id);
            }
            None => errors.push(CompileError::new(
                server.line.at,
                format!("unable to find required server '{backend}/{name}' for tracking."),
                "name a server that exists",
            )),
        }
    }
    watches
}

fn backends(plan: &Plan, registry: &mut server::Registry) -> Box<[Option<Arc<BackendState>>]> {
    let state = |proxy: &crate::plan::Proxy| {
        let backend = proxy.backend.as_ref()?;
        Some((
            proxy.name.clone(),
            BackendSettings {
                fullconn: backend.fullconn,
            },
        ))
    };
    let settings = plan.proxies.iter().map(state);
    settings
        .map(|known| known.map(|(name, s)| registry.backend(&name, s)))
        .collect()
}

fn servers(plan: &Plan, registry: &mut server::Registry, now_ms: u64) -> Vec<Arc<ServerState>> {
    let mut states = Vec::with_capacity(plan.servers.len());
    for server in plan.servers.iter() {
        let proxy = plan.proxy(server.backend);
        let first = proxy
            .backend
            .as_ref()
            .and_then(|backend| backend.servers.first());
        let position = server.id.0 + 1 - first.map_or(0, |first| first.0);
        let settings = initial::settings(server, position);
        let (state, is_new) = registry.server(&proxy.name, &server.name, &settings);
        if is_new {
            initial::begin(server, &state, now_ms);
        }
        states.push(state);
    }
    states
}

fn views(
    plan: &Plan,
    backends: &[Option<Arc<BackendState>>],
    servers: &Slots<Current<Arc<ServerState>>>,
) -> Views {
    let view = |proxy: &crate::plan::Proxy| {
        let backend = proxy.backend.as_ref()?;
        let state = backends[proxy.id.index()].as_ref()?;
        let view = view_of(backend, state, servers);
        view.install();
        Some(view)
    };
    plan.proxies.iter().map(view).collect()
}

/// A picture of a backend as its servers stand now; it is not installed yet.
fn view_of(
    backend: &crate::plan::Backend,
    state: &Arc<BackendState>,
    servers: &Slots<Current<Arc<ServerState>>>,
) -> Arc<View> {
    let member = |&id: &crate::plan::ServerId| Member {
        id,
        state: Arc::clone(&servers[id.index()]),
    };
    let members = backend.servers.iter().map(member).collect();
    Arc::new(View::build(state, backend.balance, members))
}

impl Runtime {
    /// A picture of a backend as its servers stand now, to be installed and told to all cores;
    /// `None` for a proxy without a server side.
    pub fn view_now(&self, backend: ProxyId) -> Option<Arc<View>> {
        let state = self.backends[backend.index()].as_ref()?;
        let plan = self.plan.proxy(backend).backend.as_ref()?;
        Some(view_of(plan, state, &self.servers))
    }
}

/// A frontend without a `maxconn` of its own has the process's (manual 4.2, `maxconn`).
fn frontend_gates(plan: &Plan, cores: usize) -> Box<[Option<Arc<Gate>>]> {
    let gate = |proxy: &crate::plan::Proxy| {
        let limit = match proxy.frontend.as_ref()?.maxconn {
            0 => plan.process.maxconn,
            own => own,
        };
        Some(Arc::new(Gate::new(limit, cores)))
    };
    plan.proxies.iter().map(gate).collect()
}

fn listener_gates(plan: &Plan, cores: usize) -> Box<[Option<Arc<Gate>>]> {
    let gate = |listener: &crate::plan::Listener| {
        let limit = listener.bind.maxconn.filter(|&maxconn| maxconn > 0)?;
        Some(Arc::new(Gate::new(limit, cores)))
    };
    plan.listeners.iter().map(gate).collect()
}

/// Names under which counters survive a reload.
fn names(plan: &Plan) -> stats::Names {
    let proxy = |id: ProxyId| plan.proxy(id).name.to_string();
    stats::Names {
        proxies: plan
            .proxies
            .iter()
            .map(|proxy| proxy.name.to_string())
            .collect(),
        servers: plan
            .servers
            .iter()
            .map(|s| (proxy(s.backend), s.name.to_string()))
            .collect(),
        listeners: plan
            .listeners
            .iter()
            .map(|listener| (proxy(listener.frontend), format!("{:?}", listener.address)))
            .collect(),
    }
}
