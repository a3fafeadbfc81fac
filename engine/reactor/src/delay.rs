//! Things that happen a fixed time later: a queue instead of timers, because order never changes.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::slots::Key;

pub(crate) struct Delay {
    after_ms: u64,
    queue: RefCell<VecDeque<(u64, Key)>>,
}

impl Delay {
    pub(crate) fn new(after_ms: u64) -> Self {
        Self {
            after_ms,
            queue: RefCell::default(),
        }
    }

    pub(crate) fn push(&self, now_ms: u64, key: Key) {
        self.queue
            .borrow_mut()
            .push_back((now_ms + self.after_ms, key));
    }

    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.queue.borrow().front().map(|(at_ms, _)| *at_ms)
    }

    /// The next key whose time has come.
    pub(crate) fn pop(&self, now_ms: u64) -> Option<Key> {
        let mut queue = self.queue.borrow_mut();
        let (at_ms, key) = *queue.front()?;
        if at_ms > now_ms {
            return None;
        }
        queue.pop_front();
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_out_when_due() {
        let delay = Delay::new(100);
        let (first, second) = (Key::new(1, 1), Key::new(2, 1));
        delay.push(10, first);
        delay.push(50, second);
        assert_eq!(delay.next_ms(), Some(110));
        assert_eq!(delay.pop(109), None);
        assert_eq!(delay.pop(110), Some(first));
        assert_eq!(delay.pop(110), None);
        assert_eq!(delay.pop(1000), Some(second));
        assert_eq!(delay.next_ms(), None);
    }
}
