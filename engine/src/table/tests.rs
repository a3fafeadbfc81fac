//! Tables on a clock of the tests.

use std::sync::Arc;

use super::*;

fn spec(size: u64, expire_ms: Option<u64>, nopurge: bool) -> Spec {
    let mut layout = Layout::default();
    layout.add(Data::Gpc0, 1, 0);
    layout.add(Data::ConnCur, 1, 0);
    layout.add(Data::ConnCnt, 1, 0);
    layout.add(Data::HttpReqRate, 1, 10_000);
    Spec {
        name: "t".into(),
        key: KeyKind::Text { bytes_max: 31 },
        size,
        expire_ms,
        nopurge,
        brates_factor: 1,
        server_key_is_address: false,
        layout,
        at: cfgparse::model::Place::default(),
    }
}

fn table(size: u64, expire_ms: Option<u64>, nopurge: bool) -> Arc<Table> {
    Arc::new(Table::new(spec(size, expire_ms, nopurge)))
}

fn keys(table: &Table, now_ms: u64) -> Vec<String> {
    let mut keys: Vec<_> = table
        .entries(now_ms)
        .iter()
        .map(|entry| String::from_utf8_lossy(entry.key()).into_owned())
        .collect();
    keys.sort();
    keys
}

#[test]
fn an_entry_expires_when_nobody_used_it() {
    let table = table(10, Some(1_000), false);
    table.obtain(b"a", 5_000).expect("a place");
    assert!(
        table.find(b"a", 5_999).is_some(),
        "a lookup does not refresh it"
    );
    assert!(table.find(b"a", 6_000).is_none());
    table.obtain(b"b", 5_000).expect("a place");
    table.obtain(b"b", 5_900).expect("its place");
    assert_eq!(keys(&table, 6_500), ["b"]);
    assert_eq!(table.used(6_899), 1);
    assert_eq!(table.used(6_900), 0);
}

#[test]
fn an_expired_key_begins_anew() {
    let table = table(1, Some(1_000), true);
    let old = table.obtain(b"a", 5_000).expect("a place");
    table.add(&old, &[(Slot::of(Data::Gpc0), 7)], 5_000);
    let new = table.obtain(b"a", 7_000).expect("a place");
    assert_eq!(table.value(&new, Slot::of(Data::Gpc0), 7_000), Some(0));
    assert_eq!(table.used(7_000), 1);
}

#[test]
fn a_full_table_forgets_what_was_not_used_for_the_longest_time() {
    for expire_ms in [None, Some(60_000)] {
        let table = table(3, expire_ms, false);
        for (key, now_ms) in [(b"a", 1), (b"b", 2), (b"c", 3)] {
            table.obtain(key, now_ms).expect("a place");
        }
        table.obtain(b"a", 4).expect("its place");
        table.obtain(b"d", 5).expect("the place of b");
        assert_eq!(keys(&table, 5), ["a", "c", "d"]);
        table.obtain(b"e", 6).expect("the place of c");
        assert_eq!(keys(&table, 6), ["a", "d", "e"]);
        assert_eq!(table.used(6), 3);
    }
}

#[test]
fn nopurge_refuses_new_keys() {
    let table = table(2, Some(1_000), true);
    assert!(table.obtain(b"a", 0).is_some() && table.obtain(b"b", 500).is_some());
    assert!(table.obtain(b"c", 600).is_none());
    assert!(
        table.obtain(b"a", 600).is_some(),
        "a known key is no new one"
    );
    assert!(table.obtain(b"c", 1_500).is_some(), "b has expired");
}

#[test]
fn a_tracked_key_neither_expires_nor_makes_room() {
    let table = table(2, Some(1_000), false);
    let tracked = table.track(b"a", 0).expect("a place");
    table.obtain(b"b", 10).expect("a place");
    table.obtain(b"c", 20).expect("the place of b");
    assert_eq!(keys(&table, 20), ["a", "c"]);
    assert_eq!(keys(&table, 9_000), ["a"]);
    assert!(!table.remove(&tracked.entry));
    assert_eq!(tracked.entry.users(), 1);
    let value = |data| table.value(&tracked.entry, Slot::of(data), 0);
    assert_eq!(
        (value(Data::ConnCur), value(Data::ConnCnt)),
        (Some(1), Some(1))
    );
    let other = table.track(b"c2", 0).expect("the other place");
    assert!(table.track(b"d", 0).is_none(), "all are tracked");
    let entry = Arc::clone(&tracked.entry);
    let mut tracking = Tracking::default();
    tracking.set(0, tracked);
    tracking.end(9_000);
    assert_eq!(entry.users(), 0);
    assert_eq!(table.value(&entry, Slot::of(Data::ConnCur), 9_000), Some(0));
    assert_eq!(table.expires_in_ms(&entry, 9_000), Some(1_000));
    drop(other);
}

#[test]
fn an_array_answers_for_the_first_counters() {
    let mut spec = spec(1, None, false);
    spec.layout = Layout::default();
    spec.layout.add(Data::Gpc, 2, 0);
    spec.layout.add(Data::GpcRate, 1, 1_000);
    let table = Table::new(spec);
    let entry = table.obtain(b"a", 0).expect("a place");
    let slot = |data, index| Slot { data, index };
    assert_eq!(
        table.add_one(&entry, slot(Data::Gpc1, 0), 2, 0),
        Some((0, 2))
    );
    assert_eq!(table.value(&entry, slot(Data::Gpc, 1), 0), Some(2));
    assert_eq!(table.value(&entry, slot(Data::Gpc, 2), 0), None);
    assert_eq!(table.value(&entry, slot(Data::Gpc1Rate, 0), 0), None);
    assert_eq!(table.value(&entry, slot(Data::Gpc0Rate, 0), 0), Some(0));
    assert_eq!(table.value(&entry, slot(Data::ConnCnt, 0), 0), None);
}

/// Many cores at once, more keys than places.
#[test]
fn the_size_holds_across_threads() {
    let table = table(8, Some(60_000), false);
    let threads: Vec<_> = (0..4)
        .map(|thread: u32| {
            let table = Arc::clone(&table);
            std::thread::spawn(move || {
                for turn in 0..2_000u32 {
                    let tracked = table.track(b"same", 1_000).expect("a place");
                    tracked.add(
                        &[(Slot::of(Data::HttpReqRate), 1), (Slot::of(Data::Gpc0), 3)],
                        1_000,
                    );
                    let other = format!("{}", (thread * 7 + turn) % 50);
                    drop(table.obtain(other.as_bytes(), 1_000));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread");
    }
    assert!(table.used(1_000) <= 8);
    assert_eq!(table.entries(1_000).len() as u64, table.used(1_000));
    assert!(table.entries(1_000).iter().all(|entry| entry.users() == 0));
}

#[test]
fn no_event_is_lost() {
    let table = table(8, Some(60_000), false);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let table = Arc::clone(&table);
            std::thread::spawn(move || {
                for _ in 0..2_000 {
                    let tracked = table.track(b"same", 1_000).expect("a place");
                    tracked.add(
                        &[(Slot::of(Data::HttpReqRate), 1), (Slot::of(Data::Gpc0), 3)],
                        1_000,
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread");
    }
    let entry = table.find(b"same", 1_000).expect("an entry");
    let value = |data| table.value(&entry, Slot::of(data), 1_000);
    assert_eq!(value(Data::ConnCnt), Some(8_000));
    assert_eq!(value(Data::HttpReqRate), Some(8_000));
    assert_eq!(value(Data::Gpc0), Some(24_000));
    assert_eq!(value(Data::ConnCur), Some(0));
}

/// The rules of expiry and of full tables as plainly as they can be said.
struct Plain {
    size: usize,
    expire_ms: Option<u64>,
    nopurge: bool,
    /// Keys with the time of their last use.
    used: Vec<(u8, u64)>,
}

impl Plain {
    fn forget_expired(&mut self, now_ms: u64) {
        if let Some(expire_ms) = self.expire_ms {
            self.used.retain(|(_, at)| at + expire_ms > now_ms);
        }
    }

    fn has(&mut self, key: u8, now_ms: u64) -> bool {
        self.forget_expired(now_ms);
        self.used.iter().any(|(known, _)| *known == key)
    }

    fn obtain(&mut self, key: u8, now_ms: u64) -> bool {
        let is_known = self.has(key, now_ms);
        self.used.retain(|(known, _)| *known != key);
        if !is_known && self.used.len() == self.size {
            if self.nopurge {
                return false;
            }
            let oldest = self.used.iter().min_by_key(|(_, at)| *at).copied();
            self.used.retain(|entry| Some(*entry) != oldest);
        }
        self.used.push((key, now_ms));
        true
    }
}

proptest::proptest! {
    /// Stripes, lazy queues and published due times change nothing about what is remembered.
    #[test]
    fn a_table_remembers_what_the_rules_say(
        size in 1usize..6,
        expire_ms in proptest::option::of(1u64..2_000),
        nopurge: bool,
        steps in proptest::collection::vec((0u8..10, 1u64..700, proptest::bool::ANY), 1..120),
    ) {
        let table = table(size as u64, expire_ms, nopurge);
        let mut plain = Plain { size, expire_ms, nopurge, used: Vec::new() };
        let mut now_ms = 10_000;
        for (key, after_ms, obtains) in steps {
            now_ms += after_ms;
            if obtains {
                let obtained = table.obtain(&[key], now_ms).is_some();
                proptest::prop_assert_eq!(obtained, plain.obtain(key, now_ms));
            } else {
                let found = table.find(&[key], now_ms).is_some();
                proptest::prop_assert_eq!(found, plain.has(key, now_ms));
            }
            plain.forget_expired(now_ms);
            proptest::prop_assert_eq!(table.used(now_ms), plain.used.len() as u64);
        }
    }
}
