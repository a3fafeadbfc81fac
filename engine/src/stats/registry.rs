//! Counters by name: who counts what survives a reload, and what each core writes to.

use super::counter::Summed;
use super::counters::{
    BackCounters, FrontCounters, ListenerCounters, ProcessCounters, ProxyCounters, ServiceCounters,
};
use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::slots::{Full, Slots};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// The names of everything that one plan counts, in the order of its ids.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By [`ProxyId`].
    pub proxies: Vec<String>,
    /// (proxy, server) by [`ServerId`].
    pub servers: Vec<(String, String)>,
    /// (proxy, name or address) by [`ListenerId`].
    pub listeners: Vec<(String, String)>,
}

/// All counters of the process, by name, over all generations.
#[derive(Debug)]
pub struct Registry {
    cores: usize,
    process: Arc<Family<ProcessCounters>>,
    proxies: HashMap<String, Arc<Family<ProxyCounters>>>,
    servers: HashMap<(String, String), Arc<Family<ServiceCounters>>>,
    listeners: HashMap<(String, String), Arc<Family<ListenerCounters>>>,
}

impl Registry {
    /// No object yet; `cores` writers.
    pub fn new(cores: usize) -> Self {
        Self {
            cores,
            process: Arc::new(Family::new(cores)),
            proxies: HashMap::new(),
            servers: HashMap::new(),
            listeners: HashMap::new(),
        }
    }

    /// The counters of a generation: known names keep theirs, names that are gone are forgotten
    /// here and live on as long as an older generation counts.
    pub fn generation(&mut self, names: &Names) -> Arc<Stats> {
        Arc::new(Stats {
            process: self.process.clone(),
            proxies: adopt(&mut self.proxies, &names.proxies, self.cores),
            servers: adopt(&mut self.servers, &names.servers, self.cores)
                .into_iter()
                .collect(),
            listeners: adopt(&mut self.listeners, &names.listeners, self.cores),
        })
    }
}

fn adopt<N: Clone + Eq + Hash, C: Summed>(
    known: &mut HashMap<N, Arc<Family<C>>>,
    names: &[N],
    cores: usize,
) -> Box<[Arc<Family<C>>]> {
    let adopted: Box<[_]> = names
        .iter()
        .map(|name| {
            known
                .get(name)
                .cloned()
                .unwrap_or_else(|| Arc::new(Family::new(cores)))
        })
        .collect();
    *known = names.iter().cloned().zip(adopted.iter().cloned()).collect();
    adopted
}

/// The counters of one object: one block a core.
#[derive(Debug)]
pub struct Family<C: Summed> {
    cores: Box<[Arc<C>]>,
    /// What had been counted when `clear counters all` came.
    cleared: Mutex<Option<Box<C::Total>>>,
}

impl<C: Summed> Family<C> {
    fn new(cores: usize) -> Self {
        let cores = C::family(cores).into_iter().map(Arc::new).collect();
        Self {
            cores,
            cleared: Mutex::new(None),
        }
    }

    /// The block that one core writes.
    pub fn on_core(&self, core: usize) -> Arc<C> {
        self.cores[core].clone()
    }

    /// The sum over all cores since the last `clear counters all`.
    pub fn total(&self, now_ms: u64) -> C::Total {
        let mut total = self.sum(now_ms);
        if let Some(cleared) = &*self.cleared.lock().unwrap_or_else(PoisonError::into_inner) {
            C::subtract(&mut total, cleared);
        }
        total
    }

    /// `clear counters`: forgets maxima.
    pub fn clear_max(&self) {
        self.cores.iter().for_each(|core| core.clear_max());
    }

    /// `clear counters all`: starts again from zero. The cores' own numbers stay, because only
    /// they may write them; readers subtract.
    pub fn clear_all(&self, now_ms: u64) {
        self.clear_max();
        if let Some(first) = self.cores.first() {
            first.clear_mean();
        }
        let sum = Box::new(self.sum(now_ms));
        *self.cleared.lock().unwrap_or_else(PoisonError::into_inner) = Some(sum);
    }

    fn sum(&self, now_ms: u64) -> C::Total {
        let mut total = C::Total::default();
        self.cores
            .iter()
            .for_each(|core| core.add_to(&mut total, now_ms));
        total
    }
}

/// The counters of one generation, by id.
#[derive(Debug)]
pub struct Stats {
    pub process: Arc<Family<ProcessCounters>>,
    pub proxies: Box<[Arc<Family<ProxyCounters>>]>,
    pub servers: Slots<Arc<Family<ServiceCounters>>>,
    pub listeners: Box<[Arc<Family<ListenerCounters>>]>,
}

impl Stats {
    /// What one core writes to.
    pub fn on_core(self: &Arc<Self>, core: usize) -> CoreStats {
        CoreStats {
            all: Arc::clone(self),
            core,
            process: self.process.on_core(core),
            proxies: self
                .proxies
                .iter()
                .map(|family| family.on_core(core))
                .collect(),
            servers: self
                .servers
                .iter()
                .map(|family| family.on_core(core))
                .collect(),
            listeners: self
                .listeners
                .iter()
                .map(|family| family.on_core(core))
                .collect(),
        }
    }

    /// Counters of a server that is added at run time, under the next id.
    pub fn add_server(&self) -> Result<usize, Full> {
        self.servers.push(Arc::new(Family::new(self.cores())))
    }

    /// How many cores count.
    pub fn cores(&self) -> usize {
        self.process.cores.len()
    }

    /// `clear counters`, and with `all` everything that was counted.
    pub fn clear(&self, all: bool, now_ms: u64) {
        fn clear<C: Summed>(families: &[Arc<Family<C>>], all: bool, now_ms: u64) {
            for family in families {
                if all {
                    family.clear_all(now_ms);
                } else {
                    family.clear_max();
                }
            }
        }
        clear(std::slice::from_ref(&self.process), all, now_ms);
        clear(&self.proxies, all, now_ms);
        for server in self.servers.iter() {
            clear(std::slice::from_ref(server), all, now_ms);
        }
        clear(&self.listeners, all, now_ms);
    }
}

/// The counters of one generation that one core writes, by id.
///
/// Keep an `Arc` of a block in what counts often (a session, a stream), and look it up once.
#[derive(Debug)]
pub struct CoreStats {
    all: Arc<Stats>,
    core: usize,
    pub process: Arc<ProcessCounters>,
    pub proxies: Box<[Arc<ProxyCounters>]>,
    servers: Slots<Arc<ServiceCounters>>,
    pub listeners: Box<[Arc<ListenerCounters>]>,
}

impl CoreStats {
    /// The client side of a proxy.
    #[inline]
    pub fn front(&self, proxy: ProxyId) -> &FrontCounters {
        &self.proxies[proxy.index()].front
    }

    /// The server side of a proxy.
    #[inline]
    pub fn back(&self, proxy: ProxyId) -> &BackCounters {
        &self.proxies[proxy.index()].back
    }

    /// A server.
    #[inline]
    pub fn server(&self, server: ServerId) -> &ServiceCounters {
        match self.servers.get(server.index()) {
            Some(counters) => counters,
            None => self.added(server),
        }
    }

    /// A server that was added since this core last looked.
    #[cold]
    fn added(&self, server: ServerId) -> &ServiceCounters {
        while self.servers.len() <= server.index() {
            let family = &self.all.servers[self.servers.len()];
            let pushed = self.servers.push(family.on_core(self.core));
            debug_assert!(pushed.is_ok(), "a core's list is as long as everyone's");
        }
        &self.servers[server.index()]
    }

    /// A listening address.
    #[inline]
    pub fn listener(&self, listener: ListenerId) -> &ListenerCounters {
        &self.listeners[listener.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(proxies: &[&str], servers: &[(&str, &str)]) -> Names {
        let own = |(proxy, server): &(&str, &str)| ((*proxy).to_owned(), (*server).to_owned());
        Names {
            proxies: proxies.iter().map(|name| (*name).to_owned()).collect(),
            servers: servers.iter().map(own).collect(),
            listeners: Vec::new(),
        }
    }

    #[test]
    fn counters_keep_their_name_over_generations() {
        let mut registry = Registry::new(2);
        let first = registry.generation(&names(&["a", "b"], &[("b", "s1"), ("b", "s2")]));
        let core = first.on_core(1);
        core.back(ProxyId(1)).service.requests.add(7);
        core.server(ServerId(1)).requests.add(5);
        let second = registry.generation(&names(&["b"], &[("b", "s2"), ("b", "s3")]));
        assert_eq!(second.proxies[0].total(0).back.service.requests, 7);
        assert_eq!(second.servers[0].total(0).requests, 5);
        assert_eq!(second.servers[1].total(0).requests, 0);
        core.server(ServerId(1)).requests.inc();
        assert_eq!(
            second.servers[0].total(0).requests,
            6,
            "an old stream still counts"
        );
        let third = registry.generation(&names(&["a"], &[]));
        assert_eq!(
            third.proxies[0].total(0).front.requests.total,
            0,
            "gone names start anew"
        );
    }

    #[test]
    fn clear_counters_forgets_maxima_and_all_forgets_everything() {
        let mut registry = Registry::new(1);
        let stats = registry.generation(&names(&["a"], &[]));
        let core = stats.on_core(0);
        let front = core.front(ProxyId(0));
        front.open.enter(1_000);
        front.open.enter(1_000);
        front.open.leave();
        front.requests.hit(1_000);
        front.bytes.request_in.add(10);
        stats.clear(false, 1_000);
        let total = stats.proxies[0].total(5_000).front;
        assert_eq!((total.open.now, total.open.max), (1, 1));
        assert_eq!((total.requests.total, total.bytes.request_in), (1, 10));
        stats.clear(true, 5_000);
        front.bytes.request_in.add(3);
        let total = stats.proxies[0].total(5_000).front;
        assert_eq!((total.requests.total, total.bytes.request_in), (0, 3));
        assert_eq!(total.open.now, 1, "what is open stays open");
    }
}
