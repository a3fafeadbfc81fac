//! Sets of HTTP statuses (manual, 3.1, `http-err-codes` and `http-fail-codes`).

use std::ops::RangeInclusive;

const LOWEST: u16 = 100;
const HIGHEST: u16 = 599;
const WORDS: usize = (HIGHEST as usize - LOWEST as usize) / 64 + 1;

/// Statuses from 100 to 599.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statuses([u64; WORDS]);

impl Statuses {
    /// What counts as a client's error, with the configuration's changes.
    pub fn errors(changes: &[String]) -> Statuses {
        let mut set = Statuses::default();
        set.put(400..=499, true);
        set.change(changes);
        set
    }

    /// What counts as a server's failure: 501 and 505 are a client's doing.
    pub fn failures(changes: &[String]) -> Statuses {
        let mut set = Statuses::default();
        set.put(500..=599, true);
        set.put(501..=501, false);
        set.put(505..=505, false);
        set.change(changes);
        set
    }

    pub fn has(&self, status: u16) -> bool {
        (LOWEST..=HIGHEST).contains(&status) && {
            let bit = usize::from(status - LOWEST);
            self.0[bit / 64] >> (bit % 64) & 1 == 1
        }
    }

    /// Words such as `400,402-444`, `+500`, `-450-459`.
    fn change(&mut self, words: &[String]) {
        for word in words {
            let (ranges, on) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
                (Some(rest), _) => (rest, true),
                (_, Some(rest)) => (rest, false),
                _ => {
                    *self = Statuses::default();
                    (word.as_str(), true)
                }
            };
            for range in ranges.split(',') {
                let (low, high) = range.split_once('-').unwrap_or((range, range));
                if let (Ok(low), Ok(high)) = (low.parse(), high.parse()) {
                    self.put(low..=high, on);
                }
            }
        }
    }

    fn put(&mut self, range: RangeInclusive<u16>, on: bool) {
        for status in range.filter(|status| (LOWEST..=HIGHEST).contains(status)) {
            let bit = usize::from(status - LOWEST);
            let mask = 1 << (bit % 64);
            if on {
                self.0[bit / 64] |= mask;
            } else {
                self.0[bit / 64] &= !mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manuals_examples() {
        let set = |words: &str| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            Statuses::errors(&words)
        };
        let default = Statuses::errors(&[]);
        assert!(default.has(400) && default.has(499) && !default.has(500) && !default.has(399));
        let replaced = set("400,402-444,446-480,490");
        assert!(replaced.has(400) && !replaced.has(401) && replaced.has(444) && !replaced.has(445));
        let changed = set("400-499 -450 +500");
        assert!(!changed.has(450) && changed.has(451) && changed.has(500));
        assert!(!set("-450-459").has(455) && set("+501,505").has(505));
        let failures = Statuses::failures(&[]);
        assert!(failures.has(500) && !failures.has(501) && !failures.has(505) && failures.has(599));
        assert!(!failures.has(0) && !failures.has(600));
    }
}
