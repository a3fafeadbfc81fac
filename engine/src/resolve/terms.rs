//! What a `resolvers` section says (manual, 5.3.2).

use std::net::SocketAddr;

use super::Status;

/// One `resolvers` section.
#[derive(Clone, Debug)]
pub struct Section {
    pub name: Box<str>,
    pub name_servers: Box<[NameServer]>,
    pub terms: Terms,
}

/// One `nameserver`.
#[derive(Clone, Debug)]
pub struct NameServer {
    pub name: Box<str>,
    pub address: SocketAddr,
    pub is_tcp: bool,
}

/// Times and sizes of a section.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// `resolve_retries`: questions without an answer before giving up.
    pub tries: u32,
    /// `timeout resolve`: between two resolutions of a name.
    pub resolve_ms: u64,
    /// `timeout retry`: between two questions of a resolution.
    pub retry_ms: u64,
    /// `accepted_payload_size`.
    pub payload_max: u16,
    pub holds: Holds,
}

/// `hold`: how long an earlier answer outweighs a later failure, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    pub nx_ms: u64,
    pub refused_ms: u64,
    pub timeout_ms: u64,
    pub other_ms: u64,
    /// How long `do-resolve` takes an answer without asking again.
    pub valid_ms: u64,
    /// How long a record is kept that answers do not have any more.
    pub obsolete_ms: u64,
}

impl Default for Terms {
    /// The manual's defaults.
    fn default() -> Self {
        Self {
            tries: 3,
            resolve_ms: 1_000,
            retry_ms: 1_000,
            payload_max: 512,
            holds: Holds {
                nx_ms: 30_000,
                refused_ms: 30_000,
                timeout_ms: 30_000,
                other_ms: 30_000,
                valid_ms: 10_000,
                obsolete_ms: 0,
            },
        }
    }
}

impl Holds {
    /// How long a good answer outweighs this failure.
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Valid => 0,
            Status::NxDomain => self.nx_ms,
            Status::Refused => self.refused_ms,
            Status::Timeout => self.timeout_ms,
            Status::Other => self.other_ms,
        }
    }
}

/// Addresses that are asked for at all (manual 3.1, `dns-accept-family`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    pub ipv4: bool,
    pub ipv6: bool,
}

impl Families {
    pub const BOTH: Self = Self {
        ipv4: true,
        ipv6: true,
    };
}
