//! Integer ranges and comparison operators (manual, 7.1.2).

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
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    /// In the order of declaration.
    listed: Vec<(IntRange, u32)>,
    /// Sorted by `min`, present when no two overlap and there are many.
    sorted: Option<Vec<(IntRange, u32)>>,
}

impl Ranges {
    pub fn new(listed: Vec<(IntRange, u32)>) -> Ranges {
        let mut sorted = None;
        if listed.len() > 8 {
            let mut by_min = listed.clone();
            by_min.sort_by_key(|(range, entry)| (range.min, *entry));
            by_min.dedup_by_key(|(range, _)| *range);
            let disjoint = by_min.windows(2).all(|w| w[0].0.max < w[1].0.min);
            sorted = disjoint.then_some(by_min);
        }
        Ranges { listed, sorted }
    }

    /// The first entry whose range holds `value`.
    pub fn find(&self, value: i64) -> Option<u32> {
        if let Some(sorted) = &self.sorted {
            let after = sorted.partition_point(|(range, _)| range.min <= value);
            let (range, entry) = sorted[after.checked_sub(1)?];
            return range.contains(value).then_some(entry);
        }
        self.listed
            .iter()
            .find(|(range, _)| range.contains(value))
            .map(|(_, entry)| *entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn many_ranges_are_bisected_to_the_same_answer() {
        let listed: Vec<_> = (0..100)
            .map(|i| {
                (
                    IntRange {
                        min: i * 10,
                        max: i * 10 + 4,
                    },
                    i as u32,
                )
            })
            .collect();
        let ranges = Ranges::new(listed.clone());
        assert!(ranges.sorted.is_some());
        for value in -5..1010 {
            let expected = listed.iter().find(|(r, _)| r.contains(value)).map(|e| e.1);
            assert_eq!(ranges.find(value), expected, "{value}");
        }
    }
}
