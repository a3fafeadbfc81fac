//! `balance leastconn`: the server with the least load for its weight.

use super::view::{Candidate, Pick, Request, View, load};
use crate::server::ServerState;

/// Lowest load for the weight; among equals the one whose last turn is longest ago, and before
/// all turns the first in the configuration. A full server counts only while its `maxqueue` has
/// room.
pub(super) fn pick<'v>(view: &'v View, request: &Request<'_>) -> Pick<'v> {
    let mut best: Option<(&Candidate, u64, u32)> = None;
    for candidate in view.candidates() {
        let server = candidate.state();
        let seen = server.in_use();
        let load = u64::from(seen) + u64::from(server.queued());
        if !accepts(server) || (candidate.is_avoided(request) && view.candidates().len() > 1) {
            continue;
        }
        let better = best.is_none_or(|(other, other_load, _)| {
            let (mine, theirs) =
                (load * u64::from(other.weight), other_load * u64::from(candidate.weight));
            mine < theirs
                || (mine == theirs && server.last_pick() < other.state().last_pick())
        });
        if better {
            best = Some((candidate, load, seen));
        }
    }
    match best {
        Some((candidate, _, seen)) => {
            candidate.state().set_last_pick(view.backend().next_turn() + 1);
            Pick::Server { member: &candidate.member, seen: Some(seen) }
        }
        None => Pick::AllFull,
    }
}

fn accepts(server: &ServerState) -> bool {
    let maxqueue = server.maxqueue();
    !server.is_full() || (maxqueue != 0 && server.queued() < maxqueue)
}

/// The least loaded of some candidates, for `balance random`.
pub(super) fn least_of<'v>(candidates: impl Iterator<Item = &'v Candidate>) -> Option<&'v Candidate> {
    candidates.reduce(|best, candidate| {
        let mine = load(candidate.state()) * u64::from(best.weight);
        let theirs = load(best.state()) * u64::from(candidate.weight);
        let earlier = candidate.state().last_pick() < best.state().last_pick();
        if mine < theirs || (mine == theirs && earlier) { candidate } else { best }
    })
}
