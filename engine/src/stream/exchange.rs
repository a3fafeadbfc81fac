//! Everything that is known about one exchange, in memory that is used again and again.

use reactor::Sock;
use wire::Head;
use wire::h1::{BodyLength, Framing};

use super::Fault;
use super::coding::Codings;
use super::persist::Persistence;
use super::relay::Flow;
use super::stick::Pending;
use crate::mux::h1::{Incoming, Preview};
use crate::plan::{ProxyId, ServerId};
use crate::rules::Overrides;
use crate::sample::{Captures, StreamFacts, StreamVars, Timers};

/// One request with its response.
pub struct Exchange {
    pub request: Head,
    pub request_framing: Framing,
    /// What rules see of the request's body, or all of it while it is held.
    pub request_body: Preview,
    pub response: Head,
    pub response_framing: Framing,
    pub response_body: Preview,
    pub facts: StreamFacts,
    pub vars: StreamVars,
    pub captures: Captures,
    pub marks: Marks,
    pub overrides: Overrides,
    pub upload: Upload,
    /// What of a begun upload is still on the client's connection.
    rest: Option<Incoming>,
    /// Told once the rules have said whose request it was: the client left while its body was
    /// waited for.
    pub pending_fault: Option<Fault>,
    /// No log line is written (`monitor-uri`).
    pub log_is_muted: bool,
    /// Bytes of a response have been given to the client's connection.
    pub response_begun: bool,
    /// The server's connection while the exchange uses it, for its addresses and figures.
    pub server_socket: Option<Sock>,
    /// What was counted as begun on the server's side and has to be counted as ended.
    pub counted: Counted,
    pub persistence: Persistence,
    /// What stick tables will learn of it.
    pub sticks: Pending,
    pub codings: Codings,
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
    /// The request was found fit to be served or answered: its `%TR` is known.
    pub request_is_fit: bool,
    /// Bytes that the client's connection had received and sent before.
    pub received_before: u64,
    pub sent_before: u64,
}

impl Marks {
    /// The phases as they are known at `now_us`.
    pub fn timers(&self, now_us: u64) -> Timers {
        let ms = |from_us: u64, to_us: u64| -> i32 {
            if from_us == 0 || to_us == 0 {
                -1
            } else {
                (to_us.saturating_sub(from_us) / 1000) as i32
            }
        };
        Timers {
            idle_ms: ms(self.start_us, self.first_byte_us).max(0),
            request_ms: if self.request_is_fit {
                ms(self.first_byte_us, self.request_us)
            } else {
                -1
            },
            queue_ms: ms(self.request_us, self.permit_us),
            connect_ms: ms(self.permit_us, self.connected_us),
            response_ms: ms(self.connected_us, self.response_us),
            total_ms: ms(self.start_us, now_us),
        }
    }
}

/// How far the request's body has been taken off the client's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upload {
    #[default]
    Untouched,
    Begun,
    /// It is in memory as a whole and may be sent more than once.
    Held,
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
            request_body: Preview::default(),
            response: Head::new(),
            response_framing: NO_BODY,
            response_body: Preview::default(),
            facts: StreamFacts::default(),
            vars: StreamVars::default(),
            captures: Captures::default(),
            marks: Marks::default(),
            overrides: Overrides::default(),
            upload: Upload::Untouched,
            rest: None,
            pending_fault: None,
            log_is_muted: false,
            response_begun: false,
            server_socket: None,
            counted: Counted::default(),
            persistence: Persistence::default(),
            sticks: Pending::default(),
            codings: Codings::default(),
        }
    }
}

impl Exchange {
    /// Whether the whole request has been taken off the client's connection.
    pub fn is_request_over(&self) -> bool {
        matches!(self.upload, Upload::Done | Upload::Held)
            || (self.marks.request_us > 0 && self.request_framing.body == BodyLength::None)
    }

    /// Remembers how far an upload has come that goes no further.
    pub fn keep_rest(&mut self, upload: Flow) {
        if self.upload != Upload::Begun {
            return;
        }
        if upload.finished {
            self.upload = Upload::Done;
        } else {
            self.rest = Some(upload.incoming);
        }
    }

    /// What of the request is still on the client's connection, or still to come: a connection
    /// that goes on after an early answer is rid of it first.
    pub fn take_rest(&mut self) -> Option<Incoming> {
        if self.is_request_over() {
            return None;
        }
        let rest = self.rest.take();
        Some(rest.unwrap_or_else(|| Incoming::new(self.request_framing.body)))
    }

    /// Whether the request can go out once more: nothing of it is gone.
    pub fn can_repeat(&self) -> bool {
        self.upload == Upload::Held || self.request_framing.body == BodyLength::None
    }

    /// Ready for the next exchange; memory is kept.
    pub fn reset(&mut self) {
        self.request.clear();
        self.response.clear();
        self.request_framing = NO_BODY;
        self.response_framing = NO_BODY;
        self.request_body.clear();
        self.response_body.clear();
        self.facts.reset();
        self.vars.clear();
        self.captures.clear();
        self.marks = Marks::default();
        self.overrides = Overrides::default();
        self.upload = Upload::Untouched;
        self.rest = None;
        self.pending_fault = None;
        self.log_is_muted = false;
        self.response_begun = false;
        self.server_socket = None;
        self.counted = Counted::default();
        self.persistence = Persistence::default();
        self.sticks.clear();
        self.codings = Codings::default();
    }
}
