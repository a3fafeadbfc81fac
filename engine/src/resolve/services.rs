//! Which server stands for which service of an SRV label (manual, 5.3.1).

use wire::dns::Found;

/// A host and port that an SRV record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub host: String,
    pub port: u16,
    pub weight: u16,
}

impl Service {
    /// The service of a record; `None` for other records.
    pub fn of(record: &Found) -> Option<Self> {
        match record {
            Found::Address(_) => None,
            Found::Service {
                target,
                port,
                weight,
            } => Some(Self {
                host: target.clone(),
                port: *port,
                weight: *weight,
            }),
        }
    }
}

/// What becomes of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Its service is still there, perhaps with another weight.
    Stay(Service),
    /// It stands for this service from now on.
    Take(Service),
    /// Its service is gone.
    Leave,
    /// It stands for nothing, as before.
    Idle,
}

/// Places services on `servers` (host and port that each stands for now), in order: who has a
/// service keeps it, who has none gets the next one that nobody stands for.
pub fn place(services: &[Service], servers: &[Option<(String, u16)>]) -> Vec<Placement> {
    let is_of =
        |service: &&Service, held: &(String, u16)| service.host == held.0 && service.port == held.1;
    let mut free = services.iter().filter(|service| {
        let mut held = servers.iter().flatten();
        !held.any(|held| is_of(service, held))
    });
    let mut placed = Vec::with_capacity(servers.len());
    for held in servers {
        let still = held
            .as_ref()
            .and_then(|held| services.iter().find(|service| is_of(service, held)));
        placed.push(match (held, still) {
            (Some(_), Some(service)) => Placement::Stay(service.clone()),
            (Some(_), None) => Placement::Leave,
            (None, _) => free
                .next()
                .cloned()
                .map_or(Placement::Idle, Placement::Take),
        });
    }
    placed
}

/// HAProxy's weight for that of an SRV record: 0 to 256 for 0 to 65535.
pub fn user_weight(weight: u16) -> u32 {
    u32::from(weight).div_ceil(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(host: &str, weight: u16) -> Service {
        Service {
            host: host.to_owned(),
            port: 80,
            weight,
        }
    }

    fn held(host: &str) -> (String, u16) {
        (host.to_owned(), 80)
    }

    #[test]
    fn services_come_and_go() {
        let services = [service("a", 1), service("b", 2), service("c", 3)];
        assert_eq!(
            place(
                &services,
                &[Some(held("b")), None, Some(held("x")), None, None]
            ),
            [
                Placement::Stay(service("b", 2)),
                Placement::Take(service("a", 1)),
                Placement::Leave,
                Placement::Take(service("c", 3)),
                Placement::Idle,
            ]
        );
        assert_eq!(
            place(&[], &[Some(held("b")), None]),
            [Placement::Leave, Placement::Idle]
        );
    }

    /// As HAProxy 3.5 shows them.
    #[test]
    fn weights() {
        for (weight, expected) in [
            (0, 0),
            (1, 1),
            (255, 1),
            (256, 1),
            (1_000, 4),
            (65_535, 256),
        ] {
            assert_eq!(user_weight(weight), expected);
        }
    }
}
