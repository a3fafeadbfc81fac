//! A backend in `mode log`: each line goes to one of its servers (manual, 4.2 `mode log`).

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use super::outlets::Outlets;
use super::sink::Sink;
use crate::balance::{Pick, Request, View};
use crate::plan::{Endpoint, Key, ProxyId, ServerId};
use crate::sample::pattern::{LivePatterns, PatternView};
use crate::sample::{Clock, Cx, Effects, Outside, Value, World};

/// The servers of one backend as one core sends to them.
pub struct Backend {
    id: ProxyId,
    /// By the place of the server in its backend.
    servers: Vec<Server>,
    random: u64,
}

struct Server {
    id: ServerId,
    /// Where datagrams go; unchanged for a ring.
    endpoint: Endpoint,
    sink: Sink,
}

/// `balance sticky`: the servers in use, in the order in which they came; shared by all cores.
#[derive(Debug, Default)]
pub struct Sticky(Mutex<Vec<ServerId>>);

impl Sticky {
    /// The server that has been there the longest.
    fn pick(&self, view: &View) -> Option<ServerId> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|known| view.in_use().any(|member| member.id == *known));
        for member in view.in_use() {
            if !list.contains(&member.id) {
                list.push(member.id);
            }
        }
        list.first().copied()
    }
}

impl Backend {
    pub fn open(id: ProxyId, outlets: &Outlets) -> Self {
        let plan = &outlets.plan;
        let servers = plan
            .proxy(id)
            .backend
            .iter()
            .flat_map(|backend| backend.servers.iter());
        let server = |&id: &ServerId| {
            let server = plan.server(id);
            let sink = match server.log_ring {
                Some(ring) => Sink::ring(&outlets.rings[ring]),
                None => Sink::Nowhere,
            };
            Server {
                id,
                endpoint: Endpoint::Unresolved,
                sink,
            }
        };
        Self {
            id,
            servers: servers.map(server).collect(),
            random: u64::from(std::process::id()) | 1,
        }
    }

    /// Queues one line; `text` is what `balance log-hash` looks at. False if no server takes it.
    pub fn queue(
        &mut self,
        outlets: &Outlets,
        text: &[u8],
        bytes_max: usize,
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let Some(view) = outlets.servers.view(self.id) else {
            return false;
        };
        let Some(server) = self.choose(outlets, &view, text) else {
            return false;
        };
        let endpoint = outlets.servers.endpoint(server);
        let Some(server) = self.servers.iter_mut().find(|known| known.id == server) else {
            return false;
        };
        if !matches!(server.sink, Sink::Ring { .. }) && server.endpoint != endpoint {
            server.sink = Sink::server(&endpoint);
            server.endpoint = endpoint;
        }
        server.sink.queue(bytes_max, fill);
        true
    }

    /// Sends what waits; returns how many lines were dropped.
    pub fn flush(&mut self, now_ms: u64) -> usize {
        let servers = self.servers.iter_mut();
        servers.map(|server| server.sink.flush(now_ms)).sum()
    }

    fn choose(&mut self, outlets: &Outlets, view: &View, text: &[u8]) -> Option<ServerId> {
        let hash = match outlets.plan.proxy(self.id).backend.as_ref().map(|b| &b.key) {
            Some(Key::Sticky) => return outlets.sticky[self.id.index()].pick(view),
            Some(Key::Log(expr)) => {
                let key = with_bare_cx(|cx| {
                    let value = expr.convert(Value::Str(text.into()), cx).value();
                    value.map(|value| value.into_text().into_owned())
                });
                key.map(|key| view.config().hash_type.hash(&key))
            }
            _ => None,
        };
        // xorshift64: enough to spread lines.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let request = Request {
            hash,
            seed: self.random,
            avoid: &[],
        };
        match view.pick(&request) {
            Pick::Server { member, .. } => Some(member.id),
            Pick::AllFull | Pick::NoServer => None,
        }
    }
}

/// A process of which converters of a log line can ask nothing.
#[derive(Default)]
struct Nothing {
    live: LivePatterns,
}

impl World for Nothing {
    fn proxy_name(&self, _: ProxyId) -> &'static str {
        ""
    }

    fn server_name(&self, _: ServerId) -> &'static str {
        ""
    }

    fn patterns(&self) -> PatternView<'_> {
        PatternView::of_all(&self.live)
    }
}

fn with_bare_cx<T>(act: impl FnOnce(&Cx<'_>) -> T) -> T {
    let world = Nothing::default();
    let (outside, effects, random) = (Outside::default(), Effects::default(), Cell::new(1));
    act(&outside.cx(&world, &effects, &random, Clock::default()))
}

/// What loggers ask of the running process.
pub trait Servers: Send + Sync {
    /// The servers that lines may go to now.
    fn view(&self, backend: ProxyId) -> Option<Arc<View>>;
    fn endpoint(&self, server: ServerId) -> Endpoint;
}
