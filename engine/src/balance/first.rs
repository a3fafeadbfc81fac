//! `balance first`: the lowest id that has room.

use super::view::{Candidate, Pick, Request, View};

/// Candidates by ascending server id.
pub(super) fn order(candidates: &[Candidate]) -> Box<[u32]> {
    let mut order: Vec<u32> = (0..candidates.len() as u32).collect();
    order.sort_by_key(|&index| candidates[index as usize].state().id());
    order.into()
}

/// The first server with a free permit.
pub(super) fn pick<'v>(view: &'v View, order: &[u32], request: &Request<'_>) -> Pick<'v> {
    let in_order = || {
        order
            .iter()
            .map(|&index| &view.candidates()[index as usize])
    };
    let free = |candidate: &&Candidate| !candidate.state().is_full();
    in_order()
        .filter(free)
        .find(|candidate| !candidate.is_avoided(request))
        .or_else(|| in_order().find(free))
        .map_or(Pick::AllFull, |candidate| Pick::Server {
            member: &candidate.member,
            seen: None,
        })
}
