//! Collections that grow, and values that are replaced, while other cores read them.
//!
//! Reading takes no lock: nothing in them ever moves or goes away, so a reference stays good for
//! as long as the collection. What an operator adds at run time (`add server`) stands beside what
//! the configuration brought, under the next index; what he replaces stays in memory for those
//! who may still look at it. Both are bounded by [`SLOTS_ADDED_MAX`].

use std::ops::{Deref, Index};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::SLOTS_ADDED_MAX;

/// Entries of the first block of added ones; each block has twice as many as the one before.
const FIRST_BLOCK: usize = 4;

/// As many blocks as hold [`SLOTS_ADDED_MAX`].
const BLOCKS: usize = (SLOTS_ADDED_MAX / FIRST_BLOCK + 1)
    .next_power_of_two()
    .ilog2() as usize;

/// No room for another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many changes since the process started")]
pub struct Full;

type Block<T> = OnceLock<Box<[OnceLock<T>]>>;

/// A list that only grows.
#[derive(Debug)]
pub struct Slots<T> {
    first: Box<[T]>,
    added: OnceLock<Box<[Block<T>]>>,
    len: AtomicUsize,
}

impl<T> Slots<T> {
    /// The entry at an index.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        match self.first.get(index) {
            Some(entry) => Some(entry),
            None => self.later(index - self.first.len()),
        }
    }

    #[cold]
    fn later(&self, index: usize) -> Option<&T> {
        let (block, offset) = place(index);
        self.added.get()?.get(block)?.get()?[offset].get()
    }

    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an entry; tells its index. Of two threads that add at once, one is told that there is
    /// no room: growing is the affair of one thread.
    pub fn push(&self, entry: T) -> Result<usize, Full> {
        let len = self.len();
        let (block, offset) = place(len - self.first.len());
        let blocks = self
            .added
            .get_or_init(|| (0..BLOCKS).map(|_| OnceLock::new()).collect());
        let block = blocks
            .get(block)
            .ok_or(Full)?
            .get_or_init(|| (0..FIRST_BLOCK << block).map(|_| OnceLock::new()).collect());
        block[offset].set(entry).map_err(|_| Full)?;
        self.len.store(len + 1, Ordering::Release);
        Ok(len)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// What it began with, while nobody else sees it.
    pub fn first_mut(&mut self) -> &mut [T] {
        &mut self.first
    }
}

/// Block and offset of an added entry.
fn place(index: usize) -> (usize, usize) {
    let block = (index / FIRST_BLOCK + 1).ilog2() as usize;
    (block, index - FIRST_BLOCK * ((1 << block) - 1))
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<T>> for Slots<T> {
    fn from(entries: Vec<T>) -> Self {
        Self {
            len: AtomicUsize::new(entries.len()),
            first: entries.into(),
            added: OnceLock::new(),
        }
    }
}

impl<T> FromIterator<T> for Slots<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self::from(entries.into_iter().collect::<Vec<_>>())
    }
}

impl<T> Index<usize> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        self.get(index).expect("an index that was given out")
    }
}

/// A value that is replaced while others read it: they see the old one or the new one.
#[derive(Debug)]
pub struct Current<T> {
    first: T,
    later: Slots<T>,
    /// 0 for the first, else one more than the index among the later ones.
    number: AtomicUsize,
}

impl<T> Current<T> {
    pub fn new(value: T) -> Self {
        Self {
            first: value,
            later: Slots::default(),
            number: AtomicUsize::new(0),
        }
    }

    /// Puts another value in its place; the affair of one thread, as growing is.
    pub fn replace(&self, value: T) -> Result<(), Full> {
        let index = self.later.push(value)?;
        self.number.store(index + 1, Ordering::Release);
        Ok(())
    }

    /// What it began with, while nobody else sees it.
    pub fn first_mut(&mut self) -> &mut T {
        &mut self.first
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self.number.load(Ordering::Acquire) {
            0 => &self.first,
            number => &self.later[number - 1],
        }
    }
}

impl<T: Default> Default for Current<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Current<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn added_entries_fill_blocks_without_gaps() {
        let places: Vec<_> = (0..14).map(place).collect();
        assert_eq!(places[..5], [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]);
        assert_eq!(places[11..14], [(1, 7), (2, 0), (2, 1)]);
    }

    #[test]
    fn what_was_given_out_stays_where_it_is() {
        let slots = Slots::from(vec![0]);
        let first: *const i32 = &raw const slots[0];
        for number in 1..1_000 {
            assert_eq!(slots.push(number), Ok(number as usize));
        }
        assert_eq!(first, &raw const slots[0]);
        assert!(slots.iter().copied().eq(0..1_000));
        assert_eq!(slots.get(1_000), None);
        assert_eq!(slots.len(), 1_000);
    }

    #[test]
    fn there_is_an_end() {
        let slots = Slots::from(Vec::<()>::new());
        while slots.push(()).is_ok() {}
        assert!(slots.len() >= SLOTS_ADDED_MAX, "{}", slots.len());
        assert_eq!(slots.push(()), Err(Full));
    }

    #[test]
    fn readers_see_a_value_whole() {
        let current = Arc::new(Current::new((0, 0)));
        let reader = Arc::clone(&current);
        let seen = std::thread::spawn(move || {
            let mut last = 0;
            while last < 500 {
                let (a, b) = **reader;
                assert!(a == b && a >= last);
                last = a;
            }
        });
        for number in 1..=500 {
            assert_eq!(current.replace((number, number)), Ok(()));
        }
        assert!(seen.join().is_ok());
    }
}
