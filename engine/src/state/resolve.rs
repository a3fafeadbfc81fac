//! Host names of servers, looked up once when the process starts (manual 5.2, `init-addr`).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use cfgparse::model::server::{AddressFamily, InitAddr};
use cfgparse::model::{Addr, Port, Server};

use crate::plan::Endpoint;

/// The machine's resolver, asked once for each name.
#[derive(Default)]
pub struct Names {
    known: HashMap<String, Vec<IpAddr>>,
}

/// What the methods of `init-addr` came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Endpoint(Endpoint),
    /// None of them gave an address.
    Nothing {
        host: String,
    },
}

impl Names {
    /// Where a server whose line holds a name is at first; `last` is where it was in a former
    /// process.
    pub fn first_endpoint(&mut self, line: &Server, last: Option<IpAddr>) -> Found {
        let Addr::Name { host, family } = &line.address else {
            return Found::Endpoint(Endpoint::Unresolved);
        };
        if line.resolvers.is_some() && host.starts_with('_') {
            // An SRV label, which the system does not know about.
            return Found::Endpoint(Endpoint::Unresolved);
        }
        let default = [InitAddr::Last, InitAddr::Libc];
        let methods = if line.init_addr.is_empty() {
            &default[..]
        } else {
            &line.init_addr
        };
        for method in methods {
            let address = match method {
                InitAddr::Last => last,
                InitAddr::Libc => choose(self.lookup(host), *family, line.resolve_prefer),
                InitAddr::Ip(ip) => Some(*ip),
                InitAddr::None => return Found::Endpoint(Endpoint::Unresolved),
            };
            if let Some(ip) = address {
                return Found::Endpoint(at(ip, line.port));
            }
        }
        Found::Nothing { host: host.clone() }
    }

    fn lookup(&mut self, host: &str) -> &[IpAddr] {
        self.known.entry(host.to_owned()).or_insert_with(|| {
            let found = (host, 0).to_socket_addrs();
            found
                .into_iter()
                .flatten()
                .map(|address| address.ip())
                .collect()
        })
    }
}

/// The only family allowed, or the preferred one where there is a choice; else the resolver's
/// order counts (RFC 6724).
fn choose(
    found: &[IpAddr],
    only: Option<AddressFamily>,
    preferred: Option<AddressFamily>,
) -> Option<IpAddr> {
    let of = |family: AddressFamily| {
        found
            .iter()
            .copied()
            .find(|ip| ip.is_ipv4() == (family == AddressFamily::Ipv4))
    };
    match (only, preferred) {
        (Some(only), _) => of(only),
        (None, Some(preferred)) => of(preferred).or(found.first().copied()),
        (None, None) => found.first().copied(),
    }
}

/// An address with the port part of the line.
pub fn at(ip: IpAddr, port: Port) -> Endpoint {
    match port {
        Port::Fixed(port) => Endpoint::Tcp(SocketAddr::new(ip, port)),
        Port::Offset(offset) => Endpoint::TcpOffset(ip, offset),
        Port::None => Endpoint::TcpOffset(ip, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing;

    fn line(text: &str) -> Server {
        let model = testing::model(&format!("backend be\n server s1 {text}\n"));
        model.proxies[0].servers[0].clone()
    }

    fn first(text: &str) -> Found {
        Names::default().first_endpoint(&line(text), None)
    }

    #[test]
    fn a_former_address_comes_first_unless_the_line_says_otherwise() {
        let last = Some("10.0.0.5".parse().expect("an address"));
        let first = |text: &str| Names::default().first_endpoint(&line(text), last);
        let former = "10.0.0.5:80".parse().expect("an address");
        assert_eq!(
            first("localhost:80"),
            Found::Endpoint(Endpoint::Tcp(former))
        );
        let local = "127.0.0.1:80".parse().expect("an address");
        assert_eq!(
            first("localhost:80 resolve-prefer ipv4 init-addr libc,last"),
            Found::Endpoint(Endpoint::Tcp(local))
        );
    }

    #[test]
    fn methods_are_tried_in_order() {
        let local = "127.0.0.1:80".parse().expect("an address");
        assert_eq!(
            first("localhost:80 resolve-prefer ipv4"),
            Found::Endpoint(Endpoint::Tcp(local))
        );
        let unknown = "no-such-host.invalid";
        assert_eq!(
            first(&format!("{unknown}:80")),
            Found::Nothing {
                host: unknown.to_owned()
            }
        );
        assert_eq!(
            first(&format!("{unknown}:80 init-addr last,libc,none")),
            Found::Endpoint(Endpoint::Unresolved)
        );
        assert_eq!(
            first(&format!("{unknown}:80 init-addr libc,127.0.0.1")),
            Found::Endpoint(Endpoint::Tcp(local))
        );
    }

    #[test]
    fn families() {
        let both: Vec<IpAddr> = ["::1", "127.0.0.1"]
            .map(|ip| ip.parse().expect("an address"))
            .into();
        let (v4, v6) = (Some(AddressFamily::Ipv4), Some(AddressFamily::Ipv6));
        assert_eq!(choose(&both, None, None), Some(both[0]));
        assert_eq!(choose(&both, None, v4), Some(both[1]));
        assert_eq!(choose(&both, v6, v4), Some(both[0]));
        assert_eq!(choose(&both[..1], v4, None), None);
        assert_eq!(choose(&both[..1], None, v4), Some(both[0]));
    }
}
