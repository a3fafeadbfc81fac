//! How fast a total grows, measured between two looks at it.

use std::sync::{Mutex, PoisonError};

/// Shortest time between two looks that count as two, in ms.
const SHORTEST_MS: u64 = 1_000;

/// The growth of a total a second, as of the last looks.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Looks>);

#[derive(Debug, Default)]
struct Looks {
    /// When the running measurement began, and the total then.
    since_ms: Option<u64>,
    total: u64,
    per_second: u64,
}

impl Pace {
    /// Takes a look: what the total grew by each second since an earlier one.
    pub fn look(&self, total: u64, now_ms: u64) -> u64 {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed_ms = now_ms.saturating_sub(looks.since_ms.unwrap_or(now_ms));
        if elapsed_ms >= SHORTEST_MS {
            looks.per_second = total.saturating_sub(looks.total) * 1000 / elapsed_ms;
        }
        if elapsed_ms >= SHORTEST_MS || looks.since_ms.is_none() {
            looks.since_ms = Some(now_ms);
            looks.total = total;
        }
        looks.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_between_looks() {
        let pace = Pace::default();
        let looks = [
            (1_000, 500, 0),
            (1_500, 900, 0),
            (3_000, 4_500, 2_000),
            (3_001, 9_000, 2_000),
        ];
        for (now_ms, total, expected) in looks {
            assert_eq!(pace.look(total, now_ms), expected, "at {now_ms}");
        }
        assert_eq!(pace.look(0, 9_000), 0, "a total that was cleared");
    }
}
