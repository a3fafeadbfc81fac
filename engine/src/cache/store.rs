//! The objects of one cache, for all cores: in stripes by a keyed hash of the address, each with a
//! lock that is held for one look or one change.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::object::Object;
use super::request::Wanted;

const STRIPES: usize = 16;
const NONE: u64 = u64::MAX;

/// What a `cache` section says (manual, 6.2.1).
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: Box<str>,
    pub max_bytes: u64,
    pub max_object_bytes: u64,
    pub max_age_s: u64,
    pub processes_vary: bool,
    pub max_variants: usize,
}

/// One cache.
#[derive(Debug)]
pub struct Cache {
    pub settings: Settings,
    stripes: [Stripe; STRIPES],
    bytes: AtomicU64,
    /// Objects stored so far: the age of an object is its number.
    numbers: AtomicU64,
    hash: RandomState,
}

#[derive(Debug)]
struct Stripe {
    shelf: Mutex<Shelf>,
    /// The number of its oldest object.
    oldest: AtomicU64,
}

#[derive(Debug, Default)]
struct Shelf {
    objects: HashMap<Box<[u8]>, Vec<Arc<Object>>>,
    by_age: BTreeMap<u64, Box<[u8]>>,
}

impl Cache {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            stripes: std::array::from_fn(|_| Stripe {
                shelf: Mutex::default(),
                oldest: AtomicU64::new(NONE),
            }),
            bytes: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            hash: RandomState::new(),
        }
    }

    /// Bytes in use.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The object for a request, unless it has expired.
    pub fn find(&self, wanted: &Wanted, now_ms: u64) -> Option<Arc<Object>> {
        let shelf = self.stripe(&wanted.key).lock();
        let objects = shelf.objects.get(&wanted.key)?;
        let fits =
            |object: &&Arc<Object>| now_ms < object.expires_ms && object.variant.fits(wanted);
        objects.iter().find(fits).cloned()
    }

    /// Keeps an object; takes the place of the one for the same requests, and of the oldest of all
    /// where there is no room.
    pub fn insert(&self, key: &[u8], mut object: Object, now_ms: u64) {
        let added = object.bytes(key);
        if added > self.settings.max_bytes {
            return;
        }
        object.number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let stripe = self.stripe(key);
        let mut shelf = stripe.lock();
        let goes = |known: &Object| now_ms >= known.expires_ms || known.variant == object.variant;
        let mut freed = shelf.take(key, goes);
        let kept = shelf.objects.get(key).map_or(0, Vec::len);
        if kept == 0 || kept < self.settings.max_variants {
            shelf.by_age.insert(object.number, key.into());
            shelf
                .objects
                .entry(key.into())
                .or_default()
                .push(Arc::new(object));
            self.bytes.fetch_add(added, Ordering::Relaxed);
        }
        self.bytes
            .fetch_sub(std::mem::take(&mut freed), Ordering::Relaxed);
        stripe.publish(&shelf);
        drop(shelf);
        while self.bytes() > self.settings.max_bytes && self.drop_oldest() {}
    }

    /// Forgets all objects of an address.
    pub fn remove(&self, key: &[u8]) {
        let stripe = self.stripe(key);
        let mut shelf = stripe.lock();
        let freed = shelf.take(key, |_| true);
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
        stripe.publish(&shelf);
    }

    /// All objects, with their addresses.
    pub fn objects(&self) -> Vec<(Box<[u8]>, Arc<Object>)> {
        let mut all = Vec::new();
        for stripe in &self.stripes {
            let shelf = stripe.lock();
            for (key, objects) in &shelf.objects {
                all.extend(
                    objects
                        .iter()
                        .map(|object| (key.clone(), Arc::clone(object))),
                );
            }
        }
        all
    }

    /// A hash that tells addresses apart in reports.
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hash.hash_one(key)
    }

    fn drop_oldest(&self) -> bool {
        let oldest = |stripe: &&Stripe| stripe.oldest.load(Ordering::Relaxed);
        let Some(stripe) = self.stripes.iter().min_by_key(oldest) else {
            return false;
        };
        let mut shelf = stripe.lock();
        let Some((number, key)) = shelf.by_age.pop_first() else {
            stripe.publish(&shelf);
            return false;
        };
        let freed = shelf.take(&key, |known| known.number == number);
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
        stripe.publish(&shelf);
        true
    }

    fn stripe(&self, key: &[u8]) -> &Stripe {
        &self.stripes[self.hash.hash_one(key) as usize % STRIPES]
    }
}

impl Stripe {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, shelf: &Shelf) {
        let oldest = shelf
            .by_age
            .first_key_value()
            .map_or(NONE, |(number, _)| *number);
        self.oldest.store(oldest, Ordering::Relaxed);
    }
}

impl Shelf {
    /// Takes objects of an address away; how many bytes they had.
    fn take(&mut self, key: &[u8], goes: impl Fn(&Object) -> bool) -> u64 {
        let Some(objects) = self.objects.get_mut(key) else {
            return 0;
        };
        let mut freed = 0;
        objects.retain(|object| {
            let stays = !goes(object);
            if !stays {
                freed += object.bytes(key);
                self.by_age.remove(&object.number);
            }
            stays
        });
        if objects.is_empty() {
            self.objects.remove(key);
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Life, Variant};
    use wire::Head;

    fn cache(max_bytes: u64, max_variants: usize) -> Cache {
        Cache::new(Settings {
            name: "c".into(),
            max_bytes,
            max_object_bytes: max_bytes,
            max_age_s: 60,
            processes_vary: true,
            max_variants,
        })
    }

    fn wanted(path: &str, accepted: &str) -> Wanted {
        let mut head = Head::request(b"GET", path.as_bytes());
        head.append(b"accept-encoding", accepted.as_bytes());
        Wanted::of(&head).expect("for a cache")
    }

    fn put(cache: &Cache, path: &str, fields: &[(&str, &str)], body: usize, now_ms: u64) {
        let mut head = Head::response(200, b"OK");
        for (name, value) in fields {
            head.append(name.as_bytes(), value.as_bytes());
        }
        let wanted = wanted(path, "gzip");
        let variant = Variant::of(&head, &wanted, true).expect("known fields");
        let life = Life {
            age_s: 0,
            left_s: 5,
        };
        let object = Object::new(head, vec![b'x'; body], variant, life, now_ms);
        cache.insert(&wanted.key, object, now_ms);
    }

    #[test]
    fn objects_expire_and_are_replaced() {
        let cache = cache(1 << 20, 10);
        put(&cache, "/a", &[], 10, 0);
        let found = |now_ms| {
            cache
                .find(&wanted("/a", ""), now_ms)
                .map(|object| object.body.len())
        };
        assert_eq!((found(4_999), found(5_000)), (Some(10), None));
        let before = cache.bytes();
        put(&cache, "/a", &[], 20, 1_000);
        assert_eq!((found(4_999), cache.bytes()), (Some(20), before + 10));
        cache.remove(&wanted("/a", "").key);
        assert_eq!((found(1_001), cache.bytes()), (None, 0));
    }

    #[test]
    fn the_oldest_makes_room() {
        let cache = cache(10_000, 10);
        for number in 0..100 {
            put(&cache, &format!("/{number}"), &[], 1_000, 0);
            assert!(cache.bytes() <= 10_000);
        }
        let is_there = |number: u32| cache.find(&wanted(&format!("/{number}"), ""), 1).is_some();
        assert!(is_there(99) && is_there(98) && !is_there(0) && !is_there(50));
        put(&cache, "/big", &[], 10_000, 0);
        assert!(cache.find(&wanted("/big", ""), 1).is_none() && is_there(99));
    }

    #[test]
    fn variants_of_one_address() {
        let cache = cache(1 << 20, 2);
        let vary = ("vary", "Accept-Encoding");
        put(&cache, "/a", &[vary, ("content-encoding", "gzip")], 1, 0);
        put(&cache, "/a", &[vary], 2, 0);
        put(&cache, "/a", &[vary, ("content-encoding", "br")], 3, 0);
        let body = |accepted| {
            cache
                .find(&wanted("/a", accepted), 1)
                .map(|object| object.body.len())
        };
        assert_eq!(body("gzip"), Some(1));
        assert_eq!(body("identity"), Some(2));
        // A third one had no room.
        assert_eq!(body("br"), Some(2));
    }
}
