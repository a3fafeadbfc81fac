//! Cookies and stick tables (manual, `cookie`, `stick-table`, chapter 11).

use super::Place;
use super::expr::{Condition, SampleExpr};

/// `cookie NAME ...`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cookie {
    pub name: String,
    pub mode: CookieMode,
    pub indirect: bool,
    pub nocache: bool,
    pub postonly: bool,
    pub preserve: bool,
    pub httponly: bool,
    pub secure: bool,
    pub dynamic: bool,
    pub domains: Vec<String>,
    pub maxidle_s: Option<u32>,
    pub maxlife_s: Option<u32>,
    pub attrs: Vec<String>,
}

/// Who sets the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CookieMode {
    /// The server does; it is only read here.
    #[default]
    Passive,
    Rewrite,
    Insert,
    Prefix,
}

/// `stick-table`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StickTable {
    /// The proxy's name, or `PEERS/NAME` for a `table` line of a `peers` section.
    pub name: String,
    pub key: KeyType,
    /// Entries.
    pub size: u64,
    pub expire_ms: Option<u32>,
    pub nopurge: bool,
    /// Without traffic: `store` words in order.
    pub store: Vec<StoreField>,
    /// `peers NAME`.
    pub peers: Option<String>,
    pub srvkey_addr: bool,
    /// `write-to TABLE`.
    pub write_to: Option<String>,
    pub recv_only: bool,
    pub brates_factor: Option<u32>,
    pub at: Place,
}

/// Type of a table's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum KeyType {
    #[default]
    Ip,
    Ipv6,
    Integer,
    /// Characters kept; 31 where nothing is written.
    String {
        len: u32,
    },
    /// Bytes kept; 32 where nothing is written.
    Binary {
        len: u32,
    },
}

/// One word of `store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreField {
    /// `conn_cnt`, `gpc0`, `http_req_rate`, ...
    pub name: String,
    /// Milliseconds of a rate's period.
    pub period_ms: Option<u32>,
    /// Elements of `gpc(N)`, `gpt(N)` arrays.
    pub length: Option<u32>,
}

/// `stick on|match|store-request|store-response EXPR [table NAME] [if COND]`.
#[derive(Clone, Debug, PartialEq)]
pub struct StickRule {
    pub kind: StickKind,
    pub expr: SampleExpr,
    /// The proxy itself where nothing is written.
    pub table: String,
    pub condition: Option<Condition>,
    pub at: Place,
}

/// What a stick rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StickKind {
    /// Match and store-request.
    On,
    Match,
    StoreRequest,
    StoreResponse,
}
