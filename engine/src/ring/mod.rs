//! Ring buffers of log lines (manual, 12.5): the newest lines in bounded memory, in one order for
//! all cores.
//!
//! A core appends what it gathered in a turn under one short lock, and only where a ring is
//! configured. What a reader that holds its place has not read is never overwritten: new lines are
//! dropped and counted instead. Whoever does not hold its place loses the oldest lines.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Called when there is something to read, from any thread.
pub type Wake = Box<dyn Fn() + Send>;

/// Bytes that a line costs beside its own.
const LINE_OVERHEAD_BYTES: usize = 2;

/// One ring.
pub struct Ring {
    name: Box<str>,
    description: Box<str>,
    /// Bytes of all lines.
    size: usize,
    /// Bytes of one line; longer ones are cut.
    maxlen: usize,
    dropped: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    /// Ends of the lines in `bytes`, counted from the ring's first byte ever.
    ends: VecDeque<u64>,
    /// Number of the line `ends[0]`, counted from 0.
    first: u64,
    /// Where `bytes` begins, counted likewise.
    base: u64,
    readers: Vec<Option<Place>>,
    /// A line that is in two parts in `bytes`.
    joined: Vec<u8>,
}

/// Where a reader stands.
struct Place {
    /// The next line.
    next: u64,
    holds: bool,
    /// Waits for lines.
    sleeps: bool,
    wake: Wake,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Oldest,
    /// After what is there.
    New,
    /// At this line, or at the oldest that is still there.
    At(u64),
}

/// One reader of a ring; it holds its place until it is dropped.
pub struct Reader {
    ring: Arc<Ring>,
    key: usize,
}

impl Ring {
    /// An empty ring of `size` bytes for lines of at most `maxlen`.
    pub fn new(name: &str, description: &str, size: usize, maxlen: usize) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            size,
            maxlen: maxlen.min(size.saturating_sub(LINE_OVERHEAD_BYTES)),
            dropped: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    /// Lines that found no room, since start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Appends lines, in this order; tells how many were dropped.
    pub fn append<'l>(&self, lines: impl Iterator<Item = &'l [u8]>) -> usize {
        let mut state = self.state();
        let mut dropped = 0;
        for line in lines {
            let line = &line[..line.len().min(self.maxlen)];
            if state.make_room(line.len(), self.size) {
                state.bytes.extend(line);
                let end = state.base + state.bytes.len() as u64;
                state.ends.push_back(end);
            } else {
                dropped += 1;
            }
        }
        let last = state.after_last();
        for place in state.readers.iter_mut().flatten() {
            if place.sleeps && place.next < last {
                place.sleeps = false;
                (place.wake)();
            }
        }
        drop(state);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        dropped as usize
    }

    /// Begins to read; `wake` is called when lines come after [`Reader::read`] found none.
    pub fn reader(self: &Arc<Self>, start: Start, wake: Wake) -> Reader {
        let mut state = self.state();
        let next = match start {
            Start::Oldest => state.first,
            Start::New => state.after_last(),
            Start::At(line) => line.max(state.first),
        };
        let place = Some(Place {
            next,
            holds: true,
            sleeps: false,
            wake,
        });
        let free = state.readers.iter().position(Option::is_none);
        let key = free.unwrap_or(state.readers.len());
        if free.is_some() {
            state.readers[key] = place;
        } else {
            state.readers.push(place);
        }
        drop(state);
        Reader {
            ring: Arc::clone(self),
            key,
        }
    }

    /// The whole of what is there, each line given to `line`.
    pub fn for_each(&self, mut line: impl FnMut(&[u8])) {
        let mut state = self.state();
        let (first, last) = (state.first, state.after_last());
        for number in first..last {
            line(state.line(number));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn after_last(&self) -> u64 {
        self.first + self.ends.len() as u64
    }

    fn used(&self) -> usize {
        self.bytes.len() + self.ends.len() * LINE_OVERHEAD_BYTES
    }

    /// Drops the oldest lines until `bytes` fit; false if someone still needs them.
    fn make_room(&mut self, bytes: usize, size: usize) -> bool {
        let held = self.readers.iter().flatten().filter(|place| place.holds);
        let held = held.map(|place| place.next).min().unwrap_or(u64::MAX);
        while self.used() + bytes + LINE_OVERHEAD_BYTES > size {
            if self.first >= held {
                return false;
            }
            let Some(end) = self.ends.pop_front() else {
                return true;
            };
            self.bytes.drain(..(end - self.base) as usize);
            self.base = end;
            self.first += 1;
        }
        true
    }

    /// The line of this number, which is there. Only one that goes around the end of the memory is
    /// copied.
    fn line(&mut self, number: u64) -> &[u8] {
        let index = (number - self.first) as usize;
        let start = match index {
            0 => 0,
            _ => (self.ends[index - 1] - self.base) as usize,
        };
        let end = (self.ends[index] - self.base) as usize;
        let (head, tail) = self.bytes.as_slices();
        if end <= head.len() {
            &head[start..end]
        } else if let Some(start) = start.checked_sub(head.len()) {
            &tail[start..end - head.len()]
        } else {
            self.joined.clear();
            self.joined.extend_from_slice(&head[start..]);
            self.joined.extend_from_slice(&tail[..end - head.len()]);
            &self.joined
        }
    }
}

impl Reader {
    /// Gives lines to `line`, oldest first, until it says that it has enough; tells whether there
    /// were any. If there were none, the next one wakes the reader.
    pub fn read(&self, mut line: impl FnMut(&[u8]) -> bool) -> bool {
        let mut state = self.ring.state();
        let (first, last) = (state.first, state.after_last());
        let Some(place) = &mut state.readers[self.key] else {
            return false;
        };
        let mut next = place.next.max(first);
        place.sleeps = next == last;
        let any = next < last;
        while next < last {
            next += 1;
            if !line(state.line(next - 1)) {
                break;
            }
        }
        if let Some(place) = &mut state.readers[self.key] {
            place.next = next;
        }
        any
    }

    /// The next line to read.
    pub fn next(&self) -> u64 {
        let state = self.ring.state();
        state.readers[self.key]
            .as_ref()
            .map_or(0, |place| place.next)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.ring.state().readers[self.key] = None;
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
