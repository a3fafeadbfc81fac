//! `balance roundrobin`: every server in its turn, as often as its weight says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::map::reduce;
use super::view::{Pick, Request, View};

/// The order of turns for these weights: indices, repeated for ever.
///
/// A server's turns are evenly spaced: it is due again `total / weight` turns after the last one.
/// When nobody is due, a server that had no turn yet begins, the heaviest first; equal weights
/// keep the order of the configuration.
pub(super) fn schedule(weights: &[u32]) -> Box<[u32]> {
    let weights = reduce(weights);
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let mut fresh: Vec<u32> = (0..weights.len() as u32).collect();
    fresh.sort_by_key(|&index| Reverse(weights[index as usize]));
    let mut fresh = fresh.into_iter().peekable();
    // (turn when due, lighter weights later, order of the configuration), remainder of the turn
    let mut due: BinaryHeap<Reverse<(u64, Reverse<u32>, u32, u64)>> = BinaryHeap::new();
    let mut turns = Vec::with_capacity(total as usize);
    for now in 0..total {
        let is_due = due.peek().is_some_and(|Reverse((at, ..))| *at <= now);
        let begins = if is_due { None } else { fresh.next() };
        let (index, at, remainder) = match begins {
            Some(index) => (index, now, 0),
            None => match due.pop() {
                Some(Reverse((at, _, index, remainder))) => (index, at, remainder),
                None => break,
            },
        };
        turns.push(index);
        let weight = u64::from(weights[index as usize]);
        let next = total + remainder;
        let at = at + next / weight;
        due.push(Reverse((at, Reverse(weights[index as usize]), index, next % weight)));
    }
    turns.into()
}

/// The next turn; servers that are full or to be avoided lose theirs.
pub(super) fn pick<'v>(view: &'v View, turns: &[u32], request: &Request<'_>) -> Pick<'v> {
    let candidates = view.candidates();
    for _ in 0..candidates.len().min(turns.len()) {
        let turn = view.backend().next_turn() % turns.len() as u64;
        let candidate = &candidates[turns[turn as usize] as usize];
        if !candidate.state().is_full() && !candidate.is_avoided(request) {
            return Pick::Server { member: &candidate.member, seen: None };
        }
    }
    // Turns are not evenly spread over servers: look at each one once before giving up.
    let free = |avoid: bool| {
        candidates.iter().find(|c| !c.state().is_full() && (!avoid || !c.is_avoided(request)))
    };
    match free(true).or_else(|| free(false)) {
        Some(candidate) => Pick::Server { member: &candidate.member, seen: None },
        None => Pick::AllFull,
    }
}
