//! Exact strings: a small open hash over borrowed keys, with or without regard to case.

/// Keys with the entries they came from. A few are compared one by one, many are hashed.
#[derive(Clone, Debug, Default)]
pub struct TextSet {
    ignore_case: bool,
    keys: Vec<(Box<[u8]>, u32)>,
    /// Positions in `keys` plus one, 0 for an empty bucket; a power of two long, at most half full.
    buckets: Vec<u32>,
}

/// Up to here, comparing in order is quicker than hashing.
const FEW: usize = 6;

impl TextSet {
    /// The first of equal keys counts.
    pub fn new(keys: impl IntoIterator<Item = (Box<[u8]>, u32)>, ignore_case: bool) -> TextSet {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut set = TextSet {
            ignore_case,
            keys,
            buckets: Vec::new(),
        };
        if set.keys.len() > FEW {
            set.buckets = vec![0; (set.keys.len() * 2).next_power_of_two()];
            for position in 0..set.keys.len() {
                let bucket = set.bucket(&set.keys[position].0);
                if set.buckets[bucket] == 0 {
                    set.buckets[bucket] = position as u32 + 1;
                }
            }
        }
        set
    }

    /// The entry of `key`.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        if self.buckets.is_empty() {
            return self
                .keys
                .iter()
                .find(|(own, _)| self.equal(own, key))
                .map(|(_, entry)| *entry);
        }
        let position = self.buckets[self.bucket(key)].checked_sub(1)?;
        Some(self.keys[position as usize].1)
    }

    /// The bucket that holds `key`, or the empty one where it would go.
    fn bucket(&self, key: &[u8]) -> usize {
        let mask = self.buckets.len() - 1;
        let mut at = self.hash(key) as usize & mask;
        while let Some(position) = self.buckets[at].checked_sub(1) {
            if self.equal(&self.keys[position as usize].0, key) {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }

    fn equal(&self, a: &[u8], b: &[u8]) -> bool {
        if self.ignore_case {
            a.eq_ignore_ascii_case(b)
        } else {
            a == b
        }
    }

    /// FNV-1a with a final mix. The keys are the administrator's, so no seed is needed.
    fn hash(&self, key: &[u8]) -> u64 {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = if self.ignore_case {
            key.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| {
                fold(h, b.to_ascii_lowercase())
            })
        } else {
            key.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| fold(h, *b))
        };
        hash ^ (hash >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(n: usize, ignore_case: bool) -> TextSet {
        TextSet::new(
            (0..n).map(|i| (format!("Key{i}").into_bytes().into(), i as u32)),
            ignore_case,
        )
    }

    #[test]
    fn few_and_many_keys_answer_alike() {
        for n in [0, 1, 6, 7, 1000] {
            for i in 0..n + 5 {
                let expected = (i < n).then_some(i as u32);
                assert_eq!(set(n, false).find(format!("Key{i}").as_bytes()), expected);
                assert_eq!(set(n, true).find(format!("kEY{i}").as_bytes()), expected);
                assert_eq!(set(n, false).find(format!("kEY{i}").as_bytes()), None);
            }
        }
    }

    #[test]
    fn the_first_of_equal_keys_counts() {
        let keys = |n: u32| (0..n).map(|i| (Box::from(&b"same"[..]), i));
        assert_eq!(TextSet::new(keys(3), false).find(b"same"), Some(0));
        assert_eq!(TextSet::new(keys(30), false).find(b"same"), Some(0));
    }
}
