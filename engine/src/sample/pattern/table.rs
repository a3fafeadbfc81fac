//! Pattern sets by id: those of files and maps, which can change while the process runs.

use std::collections::HashMap;
use std::sync::Arc;

use cfgparse::model::expr::MatchMethod;

use regex::bytes::Regex;

use super::matcher::{Item, Matcher, PatternError};
use super::regex::compile as compile_regex;
use crate::sample::value::Value;
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
}

/// One file's entries with their index for one use.
#[derive(Clone, Debug)]
struct PatternSet {
    name: Arc<str>,
    usage: Use,
    /// By number; a removed one leaves a gap.
    entries: Vec<Option<Entry>>,
    /// The numbers of a key's entries, from the first change on.
    numbers: Option<HashMap<Arc<str>, Vec<u32>>>,
    matcher: Matcher,
    /// Each entry's expression, where its groups are wanted.
    groups: Vec<Regex>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: Arc<str>,
    value: Option<Arc<[u8]>>,
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
        let entries = lines
            .into_iter()
            .map(|(key, value)| {
                Some(Entry {
                    key: key.into(),
                    value: value.map(|v| v.as_bytes().into()),
                })
            })
            .collect();
        let set = PatternSet::new(name.into(), key.1.clone(), entries)?;
        let id = PatternId(self.sets.len() as u32);
        self.sets.push(Arc::new(set));
        self.by_use.insert(key, id);
        Ok(id)
    }

    /// Any set made from `name`.
    pub fn find(&self, name: &str) -> Option<PatternId> {
        let at = self.sets.iter().position(|set| &*set.name == name)?;
        Some(PatternId(at as u32))
    }

    /// What a core starts with.
    pub fn patterns(&self) -> Patterns {
        Patterns {
            sets: self.sets.clone(),
        }
    }
}

/// A core's pattern sets. Copies share entries until one of them changes.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    sets: Vec<Arc<PatternSet>>,
}

impl Patterns {
    /// Whether `sample` matches in set `id`.
    pub fn matches(&self, id: PatternId, sample: &Value<'_>) -> bool {
        self.sets
            .get(id.0 as usize)
            .is_some_and(|set| set.matcher.matches(sample))
    }

    /// The value that set `id` maps `sample` to; empty for a key without one.
    pub fn map(&self, id: PatternId, sample: &Value<'_>) -> Option<&[u8]> {
        let entry = self.entry(id, sample)?;
        Some(entry.value.as_deref().unwrap_or(b""))
    }

    /// The key of set `id` that `sample` matches.
    pub fn key(&self, id: PatternId, sample: &Value<'_>) -> Option<&[u8]> {
        Some(self.entry(id, sample)?.key.as_bytes())
    }

    /// The value that set `id` maps `sample` to, with the groups of its expression filled in.
    pub fn map_groups(&self, id: PatternId, sample: &Value<'_>) -> Option<Vec<u8>> {
        let set = self.sets.get(id.0 as usize)?;
        let number = set.matcher.find(sample)? as usize;
        let template = set
            .entries
            .get(number)?
            .as_ref()?
            .value
            .as_deref()
            .unwrap_or(b"");
        let captures = set.groups.get(number)?.captures(sample.bytes()?)?;
        let mut value = Vec::with_capacity(template.len() + 16);
        crate::sample::expand_groups(template, &captures, &mut value);
        Some(value)
    }

    fn entry(&self, id: PatternId, sample: &Value<'_>) -> Option<&Entry> {
        let set = self.sets.get(id.0 as usize)?;
        let number = set.matcher.find(sample)?;
        set.entries.get(number as usize)?.as_ref()
    }

    /// Changes every set made from the same file as `id`. A key that cannot be a pattern changes nothing.
    ///
    /// Exact strings and addresses change in place; other methods are compiled anew.
    pub fn change(&mut self, id: PatternId, change: &PatternChange) -> Result<(), PatternError> {
        let Some(name) = self.sets.get(id.0 as usize).map(|set| set.name.clone()) else {
            return Ok(());
        };
        for set in self.sets.iter_mut().filter(|set| set.name == name) {
            Arc::make_mut(set).change(change)?;
        }
        Ok(())
    }

    /// Names of the files behind the sets, each once, in order of first use.
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        for set in &self.sets {
            if !names.contains(&set.name) {
                names.push(set.name.clone());
            }
        }
        names
    }

    /// A set made from the file `name`.
    pub fn find(&self, name: &str) -> Option<PatternId> {
        let at = self.sets.iter().position(|set| &*set.name == name)?;
        Some(PatternId(at as u32))
    }

    /// Keys and values of set `id`, in order.
    pub fn entries(&self, id: PatternId) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let set = self.sets.get(id.0 as usize);
        set.into_iter()
            .flat_map(|set| set.entries.iter().flatten())
            .map(|entry| (&*entry.key, entry.value.as_deref()))
    }
}

impl PatternSet {
    fn new(
        name: Arc<str>,
        usage: Use,
        entries: Vec<Option<Entry>>,
    ) -> Result<PatternSet, PatternError> {
        let matcher = compile(&usage, &entries)?;
        let groups = compile_groups(&usage, &entries)?;
        Ok(PatternSet {
            name,
            usage,
            entries,
            numbers: None,
            matcher,
            groups,
        })
    }

    fn change(&mut self, change: &PatternChange) -> Result<(), PatternError> {
        match change {
            PatternChange::Add { key, value } => {
                self.add(&String::from_utf8_lossy(key), value.as_ref())
            }
            PatternChange::Remove { key } => self.remove(&String::from_utf8_lossy(key)),
        }
    }

    /// Sets the value of a key, or adds the key at the end.
    fn add(&mut self, key: &str, value: Option<&Arc<[u8]>>) -> Result<(), PatternError> {
        if let Some(numbers) = self.numbers().get(key) {
            for number in numbers.clone() {
                if let Some(entry) = &mut self.entries[number as usize] {
                    entry.value = value.cloned();
                }
            }
            return Ok(());
        }
        let number = self.entries.len() as u32;
        let item = Item {
            text: key,
            ignore_case: self.usage.ignore_case,
        };
        let in_place = self.matcher.insert(&item, number)?;
        let key: Arc<str> = key.into();
        self.entries.push(Some(Entry {
            key: key.clone(),
            value: value.cloned(),
        }));
        if in_place {
            self.numbers().insert(key, vec![number]);
            return Ok(());
        }
        self.rebuild().inspect_err(|_| {
            self.entries.pop();
        })
    }

    fn remove(&mut self, key: &str) -> Result<(), PatternError> {
        let Some(numbers) = self.numbers().remove(key) else {
            return Ok(());
        };
        for number in numbers {
            self.entries[number as usize] = None;
        }
        if self.matcher.remove(key) {
            Ok(())
        } else {
            self.rebuild()
        }
    }

    fn rebuild(&mut self) -> Result<(), PatternError> {
        let live: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.is_some())
            .cloned()
            .collect();
        self.matcher = compile(&self.usage, &live)?;
        self.groups = compile_groups(&self.usage, &live)?;
        self.entries = live;
        self.numbers = None;
        Ok(())
    }

    fn numbers(&mut self) -> &mut HashMap<Arc<str>, Vec<u32>> {
        self.numbers.get_or_insert_with(|| {
            let mut numbers: HashMap<Arc<str>, Vec<u32>> = HashMap::new();
            for (number, entry) in self.entries.iter().enumerate() {
                if let Some(entry) = entry {
                    numbers
                        .entry(entry.key.clone())
                        .or_default()
                        .push(number as u32);
                }
            }
            numbers
        })
    }
}

/// Compiles entries without gaps.
fn compile(usage: &Use, entries: &[Option<Entry>]) -> Result<Matcher, PatternError> {
    let items: Vec<Item<'_>> = entries
        .iter()
        .flatten()
        .map(|entry| Item {
            text: &entry.key,
            ignore_case: usage.ignore_case,
        })
        .collect();
    Matcher::compile(usage.method, &items, false)
}

fn compile_groups(usage: &Use, entries: &[Option<Entry>]) -> Result<Vec<Regex>, PatternError> {
    if !usage.with_groups {
        return Ok(Vec::new());
    }
    let live = entries.iter().flatten();
    live.map(|entry| compile_regex(&entry.key, usage.ignore_case))
        .collect()
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
        let add = PatternChange::Add {
            key: b"ab"[..].into(),
            value: Some(b"2"[..].into()),
        };
        patterns.change(exact, &add).unwrap();
        assert_eq!(patterns.map(begins, &Value::str(b"abc")), Some(&b"2"[..]));
        patterns
            .change(
                begins,
                &PatternChange::Remove {
                    key: b"a"[..].into(),
                },
            )
            .unwrap();
        assert!(!patterns.matches(exact, &Value::str(b"a")));
        assert_eq!(patterns.entries(exact).count(), 2);
        let add = PatternChange::Add {
            key: b"b"[..].into(),
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
