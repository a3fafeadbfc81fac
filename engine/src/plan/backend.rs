//! What only the server side of a proxy has.

use super::{ServerId, StickRule};
use crate::log::Format;
use crate::persist::Cookie;
use crate::rules::Condition;
use crate::sample::Expr;
use crate::slots::Current;

/// The server side of a proxy.
#[derive(Debug)]
pub struct Backend {
    /// In the order of the configuration; those added at run time last.
    pub servers: Current<Vec<ServerId>>,
    /// Attempts after the first.
    pub retries: u32,
    /// Which attempts may go to another server (manual, `option redispatch`).
    pub redispatch: Redispatch,
    pub retry_on: RetryOn,
    pub balance: crate::balance::Config,
    /// How the request becomes the number that hash-based algorithms look up.
    pub key: Key,
    pub use_servers: Vec<UseServer>,
    /// `cookie`.
    pub cookie: Option<Cookie>,
    /// `option persist`: a cookie's server is used though it is down.
    pub persists: bool,
    /// `force-persist` and `ignore-persist`, in order; the first that applies wins.
    pub persist_rules: Vec<PersistRule>,
    /// `stick match`, `stick on`, `stick store-request`, in order.
    pub stick_request: Vec<StickRule>,
    /// `stick store-response`.
    pub stick_response: Vec<StickRule>,
    /// Connections at which `minconn` reaches `maxconn`.
    pub fullconn: u32,
    /// How its servers are checked, but for those that name a section.
    pub check: Option<std::sync::Arc<crate::probe::Ruleset>>,
    /// `unique-id-format`, for checks.
    pub unique_id: Option<std::sync::Arc<Format>>,
    /// `http-send-name-header`, in lower case.
    pub send_name_header: Option<Box<[u8]>>,
}

/// When a retry may go to another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redispatch {
    Never,
    /// On every n-th retry.
    Every(u32),
    /// On the n-th retry counted from the last, 1 being the last.
    FromLast(u32),
}

impl Redispatch {
    /// Whether retry number `retry` (counted from 1) of at most `retries` may go elsewhere.
    pub fn applies(self, retry: u32, retries: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Every(n) => n > 0 && retry.is_multiple_of(n),
            Self::FromLast(n) => retry + n > retries,
        }
    }
}

/// `force-persist` and `ignore-persist`.
#[derive(Debug)]
pub struct PersistRule {
    pub condition: Condition,
    pub persist: Persist,
}

/// What is done with a client's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persist {
    /// Followed to a server that is up.
    Usual,
    /// Followed to a server that is down, too.
    Forced,
    /// Not followed.
    Ignored,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection, or no handshake.
    ConnFailure,
    /// The server closed without a word.
    EmptyResponse,
    /// What came is no response, or only part of a head.
    JunkResponse,
    ResponseTimeout,
    /// A response with this status.
    Status(u16),
}

/// What is tried again (manual, `retry-on`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryOn(Box<[Trouble]>);

impl RetryOn {
    pub fn new(troubles: impl IntoIterator<Item = Trouble>) -> Self {
        Self(troubles.into_iter().collect())
    }

    pub fn covers(&self, trouble: Trouble) -> bool {
        self.0.contains(&trouble)
    }

    /// Whether a request may have to go out again after it was sent: it is kept for that.
    pub fn needs_request(&self) -> bool {
        self.0
            .iter()
            .any(|&trouble| trouble != Trouble::ConnFailure)
    }
}

/// `use-server`.
#[derive(Debug)]
pub struct UseServer {
    pub condition: Option<Condition>,
    pub target: ServerTarget,
}

/// The server that a rule names.
#[derive(Debug)]
pub enum ServerTarget {
    Server(ServerId),
    /// The name is known only with the request.
    Named(Format),
}

/// What of a request a hash-based algorithm looks at.
#[derive(Debug)]
pub enum Key {
    None,
    Source,
    Uri {
        bytes_max: Option<u32>,
        depth: Option<u32>,
        whole: bool,
        path_only: bool,
    },
    UrlParam {
        name: Box<[u8]>,
        /// `check_post`: else in the body of a POST.
        in_body: bool,
    },
    /// Of the client's first bytes, by the cookie's name.
    RdpCookie(Box<[u8]>),
    Header {
        name: Box<[u8]>,
        domain_only: bool,
    },
    Expr(Expr),
    /// `balance log-hash`: what its converters make of the line.
    Log(Expr),
    /// `balance sticky`, of log lines: no key, but no turns either.
    Sticky,
}

#[cfg(test)]
mod tests {
    use super::Redispatch;

    /// Manual, `option redispatch`: -1, the default, is the last retry only.
    #[test]
    fn the_last_retry_goes_elsewhere_by_default() {
        let last_only = Redispatch::FromLast(1);
        let applies: Vec<_> = (1..=3).map(|retry| last_only.applies(retry, 3)).collect();
        assert_eq!(applies, [false, false, true]);
        assert!((1..=3).all(|retry| Redispatch::Every(1).applies(retry, 3)));
        assert!((1..=3).all(|retry| !Redispatch::Never.applies(retry, 3)));
    }
}
