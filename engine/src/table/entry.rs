//! One key of a table with its data.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::window::Window;

/// A key with its data. Counters are changed under the entry's own lock, held for a few additions;
/// no two keys share it.
#[derive(Debug)]
pub struct Entry {
    pub(super) key: Box<[u8]>,
    pub(super) stripe: usize,
    /// Sessions and streams that track it: it stays as long as there are any.
    pub(super) users: AtomicU32,
    /// When it expires; in a table without `expire` when it was last used.
    pub(super) due_ms: AtomicU64,
    cells: Mutex<Box<[Cell]>>,
}

/// One figure.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Number(u64),
    Rate(Window),
    Name(Option<Arc<str>>),
}

impl Entry {
    pub(super) fn new(key: &[u8], stripe: usize, due_ms: u64, cells: Box<[Cell]>) -> Entry {
        Entry {
            key: key.into(),
            stripe,
            users: AtomicU32::new(0),
            due_ms: AtomicU64::new(due_ms),
            cells: Mutex::new(cells),
        }
    }

    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// How many sessions and streams track it.
    pub fn users(&self) -> u32 {
        self.users.load(Relaxed)
    }

    pub(super) fn with<R>(&self, change: impl FnOnce(&mut [Cell]) -> R) -> R {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut cells)
    }
}
