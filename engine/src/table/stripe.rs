//! A part of a table: the keys whose hash falls there, and the order in which they become due.

use std::collections::{BTreeMap, HashMap};
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::entry::Entry;

/// Orders entries by when they are due; the number keeps those of one millisecond apart.
type Due = (u64, u64);

/// Entries of one part.
#[derive(Debug, Default)]
pub(super) struct Stripe {
    entries: HashMap<Box<[u8]>, Queued, RandomState>,
    /// An entry that was used since stands here too early, and is moved when its turn comes.
    queue: BTreeMap<Due, Arc<Entry>>,
    next: u64,
}

#[derive(Debug)]
struct Queued {
    entry: Arc<Entry>,
    due: Due,
}

impl Stripe {
    pub(super) fn find(&self, key: &[u8]) -> Option<&Arc<Entry>> {
        self.entries.get(key).map(|queued| &queued.entry)
    }

    pub(super) fn insert(&mut self, entry: &Arc<Entry>) {
        let due = (entry.due_ms.load(Relaxed), self.next);
        self.next += 1;
        self.queue.insert(due, Arc::clone(entry));
        let queued = Queued {
            entry: Arc::clone(entry),
            due,
        };
        self.entries.insert(entry.key.clone(), queued);
    }

    /// Removes a key if it stands for this very entry.
    pub(super) fn remove(&mut self, entry: &Arc<Entry>) -> bool {
        let is_it = self
            .find(&entry.key)
            .is_some_and(|known| Arc::ptr_eq(known, entry));
        if !is_it {
            return false;
        }
        if let Some(queued) = self.entries.remove(&entry.key) {
            self.queue.remove(&queued.due);
        }
        true
    }

    /// When the first entry may be due; the end of time in an empty stripe.
    pub(super) fn first_due_ms(&self) -> u64 {
        self.queue.keys().next().map_or(u64::MAX, |due| due.0)
    }

    /// Takes the entry that is due first if nobody tracks it; one that was used meanwhile, or is
    /// tracked, goes to its new place, not before `busy_until_ms` where it is tracked. `Err` tells
    /// that something was moved.
    pub(super) fn pop(&mut self, busy_until_ms: u64) -> Option<Result<Arc<Entry>, ()>> {
        let (due, entry) = self.queue.pop_first()?;
        let mut due_ms = entry.due_ms.load(Relaxed);
        let is_busy = entry.users() > 0;
        if is_busy {
            due_ms = due_ms.max(busy_until_ms);
        }
        if is_busy || due_ms > due.0 {
            let moved = (due_ms, self.next);
            self.next += 1;
            if let Some(queued) = self.entries.get_mut(&entry.key) {
                queued.due = moved;
            }
            self.queue.insert(moved, entry);
            return Some(Err(()));
        }
        self.entries.remove(&entry.key);
        Some(Ok(entry))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values().map(|queued| &queued.entry)
    }
}
