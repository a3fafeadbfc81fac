//! One table: keys found, made, refreshed and forgotten by all cores.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::data::{Data, Shape};
use super::entry::{Cell, Entry};
use super::spec::{Field, Layout, Spec};
use super::stripe::Stripe;
use super::tracking::Tracked;
use super::window::Window;
use crate::limits::TABLE_STRIPES;

/// A stick table, shared by all cores. A key belongs to one stripe, whose lock is held for a lookup,
/// an insertion or a removal and nothing else; figures are the entry's own.
#[derive(Debug)]
pub struct Table {
    spec: Spec,
    stripes: Box<[Mutex<Stripe>]>,
    /// By stripe: when its first entry may be due. Whoever looks for one need not lock them all.
    first_due_ms: Box<[AtomicU64]>,
    used: AtomicU64,
    hasher: RandomState,
}

/// A figure's place in the entries of one table, found once when rules are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub data: Data,
    pub index: usize,
}

impl Slot {
    pub const fn of(data: Data) -> Slot {
        Slot { data, index: 0 }
    }
}

impl Table {
    pub fn new(spec: Spec) -> Table {
        Table {
            spec,
            stripes: (0..TABLE_STRIPES).map(|_| Mutex::default()).collect(),
            first_due_ms: (0..TABLE_STRIPES)
                .map(|_| AtomicU64::new(u64::MAX))
                .collect(),
            used: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }

    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    fn layout(&self) -> &Layout {
        &self.spec.layout
    }

    /// Entries in use; what has expired is dropped first.
    pub fn used(&self, now_ms: u64) -> u64 {
        self.drop_expired(now_ms);
        self.used.load(Relaxed)
    }

    /// The entry of a key, which is not refreshed by this.
    pub fn find(&self, key: &[u8], now_ms: u64) -> Option<Arc<Entry>> {
        let stripe = self.lock(self.stripe_of(key));
        let entry = stripe.find(key)?;
        (!self.has_expired(entry, now_ms)).then(|| Arc::clone(entry))
    }

    /// The entry of a key, refreshed; it is made where there is none. `None` in a full table that
    /// must not or cannot forget another key.
    pub fn obtain(&self, key: &[u8], now_ms: u64) -> Option<Arc<Entry>> {
        self.obtain_and(key, now_ms, |_| {})
    }

    /// The same for somebody who tracks it from now on.
    pub fn track(self: &Arc<Self>, key: &[u8], now_ms: u64) -> Option<Tracked> {
        // Under the stripe's lock, so that nobody can forget the key in between.
        let entry = self.obtain_and(key, now_ms, |entry| {
            entry.users.fetch_add(1, Relaxed);
        })?;
        Some(Tracked::new(Arc::clone(self), entry, now_ms))
    }

    fn obtain_and(&self, key: &[u8], now_ms: u64, take: impl Fn(&Entry)) -> Option<Arc<Entry>> {
        let index = self.stripe_of(key);
        if let Some(entry) = self.take_known(&self.lock(index), key, now_ms, &take) {
            return Some(entry);
        }
        self.reserve(now_ms)?;
        let mut stripe = self.lock(index);
        if let Some(entry) = self.take_known(&stripe, key, now_ms, &take) {
            self.used.fetch_sub(1, Relaxed);
            return Some(entry);
        }
        if let Some(expired) = stripe.find(key).map(Arc::clone) {
            stripe.remove(&expired);
            self.used.fetch_sub(1, Relaxed);
        }
        let entry = Arc::new(Entry::new(key, index, self.due_ms(now_ms), self.cells()));
        take(&entry);
        stripe.insert(&entry);
        self.note_due(index, &stripe);
        Some(entry)
    }

    fn take_known(
        &self,
        stripe: &Stripe,
        key: &[u8],
        now_ms: u64,
        take: impl Fn(&Entry),
    ) -> Option<Arc<Entry>> {
        let entry = stripe.find(key)?;
        if self.has_expired(entry, now_ms) {
            return None;
        }
        take(entry);
        self.touch(entry, now_ms);
        Some(Arc::clone(entry))
    }

    /// Postpones an entry's end.
    pub fn touch(&self, entry: &Entry, now_ms: u64) {
        entry.due_ms.fetch_max(self.due_ms(now_ms), Relaxed);
    }

    /// Milliseconds until the entry expires; `None` in a table without `expire`.
    pub fn expires_in_ms(&self, entry: &Entry, now_ms: u64) -> Option<u64> {
        self.spec.expire_ms?;
        Some(entry.due_ms.load(Relaxed).saturating_sub(now_ms))
    }

    /// Milliseconds since the entry was last used; `None` in a table without `expire`.
    pub fn idle_ms(&self, entry: &Entry, now_ms: u64) -> Option<u64> {
        let left_ms = self.expires_in_ms(entry, now_ms)?;
        Some(self.spec.expire_ms?.saturating_sub(left_ms))
    }

    /// Forgets an entry, unless somebody tracks it.
    pub fn remove(&self, entry: &Arc<Entry>) -> bool {
        let mut stripe = self.lock(entry.stripe);
        let removed = entry.users() == 0 && stripe.remove(entry);
        if removed {
            self.used.fetch_sub(1, Relaxed);
            self.note_due(entry.stripe, &stripe);
        }
        removed
    }

    /// All entries that have not expired.
    pub fn entries(&self, now_ms: u64) -> Vec<Arc<Entry>> {
        self.drop_expired(now_ms);
        let mut all = Vec::new();
        for index in 0..self.stripes.len() {
            all.extend(self.lock(index).entries().map(Arc::clone));
        }
        all
    }

    /// Forgets what has expired.
    pub fn drop_expired(&self, now_ms: u64) {
        if self.spec.expire_ms.is_none() {
            return;
        }
        for index in 0..self.stripes.len() {
            while self.first_due_ms[index].load(Relaxed) <= now_ms {
                self.pop(index, now_ms);
            }
        }
    }

    /// A figure of an entry; `None` where the table does not store it.
    pub fn value(&self, entry: &Entry, slot: Slot, now_ms: u64) -> Option<u64> {
        let (cell, field) = self.layout().cell(slot.data, slot.index)?;
        Some(entry.with(|cells| read(&cells[cell], field, now_ms)))
    }

    /// Whether entries have this figure.
    pub fn stores(&self, slot: Slot) -> bool {
        self.layout().cell(slot.data, slot.index).is_some()
    }

    /// Adds to figures of an entry; those that the table does not store are passed over.
    pub fn add(&self, entry: &Entry, changes: &[(Slot, u64)], now_ms: u64) {
        entry.with(|cells| {
            for (slot, count) in changes {
                if let Some((cell, field)) = self.layout().cell(slot.data, slot.index) {
                    self.add_to(&mut cells[cell], field, *count, now_ms);
                }
            }
        });
    }

    /// Adds to a figure and gives what it was before and is now.
    pub fn add_one(
        &self,
        entry: &Entry,
        slot: Slot,
        count: u64,
        now_ms: u64,
    ) -> Option<(u64, u64)> {
        let (cell, field) = self.layout().cell(slot.data, slot.index)?;
        Some(entry.with(|cells| {
            let before = read(&cells[cell], field, now_ms);
            self.add_to(&mut cells[cell], field, count, now_ms);
            (before, read(&cells[cell], field, now_ms))
        }))
    }

    /// Sets a figure and gives what it was; `None` where the table does not store it.
    pub fn set(&self, entry: &Entry, slot: Slot, value: u64, now_ms: u64) -> Option<u64> {
        let (cell, field) = self.layout().cell(slot.data, slot.index)?;
        Some(entry.with(|cells| {
            let before = read(&cells[cell], field, now_ms);
            match &mut cells[cell] {
                Cell::Number(number) => *number = fit(field, value),
                Cell::Rate(window) => window.set(value as u32, now_ms),
                Cell::Name(_) => {}
            }
            before
        }))
    }

    /// One less of a figure that counts what is there now.
    pub(super) fn subtract_one(&self, entry: &Entry, data: Data) {
        if let Some((cell, _)) = self.layout().cell(data, 0) {
            entry.with(|cells| {
                if let Cell::Number(number) = &mut cells[cell] {
                    *number = number.saturating_sub(1);
                }
            });
        }
    }

    /// The name that an entry keeps (`server_key`).
    pub fn name(&self, entry: &Entry, data: Data) -> Option<Arc<str>> {
        let (cell, _) = self.layout().cell(data, 0)?;
        entry.with(|cells| match &cells[cell] {
            Cell::Name(name) => name.clone(),
            _ => None,
        })
    }

    pub fn set_name(&self, entry: &Entry, data: Data, name: Option<Arc<str>>) {
        if let Some((cell, _)) = self.layout().cell(data, 0) {
            entry.with(|cells| cells[cell] = Cell::Name(name));
        }
    }

    fn add_to(&self, cell: &mut Cell, field: &Field, count: u64, now_ms: u64) {
        match cell {
            Cell::Number(number) => *number = fit(field, number.wrapping_add(count)),
            Cell::Rate(window) => {
                let count = match field.data {
                    Data::BytesInRate | Data::BytesOutRate => {
                        count / u64::from(self.spec.brates_factor)
                    }
                    _ => count,
                };
                window.add(count as u32, field.period_ms, now_ms);
            }
            Cell::Name(_) => {}
        }
    }

    fn cells(&self) -> Box<[Cell]> {
        let mut cells = vec![Cell::Number(0); self.layout().cells()];
        for field in self.layout().fields() {
            let empty = match field.data.shape() {
                Shape::Count32 | Shape::Count64 => continue,
                Shape::Rate => Cell::Rate(Window::default()),
                Shape::Name => Cell::Name(None),
            };
            cells[field.first..field.first + field.len].fill(empty);
        }
        cells.into()
    }

    fn due_ms(&self, now_ms: u64) -> u64 {
        now_ms + self.spec.expire_ms.unwrap_or(0)
    }

    /// A tracked entry does not expire.
    fn has_expired(&self, entry: &Entry, now_ms: u64) -> bool {
        self.spec.expire_ms.is_some() && entry.due_ms.load(Relaxed) <= now_ms && entry.users() == 0
    }

    fn stripe_of(&self, key: &[u8]) -> usize {
        self.hasher.hash_one(key) as usize % self.stripes.len()
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, Stripe> {
        self.stripes[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note_due(&self, index: usize, stripe: &Stripe) {
        self.first_due_ms[index].store(stripe.first_due_ms(), Relaxed);
    }

    /// Gets the right to one more entry; where the table is full, by forgetting the oldest.
    fn reserve(&self, now_ms: u64) -> Option<()> {
        loop {
            let grown = self.used.fetch_update(Relaxed, Relaxed, |used| {
                (used < self.spec.size).then_some(used + 1)
            });
            if grown.is_ok() {
                return Some(());
            }
            self.drop_expired(now_ms);
            let is_full = self.used.load(Relaxed) >= self.spec.size;
            if is_full && (self.spec.nopurge || !self.drop_oldest(now_ms)) {
                return None;
            }
        }
    }

    /// Forgets the entry that was not used for the longest time; false if all are tracked.
    fn drop_oldest(&self, now_ms: u64) -> bool {
        // Each turn moves an entry that was used since it was queued, or forgets one.
        let turns = self.used.load(Relaxed) + self.stripes.len() as u64;
        for _ in 0..turns {
            let due = self.first_due_ms.iter().enumerate();
            let first = due.min_by_key(|(_, due)| due.load(Relaxed));
            let Some((index, _)) = first else {
                return false;
            };
            if self.pop(index, now_ms) {
                return true;
            }
        }
        false
    }

    /// Forgets a stripe's first entry, or moves it; whether one was forgotten.
    fn pop(&self, index: usize, now_ms: u64) -> bool {
        let mut stripe = self.lock(index);
        let popped = stripe.pop(self.due_ms(now_ms) + 1);
        self.note_due(index, &stripe);
        let forgotten = matches!(popped, Some(Ok(_)));
        if forgotten {
            self.used.fetch_sub(1, Relaxed);
        }
        forgotten
    }
}

fn fit(field: &Field, value: u64) -> u64 {
    match field.data.shape() {
        Shape::Count32 => value & u64::from(u32::MAX),
        _ => value,
    }
}

fn read(cell: &Cell, field: &Field, now_ms: u64) -> u64 {
    match cell {
        Cell::Number(number) => *number,
        Cell::Rate(window) => u64::from(window.total(field.period_ms, now_ms)),
        Cell::Name(_) => 0,
    }
}
