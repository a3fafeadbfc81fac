//! The bytes of every body: a pattern that a receiver can check at any offset.

use std::sync::LazyLock;

/// Length of the pattern's period; prime, so that it never lines up with buffer sizes.
const PERIOD: usize = 251;

/// Longest piece handed out at once, in bytes.
pub const PIECE_MAX: usize = 256 * 1024;

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..PIECE_MAX + PERIOD)
        .map(|i| (i % PERIOD) as u8)
        .collect()
});

/// Position in the body that belongs to one tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    phase: usize,
}

impl Pattern {
    /// The body of the exchange with this tag; without a tag it is that of tag 0.
    pub fn of_tag(tag: u64) -> Self {
        Pattern {
            phase: (tag % PERIOD as u64) as usize,
        }
    }

    /// The next bytes, at most `left` and at most [`PIECE_MAX`], without advancing.
    pub fn piece(self, left: u64) -> &'static [u8] {
        let length = left.min(PIECE_MAX as u64) as usize;
        &BYTES[self.phase..self.phase + length]
    }

    pub fn advance(&mut self, bytes: usize) {
        self.phase = (self.phase + bytes) % PERIOD;
    }

    /// Whether `bytes` are what comes next; advances over them.
    pub fn matches(&mut self, bytes: &[u8]) -> bool {
        bytes.chunks(PIECE_MAX).all(|chunk| {
            let same = self.piece(chunk.len() as u64) == chunk;
            self.advance(chunk.len());
            same
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_of_a_body_matches() {
        let mut sender = Pattern::of_tag(1234);
        let mut receiver = sender;
        let mut body = Vec::new();
        for piece in [1, 250, 251, 4096, 70_000] {
            body.extend_from_slice(sender.piece(piece));
            sender.advance(piece as usize);
        }
        let (first, second) = body.split_at(777);
        assert!(receiver.matches(first) && receiver.matches(second));
        assert_eq!(receiver, sender);
    }

    #[test]
    fn another_tag_or_a_missing_byte_does_not_match() {
        let body = Pattern::of_tag(7).piece(100);
        assert!(!Pattern::of_tag(8).matches(body));
        assert!(!Pattern::of_tag(7).matches(&body[1..]));
    }
}
