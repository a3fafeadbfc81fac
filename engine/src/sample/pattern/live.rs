//! Pattern sets as they change while the process runs: exact on every core, and no lock on the way
//! of a request unless something has changed since the core last looked.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::matcher::PatternError;
use super::table::{PatternId, Patterns};
use super::versions::Versions;
use crate::limits::PATTERN_CHANGES_KEPT;
use crate::sample::value::Value;
use crate::sample::world::PatternChange;

/// The pattern sets of the process.
///
/// What the configuration named never changes and is borrowed from. Changes are numbered; every core
/// keeps a copy of what has changed and follows the log of changes when the number has moved.
#[derive(Debug, Default)]
pub struct LivePatterns {
    configured: Patterns,
    /// By set: whether it is no longer as configured.
    touched: Box<[AtomicBool]>,
    /// How many changes there have been.
    version: AtomicU64,
    state: Mutex<State>,
}

/// What is true now, with the last changes that led to it.
#[derive(Debug, Default)]
struct State {
    now: Patterns,
    changes: VecDeque<(PatternId, PatternChange)>,
    /// By file, in the order of [`Patterns::files`].
    versions: Vec<Versions>,
}

impl LivePatterns {
    pub fn new(configured: Patterns) -> LivePatterns {
        LivePatterns {
            touched: (0..configured.len())
                .map(|_| AtomicBool::default())
                .collect(),
            version: AtomicU64::new(0),
            state: Mutex::new(State {
                now: configured.clone(),
                changes: VecDeque::new(),
                versions: vec![Versions::default(); configured.files().len()],
            }),
            configured,
        }
    }

    /// Changes the file behind `id` for all cores; a core sees it from its next look on.
    pub fn change(&self, id: PatternId, change: PatternChange) -> Result<(), PatternError> {
        self.apply(&mut self.lock(), id, change)
    }

    /// Puts a prepared version of file number `file` in the place of its entries; `false` where
    /// there is no such version.
    pub fn commit(&self, file: usize, version: u32) -> Result<bool, PatternError> {
        let mut state = self.lock();
        let set = state.now.files()[file].set;
        let entries = state
            .versions
            .get_mut(file)
            .and_then(|own| own.commit(version));
        let Some(entries) = entries else {
            return Ok(false);
        };
        self.apply(&mut state, set, PatternChange::Replace(entries))?;
        Ok(true)
    }

    /// Looks at the versions of file number `file`, or prepares one.
    pub fn versions<R>(&self, file: usize, look: impl FnOnce(&mut Versions) -> R) -> R {
        look(&mut self.lock().versions[file])
    }

    fn apply(
        &self,
        state: &mut State,
        id: PatternId,
        change: PatternChange,
    ) -> Result<(), PatternError> {
        state.now.change(id, &change)?;
        for relative in state.now.relatives(id) {
            self.touched[relative.0 as usize].store(true, Ordering::Release);
        }
        if state.changes.len() == PATTERN_CHANGES_KEPT {
            state.changes.pop_front();
        }
        state.changes.push_back((id, change));
        self.version.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// The sets as they are now.
    pub fn now(&self) -> Patterns {
        self.lock().now.clone()
    }

    /// Looks at the sets without copying them, while they cannot change.
    pub fn look<R>(&self, look: impl FnOnce(&Patterns) -> R) -> R {
        look(&self.lock().now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_touched(&self, id: PatternId) -> bool {
        let touched = self.touched.get(id.0 as usize);
        touched.is_some_and(|touched| touched.load(Ordering::Acquire))
    }
}

/// One core's copy of what has changed.
#[derive(Debug, Default)]
pub struct CorePatterns {
    /// The number of changes that it has followed.
    version: Cell<u64>,
    own: RefCell<Patterns>,
}

impl CorePatterns {
    /// The sets as they are now, to borrow from while an evaluation lasts. A copy that somebody
    /// borrows from already stays as it is: looks at it notice what it lacks.
    pub fn follow(&self, live: &LivePatterns) -> Ref<'_, Patterns> {
        if live.version.load(Ordering::Acquire) != self.version.get()
            && let Ok(mut own) = self.own.try_borrow_mut()
        {
            self.catch_up(live, &mut own);
        }
        self.own.borrow()
    }

    fn catch_up(&self, live: &LivePatterns, own: &mut Patterns) {
        let state = live.lock();
        // Exact: it changes under the lock only.
        let version = live.version.load(Ordering::Acquire);
        let behind = (version - self.version.get()) as usize;
        if self.version.get() == 0 {
            *own = live.configured.clone();
        }
        if behind > state.changes.len() {
            *own = state.now.clone();
        } else {
            let first = state.changes.len() - behind;
            for (id, change) in state.changes.range(first..) {
                let done = own.change(*id, change);
                debug_assert!(done.is_ok(), "what was possible once is possible again");
            }
        }
        self.version.set(version);
    }
}

/// What expressions see of the pattern sets: borrowed where nothing has changed since the
/// evaluation began.
#[derive(Clone, Copy, Debug)]
pub struct PatternView<'a> {
    live: &'a LivePatterns,
    /// A core's copy, with the number of changes in it.
    own: Option<(&'a Patterns, u64)>,
}

impl<'a> PatternView<'a> {
    /// Looks at what [`CorePatterns::follow`] gave.
    pub fn of_core(live: &'a LivePatterns, core: &CorePatterns, own: &'a Patterns) -> Self {
        let own = Some((own, core.version.get()));
        PatternView { live, own }
    }

    /// Without a copy of one's own.
    pub fn of_all(live: &'a LivePatterns) -> Self {
        PatternView { live, own: None }
    }

    /// Whether `sample` matches in set `id`.
    pub fn matches(self, id: PatternId, sample: &Value<'_>) -> bool {
        match self.sets(id) {
            Some(sets) => sets.matches(id, sample),
            None => self.live.look(|sets| sets.matches(id, sample)),
        }
    }

    /// The value that set `id` maps `sample` to; empty for a key without one.
    pub fn map(self, id: PatternId, sample: &Value<'_>) -> Option<Cow<'a, [u8]>> {
        self.text(id, |sets| sets.map(id, sample))
    }

    /// The key of set `id` that `sample` matches.
    pub fn key(self, id: PatternId, sample: &Value<'_>) -> Option<Cow<'a, [u8]>> {
        self.text(id, |sets| sets.key(id, sample))
    }

    /// The value that set `id` maps `sample` to, with the groups of its expression filled in.
    pub fn map_groups(self, id: PatternId, sample: &Value<'_>) -> Option<Vec<u8>> {
        match self.sets(id) {
            Some(sets) => sets.map_groups(id, sample),
            None => self.live.look(|sets| sets.map_groups(id, sample)),
        }
    }

    fn text(
        self,
        id: PatternId,
        find: impl for<'p> Fn(&'p Patterns) -> Option<&'p [u8]>,
    ) -> Option<Cow<'a, [u8]>> {
        match self.sets(id) {
            Some(sets) => find(sets).map(Cow::Borrowed),
            None => self
                .live
                .look(|sets| find(sets).map(|text| Cow::Owned(text.to_vec()))),
        }
    }

    /// The sets to borrow from, unless set `id` has changed since they were looked up.
    fn sets(self, id: PatternId) -> Option<&'a Patterns> {
        if !self.live.is_touched(id) {
            return Some(&self.live.configured);
        }
        let (own, version) = self.own?;
        (self.live.version.load(Ordering::Acquire) == version).then_some(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::pattern::{PatternTable, Use};
    use cfgparse::model::expr::MatchMethod;

    fn set(key: &str, value: &str) -> PatternChange {
        PatternChange::Set {
            key: key.into(),
            value: Some(value.as_bytes().into()),
        }
    }

    #[test]
    fn every_core_follows_however_far_behind() {
        let mut table = PatternTable::default();
        let usage = Use::of(MatchMethod::Str);
        let id = table.intern("m", usage, [("a", Some("1"))]).unwrap();
        let live = LivePatterns::new(table.patterns());
        let (one, two) = (CorePatterns::default(), CorePatterns::default());
        let get = |core: &CorePatterns, key: &'static str| {
            let own = core.follow(&live);
            let view = PatternView::of_core(&live, core, &own);
            let value = view.map(id, &Value::str(key.as_bytes()));
            value.map(|value| String::from_utf8_lossy(&value).into_owned())
        };
        assert_eq!(get(&one, "a").as_deref(), Some("1"));
        live.change(id, set("a", "2")).unwrap();
        live.change(id, set("b", "3")).unwrap();
        assert_eq!(get(&one, "a").as_deref(), Some("2"));
        assert_eq!(get(&one, "b").as_deref(), Some("3"));
        live.change(id, PatternChange::Remove { key: "a".into() })
            .unwrap();
        assert_eq!(get(&one, "a"), None);
        for number in 0..=PATTERN_CHANGES_KEPT {
            live.change(id, set("c", &number.to_string())).unwrap();
        }
        let last = PATTERN_CHANGES_KEPT.to_string();
        assert_eq!(get(&two, "c"), Some(last.clone()));
        assert_eq!(get(&two, "a"), None);
        assert_eq!(get(&one, "c"), Some(last));
    }

    #[test]
    fn what_one_use_cannot_have_changes_no_other() {
        let mut table = PatternTable::default();
        let exact = Use::of(MatchMethod::Str);
        let exact = table.intern("m", exact, []).unwrap();
        table.intern("m", Use::of(MatchMethod::Ip), []).unwrap();
        let live = LivePatterns::new(table.patterns());
        assert!(live.change(exact, set("no address", "1")).is_err());
        assert_eq!(live.now().entry_count(exact), 0);
        live.change(exact, set("10.0.0.0/8", "1")).unwrap();
        assert_eq!(live.now().entry_count(exact), 1);
    }

    #[test]
    fn entries_come_go_and_are_replaced() {
        let mut table = PatternTable::default();
        let usage = Use::of(MatchMethod::Str);
        let id = table.intern("m", usage, [("a", Some("1"))]).unwrap();
        let live = LivePatterns::new(table.patterns());
        let append = PatternChange::Append {
            key: "a".into(),
            value: Some(b"2"[..].into()),
        };
        live.change(id, append).unwrap();
        let listed = || -> Vec<(u32, String)> {
            let now = live.now();
            let entries = now.entries(id);
            entries
                .map(|(reference, key, _)| (reference, key.to_owned()))
                .collect()
        };
        assert_eq!(listed(), [(1, "a".to_owned()), (2, "a".to_owned())]);
        live.change(id, PatternChange::RemoveAt { reference: 1 })
            .unwrap();
        assert_eq!(listed(), [(2, "a".to_owned())]);
        let core = CorePatterns::default();
        let own = core.follow(&live);
        let view = PatternView::of_core(&live, &core, &own);
        let value = view.map(id, &Value::str(b"a"));
        assert!(matches!(value, Some(Cow::Borrowed(b"2"))), "{value:?}");
        // Seen by an evaluation that is under way, and by others that begin meanwhile.
        live.change(id, set("b", "5")).unwrap();
        for view in [
            view,
            PatternView::of_core(&live, &core, &core.follow(&live)),
        ] {
            let value = view.map(id, &Value::str(b"b"));
            assert!(matches!(value, Some(Cow::Owned(_))), "{value:?}");
        }
        live.change(id, PatternChange::Remove { key: "b".into() })
            .unwrap();
        live.change(id, PatternChange::Replace([("z".into(), None)].into()))
            .unwrap();
        assert_eq!(listed(), [(4, "z".to_owned())]);
        assert!(!view.matches(id, &Value::str(b"a")));
        for number in 0..1000 {
            let key = format!("k{number}");
            live.change(id, set(&key, "")).unwrap();
            let key = key.as_str().into();
            live.change(id, PatternChange::Remove { key }).unwrap();
        }
        assert_eq!(live.now().entry_count(id), 1);
    }
}
