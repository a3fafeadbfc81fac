//! A typed value of a report, and the four letters that say how to aggregate it.

use std::borrow::Cow;
use std::fmt;

/// One cell of a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Does not apply to this row.
    Empty,
    S32(i32),
    U32(u32),
    U64(u64),
    /// Seconds or ratios that `float` prints with a fraction.
    Float(f64),
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A number that fits 32 bits by its nature; larger ones are cut to the largest.
    pub fn u32(number: u64) -> Self {
        Self::U32(number.min(u64::from(u32::MAX)) as u32)
    }

    /// A text that need not be copied.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// The name of the type in the typed and JSON formats.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Empty => "",
            Self::S32(_) => "s32",
            Self::U32(_) | Self::Float(_) => "u32",
            Self::U64(_) => "u64",
            Self::Text(_) => "str",
        }
    }

    /// Whether the cell applies to its row.
    pub fn is_some(&self) -> bool {
        *self != Self::Empty
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::S32(number) => number.fmt(f),
            Self::U32(number) => number.fmt(f),
            Self::U64(number) => number.fmt(f),
            Self::Float(number) => (number.trunc() as u64).fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Origin, nature, scope and persistence (management.txt 9.2), for example `MCPP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags(pub &'static str);

impl Tags {
    /// The words of the JSON format: origin, nature, scope.
    pub fn words(self) -> [&'static str; 3] {
        let mut letters = self.0.bytes();
        let origin = match letters.next() {
            Some(b'M') => "Metric",
            Some(b'S') => "Status",
            Some(b'K') => "Key",
            Some(b'C') => "Config",
            Some(b'P') => "Product",
            _ => "Unknown",
        };
        let nature = match letters.next() {
            Some(b'G') => "Gauge",
            Some(b'L') => "Limit",
            Some(b'm') => "Min",
            Some(b'M') => "Max",
            Some(b'R') => "Rate",
            Some(b'C') => "Counter",
            Some(b'D') => "Duration",
            Some(b'A') => "Age",
            Some(b'T') => "Time",
            Some(b'N') => "Name",
            Some(b'O') => "Output",
            Some(b'a') => "Avg",
            _ => "Unknown",
        };
        let scope = match letters.next() {
            Some(b'C') => "Cluster",
            Some(b'P') => "Process",
            Some(b'S') => "Service",
            Some(b's') => "System",
            _ => "Unknown",
        };
        [origin, nature, scope]
    }
}
