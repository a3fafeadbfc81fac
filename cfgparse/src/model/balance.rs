//! `balance`, `hash-type` and their relatives (manual, 4.2).

use super::expr::SampleExpr;

/// How a backend picks a server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Balance {
    /// `None`: nothing written, so `random` with two draws (HAProxy 3.3 and later).
    pub algorithm: Option<Algorithm>,
    pub hash_type: HashType,
    /// `hash-balance-factor`: percent of the average load a server may have; `None` or 0: no bound.
    pub hash_balance_factor: Option<u32>,
    /// `hash-preserve-affinity`.
    pub hash_preserve_affinity: Option<String>,
}

/// `balance ALGORITHM`.
#[derive(Clone, Debug, PartialEq)]
pub enum Algorithm {
    Roundrobin,
    StaticRr,
    Leastconn,
    First,
    Source,
    Uri {
        /// Characters that are hashed, at most.
        len: Option<u32>,
        /// Directories that are hashed, at most.
        depth: Option<u32>,
        /// Query string included.
        whole: bool,
        /// Scheme and authority left out.
        path_only: bool,
    },
    UrlParam {
        name: String,
        /// `check_post`: look into the body too, after waiting for this many bytes.
        check_post: Option<u32>,
    },
    Hdr {
        name: String,
        /// `use_domain_only`.
        use_domain_only: bool,
    },
    /// `random(DRAWS)`.
    Random {
        draws: u32,
    },
    RdpCookie {
        name: Option<String>,
    },
    /// `hash EXPR`.
    Hash(SampleExpr),
    /// `log-hash CONVERTERS`: the fetch of the expression stands for the line.
    LogHash(SampleExpr),
    Sticky,
}

/// `hash-type METHOD FUNCTION MODIFIER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct HashType {
    pub method: HashMethod,
    pub function: HashFunction,
    /// `None`: `avalanche` for consistent hashing with sdbm, nothing otherwise.
    pub modifier: Option<HashModifier>,
}

/// Where a hash is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum HashMethod {
    #[default]
    MapBased,
    Consistent,
}

/// How a key becomes a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum HashFunction {
    #[default]
    Sdbm,
    Djb2,
    Wt6,
    Crc32,
    None,
}

/// What is done to the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashModifier {
    Avalanche,
}
