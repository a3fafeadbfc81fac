//! The static map of `balance static-rr` and `hash-type map-based`.

use super::Affinity;
use super::view::{Pick, Request, View};
use crate::limits;

/// Divides weights by their greatest common divisor, and scales them down if the schedule would
/// still be longer than its limit. No weight becomes 0.
pub(super) fn reduce(weights: &[u32]) -> Vec<u32> {
    let divisor = weights.iter().fold(0, |a, &b| gcd(a, b)).max(1);
    let total: u64 = weights
        .iter()
        .map(|&weight| u64::from(weight / divisor))
        .sum();
    let slots_max = limits::BALANCE_SLOTS_MAX as u64;
    weights
        .iter()
        .map(|&weight| {
            let weight = u64::from(weight / divisor);
            let scaled = if total > slots_max {
                weight * slots_max / total
            } else {
                weight
            };
            scaled.max(1) as u32
        })
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// One slot for each unit of weight. Each slot goes to the server that is owed the most whole
/// turns, the first in the configuration among equals: the order in which HAProxy fills it.
pub(super) fn build(weights: &[u32]) -> Box<[u32]> {
    let weights = reduce(weights);
    let total: i64 = weights.iter().map(|&weight| i64::from(weight)).sum();
    let mut owed = vec![0_i64; weights.len()];
    (0..total)
        .map(|_| {
            let mut best = 0;
            let mut best_turns = i64::MIN;
            for (index, (score, &weight)) in owed.iter_mut().zip(&weights).enumerate() {
                *score += i64::from(weight);
                // Truncation towards zero lumps a debt of less than two turns together.
                let turns = (*score + total) / total;
                if turns > best_turns {
                    (best, best_turns) = (index, turns);
                }
            }
            owed[best] -= total;
            best as u32
        })
        .collect()
}

/// The server at the hash's slot; later slots if that one is skipped.
pub(super) fn pick<'v>(view: &'v View, map: &[u32], hash: u32, request: &Request<'_>) -> Pick<'v> {
    let start = hash as usize % map.len();
    let at = |step: usize| &view.candidates()[map[(start + step) % map.len()] as usize];
    let found = (0..map.len())
        .map(at)
        .find(|c| !c.is_avoided(request) && !is_skipped(view, c))
        .unwrap_or_else(|| at(0));
    Pick::Server {
        member: &found.member,
        seen: None,
    }
}

/// `hash-preserve-affinity`: whether a saturated server is passed over.
pub(super) fn is_skipped(view: &View, candidate: &super::view::Candidate) -> bool {
    let server = candidate.state();
    match view.config().affinity {
        Affinity::Always => false,
        Affinity::Maxconn => server.is_full(),
        Affinity::Maxqueue => {
            let maxqueue = server.maxqueue();
            maxqueue != 0 && server.limit().is_some() && server.queued() >= maxqueue
        }
    }
}
