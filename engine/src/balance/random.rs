//! `balance random(draws)`: the least loaded of a few servers drawn by weight.

use super::leastconn::least_of;
use super::view::{Candidate, Pick, Request, View};
use crate::limits;

/// Weights summed up, to draw from.
#[derive(Debug)]
pub(super) struct Draw {
    /// The sum of the weights up to and including each candidate.
    sums: Box<[u64]>,
    draws: u32,
}

impl Draw {
    pub fn new(weights: &[u32], draws: u32) -> Self {
        let mut sum = 0;
        let sums = weights
            .iter()
            .map(|&weight| {
                sum += u64::from(weight);
                sum
            })
            .collect();
        Self {
            sums,
            draws: draws.clamp(1, limits::BALANCE_DRAWS_MAX),
        }
    }

    fn at(&self, random: u64) -> usize {
        let total = self.sums.last().copied().unwrap_or(1).max(1);
        // The high bits decide: the product maps 64 random bits onto 0..total without a division.
        let point = ((u128::from(random) * u128::from(total)) >> 64) as u64;
        self.sums.partition_point(|&sum| sum <= point)
    }
}

/// SplitMix64: one seed becomes as many draws as are asked for.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws, and takes the least loaded; a draw that is full moves on to the next server with room.
pub(super) fn pick<'v>(view: &'v View, draw: &Draw, request: &Request<'_>) -> Pick<'v> {
    let candidates = view.candidates();
    let mut state = request.seed;
    let drawn = (0..draw.draws).filter_map(|_| {
        let start = draw.at(next_random(&mut state));
        let from = |fits: &dyn Fn(&Candidate) -> bool| {
            (0..candidates.len())
                .map(|step| &candidates[(start + step) % candidates.len()])
                .find(|candidate| fits(candidate))
        };
        let free = |c: &Candidate| !c.state().is_full() && !c.is_avoided(request);
        from(&|c| free(c) && view.is_within_balance(c))
            .or_else(|| from(&free))
            .or_else(|| from(&|c| !c.state().is_full()))
    });
    match least_of(drawn).map(|best| best.candidate) {
        Some(candidate) => {
            candidate
                .state()
                .set_last_pick(view.backend().next_turn() + 1);
            Pick::Server {
                member: &candidate.member,
                seen: None,
            }
        }
        None => Pick::AllFull,
    }
}
