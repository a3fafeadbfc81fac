//! The entries of one file, indexed for one use, and how they change.

use std::collections::HashMap;
use std::sync::Arc;

use cfgparse::model::expr::MatchMethod;
use regex::bytes::Regex;

use super::matcher::{Item, Matcher, PatternError};
use super::regex::compile as compile_regex;
use super::table::Use;
use crate::sample::value::Value;
use crate::sample::world::PatternChange;

/// Gaps that removed entries may leave before a set is written anew, beside as many as it has entries.
const GAPS_MAX: usize = 64;

/// One file's entries with their index for one use.
#[derive(Clone, Debug)]
pub(super) struct PatternSet {
    pub(super) name: Arc<str>,
    usage: Use,
    /// By number; a removed one leaves a gap.
    entries: Vec<Option<Entry>>,
    /// How many there are.
    live: usize,
    /// The reference that the next entry gets; the same for all sets of a file.
    next_reference: u32,
    /// The numbers of a key's entries, from the first change on.
    numbers: Option<HashMap<Arc<str>, Vec<u32>>>,
    matcher: Matcher,
    /// Each entry's expression, where its groups are wanted.
    groups: Vec<Regex>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What an administrator calls it: it stays the same while the entry is there.
    pub(super) reference: u32,
    pub(super) key: Arc<str>,
    pub(super) value: Option<Arc<[u8]>>,
}

/// A key, and the value that a map has for it.
pub type KeyValue = (Arc<str>, Option<Arc<[u8]>>);

impl PatternSet {
    pub(super) fn new(
        name: Arc<str>,
        usage: Use,
        pairs: impl IntoIterator<Item = KeyValue>,
    ) -> Result<PatternSet, PatternError> {
        let entries: Vec<_> = (1..)
            .zip(pairs)
            .map(|(reference, (key, value))| {
                Some(Entry {
                    reference,
                    key,
                    value,
                })
            })
            .collect();
        Ok(PatternSet {
            name,
            matcher: compile(&usage, &entries)?,
            groups: compile_groups(&usage, &entries)?,
            usage,
            live: entries.len(),
            next_reference: entries.len() as u32 + 1,
            entries,
            numbers: None,
        })
    }

    pub(super) fn usage(&self) -> &Use {
        &self.usage
    }

    pub(super) fn matches(&self, sample: &Value<'_>) -> bool {
        self.matcher.matches(sample)
    }

    /// The entry that counts for `sample`.
    pub(super) fn entry(&self, sample: &Value<'_>) -> Option<&Entry> {
        let number = self.matcher.find(sample)?;
        self.entries.get(number as usize)?.as_ref()
    }

    /// The value for `sample`, with the groups of its expression filled in.
    pub(super) fn with_groups(&self, sample: &Value<'_>) -> Option<Vec<u8>> {
        let number = self.matcher.find(sample)? as usize;
        let entry = self.entries.get(number)?.as_ref()?;
        let template = entry.value.as_deref().unwrap_or(b"");
        let captures = self.groups.get(number)?.captures(sample.bytes()?)?;
        let mut value = Vec::with_capacity(template.len() + 16);
        crate::sample::expand_groups(template, &captures, &mut value);
        Some(value)
    }

    /// All entries, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Whether there is an entry of this key.
    pub(super) fn has(&self, key: &str) -> bool {
        match &self.numbers {
            Some(numbers) => numbers.contains_key(key),
            None => self.entries().any(|entry| *entry.key == *key),
        }
    }

    /// Whether `key` can be a pattern of this set.
    pub(super) fn check(&self, key: &str) -> Result<(), PatternError> {
        let item = Item {
            text: key,
            ignore_case: self.usage.ignore_case,
        };
        match self.usage.method {
            MatchMethod::Found
            | MatchMethod::Str
            | MatchMethod::Beg
            | MatchMethod::End
            | MatchMethod::Sub
            | MatchMethod::Dir
            | MatchMethod::Dom => Ok(()),
            method => Matcher::compile(method, &[item], false).map(drop),
        }
    }

    pub(super) fn change(&mut self, change: &PatternChange) -> Result<(), PatternError> {
        match change {
            PatternChange::Set { key, value } => self.set(key, value.as_ref()),
            PatternChange::Append { key, value } => self.append(key, value.as_ref()),
            PatternChange::Remove { key } => self.remove(key),
            PatternChange::SetAt { reference, value } => {
                self.at(*reference, |entry| entry.value = Some(value.clone()));
                Ok(())
            }
            PatternChange::RemoveAt { reference } => {
                let mut key = None;
                self.at(*reference, |entry| key = Some(entry.key.clone()));
                match key {
                    // Others of its key would hide behind it in the index.
                    Some(_) => self.retain(|entry| entry.reference != *reference),
                    None => Ok(()),
                }
            }
            PatternChange::Replace(pairs) => self.replace(pairs),
        }
    }

    fn at(&mut self, reference: u32, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.entries.iter_mut().flatten();
        if let Some(entry) = entries.find(|entry| entry.reference == reference) {
            change(entry);
        }
    }

    /// Sets the value of a key, or adds the key at the end.
    fn set(&mut self, key: &str, value: Option<&Arc<[u8]>>) -> Result<(), PatternError> {
        let Some(numbers) = self.numbers().get(key).cloned() else {
            return self.append(key, value);
        };
        for number in numbers {
            if let Some(entry) = &mut self.entries[number as usize] {
                entry.value = value.cloned();
            }
        }
        Ok(())
    }

    /// Adds an entry at the end, whether its key is there or not.
    fn append(&mut self, key: &str, value: Option<&Arc<[u8]>>) -> Result<(), PatternError> {
        let number = self.entries.len() as u32;
        let item = Item {
            text: key,
            ignore_case: self.usage.ignore_case,
        };
        let in_place = self.matcher.insert(&item, number)?;
        let key: Arc<str> = key.into();
        self.entries.push(Some(Entry {
            reference: self.next_reference,
            key: key.clone(),
            value: value.cloned(),
        }));
        if in_place {
            self.numbers().entry(key).or_default().push(number);
        } else {
            self.rebuild().inspect_err(|_| {
                self.entries.pop();
            })?;
        }
        self.next_reference += 1;
        self.live += 1;
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), PatternError> {
        let Some(numbers) = self.numbers().remove(key) else {
            return Ok(());
        };
        self.live -= numbers.len();
        for number in numbers {
            self.entries[number as usize] = None;
        }
        let is_sparse = self.entries.len() > 2 * self.live + GAPS_MAX;
        if self.matcher.remove(key) && !is_sparse {
            Ok(())
        } else {
            self.rebuild()
        }
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) -> Result<(), PatternError> {
        self.entries
            .retain(|entry| entry.as_ref().is_some_and(&keep));
        self.rebuild()?;
        self.live = self.entries.len();
        Ok(())
    }

    fn replace(&mut self, pairs: &[KeyValue]) -> Result<(), PatternError> {
        let mut fresh = PatternSet::new(self.name.clone(), self.usage.clone(), pairs.to_vec())?;
        // References are not used twice.
        for entry in fresh.entries.iter_mut().flatten() {
            entry.reference += self.next_reference - 1;
        }
        fresh.next_reference += self.next_reference - 1;
        *self = fresh;
        Ok(())
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
