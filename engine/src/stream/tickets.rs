//! Streams of this core that wait for something another core gives.

use std::cell::RefCell;
use std::task::Waker;

use slab::Slab;

use crate::server::Token;

/// The wakers of waiting streams, by the ticket that they handed out.
#[derive(Default)]
pub struct Tickets {
    waiting: RefCell<Slab<(u32, Option<Waker>)>>,
    /// Tells a reused place from its former holder.
    turns: RefCell<u32>,
}

/// A place among the waiting; given up when dropped.
pub struct Ticket<'a> {
    tickets: &'a Tickets,
    key: usize,
    turn: u32,
}

impl Tickets {
    /// A new ticket.
    pub fn take(&self) -> Ticket<'_> {
        let mut turns = self.turns.borrow_mut();
        *turns = turns.wrapping_add(1);
        let key = self.waiting.borrow_mut().insert((*turns, None));
        Ticket {
            tickets: self,
            key,
            turn: *turns,
        }
    }

    /// Wakes the holder of the ticket, if it still waits; true if it does.
    pub fn wake(&self, ticket: u64) -> bool {
        let (turn, key) = (
            (ticket >> 32) as u32,
            (ticket & u64::from(u32::MAX)) as usize,
        );
        let waker = match self.waiting.borrow_mut().get_mut(key) {
            Some((holder, waker)) if *holder == turn => waker.take(),
            _ => None,
        };
        waker.map(Waker::wake).is_some()
    }
}

impl Ticket<'_> {
    /// What others know this ticket by.
    pub fn token(&self, core: usize) -> Token {
        Token {
            core: core as u32,
            ticket: u64::from(self.turn) << 32 | self.key as u64,
        }
    }

    /// Whom to wake from now on.
    pub fn set_waker(&self, waker: &Waker) {
        if let Some((_, slot)) = self.tickets.waiting.borrow_mut().get_mut(self.key) {
            match slot {
                Some(known) if known.will_wake(waker) => {}
                _ => *slot = Some(waker.clone()),
            }
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.tickets.waiting.borrow_mut().remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_that_was_given_up_wakes_nobody() {
        let tickets = Tickets::default();
        let first = tickets.take();
        let old = first.token(0).ticket;
        drop(first);
        let second = tickets.take();
        second.set_waker(Waker::noop());
        assert!(!tickets.wake(old), "the place was reused by another holder");
        assert!(tickets.wake(second.token(0).ticket));
        assert!(
            !tickets.wake(second.token(0).ticket),
            "woken once until it waits again"
        );
    }
}
