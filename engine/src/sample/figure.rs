//! Figures of stick tables as fetches and converters read and change them (manual, 7.3.1 and 7.3.3).

use std::sync::Arc;

use crate::table::{Data, Entry, Slot, Table};

/// What is done with a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Read,
    /// Read in units of 1024.
    ReadKilo,
    /// One more, and the figure after it; the counter's rate follows.
    Increase,
    /// Back to 0, and the figure before it.
    Clear,
}

/// A figure and what is done with it.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub op: Op,
    pub slot: Slot,
}

impl Figure {
    pub const fn new(op: Op, data: Data) -> Figure {
        Figure {
            op,
            slot: Slot::of(data),
        }
    }

    /// Element `index` of an array.
    pub fn element(op: Op, data: Data, index: usize) -> Figure {
        Figure {
            op,
            slot: Slot { data, index },
        }
    }

    /// Whether entries of `table` have this figure: without it, there is no value.
    pub fn is_in(self, table: &Table) -> bool {
        let rate = rate_of(self.slot).filter(|_| self.op == Op::Increase);
        table.stores(self.slot) || rate.is_some_and(|rate| table.stores(rate))
    }

    /// The figure under a key; 0 where the key is not in the table.
    pub fn of_key(self, table: &Table, key: &[u8], now_ms: u64) -> Option<i64> {
        if !self.is_in(table) {
            return None;
        }
        let entry = match self.op {
            Op::Increase => table.obtain(key, now_ms),
            _ => table.find(key, now_ms),
        };
        match entry {
            Some(entry) => self.of_entry(table, &entry, now_ms),
            None => Some(0),
        }
    }

    /// The figure of an entry.
    pub fn of_entry(self, table: &Table, entry: &Arc<Entry>, now_ms: u64) -> Option<i64> {
        let value = match self.op {
            Op::Read => table.value(entry, self.slot, now_ms)?,
            Op::ReadKilo => table.value(entry, self.slot, now_ms)? >> 10,
            Op::Increase => {
                table.touch(entry, now_ms);
                increase(table, entry, self.slot, 1, now_ms)?
            }
            Op::Clear => {
                table.touch(entry, now_ms);
                table.set(entry, self.slot, 0, now_ms)?
            }
        };
        Some(value as i64)
    }
}

/// Adds to a general counter and to its rate, whichever the table stores; the counter's value, or
/// else the rate's.
pub fn increase(table: &Table, entry: &Entry, slot: Slot, count: u64, now_ms: u64) -> Option<u64> {
    let rate = rate_of(slot).and_then(|rate| table.add_one(entry, rate, count, now_ms));
    let counter = table.add_one(entry, slot, count, now_ms);
    counter.or(rate).map(|(_, after)| after)
}

/// The rate that follows a general counter.
fn rate_of(slot: Slot) -> Option<Slot> {
    let data = match slot.data {
        Data::Gpc0 => Data::Gpc0Rate,
        Data::Gpc1 => Data::Gpc1Rate,
        Data::Gpc => Data::GpcRate,
        _ => return None,
    };
    Some(Slot {
        data,
        index: slot.index,
    })
}
