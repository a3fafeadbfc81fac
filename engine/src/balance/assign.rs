//! From a request to a permit, or to a place in a queue.

use super::view::{Member, Pick, Request, View};
use crate::limits;
use crate::plan::ServerId;
use crate::server::{Admission, Order, Permit, Token, Waiting};

/// What a request got.
#[derive(Debug)]
pub enum Assigned {
    Granted {
        server: ServerId,
        permit: Permit,
    },
    /// It waits: for that server if one is named, else for any of the backend.
    Waiting {
        server: Option<ServerId>,
        waiting: Waiting,
    },
    Refused(Refusal),
}

/// Why a request gets no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No server takes new requests.
    NoServer,
    /// The queue of the server has reached `maxqueue`.
    QueueFull,
}

impl View {
    /// Lets the algorithm choose and takes a permit there, or waits.
    ///
    /// When others already wait for the backend, the request lines up behind them, unless its key
    /// names one server.
    pub fn assign(&self, request: &Request<'_>, order: &Order, token: Token) -> Assigned {
        for attempt in 1..=limits::ASSIGN_ATTEMPTS_MAX {
            let (member, seen) = match self.pick(request) {
                Pick::NoServer => return Assigned::Refused(Refusal::NoServer),
                Pick::AllFull => return self.wait_for_any(order, token),
                Pick::Server { member, seen } => (member, seen),
            };
            let by_key =
                matches!(self.config().algorithm, super::Algorithm::Hash) && request.hash.is_some();
            if !by_key && self.backend().has_queue() {
                return self.wait_for_any(order, token);
            }
            let permit = match seen {
                Some(seen) if attempt < limits::ASSIGN_ATTEMPTS_MAX => {
                    member.state.try_permit_if(seen)
                }
                _ => member.state.try_permit(),
            };
            if let Some(permit) = permit {
                return Assigned::Granted {
                    server: member.id,
                    permit,
                };
            }
            if by_key || member.state.is_full() && member.state.maxqueue() != 0 {
                return self.assign_to(member, order, token);
            }
        }
        self.wait_for_any(order, token)
    }

    /// Takes a permit of one server, or waits for it: persistence and keys.
    pub fn assign_to(&self, member: &Member, order: &Order, token: Token) -> Assigned {
        match self.backend().admit_to_server(&member.state, order, token) {
            Admission::Granted(permit) => Assigned::Granted {
                server: member.id,
                permit,
            },
            Admission::Queued(waiting) => Assigned::Waiting {
                server: Some(member.id),
                waiting,
            },
            Admission::QueueFull => Assigned::Refused(Refusal::QueueFull),
        }
    }

    fn wait_for_any(&self, order: &Order, token: Token) -> Assigned {
        match self
            .backend()
            .admit_to_backend(self.serving(), order, token)
        {
            Admission::Granted(permit) => match self.id_of(permit.server()) {
                Some(server) => Assigned::Granted { server, permit },
                None => Assigned::Refused(Refusal::NoServer),
            },
            Admission::Queued(waiting) => Assigned::Waiting {
                server: None,
                waiting,
            },
            Admission::QueueFull => Assigned::Refused(Refusal::QueueFull),
        }
    }
}
