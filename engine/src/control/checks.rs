//! Health checks of all servers, run on the control thread.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use reactor::Core;
use reactor::net::ConnectOptions;
use socket2::SockAddr;

use super::process::{Process, Surroundings};
use crate::check;
use crate::check::agent::{self, Agent, Said};
use crate::check::external::{self, Program};
use crate::check::run::{self, Watched, World};
use crate::mux::our_end;
use crate::plan::{Endpoint, Server, ServerId};
use crate::probe::{Asking, ConnectStep, Finding, Subject};
use crate::rt;
use crate::state::{ProcessWorld, Runtime, snapshot};
use crate::tls::{TlsError, TlsSession};

/// Starts the checks of all servers that have some, and asks the agents of those that have one.
pub fn start(
    core: &Core,
    process: &Rc<RefCell<Process>>,
    surroundings: &Rc<dyn Surroundings>,
    spread_percent: u32,
    random: u64,
) -> Rc<Checks> {
    let runtime = Arc::clone(process.borrow().runtime());
    let checks = Rc::new(Checks {
        core: core.clone(),
        runtime: Arc::clone(&runtime),
        process: Rc::clone(process),
        surroundings: Rc::clone(surroundings),
        spread_percent,
        expressions: ProcessWorld::new(Arc::clone(&runtime)),
        random: Cell::new(random.max(1)),
    });
    let plan = &runtime.plan;
    for server in plan.servers.iter() {
        checks.ask_agent(server.id);
    }
    let checked: Vec<_> = plan
        .servers
        .iter()
        .filter(|server| server.check.is_some())
        .collect();
    let shortest_ms = checked
        .iter()
        .map(|server| checks.settings(server).inter_ms)
        .min()
        .unwrap_or(0);
    for (index, server) in checked.iter().enumerate() {
        let first_ms = check::start_delay_ms(shortest_ms, index, checked.len());
        checks.watch(server, first_ms);
    }
    checks
}

impl Checks {
    fn settings(&self, server: &Server) -> check::Settings {
        let plan = &self.runtime.plan;
        check::settings(&plan.proxy(server.backend).section, &server.line)
    }

    /// A server was added at run time.
    pub fn watch_added(self: &Rc<Self>, id: ServerId) {
        let server = self.runtime.plan.server(id);
        self.watch(server, 0);
        if let Some(agent) = self.ask_agent(id) {
            agent.is_enabled.set(false);
        }
    }

    fn watch(self: &Rc<Self>, server: &Server, first_ms: u64) {
        let Some(check) = server.check.clone() else {
            return;
        };
        let state = Arc::clone(&self.runtime.servers[server.id.index()]);
        let subject = Subject {
            backend: server.backend,
            server: server.id,
        };
        let settings = self.settings(server);
        let spread = self.spread_percent;
        let watched = Watched::new(&self.core, (state, subject), check, settings, spread);
        // A task runs as far as it can before `spawn` returns: a check that fails at once has its
        // finding by then.
        let mut process = self.process.borrow_mut();
        process.checked_by(server.id, Rc::clone(&watched));
        drop(process);
        let world = Rc::new(OneServer {
            world: Rc::clone(self),
            id: server.id,
        });
        rt::spawn(run::watch(self.core.clone(), watched, world, first_ms));
    }

    /// Starts asking the agent of a server that has one.
    fn ask_agent(&self, id: ServerId) -> Option<Rc<Agent>> {
        let agent = Agent::new(&self.runtime.plan.server(id).line.agent)?;
        let is_enabled = &self.runtime.watches[id.index()].agent_enabled;
        agent.is_enabled.set(is_enabled.load(Ordering::Relaxed));
        let mut process = self.process.borrow_mut();
        process.asked_of(id, Rc::clone(&agent));
        drop(process);
        let world = Rc::new(OneAgent {
            runtime: Arc::clone(&self.runtime),
            process: Rc::clone(&self.process),
            id,
        });
        rt::spawn(agent::watch(self.core.clone(), Rc::clone(&agent), world, 0));
        Some(agent)
    }
}

/// The surroundings of one agent.
struct OneAgent {
    runtime: Arc<Runtime>,
    process: Rc<RefCell<Process>>,
    id: ServerId,
}

impl agent::World for OneAgent {
    fn server_ip(&self) -> Option<IpAddr> {
        let endpoint = &self.runtime.endpoints[self.id.index()];
        match &*endpoint.read().unwrap_or_else(PoisonError::into_inner) {
            Endpoint::Tcp(address) => Some(address.ip()),
            Endpoint::TcpOffset(ip, _) => Some(*ip),
            _ => None,
        }
    }

    fn source(&self) -> ConnectOptions<'_> {
        our_end(self.runtime.plan.server(self.id).source.as_deref())
    }

    fn heard(&self, heard: Result<Said, Finding>, duration_ms: u64) {
        self.process.borrow_mut().heard(self.id, heard, duration_ms);
    }
}

/// What all checks share.
pub struct Checks {
    core: Core,
    runtime: Arc<Runtime>,
    process: Rc<RefCell<Process>>,
    surroundings: Rc<dyn Surroundings>,
    spread_percent: u32,
    expressions: ProcessWorld,
    random: Cell<u64>,
}

/// The same for one server.
struct OneServer {
    world: Rc<Checks>,
    id: ServerId,
}

impl OneServer {
    /// Where the server is now.
    fn endpoint(&self) -> Endpoint {
        let endpoint = &self.world.runtime.endpoints[self.id.index()];
        let endpoint = endpoint.read().unwrap_or_else(PoisonError::into_inner);
        endpoint.clone()
    }
}

impl World for OneServer {
    fn address(&self, _watched: &Watched, step: &ConnectStep) -> Option<SockAddr> {
        let runtime = &self.world.runtime;
        let watch = &runtime.watches[self.id.index()];
        let mut line = runtime.plan.server(self.id).line.check.clone();
        if let Some(ip) = watch.check_address() {
            line.addr = Some(cfgparse::model::Addr::Ip(ip));
        }
        match watch.check_port.load(Ordering::Relaxed) {
            0 => {}
            port => line.port = Some(port),
        }
        run::address(&self.endpoint(), &line, step)
    }

    fn source(&self) -> ConnectOptions<'_> {
        our_end(self.world.runtime.plan.server(self.id).source.as_deref())
    }

    fn socks4(&self, _watched: &Watched) -> Option<SocketAddr> {
        self.world.runtime.plan.server(self.id).socks4
    }

    fn tls(&self, _watched: &Watched, step: &ConnectStep) -> Result<TlsSession, TlsError> {
        let missing = || TlsError::NoAgreement("the server has no TLS parameters".to_owned());
        let context = self.world.runtime.tls_of_server(self.id);
        let context = context.ok_or_else(missing)?;
        let sni = step.sni.as_deref();
        if step.alpn.is_empty() {
            context.session(sni)
        } else {
            context.with_alpn(&step.alpn).session(sni)
        }
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            world: &self.world.expressions,
            clock: self.world.surroundings.clock(),
            random: &self.world.random,
        }
    }

    fn program(&self, watched: &Watched) -> Program {
        let runtime = &self.world.runtime;
        let server = runtime.plan.server(self.id);
        let proxy = runtime.plan.proxy(server.backend);
        let check = &proxy.section.check;
        let state = &watched.server;
        let (proxy_address, proxy_port) = external::of_proxy(&runtime.plan, proxy);
        let (address, port) = external::of_server(&self.endpoint());
        let protocol = external::protocol(proxy, server);
        let unused = |text: &Option<String>| text.clone().unwrap_or_else(|| "NOT_USED".to_owned());
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        Program {
            command: check.external_command.clone().unwrap_or_default(),
            arguments: vec![
                unused(&proxy_address),
                unused(&proxy_port),
                address.clone(),
                unused(&port),
            ],
            environment: vec![
                ("HAPROXY_PROXY_ADDR", said(&proxy_address)),
                ("HAPROXY_PROXY_ID", proxy.number.to_string()),
                ("HAPROXY_PROXY_NAME", proxy.name.to_string()),
                ("HAPROXY_PROXY_PORT", said(&proxy_port)),
                ("HAPROXY_SERVER_ADDR", address),
                ("HAPROXY_SERVER_CURCONN", state.in_use().to_string()),
                ("HAPROXY_SERVER_ID", state.id().to_string()),
                ("HAPROXY_SERVER_MAXCONN", state.maxconn().to_string()),
                ("HAPROXY_SERVER_NAME", server.name.to_string()),
                ("HAPROXY_SERVER_PORT", said(&port)),
                ("HAPROXY_SERVER_SSL", u8::from(server.is_tls).to_string()),
                ("HAPROXY_SERVER_PROTO", protocol.to_owned()),
                ("PATH", said(&check.external_path)),
            ],
            keeps_environment: runtime.plan.process.check_keeps_environment,
        }
    }

    /// Manual 4.2, `http-check send-state`.
    fn state_header(&self, watched: &Watched) -> String {
        let runtime = &self.world.runtime;
        let facts = snapshot::server(runtime, self.id, self.world.surroundings.now_ms());
        let state = &watched.server;
        let queues = state.backend();
        let usable = runtime.standings[runtime.plan.server(self.id).backend.index()]
            .backend()
            .view
            .as_ref()
            .map_or(0, |view| view.total_weight());
        format!(
            "{}; address={}; port={}; name={}/{}; node={}; weight={}/{}; scur={}/{}; qcur={}",
            facts.status,
            facts
                .address
                .rsplit_once(':')
                .map_or(facts.address.as_str(), |(address, _)| address),
            facts.state.port,
            queues.name(),
            state.name(),
            runtime.plan.process.node,
            state
                .effective_weight()
                .div_ceil(crate::server::WEIGHT_SCALE),
            usable.div_ceil(u64::from(crate::server::WEIGHT_SCALE)),
            state.in_use(),
            queues.sessions(),
            state.queued(),
        )
    }

    fn found(&self, watched: &Watched, finding: &Finding, duration_ms: u64) {
        let mut process = self.world.process.borrow_mut();
        process.found(self.id, &watched.settings, finding, duration_ms);
    }

    /// xorshift64*: only spreads checks in time.
    fn random(&self) -> u64 {
        let mut x = self.world.random.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.world.random.set(x);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}
