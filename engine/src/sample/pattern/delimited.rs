//! Substrings, anywhere or between delimiters (`sub`, `dir`, `dom`), found in one pass.

use aho_corasick::{AhoCorasick, MatchKind};

use super::matcher::PatternError;

/// Where a substring may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    Anywhere,
    /// Between slashes or the ends.
    Directory,
    /// Between dots, colons, slashes, question marks or the ends.
    Domain,
}

impl Bounds {
    fn is_delimiter(self, byte: u8) -> bool {
        match self {
            Bounds::Anywhere => false,
            Bounds::Directory => matches!(byte, b'/' | b'?'),
            Bounds::Domain => matches!(byte, b'/' | b'?' | b'.' | b':'),
        }
    }
}

/// Substrings with the entries they came from.
#[derive(Clone, Debug)]
pub struct SubstringSet {
    bounds: Bounds,
    automaton: AhoCorasick,
    entries: Vec<u32>,
    /// An empty pattern is found in an empty text only.
    empty: Option<u32>,
}

impl SubstringSet {
    pub fn new(
        keys: impl IntoIterator<Item = (Box<[u8]>, u32)>,
        bounds: Bounds,
        ignore_case: bool,
    ) -> Result<SubstringSet, PatternError> {
        let mut texts = Vec::new();
        let mut entries = Vec::new();
        let mut empty = None;
        for (key, entry) in keys {
            let text = trim(&key, bounds);
            if text.is_empty() {
                empty.get_or_insert(entry);
            } else {
                texts.push(text.to_vec());
                entries.push(entry);
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(ignore_case)
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .map_err(|error| PatternError::new(format!("too many substrings: {error}")))?;
        Ok(SubstringSet {
            bounds,
            automaton,
            entries,
            empty,
        })
    }

    /// The entry, declared first, that `sample` holds.
    pub fn find(&self, sample: &[u8]) -> Option<u32> {
        let found = self
            .automaton
            .find_overlapping_iter(sample)
            .filter(|found| self.is_bounded(sample, found.start(), found.end()))
            .map(|found| self.entries[found.pattern().as_usize()]);
        let empty = self.empty.filter(|_| sample.is_empty());
        found.chain(empty).min()
    }

    /// Whether `sample` holds any pattern; stops at the first.
    pub fn holds(&self, sample: &[u8]) -> bool {
        if sample.is_empty() {
            return self.empty.is_some();
        }
        if self.bounds == Bounds::Anywhere {
            return self.automaton.is_match(sample);
        }
        self.automaton
            .find_overlapping_iter(sample)
            .any(|found| self.is_bounded(sample, found.start(), found.end()))
    }

    fn is_bounded(&self, sample: &[u8], start: usize, end: usize) -> bool {
        self.bounds == Bounds::Anywhere
            || ((start == 0 || self.bounds.is_delimiter(sample[start - 1]))
                && (end == sample.len() || self.bounds.is_delimiter(sample[end])))
    }
}

/// Delimiters at the ends of a pattern do not count (manual, 7.1.3).
fn trim(mut key: &[u8], bounds: Bounds) -> &[u8] {
    while let [first, rest @ ..] = key
        && bounds.is_delimiter(*first)
    {
        key = rest;
    }
    while let [rest @ .., last] = key
        && bounds.is_delimiter(*last)
    {
        key = rest;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bounds: Bounds, pattern: &str, sample: &str) -> bool {
        let set = SubstringSet::new([(pattern.as_bytes().into(), 0)], bounds, false).unwrap();
        let holds = set.holds(sample.as_bytes());
        assert_eq!(set.find(sample.as_bytes()).is_some(), holds);
        holds
    }

    #[test]
    fn directories_of_7_1_3() {
        let sample = "/images/png/logo/32x32.png";
        for yes in [
            "/images",
            "/images/png",
            "images/png",
            "/png/logo",
            "logo/32x32.png",
            "32x32.png",
        ] {
            assert!(found(Bounds::Directory, yes, sample), "{yes}");
        }
        for no in ["imag", "32x32", "ng/logo"] {
            assert!(!found(Bounds::Directory, no, sample), "{no}");
        }
    }

    #[test]
    fn domains_of_7_1_3() {
        let sample = "http://www1.dc-eu.example.com:80/blah";
        for yes in [
            "http",
            "www1",
            ".www1",
            "dc-eu",
            "example",
            "com",
            "80",
            "dc-eu.example",
            "blah",
            ":www1:",
            "dc-eu.example:80",
        ] {
            // The manual lists "dc-eu.example:80", where only ".com" lies between: delimiters must agree.
            let expected = yes != "dc-eu.example:80";
            assert_eq!(found(Bounds::Domain, yes, sample), expected, "{yes}");
        }
        for no in ["eu", "dc"] {
            assert!(!found(Bounds::Domain, no, sample), "{no}");
        }
    }

    #[test]
    fn the_first_declared_entry_counts() {
        let keys = [("b", 0), ("abc", 1), ("a", 2)].map(|(k, i)| (k.as_bytes().into(), i));
        let set = SubstringSet::new(keys, Bounds::Anywhere, true).unwrap();
        assert_eq!(set.find(b"xABCx"), Some(0));
        assert_eq!(set.find(b"xax"), Some(2));
        assert_eq!(set.find(b"xcx"), None);
    }
}
