//! A hierarchical timer wheel in whole milliseconds, pure: no clock, no wakers.
//!
//! Six levels of 64 buckets reach 2^36 ms (two years). Every entry knows its place, so that
//! removal is a swap and nothing stale is ever left behind, however long the deadline was.

const BITS: u32 = 6;
const BUCKETS: usize = 1 << BITS;
const LEVELS: usize = 6;
/// Deadlines further away than this are parked at the horizon and looked at again there.
const HORIZON_MS: u64 = (1 << (BITS * LEVELS as u32)) - 1;

/// Where an entry sits: bucket number over all levels, and position in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: u16,
    pub(crate) position: u32,
}

/// An entry that moved because another one was removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) key: u32,
    pub(crate) place: Place,
}

#[derive(Clone, Copy)]
struct Entry {
    key: u32,
    at_ms: u64,
}

pub(crate) struct Wheel {
    /// Everything due before or at this time has been handed out.
    elapsed_ms: u64,
    occupied: [u64; LEVELS],
    buckets: Vec<Vec<Entry>>,
}

impl Wheel {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            elapsed_ms: now_ms,
            occupied: [0; LEVELS],
            buckets: (0..LEVELS * BUCKETS).map(|_| Vec::new()).collect(),
        }
    }

    /// Where the hand stands.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms
    }

    /// Adds `key` due at `at_ms`; what is due already comes out of the next `advance` past it.
    pub(crate) fn insert(&mut self, key: u32, at_ms: u64) -> Place {
        let at_ms = at_ms.clamp(self.elapsed_ms + 1, self.elapsed_ms + HORIZON_MS);
        let differing = at_ms ^ self.elapsed_ms;
        let level = (differing.ilog2() / BITS).min(LEVELS as u32 - 1) as usize;
        let slot = (at_ms >> (BITS * level as u32)) as usize % BUCKETS;
        let bucket = level * BUCKETS + slot;
        self.occupied[level] |= 1 << slot;
        let entries = &mut self.buckets[bucket];
        entries.push(Entry { key, at_ms });
        Place {
            bucket: bucket as u16,
            position: entries.len() as u32 - 1,
        }
    }

    /// Takes an entry out; another one may have taken its place.
    pub(crate) fn remove(&mut self, place: Place) -> Option<Moved> {
        let bucket = place.bucket as usize;
        let entries = &mut self.buckets[bucket];
        entries.swap_remove(place.position as usize);
        let moved = entries.get(place.position as usize).map(|entry| Moved {
            key: entry.key,
            place,
        });
        if entries.is_empty() {
            self.occupied[bucket / BUCKETS] &= !(1 << (bucket % BUCKETS));
        }
        moved
    }

    /// When `advance` has work next: exact for what is near, the time of a closer look for what
    /// is far.
    pub(crate) fn next_ms(&self) -> Option<u64> {
        (0..LEVELS).filter_map(|level| self.next_of(level)).min()
    }

    /// Start of the first occupied bucket of `level`, in wheel order from now.
    fn next_of(&self, level: usize) -> Option<u64> {
        let shift = BITS * level as u32;
        let here = (self.elapsed_ms >> shift) as u32 % BUCKETS as u32;
        let rotated = self.occupied[level].rotate_right(here);
        if rotated == 0 {
            return None;
        }
        // The bucket under the hand holds only what is a whole turn away (the last level).
        let mut ahead = u64::from((rotated & !1).trailing_zeros());
        if rotated == 1 {
            ahead = BUCKETS as u64;
        }
        Some(((self.elapsed_ms >> shift) + ahead) << shift)
    }

    /// Moves the hand to `now_ms`; `due` gets (key, deadline) of every entry that came out, and
    /// `moved` the new place of every entry that came nearer.
    pub(crate) fn advance(
        &mut self,
        now_ms: u64,
        mut due: impl FnMut(u32),
        mut moved: impl FnMut(Moved),
    ) {
        while let Some(next_ms) = self.next_ms().filter(|&next| next <= now_ms) {
            self.elapsed_ms = next_ms;
            for level in (0..LEVELS).rev() {
                let shift = BITS * level as u32;
                if next_ms & ((1 << shift) - 1) != 0 {
                    continue;
                }
                self.empty_bucket(
                    level,
                    (next_ms >> shift) as usize % BUCKETS,
                    &mut due,
                    &mut moved,
                );
            }
        }
        self.elapsed_ms = self.elapsed_ms.max(now_ms);
    }

    fn empty_bucket(
        &mut self,
        level: usize,
        slot: usize,
        due: &mut impl FnMut(u32),
        moved: &mut impl FnMut(Moved),
    ) {
        let bucket = level * BUCKETS + slot;
        let mut entries = std::mem::take(&mut self.buckets[bucket]);
        self.occupied[level] &= !(1 << slot);
        for entry in entries.drain(..) {
            if entry.at_ms <= self.elapsed_ms {
                due(entry.key);
            } else {
                let place = self.insert(entry.key, entry.at_ms);
                moved(Moved {
                    key: entry.key,
                    place,
                });
            }
        }
        // Keep the allocation unless the bucket was refilled (the last level only).
        if self.buckets[bucket].capacity() == 0 && entries.capacity() <= 1024 {
            self.buckets[bucket] = entries;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn drain(wheel: &mut Wheel, now_ms: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.advance(now_ms, |key| due.push(key), |_| ());
        due
    }

    #[test]
    fn near_entries_come_out_in_order_and_exactly() {
        let mut wheel = Wheel::new(1000);
        wheel.insert(1, 1010);
        wheel.insert(2, 1005);
        wheel.insert(3, 5000);
        assert_eq!(wheel.next_ms(), Some(1005));
        assert_eq!(drain(&mut wheel, 1004), []);
        assert_eq!(drain(&mut wheel, 1010), [2, 1]);
        assert_eq!(drain(&mut wheel, 4999), []);
        assert_eq!(drain(&mut wheel, 5000), [3]);
        assert_eq!(wheel.next_ms(), None);
    }

    #[test]
    fn what_is_past_is_due_at_the_next_tick() {
        let mut wheel = Wheel::new(77);
        wheel.insert(9, 3);
        assert_eq!(wheel.next_ms(), Some(78));
        assert_eq!(drain(&mut wheel, 78), [9]);
    }

    #[test]
    fn beyond_the_horizon_is_looked_at_again() {
        let mut wheel = Wheel::new(5);
        wheel.insert(1, u64::MAX);
        let next = wheel.next_ms().unwrap();
        assert!(next > 1 << 30, "{next}");
        assert_eq!(drain(&mut wheel, 6 + HORIZON_MS), [1]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64),
        Remove(usize),
        Advance(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0u64..5000).prop_map(Step::Insert),
            1 => (0u64..50_000_000).prop_map(Step::Insert),
            2 => (0usize..64).prop_map(Step::Remove),
            2 => (0u64..3000).prop_map(Step::Advance),
            1 => (0u64..30_000_000).prop_map(Step::Advance),
        ];
        proptest::collection::vec(step, 1..200)
    }

    proptest! {
        /// The wheel against a sorted map: same keys, never early, never late, places true.
        #[test]
        fn agrees_with_a_sorted_map(start in 0u64..1 << 40, steps in steps()) {
            let mut wheel = Wheel::new(start);
            let (mut now, mut key) = (start, 0);
            let mut model: BTreeMap<u32, (u64, Place)> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Insert(delta) => {
                        let place = wheel.insert(key, now + delta);
                        model.insert(key, ((now + delta).max(now + 1), place));
                        key += 1;
                    }
                    Step::Remove(nth) => {
                        let Some((&gone, &(_, place))) = model.iter().nth(nth) else { continue };
                        model.remove(&gone);
                        if let Some(moved) = wheel.remove(place) {
                            model.get_mut(&moved.key).unwrap().1 = moved.place;
                        }
                    }
                    Step::Advance(delta) => {
                        now += delta;
                        let (mut due, mut places) = (Vec::new(), Vec::new());
                        wheel.advance(now, |key| due.push(key), |moved| places.push(moved));
                        for moved in places {
                            model.get_mut(&moved.key).unwrap().1 = moved.place;
                        }
                        let times: Vec<u64> = due.iter().map(|key| model[key].0).collect();
                        prop_assert!(times.is_sorted());
                        due.sort_unstable();
                        let expected: Vec<u32> = model.iter()
                            .filter(|(_, (at, _))| *at <= now).map(|(key, _)| *key).collect();
                        prop_assert_eq!(&due, &expected);
                        model.retain(|_, (at, _)| *at > now);
                    }
                }
                prop_assert_eq!(wheel.next_ms().is_none(), model.is_empty());
                if let (Some(next), Some(first)) =
                    (wheel.next_ms(), model.values().map(|(at, _)| *at).min()) {
                    prop_assert!(next > now && next <= first);
                }
            }
        }
    }
}
