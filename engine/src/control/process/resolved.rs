//! What resolvers found, carried out: servers move, go into maintenance and come back (manual, 5.3).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::PoisonError;

use cfgparse::model::Port;
use wire::dns::Found;

use super::Process;
use super::words::Told;
use crate::control::ops::{NewWeight, Ops};
use crate::log::Level;
use crate::plan::{Endpoint, ProxyId, ServerId};
use crate::resolve::{self, Choice, Placement, Service, Status, Wish};
use crate::server::Admin;
use crate::state::at;

/// A resolution is over, and it counts.
pub struct News {
    /// Of an SRV label.
    pub is_service: bool,
    /// Those who go by the name.
    pub servers: Vec<ServerId>,
    pub status: Status,
    /// Of all answers that are not obsolete.
    pub records: Vec<Found>,
    /// `resolvers/nameserver` of the answer.
    pub source: Option<String>,
}

/// What names an address that came with an earlier answer.
const FROM_CACHE: &str = "DNS cache";

impl Process {
    /// Servers follow what was found. True if one of them has moved.
    pub fn resolved(&mut self, news: &News) -> bool {
        match (news.status, news.is_service) {
            (Status::Valid, false) => self.hosts_found(news),
            (Status::Valid, true) => {
                self.services_found(news);
                false
            }
            (failed, _) => {
                for &id in &news.servers {
                    self.unresolved(id, cause(failed));
                    if news.is_service {
                        self.drop_service(id);
                    }
                }
                false
            }
        }
    }

    fn hosts_found(&mut self, news: &News) -> bool {
        // How many servers of a backend have an address.
        let mut taken: HashMap<(ProxyId, IpAddr), u32> = HashMap::new();
        for &id in &news.servers {
            if let Some(ip) = self.ip(id) {
                let backend = self.runtime.plan.server(id).backend;
                *taken.entry((backend, ip)).or_default() += 1;
            }
        }
        let addresses = || {
            news.records.iter().filter_map(|record| match record {
                Found::Address(ip) => Some(*ip),
                Found::Service { .. } => None,
            })
        };
        let mut source = news.source.as_deref();
        let mut has_moved = false;
        let plan = self.runtime.plan.clone();
        for &id in &news.servers {
            let Some(resolving) = &plan.server(id).resolving else {
                continue;
            };
            let backend = plan.server(id).backend;
            let current = self.ip(id);
            let wish = Wish {
                current,
                prefer_ipv6: resolving.prefer_ipv6,
                nets: &resolving.nets,
                shares: resolving.shares_addresses,
            };
            let others = |ip: IpAddr| {
                let all = taken.get(&(backend, ip)).copied().unwrap_or(0);
                all > u32::from(current == Some(ip))
            };
            // The first one to be told hears who answered.
            let by = source.take().unwrap_or(FROM_CACHE);
            match resolve::choose(addresses(), &wish, others) {
                Choice::Nothing => {
                    self.unresolved(id, "No IP for server ");
                    continue;
                }
                Choice::Stay => {}
                Choice::Move(ip) => {
                    if let Some(old) = current {
                        taken.entry((backend, old)).and_modify(|count| *count -= 1);
                    }
                    *taken.entry((backend, ip)).or_default() += 1;
                    self.move_to(id, ip, by);
                    has_moved = true;
                }
            }
            let admin = self.server(id).admin();
            if admin.contains(Admin::RMAINT) {
                self.change_admin(id, admin.without(Admin::RMAINT), Told::default());
            }
        }
        has_moved
    }

    fn services_found(&mut self, news: &News) {
        let services: Vec<Service> = news.records.iter().filter_map(Service::of).collect();
        let held: Vec<Option<(String, u16)>> = news
            .servers
            .iter()
            .map(|id| {
                let named = self.runtime.watches[id.index()].named();
                Some((named.host?, named.port?))
            })
            .collect();
        let placed = resolve::place(&services, &held);
        for (&id, placement) in news.servers.iter().zip(placed) {
            match placement {
                Placement::Idle => {}
                Placement::Stay(service) => self.weigh(id, service.weight),
                Placement::Leave => {
                    self.unresolved(id, "entry removed from SRV record");
                    self.drop_service(id);
                }
                Placement::Take(service) => {
                    self.runtime.watches[id.index()].named_mut().port = Some(service.port);
                    self.weigh(id, service.weight);
                    let _ = self.change_host(id, &service.host, "SRV record");
                }
            }
        }
    }

    /// The weight of a service, unless others set it (manual 5.2, `resolve-opts ignore-weight`).
    fn weigh(&mut self, id: ServerId, weight: u16) {
        let weight = resolve::user_weight(weight);
        let resolving = &self.runtime.plan.server(id).resolving;
        let ignores = resolving.as_ref().is_some_and(|known| known.ignores_weight);
        if !ignores && self.server(id).user_weight() != weight {
            // A static algorithm takes no weight; the name server is not told.
            let _ = self.set_weight(id, NewWeight::Absolute(weight));
        }
    }

    /// The server stands for no service any more.
    fn drop_service(&mut self, id: ServerId) {
        let mut named = self.runtime.watches[id.index()].named_mut();
        (named.host, named.port) = (None, None);
        drop(named);
        if let Some(resolvers) = self.resolvers.clone() {
            resolvers.forget_host(id);
        }
    }

    /// Gives a server another host name; `by` is who says so. What is said about it.
    pub(super) fn change_host(
        &mut self,
        id: ServerId,
        host: &str,
        by: &str,
    ) -> Result<String, String> {
        const NONE: &str = "set server <b>/<s> fqdn failed because no resolution is configured.";
        let is_resolved = self.runtime.plan.server(id).resolving.is_some();
        let resolvers = self.resolvers.clone().filter(|_| is_resolved).ok_or(NONE)?;
        if !wire::dns::is_name(host) {
            return Err(
                "set server <b>/<s> fqdn failed because the FQDN is no host name.".to_owned(),
            );
        }
        let mut named = self.runtime.watches[id.index()].named_mut();
        if named.host.as_deref() == Some(host) {
            return Ok(format!("no need to change the FDQN by '{by}'"));
        }
        let old = named.host.replace(host.to_owned());
        drop(named);
        let server = self.server(id).clone();
        server.set_admin(server.admin().with(Admin::HMAINT));
        let old = old.as_deref().unwrap_or("(null)");
        let text = format!(
            "{} changed its FQDN from {old} to {host} by '{by}'",
            self.name(id)
        );
        let backend = self.runtime.plan.server(id).backend;
        self.surroundings
            .log(self.runtime.plan.proxy(backend), Level::Notice, &text);
        resolvers.follow(id, host, false);
        Ok(text)
    }

    /// A server has no address that could be used.
    fn unresolved(&mut self, id: ServerId, cause: &str) {
        let admin = self.server(id).admin();
        if admin.contains(Admin::RMAINT) {
            return;
        }
        let told = Told {
            cause: Some(cause),
            ..Told::default()
        };
        self.change_admin(id, admin.with(Admin::RMAINT), told);
        self.set_endpoint(id, Endpoint::Unresolved);
    }

    fn move_to(&mut self, id: ServerId, ip: IpAddr, by: &str) {
        let old = self
            .ip(id)
            .map_or_else(|| "(none)".to_owned(), |ip| ip.to_string());
        let port = match self.runtime.watches[id.index()].named().port {
            Some(port) => Port::Fixed(port),
            None => self.runtime.plan.server(id).line.port,
        };
        self.set_endpoint(id, at(ip, port));
        let backend = self.runtime.plan.server(id).backend;
        let text = format!(
            "{}: IP changed from '{old}' to '{ip}' by '{by}'.",
            self.name(id)
        );
        self.say(backend, Level::Notice, &text);
    }

    /// Where a server is, as far as it is at an IP address.
    fn ip(&self, id: ServerId) -> Option<IpAddr> {
        let endpoint = &self.runtime.endpoints[id.index()];
        match &*endpoint.read().unwrap_or_else(PoisonError::into_inner) {
            Endpoint::Tcp(address) => Some(address.ip()),
            Endpoint::TcpOffset(ip, _) => Some(*ip),
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Unresolved => None,
        }
    }

    /// New connections go there; idle ones to the former address are not used again.
    pub(super) fn set_endpoint(&mut self, id: ServerId, endpoint: Endpoint) {
        let slot = &self.runtime.endpoints[id.index()];
        *slot.write().unwrap_or_else(PoisonError::into_inner) = endpoint;
        self.server(id).has_moved();
        self.settlements.note();
    }
}

fn cause(failed: Status) -> &'static str {
    match failed {
        Status::NxDomain => "DNS NX status",
        Status::Refused => "DNS refused status",
        Status::Timeout => "DNS timeout status",
        Status::Valid | Status::Other => "unspecified DNS error",
    }
}
