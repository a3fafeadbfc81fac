//! An immutable picture of a backend, made for choosing.

use std::sync::Arc;

use super::{Algorithm, Config, Method, consistent, first, leastconn, map, random, roundrobin};
use crate::plan::ServerId;
use crate::server::{BackendState, ServerState, Usable};

/// One server of the backend, usable or not.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: ServerId,
    pub state: Arc<ServerState>,
}

/// What a choice depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The hash of the key for hash algorithms; `None` if the key is missing: then it is round
    /// robin.
    pub hash: Option<u32>,
    /// A random number for `balance random`.
    pub seed: u64,
    /// Servers that this request has tried in vain: chosen again only if nothing else is left.
    pub avoid: &'a [ServerId],
}

/// The balancer's choice.
#[derive(Clone, Copy, Debug)]
pub enum Pick<'v> {
    /// This server: it has a permit to give, or the request is to wait for this very server.
    Server {
        member: &'v Member,
        /// The permits in use that made it the best; a permit must be taken at that number.
        seen: Option<u32>,
    },
    /// Every usable server is at its limit: wait for any of them.
    AllFull,
    /// No server takes new requests.
    NoServer,
}

/// A usable server with the weight it has in this view.
#[derive(Debug)]
pub(super) struct Candidate {
    pub member: Member,
    /// In sixteenths.
    pub weight: u32,
}

impl Candidate {
    pub fn state(&self) -> &Arc<ServerState> {
        &self.member.state
    }

    pub fn is_avoided(&self, request: &Request<'_>) -> bool {
        request.avoid.contains(&self.member.id)
    }
}

#[derive(Debug)]
enum Picker {
    Turns(Box<[u32]>),
    Map(Box<[u32]>),
    Ring(consistent::Ring),
    LeastConn,
    First(Box<[u32]>),
    Random(random::Draw),
}

/// A backend at one moment: which servers take new requests, with which weights.
#[derive(Debug)]
pub struct View {
    backend: Arc<BackendState>,
    config: Config,
    members: Box<[Member]>,
    candidates: Box<[Candidate]>,
    total_weight: u64,
    usable: Usable,
    picker: Picker,
}

impl View {
    /// `members` in the order of the configuration.
    pub fn build(backend: &Arc<BackendState>, config: Config, members: Vec<Member>) -> Self {
        let takes_new = |backup: bool| {
            members
                .iter()
                .filter(move |m| m.state.is_backup() == backup && m.state.takes_new())
        };
        let (active, backup) = (takes_new(false).count(), takes_new(true).count());
        let chosen: Vec<&Member> = if active > 0 {
            takes_new(false).collect()
        } else {
            takes_new(true)
                .take(if config.all_backups { usize::MAX } else { 1 })
                .collect()
        };
        let candidates: Box<[Candidate]> = chosen
            .into_iter()
            .map(|member| Candidate {
                member: member.clone(),
                weight: weight(&config, member),
            })
            .collect();
        Self {
            backend: Arc::clone(backend),
            config,
            total_weight: candidates.iter().map(|c| u64::from(c.weight)).sum(),
            usable: Usable {
                active: active as u32,
                backup: backup as u32,
            },
            picker: picker(&config, &candidates),
            candidates,
            members: members.into(),
        }
    }

    /// Makes this view the one whose servers serve the backend's queue, and lets them serve it.
    /// Called by the control thread once, before the cores adopt the view.
    pub fn install(&self) {
        self.backend.set_usable(self.usable);
        for member in &self.members {
            let chosen = self
                .candidates
                .iter()
                .any(|c| Arc::ptr_eq(c.state(), &member.state));
            member.state.set_serves_backend_queue(chosen);
        }
        for candidate in &self.candidates {
            self.backend.serve(candidate.state());
        }
    }

    pub fn backend(&self) -> &Arc<BackendState> {
        &self.backend
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All servers of the backend in the order of the configuration.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The servers that take new requests now, in the order of the configuration.
    pub fn in_use(&self) -> impl Iterator<Item = &Member> {
        self.candidates.iter().map(|candidate| &candidate.member)
    }

    /// How many servers take new requests.
    pub fn usable(&self) -> Usable {
        self.usable
    }

    /// The sum of the weights of the servers in use, in sixteenths.
    pub fn total_weight(&self) -> u64 {
        self.total_weight
    }

    /// The plan's id of a server whose permit came through the queue; `None` if the server is not
    /// part of this generation.
    pub fn id_of(&self, server: &ServerState) -> Option<ServerId> {
        self.members
            .iter()
            .find(|m| m.state.slot() == server.slot())
            .map(|m| m.id)
    }

    /// Chooses a server. Takes a turn, but no permit.
    pub fn pick(&self, request: &Request<'_>) -> Pick<'_> {
        if self.candidates.is_empty() {
            return Pick::NoServer;
        }
        match &self.picker {
            Picker::Turns(turns) => roundrobin::pick(self, turns, request),
            Picker::Map(map) => match (request.hash, self.config.algorithm) {
                (Some(hash), Algorithm::Hash) => map::pick(self, map, hash, request),
                _ => roundrobin::pick(self, map, request),
            },
            Picker::Ring(ring) => match request.hash {
                Some(hash) => consistent::pick(self, ring, hash, request),
                None => roundrobin::pick(self, ring.turns(), request),
            },
            Picker::LeastConn => leastconn::pick(self, request),
            Picker::First(order) => first::pick(self, order, request),
            Picker::Random(draw) => random::pick(self, draw, request),
        }
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Servers that serve the backend's queue under this view.
    pub(super) fn serving(&self) -> impl Iterator<Item = Arc<ServerState>> + '_ {
        self.candidates
            .iter()
            .map(|candidate| Arc::clone(candidate.state()))
    }

    /// Whether a candidate is within `hash-balance-factor`: its load may not exceed that share of
    /// the average, counting the request to come (manual 4.2).
    pub(super) fn is_within_balance(&self, candidate: &Candidate) -> bool {
        let factor = u64::from(self.config.balance_factor);
        if factor == 0 || self.total_weight == 0 {
            return true;
        }
        let total: u64 = self.candidates.iter().map(|c| load(c.state())).sum();
        let slots = ((total + 1) * factor).div_ceil(100);
        let share = (slots * u64::from(candidate.weight)).div_ceil(self.total_weight);
        load(candidate.state()) < share
    }
}

/// Requests in progress or waiting for this server.
pub(super) fn load(server: &ServerState) -> u64 {
    u64::from(server.in_use()) + u64::from(server.queued())
}

/// Static algorithms ignore every run-time weight but 0, and slow start.
fn weight(config: &Config, member: &Member) -> u32 {
    if config.is_dynamic() {
        member.state.effective_weight()
    } else {
        crate::server::effective_weight(member.state.initial_weight().max(1), 100)
    }
}

fn picker(config: &Config, candidates: &[Candidate]) -> Picker {
    let weights: Vec<u32> = candidates
        .iter()
        .map(|candidate| candidate.weight)
        .collect();
    match config.algorithm {
        Algorithm::RoundRobin => Picker::Turns(roundrobin::schedule(&weights)),
        Algorithm::StaticRr => Picker::Map(map::build(&weights)),
        Algorithm::LeastConn => Picker::LeastConn,
        Algorithm::First => Picker::First(first::order(candidates)),
        Algorithm::Random { draws } => Picker::Random(random::Draw::new(&weights, draws)),
        Algorithm::Hash => match config.hash_type.method {
            Method::MapBased => Picker::Map(map::build(&weights)),
            Method::Consistent => Picker::Ring(consistent::Ring::new(candidates)),
        },
    }
}
