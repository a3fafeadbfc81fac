//! Which server a request goes to: one file for each algorithm.
//!
//! A [`View`] is an immutable picture of a backend. The control thread builds a new one whenever a
//! state or a weight changes, and the cores adopt it between two requests. What must be exact
//! across cores (turns, permits, queues) is in [`crate::server`].

mod assign;
mod consistent;
mod first;
mod hash;
mod key;
mod leastconn;
mod map;
mod random;
mod roundrobin;
mod view;

#[cfg(test)]
mod tests;

pub use assign::{Assigned, Refusal};
pub use hash::{HashFunction, HashType, Method};
pub use key::{UriKey, domain_only, hash_address, rdp_cookie, uri_key, url_param};
pub use view::{Member, Pick, Request, View};

/// `balance` (manual 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    RoundRobin,
    StaticRr,
    LeastConn,
    First,
    /// The number of draws; 2 when no `balance` line says otherwise.
    Random {
        draws: u32,
    },
    /// source, uri, url_param, hdr, rdp-cookie, hash: the caller supplies the hash of the key.
    Hash,
}

/// `hash-preserve-affinity` (manual 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    /// A request waits for its server.
    #[default]
    Always,
    /// Servers at their `maxconn` are skipped.
    Maxconn,
    /// Servers with a full `maxqueue` are skipped.
    Maxqueue,
}

/// What the configuration says about a backend's balancing.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub algorithm: Algorithm,
    pub hash_type: HashType,
    /// `option allbackups`.
    pub all_backups: bool,
    /// `hash-balance-factor` in percent; 0 is off, else above 100.
    pub balance_factor: u32,
    pub affinity: Affinity,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Random { draws: 2 },
            hash_type: HashType::default(),
            all_backups: false,
            balance_factor: 0,
            affinity: Affinity::Always,
        }
    }
}

impl Config {
    /// Whether weights may change while a server is up (manual 4.2, `balance`): static algorithms
    /// know only 0 and the configured weight.
    pub fn is_dynamic(&self) -> bool {
        match self.algorithm {
            Algorithm::StaticRr => false,
            Algorithm::Hash => self.hash_type.method == Method::Consistent,
            _ => true,
        }
    }
}
