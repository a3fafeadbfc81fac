//! Pattern sets by id: those of files and maps, which can change while the process runs.

use std::collections::HashMap;
use std::sync::Arc;

use cfgparse::bytes::raw;
use cfgparse::model::expr::MatchMethod;

use super::matcher::PatternError;
use super::set::PatternSet;
use crate::sample::value::{Type, Value};
use crate::sample::world::PatternChange;

/// A pattern set: index into [`Patterns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PatternId(pub u32);

/// How a file's patterns are used; one file may be used in several ways.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Use {
    pub method: MatchMethod,
    pub ignore_case: bool,
    /// `map_regm`: the groups of the expression that matched are wanted.
    pub with_groups: bool,
}

impl Use {
    /// `method` with regard to case.
    pub fn of(method: MatchMethod) -> Use {
        Use {
            method,
            ignore_case: false,
            with_groups: false,
        }
    }
}

/// The pattern sets found while a plan is compiled.
#[derive(Clone, Debug, Default)]
pub struct PatternTable {
    sets: Vec<Arc<PatternSet>>,
    by_use: HashMap<(String, Use), PatternId>,
    files: Vec<PatternFile>,
}

/// A file behind pattern sets, as `show map` and `show acl` list it.
#[derive(Clone, Debug)]
pub struct PatternFile {
    pub name: Arc<str>,
    /// The set of its first use, which stands for all.
    pub set: PatternId,
    pub serves: Serves,
    /// Where each use stands: file and line.
    pub uses: Vec<(Arc<str>, u32)>,
    /// Types that its values are read as.
    pub values: Vec<Type>,
}

/// What a file's patterns are there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    Acl,
    /// A map, and perhaps ACLs too.
    Map,
}

impl PatternTable {
    /// The set of `name` for `usage`, made from `lines` (key, value) on first use.
    pub fn intern<'l>(
        &mut self,
        name: &str,
        usage: Use,
        lines: impl IntoIterator<Item = (&'l str, Option<&'l str>)>,
    ) -> Result<PatternId, PatternError> {
        let key = (name.to_owned(), usage);
        if let Some(&id) = self.by_use.get(&key) {
            return Ok(id);
        }
        let pairs = lines
            .into_iter()
            .map(|(key, value)| (key.into(), value.map(|v| raw(v).into())));
        let set = PatternSet::new(name.into(), key.1.clone(), pairs)?;
        let id = PatternId(self.sets.len() as u32);
        self.sets.push(Arc::new(set));
        self.by_use.insert(key, id);
        Ok(id)
    }

    /// Remembers a use of a set's file: where it stands, and as what a map's values are read.
    pub fn used(&mut self, set: PatternId, at: (Arc<str>, u32), value: Option<Type>) {
        let name = self.sets[set.0 as usize].name.clone();
        let known = self.files.iter().position(|file| file.name == name);
        let position = known.unwrap_or_else(|| {
            self.files.push(PatternFile {
                name,
                set,
                serves: Serves::Acl,
                uses: Vec::new(),
                values: Vec::new(),
            });
            self.files.len() - 1
        });
        let file = &mut self.files[position];
        if let Some(value) = value {
            file.serves = Serves::Map;
            if !file.values.contains(&value) {
                file.values.push(value);
            }
        }
        if !file.uses.contains(&at) {
            file.uses.push(at);
        }
    }

    /// A set by which a rule changes those of the file `name`, wherever they are named: it compares
    /// nothing itself, and the file need not exist.
    pub fn writer(&mut self, name: &str) -> Result<PatternId, PatternError> {
        // These prefixes say how to read a file, and are no part of its name (manual, 2.7).
        let bare = name.strip_prefix("opt@").or(name.strip_prefix("file@"));
        self.intern(bare.unwrap_or(name), Use::of(MatchMethod::Found), [])
    }

    /// What a process starts with.
    pub fn patterns(&self) -> Patterns {
        Patterns {
            sets: self.sets.clone(),
            files: self.files.clone().into(),
        }
    }
}

/// Pattern sets as they are at one moment. Copies share entries until one of them changes.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    sets: Vec<Arc<PatternSet>>,
    files: Arc<[PatternFile]>,
}

impl Patterns {
    /// How many sets there are; their ids count from 0.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether `sample` matches in set `id`.
    pub fn matches(&self, id: PatternId, sample: &Value<'_>) -> bool {
        self.set(id).is_some_and(|set| set.matches(sample))
    }

    /// The value that set `id` maps `sample` to; empty for a key without one.
    pub fn map(&self, id: PatternId, sample: &Value<'_>) -> Option<&[u8]> {
        let entry = self.set(id)?.entry(sample)?;
        Some(entry.value.as_deref().unwrap_or(b""))
    }

    /// The key of set `id` that `sample` matches.
    pub fn key(&self, id: PatternId, sample: &Value<'_>) -> Option<&[u8]> {
        Some(self.set(id)?.entry(sample)?.key.as_bytes())
    }

    /// The value that set `id` maps `sample` to, with the groups of its expression filled in.
    pub fn map_groups(&self, id: PatternId, sample: &Value<'_>) -> Option<Vec<u8>> {
        self.set(id)?.with_groups(sample)
    }

    fn set(&self, id: PatternId) -> Option<&PatternSet> {
        self.sets.get(id.0 as usize).map(|set| &**set)
    }

    /// How set `id` compares.
    pub fn usage(&self, id: PatternId) -> Option<&Use> {
        self.set(id).map(PatternSet::usage)
    }

    /// The sets made from the same file as `id`.
    pub fn relatives(&self, id: PatternId) -> impl Iterator<Item = PatternId> {
        let name = self.set(id).map(|set| &set.name);
        let sets = self.sets.iter().enumerate();
        sets.filter(move |(_, set)| Some(&set.name) == name)
            .map(|(at, _)| PatternId(at as u32))
    }

    /// Changes every set made from the same file as `id`, or none if one of them cannot have it.
    ///
    /// Exact strings and addresses change in place; other methods are compiled anew.
    pub fn change(&mut self, id: PatternId, change: &PatternChange) -> Result<(), PatternError> {
        let relatives: Vec<PatternId> = self.relatives(id).collect();
        if let PatternChange::Replace(_) = change {
            let mut changed = self.sets.clone();
            for id in &relatives {
                Arc::make_mut(&mut changed[id.0 as usize]).change(change)?;
            }
            self.sets = changed;
            return Ok(());
        }
        if let PatternChange::Set { key, .. } | PatternChange::Append { key, .. } = change {
            for id in &relatives {
                self.sets[id.0 as usize].check(key)?;
            }
        }
        for id in relatives {
            Arc::make_mut(&mut self.sets[id.0 as usize]).change(change)?;
        }
        Ok(())
    }

    /// The files behind the sets, in order of first use.
    pub fn files(&self) -> &[PatternFile] {
        &self.files
    }

    /// Reference, key and value of each entry of set `id`, in order.
    pub fn entries(&self, id: PatternId) -> impl Iterator<Item = (u32, &str, Option<&[u8]>)> {
        let entries = self.set(id).into_iter().flat_map(PatternSet::entries);
        entries.map(|entry| (entry.reference, &*entry.key, entry.value.as_deref()))
    }

    /// How many entries set `id` has.
    pub fn entry_count(&self, id: PatternId) -> usize {
        self.set(id).map_or(0, PatternSet::len)
    }

    /// Whether set `id` has an entry of this key.
    pub fn has_key(&self, id: PatternId, key: &str) -> bool {
        self.set(id).is_some_and(|set| set.has(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_a_regex_map_are_filled_in() {
        let mut table = PatternTable::default();
        let usage = Use {
            with_groups: true,
            ..Use::of(MatchMethod::Reg)
        };
        let lines = [("^/(a+)/", Some("got-\\1")), ("b", Some("plain"))];
        let map = table.intern("m", usage, lines).unwrap();
        let patterns = table.patterns();
        let get = |text: &'static [u8]| patterns.map_groups(map, &Value::str(text));
        assert_eq!(get(b"/aa/b").as_deref(), Some(&b"got-aa"[..]));
        assert_eq!(get(b"xb").as_deref(), Some(&b"plain"[..]));
        assert_eq!(get(b"x"), None);
    }

    #[test]
    fn a_map_is_shared_by_use_and_changes_for_all_uses() {
        let mut table = PatternTable::default();
        let usage = Use::of;
        let lines = || [("a", Some("1")), ("b", None)];
        let exact = table.intern("m", usage(MatchMethod::Str), lines()).unwrap();
        let begins = table.intern("m", usage(MatchMethod::Beg), lines()).unwrap();
        assert_eq!(
            table.intern("m", usage(MatchMethod::Str), lines()).unwrap(),
            exact
        );
        let mut patterns = table.patterns();
        assert_eq!(patterns.map(exact, &Value::str(b"a")), Some(&b"1"[..]));
        assert_eq!(patterns.map(exact, &Value::str(b"b")), Some(&b""[..]));
        assert_eq!(patterns.map(exact, &Value::str(b"ab")), None);
        assert_eq!(patterns.map(begins, &Value::str(b"ab")), Some(&b"1"[..]));
        let add = PatternChange::Set {
            key: "ab".into(),
            value: Some(b"2"[..].into()),
        };
        patterns.change(exact, &add).unwrap();
        assert_eq!(patterns.map(begins, &Value::str(b"abc")), Some(&b"2"[..]));
        patterns
            .change(begins, &PatternChange::Remove { key: "a".into() })
            .unwrap();
        assert!(!patterns.matches(exact, &Value::str(b"a")));
        assert_eq!(patterns.entries(exact).count(), 2);
        let add = PatternChange::Set {
            key: "b".into(),
            value: Some(b"3"[..].into()),
        };
        patterns.change(exact, &add).unwrap();
        assert_eq!(patterns.map(begins, &Value::str(b"bc")), Some(&b"3"[..]));
        // What the core began with is as it was.
        assert_eq!(
            table.patterns().map(exact, &Value::str(b"a")),
            Some(&b"1"[..])
        );
    }
}
