//! `resolvers` sections (manual, 5.3.2).

use std::net::SocketAddr;

use cfgparse::model::section::{Nameserver, Resolvers};
use cfgparse::model::{Addr, Global, Model};

use super::{Context, Machine};
use crate::plan::ResolversId;
use crate::resolve::{Families, Holds, NameServer, Section, Terms};

/// The section that exists without being written.
const DEFAULT: &str = "default";
/// The port of DNS (RFC 1035, 4.2).
const PORT: u16 = 53;

/// The section of this name; `default` stands behind the written ones unless it is written.
pub fn find(model: &Model, name: &str) -> Option<ResolversId> {
    let written = model
        .resolvers
        .iter()
        .position(|section| section.name == name);
    written
        .or((name == DEFAULT).then_some(model.resolvers.len()))
        .map(|index| ResolversId(index as u32))
}

impl Context<'_> {
    /// All sections; the one named `default` is made from the system's settings where it is not
    /// written.
    pub(super) fn resolvers(&mut self, machine: &Machine) -> Vec<Section> {
        let model = self.model;
        let mut sections: Vec<Section> = model
            .resolvers
            .iter()
            .map(|written| self.section(written, machine))
            .collect();
        if !model
            .resolvers
            .iter()
            .any(|written| written.name == DEFAULT)
        {
            sections.push(Section {
                name: DEFAULT.into(),
                name_servers: machine
                    .name_servers
                    .iter()
                    .map(|&ip| of_system(ip))
                    .collect(),
                terms: Terms::default(),
            });
        }
        sections
    }

    fn section(&mut self, written: &Resolvers, machine: &Machine) -> Section {
        let mut name_servers = Vec::new();
        for line in &written.nameservers {
            name_servers.extend(self.name_server(line));
        }
        if let Some(position) = written.parse_resolv_conf {
            let position = position.min(name_servers.len());
            let system = machine.name_servers.iter().map(|&ip| of_system(ip));
            name_servers.splice(position..position, system);
        }
        Section {
            name: written.name.as_str().into(),
            name_servers: name_servers.into(),
            terms: terms(written),
        }
    }

    fn name_server(&mut self, line: &Nameserver) -> Option<NameServer> {
        let Addr::Ip(ip) = line.address else {
            self.error(
                line.at,
                format!("'nameserver {}' is not at an IP address", line.name),
                "write its address and port, as in 10.0.0.1:53",
            );
            return None;
        };
        Some(NameServer {
            name: line.name.as_str().into(),
            address: SocketAddr::new(ip, line.port),
            is_tcp: line.tcp,
        })
    }
}

fn of_system(ip: std::net::IpAddr) -> NameServer {
    NameServer {
        name: ip.to_string().into(),
        address: SocketAddr::new(ip, PORT),
        is_tcp: false,
    }
}

fn terms(written: &Resolvers) -> Terms {
    let default = Terms::default();
    let or = |written: Option<u32>, default: u64| written.map_or(default, u64::from);
    let holds = default.holds;
    Terms {
        tries: written.resolve_retries.unwrap_or(default.tries),
        resolve_ms: or(written.timeout_resolve_ms, default.resolve_ms).max(1),
        retry_ms: or(written.timeout_retry_ms, default.retry_ms).max(1),
        payload_max: written
            .accepted_payload_size
            .map_or(default.payload_max, |bytes| bytes as u16),
        holds: Holds {
            nx_ms: or(written.hold_nx_ms, holds.nx_ms),
            refused_ms: or(written.hold_refused_ms, holds.refused_ms),
            timeout_ms: or(written.hold_timeout_ms, holds.timeout_ms),
            other_ms: or(written.hold_other_ms, holds.other_ms),
            valid_ms: or(written.hold_valid_ms, holds.valid_ms),
            obsolete_ms: or(written.hold_obsolete_ms, holds.obsolete_ms),
        },
    }
}

/// Families to ask for; `None` where it depends on the way to IPv6 (manual 3.1,
/// `dns-accept-family`).
pub fn families(global: &Global) -> Option<Families> {
    let written = global.dns_accept_family.filter(|written| !written.auto)?;
    Some(Families {
        ipv4: written.ipv4,
        ipv6: written.ipv6,
    })
}
