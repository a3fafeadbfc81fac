//! Prefixes and suffixes: sorted keys, found by bisection.

/// Which end of the sample is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Beginning,
    Finish,
}

/// Which of several matching patterns counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The longest, as HAProxy's trees do (`beg`, with regard to case).
    Longest,
    /// The one declared first, as its lists do.
    First,
}

/// Patterns that samples begin or end with.
#[derive(Clone, Debug)]
pub struct PrefixSet {
    end: End,
    pick: Pick,
    ignore_case: bool,
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    /// From the compared end on; in lower case where case is ignored.
    text: Box<[u8]>,
    entry: u32,
    /// The longest other key that this one begins with.
    parent: Option<u32>,
}

impl PrefixSet {
    pub fn new(
        keys: impl IntoIterator<Item = (Box<[u8]>, u32)>,
        end: End,
        pick: Pick,
        ignore_case: bool,
    ) -> PrefixSet {
        let mut keys: Vec<Key> = keys
            .into_iter()
            .map(|(mut text, entry)| {
                if end == End::Finish {
                    text.reverse();
                }
                if ignore_case {
                    text.make_ascii_lowercase();
                }
                Key {
                    text,
                    entry,
                    parent: None,
                }
            })
            .collect();
        keys.sort_by(|a, b| a.text.cmp(&b.text).then(a.entry.cmp(&b.entry)));
        keys.dedup_by(|b, a| a.text == b.text);
        for at in 1..keys.len() {
            let mut candidate = Some(at as u32 - 1);
            while let Some(c) = candidate {
                if keys[at].text.starts_with(&keys[c as usize].text) {
                    break;
                }
                candidate = keys[c as usize].parent;
            }
            keys[at].parent = candidate;
        }
        PrefixSet {
            end,
            pick,
            ignore_case,
            keys,
        }
    }

    /// The entry that counts for `sample`.
    pub fn find(&self, sample: &[u8]) -> Option<u32> {
        // The greatest key that is not greater than the sample, or an ancestor of it, is a prefix if any is.
        let after = self
            .keys
            .partition_point(|key| self.compare(&key.text, sample).is_le());
        let mut at = after.checked_sub(1)?;
        while !self.is_prefix(&self.keys[at].text, sample) {
            at = self.keys[at].parent? as usize;
        }
        let mut entry = self.keys[at].entry;
        if self.pick == Pick::First {
            while let Some(parent) = self.keys[at].parent {
                at = parent as usize;
                entry = entry.min(self.keys[at].entry);
            }
        }
        Some(entry)
    }

    fn compare(&self, key: &[u8], sample: &[u8]) -> std::cmp::Ordering {
        key.iter().copied().cmp(self.bytes(sample))
    }

    fn is_prefix(&self, key: &[u8], sample: &[u8]) -> bool {
        key.len() <= sample.len() && key.iter().copied().eq(self.bytes(sample).take(key.len()))
    }

    /// The sample's bytes in the order in which keys are stored.
    fn bytes<'s>(&self, sample: &'s [u8]) -> impl Iterator<Item = u8> + use<'s> {
        let (end, ignore_case, len) = (self.end, self.ignore_case, sample.len());
        (0..len).map(move |i| {
            let byte = match end {
                End::Beginning => sample[i],
                End::Finish => sample[len - 1 - i],
            };
            if ignore_case {
                byte.to_ascii_lowercase()
            } else {
                byte
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(patterns: &[&str], end: End, pick: Pick, ignore_case: bool) -> PrefixSet {
        let keys = patterns
            .iter()
            .enumerate()
            .map(|(i, p)| (p.as_bytes().into(), i as u32));
        PrefixSet::new(keys, end, pick, ignore_case)
    }

    #[test]
    fn prefixes_and_suffixes() {
        let beg = set(
            &["/a", "/static/", "/a/b"],
            End::Beginning,
            Pick::Longest,
            false,
        );
        assert_eq!(beg.find(b"/a/bc"), Some(2));
        assert_eq!(beg.find(b"/a/c"), Some(0));
        assert_eq!(beg.find(b"/static"), None);
        assert_eq!(beg.find(b"/static/x"), Some(1));
        let end = set(&[".PNG", ".gz", ".tar.gz"], End::Finish, Pick::First, true);
        assert_eq!(end.find(b"x.png"), Some(0));
        assert_eq!(end.find(b"x.tar.gz"), Some(1));
        assert_eq!(end.find(b"gz"), None);
    }

    proptest! {
        #[test]
        fn same_as_comparing_one_by_one(
            patterns in proptest::collection::vec("[abA]{0,4}", 0..12),
            sample in "[abA]{0,6}",
            at_end: bool, first: bool, ignore_case: bool,
        ) {
            let end = if at_end { End::Finish } else { End::Beginning };
            let pick = if first { Pick::First } else { Pick::Longest };
            let refs: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let found = set(&refs, end, pick, ignore_case).find(sample.as_bytes());
            let fold = |s: &str| if ignore_case { s.to_lowercase() } else { s.to_owned() };
            let s = fold(&sample);
            let matching = patterns.iter().enumerate().filter(|(_, p)| {
                if at_end { s.ends_with(&fold(p)) } else { s.starts_with(&fold(p)) }
            });
            let expected = if first {
                matching.map(|(i, _)| i).min()
            } else {
                matching.max_by_key(|(i, p)| (p.len(), std::cmp::Reverse(*i))).map(|(i, _)| i)
            };
            prop_assert_eq!(found, expected.map(|i| i as u32));
        }
    }
}
