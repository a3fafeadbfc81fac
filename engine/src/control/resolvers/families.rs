//! Which families are asked for (manual 3.1, `dns-accept-family`).

use std::cell::Cell;
use std::net::{Ipv6Addr, UdpSocket};

use crate::resolve::Families;

/// How long the last look at the routes counts.
const LOOK_MS: u64 = 30_000;

/// The families of the configuration, or what the routes say.
pub struct Accepted {
    configured: Option<Families>,
    seen: Cell<Option<(u64, Families)>>,
}

impl Accepted {
    pub fn new(configured: Option<Families>) -> Self {
        Self {
            configured,
            seen: Cell::new(None),
        }
    }

    pub fn now(&self, now_ms: u64) -> Families {
        if let Some(configured) = self.configured {
            return configured;
        }
        match self.seen.get() {
            Some((at_ms, families)) if now_ms < at_ms + LOOK_MS => families,
            _ => {
                let families = Families {
                    ipv4: true,
                    ipv6: is_ipv6_routable(),
                };
                self.seen.set(Some((now_ms, families)));
                families
            }
        }
    }
}

/// Whether there is a way to some address of the internet; nothing is sent.
fn is_ipv6_routable() -> bool {
    const SOMEWHERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 1);
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect((SOMEWHERE, 53)))
        .is_ok()
}
