//! Who tracks which keys: a session or stream, by number of its counter (manual, `track-sc0`).

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::data::Data;
use super::entry::Entry;
use super::event;
use super::store::{Slot, Table};

/// The right to count under a key, which stays in its table as long as this lives.
#[derive(Debug)]
pub struct Tracked {
    pub table: Arc<Table>,
    pub entry: Arc<Entry>,
}

impl Tracked {
    /// The entry's users include this one already. A connection is counted (manual, 11.1,
    /// `conn_cnt`, `conn_rate`, `conn_cur`).
    pub(super) fn new(table: Arc<Table>, entry: Arc<Entry>, now_ms: u64) -> Tracked {
        table.add(&entry, event::BEGIN, now_ms);
        Tracked { table, entry }
    }

    /// Adds to its figures.
    pub fn add(&self, changes: &[(Slot, u64)], now_ms: u64) {
        self.table.add(&self.entry, changes, now_ms);
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.table.subtract_one(&self.entry, Data::ConnCur);
        self.entry.users.fetch_sub(1, Relaxed);
    }
}

/// The counters of one session or one stream, by number; memory is kept. Every idle connection
/// has one, so it is no larger than it must be.
#[derive(Debug, Default)]
pub struct Tracking {
    counters: Box<[Option<Tracked>]>,
}

/// A copy of facts tracks nothing: what is counted is counted once.
impl Clone for Tracking {
    fn clone(&self) -> Self {
        Tracking::default()
    }
}

impl Tracking {
    pub fn counter(&self, number: usize) -> Option<&Tracked> {
        self.counters.get(number)?.as_ref()
    }

    pub fn set(&mut self, number: usize, tracked: Tracked) {
        if self.counters.len() <= number {
            let mut longer = std::mem::take(&mut self.counters).into_vec();
            longer.resize_with(number + 1, || None);
            self.counters = longer.into();
        }
        self.counters[number] = Some(tracked);
    }

    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Everything it tracks.
    pub fn all(&self) -> impl Iterator<Item = &Tracked> {
        self.counters.iter().flatten()
    }

    /// Ends all tracking at a time that does not matter.
    pub fn clear(&mut self) {
        self.counters.fill_with(|| None);
    }

    /// Takes over what another tracks.
    pub fn take_from(&mut self, other: &mut Tracking) {
        for (number, slot) in other.counters.iter_mut().enumerate() {
            if let Some(tracked) = slot.take() {
                self.set(number, tracked);
            }
        }
    }

    /// Ends all tracking; what was tracked counts as used now.
    pub fn end(&mut self, now_ms: u64) {
        for tracked in self.counters.iter_mut().filter_map(Option::take) {
            tracked.table.touch(&tracked.entry, now_ms);
        }
    }
}

/// What counts for an exchange: the stream's own counters, and the session's where the stream has
/// none of that number.
pub fn effective<'t>(
    session: &'t Tracking,
    stream: &'t Tracking,
) -> impl Iterator<Item = &'t Tracked> {
    let numbers = session.counters.len().max(stream.counters.len());
    (0..numbers).filter_map(|number| stream.counter(number).or_else(|| session.counter(number)))
}
