//! A matcher: one method applied to all patterns of a set.

use cfgparse::bytes::raw;
use cfgparse::model::expr::MatchMethod;

use crate::sample::value::{Type, Value};

use super::address::{AddressSet, Network, parse_network};
use super::delimited::{Bounds, SubstringSet};
use super::number::{IntRange, Operator, Ranges};
use super::prefix::{End, Pick, PrefixSet};
use super::regex::RegexIndex;
use super::text::TextSet;

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    pub message: String,
    /// Position of the pattern in its set, where one is to blame.
    pub item: Option<usize>,
}

impl PatternError {
    pub(super) fn new(message: String) -> PatternError {
        PatternError {
            message,
            item: None,
        }
    }
}

/// One pattern, with the value that a map gives for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'t> {
    pub text: &'t str,
    /// `-i` stood before it.
    pub ignore_case: bool,
}

/// Patterns compiled for one method.
#[derive(Clone, Debug)]
pub struct Matcher {
    method: MatchMethod,
    /// One for patterns that respect case, one for those that do not; most sets have one kind.
    indexes: Vec<Index>,
}

#[derive(Clone, Debug)]
enum Index {
    Found,
    Bool,
    Int(Ranges),
    Len(Ranges),
    Ip(AddressSet),
    Text(TextSet),
    Prefix(PrefixSet),
    Substring(SubstringSet),
    Regex(RegexIndex),
}

impl Matcher {
    /// Compiles `items`; entries are numbered by position. `dotted` reads integers as versions.
    pub fn compile(
        method: MatchMethod,
        items: &[Item<'_>],
        dotted: bool,
    ) -> Result<Matcher, PatternError> {
        let mut indexes = Vec::new();
        match method {
            MatchMethod::Found => indexes.push(Index::Found),
            MatchMethod::Bool => indexes.push(Index::Bool),
            MatchMethod::Int => indexes.push(Index::Int(ranges(items, dotted)?)),
            MatchMethod::Len => indexes.push(Index::Len(ranges(items, false)?)),
            MatchMethod::Ip => indexes.push(Index::Ip(networks(items)?)),
            MatchMethod::Bin => indexes.push(Index::Text(blocks(items)?)),
            MatchMethod::Reg => {
                for ignore_case in [false, true] {
                    let patterns: Vec<_> = of_case(items, ignore_case)
                        .map(|(i, item)| (item.text, i as u32))
                        .collect();
                    if !patterns.is_empty() {
                        let index = RegexIndex::new(&patterns, ignore_case)
                            .map_err(|error| blame_regex(error, items))?;
                        indexes.push(Index::Regex(index));
                    }
                }
            }
            MatchMethod::Str
            | MatchMethod::Sub
            | MatchMethod::Beg
            | MatchMethod::End
            | MatchMethod::Dir
            | MatchMethod::Dom => {
                for ignore_case in [false, true] {
                    if of_case(items, ignore_case).next().is_some() {
                        indexes.push(text_index(method, items, ignore_case)?);
                    }
                }
            }
        }
        Ok(Matcher { method, indexes })
    }

    /// The method this applies.
    pub fn method(&self) -> MatchMethod {
        self.method
    }

    /// The type that samples are cast to before they are compared.
    pub fn input(method: MatchMethod) -> Type {
        match method {
            MatchMethod::Found => Type::Any,
            MatchMethod::Bool => Type::Bool,
            MatchMethod::Int => Type::Sint,
            MatchMethod::Ip => Type::Addr,
            MatchMethod::Bin => Type::Bin,
            _ => Type::Str,
        }
    }

    /// Adds one pattern in place; `false` where the matcher must be compiled anew.
    pub fn insert(&mut self, item: &Item<'_>, entry: u32) -> Result<bool, PatternError> {
        match (self.method, &mut self.indexes[..]) {
            (MatchMethod::Str, [Index::Text(set)]) => {
                set.insert(raw(item.text).into(), entry);
            }
            (MatchMethod::Ip, [Index::Ip(set)]) => set.insert(network(item, 0)?, entry),
            (MatchMethod::Found, _) => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Removes one pattern in place; `false` where the matcher must be compiled anew.
    pub fn remove(&mut self, text: &str) -> bool {
        match (self.method, &mut self.indexes[..], parse_network(text)) {
            (MatchMethod::Str, [Index::Text(set)], _) => set.remove(&raw(text)),
            (MatchMethod::Ip, [Index::Ip(set)], Some(network)) => set.remove(network),
            (MatchMethod::Found, ..) => {}
            _ => return false,
        }
        true
    }

    /// Whether any pattern matches.
    pub fn matches(&self, sample: &Value<'_>) -> bool {
        self.indexes
            .iter()
            .any(|index| match (index, sample.bytes()) {
                (Index::Substring(set), Some(bytes)) => set.holds(bytes),
                (Index::Regex(set), Some(bytes)) => set.holds(bytes),
                _ => find(index, sample).is_some(),
            })
    }

    /// The entry that counts for `sample` in a map.
    pub fn find(&self, sample: &Value<'_>) -> Option<u32> {
        self.indexes
            .iter()
            .filter_map(|index| find(index, sample))
            .min()
    }
}

fn find(index: &Index, sample: &Value<'_>) -> Option<u32> {
    match index {
        Index::Found => Some(0),
        Index::Bool => (sample.as_int()? != 0).then_some(0),
        Index::Int(ranges) => ranges.find(sample.as_int()?),
        Index::Ip(set) => set.find(sample.as_address()?),
        Index::Len(ranges) => with_text(sample, |text| ranges.find(text.len() as i64)),
        Index::Text(set) => with_text(sample, |text| set.find(text)),
        Index::Prefix(set) => with_text(sample, |text| set.find(text)),
        Index::Substring(set) => with_text(sample, |text| set.find(text)),
        Index::Regex(set) => with_text(sample, |text| set.find(text)),
    }
}

/// Gives the bytes of `sample`, which are made where it is a number or an address.
fn with_text<R>(sample: &Value<'_>, use_text: impl FnOnce(&[u8]) -> R) -> R {
    if let Some(bytes) = sample.bytes() {
        use_text(bytes)
    } else {
        let mut text = Vec::with_capacity(40);
        sample.write_text(&mut text);
        use_text(&text)
    }
}

fn of_case<'i, 't>(
    items: &'i [Item<'t>],
    ignore_case: bool,
) -> impl Iterator<Item = (usize, &'i Item<'t>)> {
    items
        .iter()
        .enumerate()
        .filter(move |(_, item)| item.ignore_case == ignore_case)
}

fn text_index(
    method: MatchMethod,
    items: &[Item<'_>],
    ignore_case: bool,
) -> Result<Index, PatternError> {
    let keys = of_case(items, ignore_case).map(|(i, item)| (raw(item.text).into(), i as u32));
    // HAProxy keeps case-sensitive prefixes in a tree, which gives the longest; all else in lists.
    let pick = if ignore_case {
        Pick::First
    } else {
        Pick::Longest
    };
    Ok(match method {
        MatchMethod::Beg => Index::Prefix(PrefixSet::new(keys, End::Beginning, pick, ignore_case)),
        MatchMethod::End => {
            Index::Prefix(PrefixSet::new(keys, End::Finish, Pick::First, ignore_case))
        }
        MatchMethod::Sub => {
            Index::Substring(SubstringSet::new(keys, Bounds::Anywhere, ignore_case)?)
        }
        MatchMethod::Dir => {
            Index::Substring(SubstringSet::new(keys, Bounds::Directory, ignore_case)?)
        }
        MatchMethod::Dom => Index::Substring(SubstringSet::new(keys, Bounds::Domain, ignore_case)?),
        _ => Index::Text(TextSet::new(keys, ignore_case)),
    })
}

fn blame(position: usize, message: String) -> PatternError {
    PatternError {
        message,
        item: Some(position),
    }
}

/// Finds the item whose text the error quotes.
fn blame_regex(error: PatternError, items: &[Item<'_>]) -> PatternError {
    let item = items
        .iter()
        .position(|item| error.message.contains(&format!("'{}'", item.text)));
    PatternError { item, ..error }
}

fn ranges(items: &[Item<'_>], dotted: bool) -> Result<Ranges, PatternError> {
    let mut listed = Vec::with_capacity(items.len());
    let mut operator = Operator::Eq;
    for (position, item) in items.iter().enumerate() {
        if let Some(word) = Operator::parse(item.text) {
            operator = word;
            continue;
        }
        let range = IntRange::parse(item.text, operator, dotted)
            .ok_or_else(|| blame(position, format!("'{}' is not a number", item.text)))?;
        listed.push((range, position as u32));
    }
    Ok(Ranges::new(listed))
}

fn networks(items: &[Item<'_>]) -> Result<AddressSet, PatternError> {
    let mut networks = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        networks.push((network(item, position)?, position as u32));
    }
    Ok(AddressSet::new(networks))
}

fn network(item: &Item<'_>, position: usize) -> Result<Network, PatternError> {
    parse_network(item.text).ok_or_else(|| {
        let message = format!("'{}' is not a valid IPv4 or IPv6 address", item.text);
        blame(position, message)
    })
}

fn blocks(items: &[Item<'_>]) -> Result<TextSet, PatternError> {
    let mut keys = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let data = parse_hex(item.text).ok_or_else(|| {
            blame(
                position,
                format!(
                    "'{}' is not an even number of hexadecimal digits",
                    item.text
                ),
            )
        })?;
        keys.push((data.into_boxed_slice(), position as u32));
    }
    Ok(TextSet::new(keys, false))
}

/// Bytes of hexadecimal digits of either case.
pub(crate) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    if digits.len() & 1 == 1 {
        return None;
    }
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}
