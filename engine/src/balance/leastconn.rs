//! `balance leastconn`: the server with the least load for its weight.

use super::view::{Candidate, Pick, Request, View};
use crate::server::ServerState;

/// Lowest load for the weight; among equals the one whose last turn is longest ago, and before
/// all turns the first in the configuration. A full server counts only while its `maxqueue` has
/// room.
pub(super) fn pick<'v>(view: &'v View, request: &Request<'_>) -> Pick<'v> {
    let accepting = || view.candidates().iter().filter(|c| accepts(c.state()));
    let best =
        least_of(accepting().filter(|c| !c.is_avoided(request))).or_else(|| least_of(accepting()));
    match best {
        Some(Loaded {
            candidate, seen, ..
        }) => {
            candidate
                .state()
                .set_last_pick(view.backend().next_turn() + 1);
            Pick::Server {
                member: &candidate.member,
                seen: Some(seen),
            }
        }
        None => Pick::AllFull,
    }
}

/// A candidate with the load it had when it was looked at.
#[derive(Clone, Copy)]
pub(super) struct Loaded<'v> {
    pub candidate: &'v Candidate,
    /// Permits in use.
    seen: u32,
    /// Permits in use plus requests waiting.
    load: u64,
}

impl<'v> Loaded<'v> {
    fn new(candidate: &'v Candidate) -> Self {
        let seen = candidate.state().in_use();
        Self {
            candidate,
            seen,
            load: u64::from(seen) + u64::from(candidate.state().queued()),
        }
    }

    /// Loads are compared for the weights, without a division.
    fn is_better_than(&self, other: &Self) -> bool {
        let mine = self.load * u64::from(other.candidate.weight);
        let theirs = other.load * u64::from(self.candidate.weight);
        let rested = || self.candidate.state().last_pick() < other.candidate.state().last_pick();
        mine < theirs || (mine == theirs && rested())
    }
}

/// The least loaded, in one pass.
pub(super) fn least_of<'v>(candidates: impl Iterator<Item = &'v Candidate>) -> Option<Loaded<'v>> {
    candidates.map(Loaded::new).reduce(|best, next| {
        if next.is_better_than(&best) {
            next
        } else {
            best
        }
    })
}

fn accepts(server: &ServerState) -> bool {
    let maxqueue = server.maxqueue();
    !server.is_full() || (maxqueue != 0 && server.queued() < maxqueue)
}
