//! The ring of `hash-type consistent`.

use super::hash::avalanche;
use super::map::is_skipped;
use super::roundrobin;
use super::view::{Candidate, Pick, Request, View};
use crate::server::WEIGHT_SCALE;

/// Points on a circle of 32-bit hashes, several for each server.
#[derive(Debug)]
pub(super) struct Ring {
    /// (point, candidate), ascending.
    points: Box<[(u32, u32)]>,
    turns: Box<[u32]>,
}

impl Ring {
    /// A server has one point for each sixteenth of its weight; its id decides where they lie, so
    /// that load balancers with the same ids agree.
    pub fn new(candidates: &[Candidate]) -> Self {
        let mut points: Vec<(u32, u32)> = candidates
            .iter()
            .enumerate()
            .flat_map(|(index, candidate)| {
                let id = candidate.state().id();
                (0..candidate.weight).map(move |n| (point(id, n), index as u32))
            })
            .collect();
        points.sort_unstable();
        debug_assert!(!points.is_empty() || candidates.is_empty());
        let weights: Vec<u32> = candidates
            .iter()
            .map(|candidate| candidate.weight)
            .collect();
        Self {
            points: points.into(),
            turns: roundrobin::schedule(&weights),
        }
    }

    /// The round robin for requests without a key.
    pub fn turns(&self) -> &[u32] {
        &self.turns
    }

    /// Candidates by points: the one nearest to `hash`, then on around the circle.
    fn from(&self, hash: u32) -> impl Iterator<Item = usize> + '_ {
        let after = self.points.partition_point(|&(point, _)| point < hash);
        let count = self.points.len();
        let (next, previous) = (after % count, (after + count - 1) % count);
        let distance_next = self.points[next].0.wrapping_sub(hash);
        let distance_previous = hash.wrapping_sub(self.points[previous].0);
        let start = if distance_previous < distance_next {
            previous
        } else {
            next
        };
        let (before, on) = self.points.split_at(start);
        on.iter().chain(before).map(|&(_, index)| index as usize)
    }
}

/// Only the 28 lowest bits of an id count (manual 5.2, `hash-key id`); they are spread so that each
/// id has room for the points of the highest weight.
fn point(id: u32, n: u32) -> u32 {
    avalanche(
        (id & 0x0fff_ffff)
            .wrapping_mul(256 * WEIGHT_SCALE)
            .wrapping_add(n),
    )
}

/// The nearest server on the ring that is not to be skipped.
pub(super) fn pick<'v>(view: &'v View, ring: &Ring, hash: u32, request: &Request<'_>) -> Pick<'v> {
    let candidates = view.candidates();
    let nearest = |fits: &dyn Fn(&Candidate) -> bool| {
        ring.from(hash)
            .map(|index| &candidates[index])
            .find(|candidate| fits(candidate))
    };
    let found =
        nearest(&|c| !c.is_avoided(request) && view.is_within_balance(c) && !is_skipped(view, c))
            .or_else(|| nearest(&|c| !c.is_avoided(request)))
            .or_else(|| nearest(&|_| true));
    match found {
        Some(candidate) => Pick::Server {
            member: &candidate.member,
            seen: None,
        },
        None => Pick::NoServer,
    }
}
