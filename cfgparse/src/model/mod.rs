//! The typed, resolved configuration.

pub mod balance;
pub mod bind;
pub mod check;
pub mod expr;
pub mod global;
pub mod log;
pub mod persist;
pub mod proxy;
pub mod rule;
pub mod section;
pub mod server;
pub mod stats;
pub mod tls;

pub use balance::{Algorithm, Balance, HashFunction, HashMethod, HashModifier, HashType};
pub use bind::{Bind, BindAddr, SocketLevel};
pub use check::{Check, CheckKind};
pub use global::Global;
pub use log::{LogLevel, LogTarget, Logging};
pub use proxy::{Mode, Proxy, ProxyKind, Timeouts};
pub use server::{Addr, Port, Server};
pub use stats::Stats;
pub use tls::{BindTls, ServerTls};

/// Where something stands in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index into the list of files that were read.
    pub file: u32,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
}

/// A whole configuration. Names it holds are resolved: a static `use_backend` target, a
/// `userlist`, a `resolvers` section or an `http-errors` section named anywhere exists in it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Model {
    /// The files that were read; `Place::file` counts into this list.
    pub files: Vec<String>,
    pub global: Global,
    /// `frontend`, `backend` and `listen` sections in the order of the text.
    pub proxies: Vec<Proxy>,
    pub userlists: Vec<section::Userlist>,
    pub http_errors: Vec<section::HttpErrors>,
    pub resolvers: Vec<section::Resolvers>,
    pub peers: Vec<section::Peers>,
    pub rings: Vec<section::Ring>,
    pub caches: Vec<section::Cache>,
    pub mailers: Vec<section::Mailers>,
    pub crt_stores: Vec<section::CrtStore>,
    pub log_forwards: Vec<section::LogForward>,
    pub log_profiles: Vec<section::LogProfile>,
    pub fcgi_apps: Vec<section::FcgiApp>,
    pub healthchecks: Vec<check::Healthcheck>,
    /// Maps that converters and actions name, already read.
    pub maps: Vec<expr::PatternFile>,
    /// Predefined ACLs that conditions name (manual, 7.4).
    pub predefined_acls: Vec<expr::Acl>,
    /// Environment after `setenv`, `presetenv`, `unsetenv` and `resetenv`: what the process changes.
    pub environment: Vec<global::EnvChange>,
}

impl Model {
    /// The proxy of this name that has a backend side (`backend` or `listen`).
    pub fn backend(&self, name: &str) -> Option<&Proxy> {
        self.proxies
            .iter()
            .find(|p| p.kind.has_backend() && p.name == name)
    }

    /// The proxy of this name that has a frontend side (`frontend` or `listen`).
    pub fn frontend(&self, name: &str) -> Option<&Proxy> {
        self.proxies
            .iter()
            .find(|p| p.kind.has_frontend() && p.name == name)
    }
}
