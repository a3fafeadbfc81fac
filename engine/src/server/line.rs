//! Waiting requests in the order in which they are served.

use std::collections::BTreeMap;

use super::Token;

/// The order of waiting requests (manual 4.3: `set-priority-class`, `set-priority-offset`): lower
/// class first, then earlier time, then arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub class: i32,
    /// Arrival plus the priority offset, in ms.
    pub time_ms: i64,
    /// Arrival number within the backend: unique.
    pub arrival: u64,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub token: Token,
    /// Stays with this server even when it goes down (`force-persist`).
    pub pinned: bool,
    /// `Line::served` when the request came.
    pub served_then: u64,
}

/// One queue. Its head is the first to be served.
#[derive(Debug, Default)]
pub(super) struct Line {
    entries: BTreeMap<Key, Entry>,
    /// Requests that left towards a server so far.
    served: u64,
}

impl Line {
    pub fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    pub fn push(&mut self, key: Key, token: Token, pinned: bool) {
        self.entries.insert(
            key,
            Entry {
                token,
                pinned,
                served_then: self.served,
            },
        );
    }

    pub fn head(&self) -> Option<Key> {
        self.entries.first_key_value().map(|(key, _)| *key)
    }

    /// Takes the head: its key, its token, and how many were served since it came.
    pub fn pop(&mut self) -> Option<(Key, Token, u32)> {
        let (key, entry) = self.entries.pop_first()?;
        let ahead = (self.served - entry.served_then) as u32;
        self.served += 1;
        Some((key, entry.token, ahead))
    }

    /// A request gives up. True if it was still waiting.
    pub fn remove(&mut self, key: Key) -> bool {
        self.entries.remove(&key).is_some()
    }

    /// Takes out all that are not bound to this line.
    pub fn take_unpinned(&mut self) -> Vec<(Key, Token)> {
        let (pinned, free): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|(_, entry)| entry.pinned);
        self.entries = pinned;
        free.into_iter()
            .map(|(key, entry)| (key, entry.token))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(class: i32, time_ms: i64, arrival: u64) -> Key {
        Key {
            class,
            time_ms,
            arrival,
        }
    }

    fn token(ticket: u64) -> Token {
        Token { core: 0, ticket }
    }

    #[test]
    fn class_then_time_then_arrival() {
        let mut line = Line::default();
        line.push(key(0, 10, 1), token(1), false);
        line.push(key(0, 5, 2), token(2), false);
        line.push(key(-1, 99, 3), token(3), false);
        line.push(key(0, 5, 4), token(4), false);
        let order: Vec<_> = std::iter::from_fn(|| line.pop())
            .map(|(_, token, ahead)| (token.ticket, ahead))
            .collect();
        assert_eq!(order, [(3, 0), (2, 1), (4, 2), (1, 3)]);
    }

    #[test]
    fn pinned_requests_stay() {
        let mut line = Line::default();
        line.push(key(0, 1, 1), token(1), true);
        line.push(key(0, 2, 2), token(2), false);
        let freed: Vec<_> = line
            .take_unpinned()
            .iter()
            .map(|(_, token)| token.ticket)
            .collect();
        assert_eq!(freed, [2]);
        assert_eq!(line.len(), 1);
    }
}
