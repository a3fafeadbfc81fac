//! Received pieces in order, the first of them without memory of its own.

use std::collections::VecDeque;

use crate::seg::Seg;

/// Places beyond the first that are kept when the queue is empty.
const KEPT: usize = 8;

/// Most of the time there is one piece or none: only the others need an allocation, so that an
/// idle connection has none.
#[derive(Default)]
pub(super) struct Queue {
    /// `None` only if `rest` is empty.
    first: Option<Seg>,
    rest: VecDeque<Seg>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(super) fn front(&self) -> Option<&Seg> {
        self.first.as_ref()
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut Seg> {
        self.first.as_mut()
    }

    pub(super) fn back_mut(&mut self) -> Option<&mut Seg> {
        self.rest.back_mut().or(self.first.as_mut())
    }

    pub(super) fn push(&mut self, piece: Seg) {
        if self.first.is_none() {
            self.first = Some(piece);
        } else {
            self.rest.push_back(piece);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Seg> {
        let piece = self.first.take()?;
        if self.rest.capacity() > 0 {
            self.first = self.rest.pop_front();
            if self.rest.is_empty() && self.rest.capacity() > KEPT {
                self.rest = VecDeque::new();
            }
        }
        Some(piece)
    }
}

impl Iterator for Queue {
    type Item = Seg;

    fn next(&mut self) -> Option<Seg> {
        self.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_out_in_the_order_they_came_in() {
        let mut queue = Queue::default();
        let piece = |byte: u8| Seg::heap(vec![byte]);
        assert!(queue.pop().is_none());
        for round in 0..3 {
            (0..20).for_each(|byte| queue.push(piece(byte)));
            assert_eq!(queue.len(), 20);
            assert_eq!(queue.front().map(|piece| piece[0]), Some(0));
            assert_eq!(queue.back_mut().map(|piece| piece[0]), Some(19));
            let out: Vec<u8> = queue.by_ref().map(|piece| piece[0]).collect();
            assert_eq!(out, (0..20).collect::<Vec<u8>>(), "round {round}");
            assert!(queue.rest.capacity() <= KEPT, "an idle queue is small");
        }
    }
}
