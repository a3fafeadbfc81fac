//! Exact strings: a small open hash over borrowed keys, with or without regard to case.

/// Keys with the entries they came from. A few are compared one by one, many are hashed.
#[derive(Clone, Debug, Default)]
pub struct TextSet {
    ignore_case: bool,
    /// A removed key stays with the entry [`GONE`], until the table grows.
    keys: Vec<(Box<[u8]>, u32)>,
    /// Positions in `keys` plus one, 0 for an empty bucket; a power of two long, at most half full.
    buckets: Vec<u32>,
}

/// Up to here, comparing in order is quicker than hashing.
const FEW: usize = 6;

const GONE: u32 = u32::MAX;

impl TextSet {
    /// The first of equal keys counts.
    pub fn new(keys: impl IntoIterator<Item = (Box<[u8]>, u32)>, ignore_case: bool) -> TextSet {
        let mut set = TextSet {
            ignore_case,
            keys: keys.into_iter().collect(),
            buckets: Vec::new(),
        };
        if set.keys.len() > FEW {
            set.hash_all();
        }
        set
    }

    /// The entry of `key`.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        let (_, entry) = self.keys[self.position(key)?];
        (entry != GONE).then_some(entry)
    }

    /// Adds a key, unless it is there.
    pub fn insert(&mut self, key: Box<[u8]>, entry: u32) {
        if let Some(position) = self.position(&key) {
            let own = &mut self.keys[position].1;
            if *own == GONE {
                *own = entry;
            }
            return;
        }
        self.keys.push((key, entry));
        if self.keys.len() > FEW {
            if self.keys.len() * 2 > self.buckets.len() {
                self.hash_all();
            } else {
                self.put(self.keys.len() - 1);
            }
        }
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &[u8]) {
        if let Some(position) = self.position(key) {
            self.keys[position].1 = GONE;
        }
    }

    fn position(&self, key: &[u8]) -> Option<usize> {
        if self.buckets.is_empty() {
            return self.keys.iter().position(|(own, _)| self.equal(own, key));
        }
        let position = self.buckets[self.bucket(key)].checked_sub(1)?;
        Some(position as usize)
    }

    /// Builds the table anew, with room to grow.
    fn hash_all(&mut self) {
        self.keys.retain(|(_, entry)| *entry != GONE);
        self.buckets = vec![0; (self.keys.len() * 3).next_power_of_two()];
        (0..self.keys.len()).for_each(|position| self.put(position));
    }

    fn put(&mut self, position: usize) {
        let bucket = self.bucket(&self.keys[position].0);
        if self.buckets[bucket] == 0 {
            self.buckets[bucket] = position as u32 + 1;
        }
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
    fn keys_come_and_go() {
        let key = |i: u32| format!("Key{i}").into_bytes().into_boxed_slice();
        let mut set = set(3, false);
        for i in 3..500 {
            set.insert(key(i), i);
            if i % 3 == 0 {
                set.remove(&key(i - 1));
            }
        }
        set.insert(key(2), 9);
        set.insert(key(3), 9);
        for i in 0..500 {
            let removed = (2..499).contains(&i) && (i + 1) % 3 == 0;
            let expected = if i == 2 {
                Some(9)
            } else {
                (!removed).then_some(i)
            };
            assert_eq!(set.find(&key(i)), expected, "{i}");
        }
    }

    #[test]
    fn the_first_of_equal_keys_counts() {
        let keys = |n: u32| (0..n).map(|i| (Box::from(&b"same"[..]), i));
        assert_eq!(TextSet::new(keys(3), false).find(b"same"), Some(0));
        assert_eq!(TextSet::new(keys(30), false).find(b"same"), Some(0));
    }
}
