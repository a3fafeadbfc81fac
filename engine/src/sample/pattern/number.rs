//! Integer ranges and comparison operators (manual, 7.1.2).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Values from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRange {
    pub min: i64,
    pub max: i64,
}

/// The operator that stands before integer patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operator {
    #[default]
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

impl Operator {
    pub fn parse(word: &str) -> Option<Operator> {
        Some(match word {
            "eq" => Operator::Eq,
            "ge" => Operator::Ge,
            "gt" => Operator::Gt,
            "le" => Operator::Le,
            "lt" => Operator::Lt,
            _ => return None,
        })
    }

    fn apply(self, range: IntRange) -> IntRange {
        let (min, max) = match self {
            Operator::Eq => (range.min, range.max),
            Operator::Ge => (range.min, i64::MAX),
            Operator::Gt => (range.min.saturating_add(1), i64::MAX),
            Operator::Le => (i64::MIN, range.max),
            Operator::Lt => (i64::MIN, range.max.saturating_sub(1)),
        };
        IntRange { min, max }
    }
}

impl IntRange {
    /// Parses `5`, `1:5`, `:5`, `5:`; with `dotted`, also `3.1` and `3:3.1` (major and minor).
    pub fn parse(text: &str, operator: Operator, dotted: bool) -> Option<IntRange> {
        let number = |text: &str, whole_minor: i64| {
            if dotted {
                return parse_dotted(text, whole_minor);
            }
            text.parse::<i64>().ok()
        };
        let range = match text.split_once(':') {
            None => IntRange {
                min: number(text, 0)?,
                max: number(text, 0)?,
            },
            Some((min, max)) => IntRange {
                min: if min.is_empty() {
                    i64::MIN
                } else {
                    number(min, 0)?
                },
                max: if max.is_empty() {
                    i64::MAX
                } else {
                    number(max, 0)?
                },
            },
        };
        Some(operator.apply(range))
    }

    pub fn contains(self, value: i64) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

/// `major.minor` as one number, major in the upper 16 of 32 bits.
fn parse_dotted(text: &str, whole_minor: i64) -> Option<i64> {
    let (major, minor) = match text.split_once('.') {
        Some((major, minor)) => (
            major.parse::<u16>().ok()?,
            i64::from(minor.parse::<u16>().ok()?),
        ),
        None => (text.parse::<u16>().ok()?, whole_minor),
    };
    Some((i64::from(major) << 16) + minor)
}

/// Ranges with the entries they came from; few are searched in order, many by bisection.
#[derive(Clone, Debug)]
pub enum Ranges {
    /// In the order of declaration.
    Few(Vec<(IntRange, u32)>),
    /// Where the answer changes: from this value on, this entry or none. Sorted.
    Many(Vec<(i64, Option<u32>)>),
}

/// Up to here, trying them in order is quicker than a search.
const FEW: usize = 8;

impl Ranges {
    pub fn new(listed: Vec<(IntRange, u32)>) -> Ranges {
        if listed.len() <= FEW {
            Ranges::Few(listed)
        } else {
            Ranges::Many(segments(listed))
        }
    }

    /// The first entry whose range holds `value`.
    pub fn find(&self, value: i64) -> Option<u32> {
        match self {
            Ranges::Few(listed) => {
                let mut listed = listed.iter();
                let held = listed.find(|(range, _)| range.contains(value));
                held.map(|(_, entry)| *entry)
            }
            Ranges::Many(segments) => {
                let after = segments.partition_point(|(from, _)| *from <= value);
                segments[after.checked_sub(1)?].1
            }
        }
    }
}

/// Sweeps over the ranges' ends; at each of them the first declared of those that are open counts.
fn segments(mut listed: Vec<(IntRange, u32)>) -> Vec<(i64, Option<u32>)> {
    listed.retain(|(range, _)| range.min <= range.max);
    let ends = listed
        .iter()
        .filter_map(|(range, _)| range.max.checked_add(1));
    let mut changes: Vec<i64> = listed
        .iter()
        .map(|(range, _)| range.min)
        .chain(ends)
        .collect();
    changes.sort_unstable();
    changes.dedup();
    listed.sort_unstable_by_key(|(range, _)| range.min);
    let mut coming = listed.into_iter().peekable();
    let mut open = BinaryHeap::new();
    let mut segments: Vec<(i64, Option<u32>)> = Vec::with_capacity(changes.len());
    for from in changes {
        while let Some((range, entry)) = coming.next_if(|(range, _)| range.min <= from) {
            open.push(Reverse((entry, range.max)));
        }
        while open.peek().is_some_and(|Reverse((_, max))| *max < from) {
            open.pop();
        }
        let entry = open.peek().map(|Reverse((entry, _))| *entry);
        if segments.last().is_none_or(|(_, last)| *last != entry) {
            segments.push((from, entry));
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(text: &str, operator: &str, value: i64) -> bool {
        let operator = Operator::parse(operator).unwrap();
        IntRange::parse(text, operator, false)
            .unwrap()
            .contains(value)
    }

    #[test]
    fn ranges_and_operators_of_7_1_2() {
        assert!(holds("1024:65535", "eq", 1024) && !holds("1024:65535", "eq", 1023));
        assert!(holds("1024:", "eq", i64::MAX) && holds(":1023", "eq", 0));
        assert!(holds("0", "lt", -1) && !holds("0", "lt", 0));
        assert!(holds("5", "ge", 5) && !holds("5", "gt", 5) && holds("5", "le", 5));
        assert_eq!(IntRange::parse("x", Operator::Eq, false), None);
    }

    #[test]
    fn ssl_versions_3_to_3_1() {
        let range = IntRange::parse("3:3.1", Operator::Eq, true).unwrap();
        assert!(range.contains(0x30000) && range.contains(0x30001) && !range.contains(0x30002));
    }

    proptest! {
        #[test]
        fn many_ranges_answer_as_trying_them_in_order(
            bounds in proptest::collection::vec((-20i64..20, -2i64..20), 9..40),
            value in -30i64..50,
        ) {
            let listed: Vec<_> = bounds
                .into_iter()
                .zip(0..)
                .map(|((min, length), entry)| (IntRange { min, max: min + length }, entry))
                .chain([(IntRange { min: 45, max: i64::MAX }, 99)])
                .collect();
            let expected = listed.iter().find(|(r, _)| r.contains(value)).map(|e| e.1);
            prop_assert_eq!(Ranges::new(listed).find(value), expected);
        }
    }
}
