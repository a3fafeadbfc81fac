//! Next versions of a file's entries, prepared aside and put in place at once (management.txt,
//! `prepare map`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::set::KeyValue;

/// The versions of one file.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// The one in use.
    pub current: u32,
    /// The last that was prepared.
    pub next: u32,
    staged: BTreeMap<u32, Vec<KeyValue>>,
}

impl Versions {
    /// Begins a version.
    pub fn prepare(&mut self) -> u32 {
        self.next += 1;
        self.staged.insert(self.next, Vec::new());
        self.next
    }

    /// The entries of a version that is not in use; `None` if it was never prepared, or dropped.
    pub fn staged(&self, version: u32) -> Option<&[KeyValue]> {
        self.staged.get(&version).map(Vec::as_slice)
    }

    pub fn staged_mut(&mut self, version: u32) -> Option<&mut Vec<KeyValue>> {
        self.staged.get_mut(&version)
    }

    /// Takes a version into use, and forgets those before it.
    pub fn commit(&mut self, version: u32) -> Option<Arc<[KeyValue]>> {
        let is_newer = version > self.current && version <= self.next;
        let entries = is_newer.then(|| self.staged.remove(&version).unwrap_or_default())?;
        self.current = version;
        self.staged.retain(|&other, _| other > version);
        Some(entries.into())
    }
}
