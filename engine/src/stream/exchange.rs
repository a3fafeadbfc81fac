//! Everything that is known about one exchange, in memory that is used again and again.

use wire::Head;
use wire::h1::{BodyLength, Framing};

use super::persist::Persistence;
use crate::plan::{ProxyId, ServerId};
use crate::rules::Overrides;
use crate::sample::{Captures, StreamFacts, StreamVars};

/// One request with its response.
pub struct Exchange {
    pub request: Head,
    pub request_framing: Framing,
    pub response: Head,
    pub response_framing: Framing,
    pub facts: StreamFacts,
    pub vars: StreamVars,
    pub captures: Captures,
    pub marks: Marks,
    pub overrides: Overrides,
    pub upload: Upload,
    /// No log line is written (`monitor-uri`).
    pub log_is_muted: bool,
    /// Bytes of a response have been given to the client's connection.
    pub response_begun: bool,
    /// What was counted as begun on the server's side and has to be counted as ended.
    pub counted: Counted,
    pub persistence: Persistence,
}

/// Moments of the exchange, microseconds of the core's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// The connection was accepted, or the exchange before was over.
    pub start_us: u64,
    /// The first byte of the request was there.
    pub first_byte_us: u64,
    /// The request's head was complete.
    pub request_us: u64,
    /// A permit was held.
    pub permit_us: u64,
    /// The server connection stood.
    pub connected_us: u64,
    /// The response's head was complete.
    pub response_us: u64,
    /// From when the request's time runs, milliseconds of the core's clock.
    pub begun_ms: u64,
    /// Bytes that the client's connection had received and sent before.
    pub received_before: u64,
    pub sent_before: u64,
}

/// How far the request's body has been taken off the client's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upload {
    #[default]
    Untouched,
    Begun,
    Done,
}

/// Which counters of open streams were raised.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub backend: Option<ProxyId>,
    pub server: Option<ServerId>,
}

/// Before a head is complete: nothing after it can be understood, so the connection ends.
const NO_BODY: Framing = Framing {
    body: BodyLength::None,
    keep_alive: false,
    switch: None,
    expect_continue: false,
};

impl Default for Exchange {
    fn default() -> Self {
        Self {
            request: Head::new(),
            request_framing: NO_BODY,
            response: Head::new(),
            response_framing: NO_BODY,
            facts: StreamFacts::default(),
            vars: StreamVars::default(),
            captures: Captures::default(),
            marks: Marks::default(),
            overrides: Overrides::default(),
            upload: Upload::Untouched,
            log_is_muted: false,
            response_begun: false,
            counted: Counted::default(),
            persistence: Persistence::default(),
        }
    }
}

impl Exchange {
    /// Whether the whole request has been taken off the client's connection.
    pub fn is_request_over(&self) -> bool {
        self.upload == Upload::Done
            || (self.marks.request_us > 0 && self.request_framing.body == BodyLength::None)
    }

    /// Ready for the next exchange; memory is kept.
    pub fn reset(&mut self) {
        self.request.clear();
        self.response.clear();
        self.request_framing = NO_BODY;
        self.response_framing = NO_BODY;
        self.facts.reset();
        self.vars.clear();
        self.captures.clear();
        self.marks = Marks::default();
        self.overrides = Overrides::default();
        self.upload = Upload::Untouched;
        self.log_is_muted = false;
        self.response_begun = false;
        self.counted = Counted::default();
        self.persistence = Persistence::default();
    }
}
