//! Expressions as written: fetches with converters, conditions, log-format strings.

use super::Place;

/// `name(arg,arg)`: a sample fetch or a converter as written (manual, chapter 7).
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The name as the user typed it.
    pub name: String,
    /// The arguments with quotes removed; an empty list where no parentheses stand.
    pub args: Vec<String>,
    pub at: Place,
}

/// A fetch followed by its converters, in order (manual, 7.1 "sample expression").
#[derive(Clone, Debug, PartialEq)]
pub struct SampleExpr {
    pub fetch: Call,
    pub converters: Vec<Call>,
    /// The whole expression as written, for logs and the runtime API.
    pub text: String,
}

/// How a pattern is compared with a sample (manual, 7.1, `-m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchMethod {
    Found,
    Bool,
    Int,
    Ip,
    Bin,
    Len,
    Str,
    Sub,
    Reg,
    Beg,
    End,
    Dir,
    Dom,
}

impl MatchMethod {
    const WORDS: [(&'static str, MatchMethod); 13] = [
        ("found", MatchMethod::Found),
        ("bool", MatchMethod::Bool),
        ("int", MatchMethod::Int),
        ("ip", MatchMethod::Ip),
        ("bin", MatchMethod::Bin),
        ("len", MatchMethod::Len),
        ("str", MatchMethod::Str),
        ("sub", MatchMethod::Sub),
        ("reg", MatchMethod::Reg),
        ("beg", MatchMethod::Beg),
        ("end", MatchMethod::End),
        ("dir", MatchMethod::Dir),
        ("dom", MatchMethod::Dom),
    ];

    /// The method of this name.
    pub fn named(word: &str) -> Option<MatchMethod> {
        let row = Self::WORDS.iter().find(|(name, _)| *name == word)?;
        Some(row.1)
    }

    /// As it is written behind `-m`.
    pub fn word(self) -> &'static str {
        let row = Self::WORDS.iter().find(|(_, method)| *method == self);
        row.map_or("", |row| row.0)
    }
}

/// One test of an ACL: expression, flags, patterns (manual, 7.1).
#[derive(Clone, Debug, PartialEq)]
pub struct AclExpr {
    pub sample: SampleExpr,
    /// From `-m` or from a suffix such as `path_beg`; otherwise the default of the sample's type.
    pub method: MatchMethod,
    /// `-i`: compare without regard to case.
    pub ignore_case: bool,
    /// `-n`: never resolve names.
    pub no_dns: bool,
    /// `-u`: the pattern reference's unique id.
    pub unique_id: Option<u32>,
    /// `-M`: the `-f` files are maps (key and value a line).
    pub as_map: bool,
    /// Patterns on the line.
    pub patterns: Vec<Pattern>,
    /// `-f` files, already read.
    pub files: Vec<PatternFile>,
    pub at: Place,
}

/// A pattern with the place where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub text: String,
    pub at: Place,
}

/// A pattern or map file that was read when the configuration was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternFile {
    pub path: String,
    /// The pattern (or key) of each line, blank and comment lines left out.
    pub lines: Vec<PatternLine>,
}

/// One line of a pattern or map file.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternLine {
    pub line: u32,
    pub key: String,
    /// The text behind the key: a map's value.
    pub value: Option<String>,
}

/// `acl NAME ...`: all lines of one name are alternatives (manual, 7.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Acl {
    pub name: String,
    pub tests: Vec<AclExpr>,
}

/// `if COND` or `unless COND`: a disjunction of conjunctions (manual, 7.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Written with `unless`.
    pub negated: bool,
    /// `a b || c`: any of these, each of which needs all of its terms.
    pub any_of: Vec<Vec<Term>>,
    /// As written, for messages.
    pub text: String,
}

/// One term of a condition, perhaps behind `!`.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub negated: bool,
    pub test: AclTest,
}

/// What a term refers to.
#[derive(Clone, Debug, PartialEq)]
pub enum AclTest {
    /// A named or predefined ACL: index into the proxy's (or the program's predefined) list, resolved by name.
    Named(String),
    /// `{ ... }`.
    Anonymous(Box<AclExpr>),
}

/// A log-format string as parts (manual, 8.2.6).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LogFormat {
    pub parts: Vec<FormatPart>,
    /// What `%o` sets for the whole.
    pub common: FormatFlags,
    /// As written.
    pub text: String,
}

impl LogFormat {
    /// The same as a line of a log has it: its blanks only part items, so that many are one and
    /// those in front of the first item none.
    #[must_use]
    pub fn with_merged_blanks(&self) -> LogFormat {
        let mut at_blank = true;
        let mut merged = self.clone();
        for part in &mut merged.parts {
            match part {
                FormatPart::Text(text) => text.retain(|c| {
                    let drops = c == ' ' && at_blank;
                    at_blank = c == ' ';
                    !drops
                }),
                // `%o` only sets flags.
                FormatPart::Alias { name, .. } if name == "o" => {}
                FormatPart::Alias { .. } | FormatPart::Sample { .. } => at_blank = false,
            }
        }
        merged
    }
}

/// One part of a log-format string.
#[derive(Clone, Debug, PartialEq)]
pub enum FormatPart {
    Text(String),
    /// `%{flags}alias`, such as `%{+Q}r`, `%ci`.
    Alias {
        name: String,
        flags: FormatFlags,
        /// `%(key)` or `%(key:type)`.
        key: Option<String>,
    },
    /// `%{flags}[expr]`.
    Sample {
        expr: SampleExpr,
        flags: FormatFlags,
        name: Option<String>,
    },
}

/// `%{+Q,+X,+E}`: quoting, hexadecimal, escaping (manual, 8.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FormatFlags {
    pub quote: bool,
    pub hex: bool,
    pub escape: bool,
    pub json: bool,
    pub cbor: bool,
    pub binary: bool,
}
