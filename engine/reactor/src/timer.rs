//! Timers of one core: a deadline that is cheap to move, on a wheel that looks at it when due.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::core::Core;
use crate::wheel::{Place, Wheel};

/// A deadline that is not set.
const NEVER_MS: u64 = u64::MAX;
/// A timer may come late by this part of its delay (a power of two as its exponent: 1/128), so
/// that thousands of connections with one timeout share wake-ups instead of having one each.
const SLACK_SHIFT: u32 = 7;

/// One deadline in the core's milliseconds (`Core::now_ms`).
///
/// It comes at most 1 % of its delay late, never early. Moving the deadline later, or clearing it, is a plain store: the wheel keeps its earlier entry,
/// which looks at the true deadline when it comes out and goes back in if it is not due.
pub struct Timer {
    core: Core,
    key: u32,
}

impl Timer {
    pub(crate) fn new(core: Core) -> Self {
        let key = core.inner().timers.add();
        Self { core, key }
    }

    /// Sets the deadline; one that has passed already expires at once.
    pub fn set(&self, at_ms: u64) {
        self.core.inner().timers.set(self.key, at_ms);
    }

    /// Sets the deadline this many milliseconds after now.
    pub fn set_after(&self, delay_ms: u64) {
        self.set(self.core.now_ms().saturating_add(delay_ms));
    }

    /// Forgets the deadline: the timer does not expire until it is set again.
    pub fn clear(&self) {
        self.core.inner().timers.set(self.key, NEVER_MS);
    }

    /// The deadline, if one is set.
    pub fn deadline_ms(&self) -> Option<u64> {
        Some(self.core.inner().timers.deadline(self.key)).filter(|&at_ms| at_ms != NEVER_MS)
    }

    /// Ready once the deadline has been reached, and from then on until it is set or cleared.
    pub fn poll_expired(&self, context: &mut Context<'_>) -> Poll<()> {
        let inner = self.core.inner();
        if inner.timers.deadline(self.key) <= inner.clock.now_ms() {
            return Poll::Ready(());
        }
        inner.timers.wait(self.key, context.waker());
        Poll::Pending
    }

    /// Waits until the deadline has been reached.
    pub async fn expired(&self) {
        poll_fn(|context| self.poll_expired(context)).await;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.core.inner().timers.remove(self.key);
    }
}

struct Slot {
    deadline_ms: u64,
    /// When the wheel looks at this slot; meaningful while `place` is set.
    queued_ms: u64,
    place: Option<Place>,
    waker: Option<Waker>,
}

pub(crate) struct Timers {
    inner: RefCell<Inner>,
}

struct Inner {
    wheel: Wheel,
    slots: Slab<Slot>,
}

impl Timers {
    pub(crate) fn new(now_ms: u64) -> Self {
        let inner = Inner {
            wheel: Wheel::new(now_ms),
            slots: Slab::new(),
        };
        Self {
            inner: RefCell::new(inner),
        }
    }

    fn add(&self) -> u32 {
        let slot = Slot {
            deadline_ms: NEVER_MS,
            queued_ms: 0,
            place: None,
            waker: None,
        };
        self.inner.borrow_mut().slots.insert(slot) as u32
    }

    fn set(&self, key: u32, at_ms: u64) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(slot) = inner.slots.get_mut(key as usize) else {
            return;
        };
        slot.deadline_ms = at_ms;
        if at_ms == NEVER_MS {
            return;
        }
        let look_ms = shared_tick(inner.wheel.elapsed_ms(), at_ms);
        if slot.place.is_some() && slot.queued_ms <= look_ms {
            return;
        }
        if let Some(place) = slot.place.take() {
            inner.unlink(place);
        }
        inner.link(key, look_ms);
    }

    fn deadline(&self, key: u32) -> u64 {
        self.inner
            .borrow()
            .slots
            .get(key as usize)
            .map_or(NEVER_MS, |slot| slot.deadline_ms)
    }

    fn wait(&self, key: u32, waker: &Waker) {
        let mut inner = self.inner.borrow_mut();
        let Some(slot) = inner.slots.get_mut(key as usize) else {
            return;
        };
        if slot
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            return;
        }
        let known = slot.waker.replace(waker.clone());
        drop(inner);
        drop(known);
    }

    fn remove(&self, key: u32) {
        let mut inner = self.inner.borrow_mut();
        let slot = inner.slots.try_remove(key as usize);
        if let Some(place) = slot.as_ref().and_then(|slot| slot.place) {
            inner.unlink(place);
        }
        drop(inner);
        drop(slot);
    }

    /// When the wheel wants to be looked at next.
    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.inner.borrow().wheel.next_ms()
    }

    /// Wakes every timer that is due and returns how many were.
    pub(crate) fn fire(&self, now_ms: u64, scratch: &mut Vec<Waker>) -> u32 {
        let inner = &mut *self.inner.borrow_mut();
        let mut early = Vec::new();
        let mut fired = 0;
        let slots = RefCell::new(&mut inner.slots);
        inner.wheel.advance(
            now_ms,
            |key| {
                let mut slots = slots.borrow_mut();
                let Some(slot) = slots.get_mut(key as usize) else {
                    return;
                };
                slot.place = None;
                if slot.deadline_ms <= now_ms {
                    fired += 1;
                    scratch.extend(slot.waker.take());
                } else if slot.deadline_ms != NEVER_MS {
                    early.push((key, slot.deadline_ms));
                }
            },
            |moved| {
                if let Some(slot) = slots.borrow_mut().get_mut(moved.key as usize) {
                    slot.place = Some(moved.place);
                }
            },
        );
        for (key, deadline_ms) in early {
            inner.link(key, shared_tick(now_ms, deadline_ms));
        }
        fired
    }
}

/// The first tick at or after a deadline that its neighbours share.
fn shared_tick(now_ms: u64, at_ms: u64) -> u64 {
    let delay_ms = at_ms.saturating_sub(now_ms);
    let grain_ms = 1 << delay_ms.max(1).ilog2().saturating_sub(SLACK_SHIFT);
    at_ms.checked_next_multiple_of(grain_ms).unwrap_or(at_ms)
}

impl Inner {
    fn link(&mut self, key: u32, at_ms: u64) {
        let place = self.wheel.insert(key, at_ms);
        if let Some(slot) = self.slots.get_mut(key as usize) {
            slot.place = Some(place);
            slot.queued_ms = at_ms;
        }
    }

    fn unlink(&mut self, place: Place) {
        if let Some(moved) = self.wheel.remove(place)
            && let Some(slot) = self.slots.get_mut(moved.key as usize)
        {
            slot.place = Some(moved.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_tick_is_never_early_and_little_late() {
        for now_ms in [0, 1, 77, 123_456_789] {
            for delay_ms in (0..2000).chain([5_000, 60_000, 10_800_000, 1 << 40]) {
                let late_ms = shared_tick(now_ms, now_ms + delay_ms) - (now_ms + delay_ms);
                assert!(
                    late_ms * 100 <= delay_ms,
                    "{delay_ms} ms: {late_ms} ms late"
                );
            }
        }
        assert_eq!(shared_tick(0, 250), 250, "short ones are exact");
        let (first, last) = (shared_tick(1_000, 6_001), shared_tick(1_000, 6_016));
        assert_eq!(first, last, "neighbours share one");
        assert_eq!(shared_tick(0, NEVER_MS - 1), NEVER_MS - 1);
    }
}
