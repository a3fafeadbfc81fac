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
    let mut fresh = fresh.into_iter();
    let mut due: BinaryHeap<Reverse<Due>> = BinaryHeap::new();
    let mut turns = Vec::with_capacity(total as usize);
    for now in 0..total {
        let is_due = due.peek().is_some_and(|Reverse(next)| next.at <= now);
        let begins = if is_due { None } else { fresh.next() };
        let mut next = match begins {
            Some(index) => Due::first(now, index, weights[index as usize]),
            None => match due.pop() {
                Some(Reverse(next)) => next,
                None => break,
            },
        };
        turns.push(next.index);
        if next.spend(total) {
            due.push(Reverse(next));
        }
    }
    turns.into()
}

/// When a server's next turn is due; the order of the fields is the order of turns.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: u64,
    /// Heavier first.
    weight: Reverse<u32>,
    index: u32,
    /// What the division by the weight left over, in `1 / weight` turns.
    remainder: u64,
    /// Turns left in this round.
    left: u32,
}

impl Due {
    fn first(at: u64, index: u32, weight: u32) -> Self {
        Self {
            at,
            weight: Reverse(weight),
            index,
            remainder: 0,
            left: weight,
        }
    }

    /// Moves on by one turn; false after the last one of the round.
    fn spend(&mut self, total: u64) -> bool {
        let weight = u64::from(self.weight.0);
        let step = total + self.remainder;
        self.at += step / weight;
        self.remainder = step % weight;
        self.left -= 1;
        self.left > 0
    }
}

/// The next turn; servers that are full or to be avoided lose theirs.
pub(super) fn pick<'v>(view: &'v View, turns: &[u32], request: &Request<'_>) -> Pick<'v> {
    let candidates = view.candidates();
    for _ in 0..candidates.len().min(turns.len()) {
        let turn = view.backend().next_turn() % turns.len() as u64;
        let candidate = &candidates[turns[turn as usize] as usize];
        if !candidate.state().is_full() && !candidate.is_avoided(request) {
            return Pick::Server {
                member: &candidate.member,
                seen: None,
            };
        }
    }
    // Turns are not evenly spread over servers: look at each one once before giving up.
    let free = |avoid: bool| {
        candidates
            .iter()
            .find(|c| !c.state().is_full() && (!avoid || !c.is_avoided(request)))
    };
    match free(true).or_else(|| free(false)) {
        Some(candidate) => Pick::Server {
            member: &candidate.member,
            seen: None,
        },
        None => Pick::AllFull,
    }
}
