//! Conditions of `.if`, `.elif` and `-cc` (manual, 2.4).

use std::cmp::Ordering;

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1};
use nom::character::complete::{char, digit1, hex_digit1, multispace0, one_of};
use nom::combinator::{cut, opt};
use nom::error::{ErrorKind, ParseError};
use nom::multi::many0;
use nom::sequence::{pair, preceded};
use nom::{Err, IResult, Parser};
use thiserror::Error;

use crate::expr::args::{ArgsError, arguments};

/// What the running program is, as far as conditions can ask.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    /// The HAProxy version that this program counts as, such as `3.5-dev5`.
    pub version: String,
    /// Features present, such as `THREAD`, as `-vv` lists them behind `+`.
    pub features: Vec<String>,
    /// Options enabled at run time: `POLL`, `EPOLL`, `SPLICE`, ...
    pub enabled: Vec<String>,
    /// `OpenSSL 3.0.2`, `AWS-LC 1.50.0`, ...
    pub ssllib_name: String,
    /// The OpenSSL version that the library counts as; empty: none.
    pub openssl_version: String,
    /// AWS-LC's API number.
    pub awslc_api: Option<u32>,
    pub fips_mode: bool,
}

/// Why a condition has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConditionError {
    #[error("unparsable conditional expression '{0}'")]
    Unparsable(String),
    #[error(
        "unexpected character '{character}' at the end of conditional expression '{expression}'"
    )]
    Trailing { character: char, expression: String },
    #[error("expected ')' after conditional expression '{0}'")]
    Unclosed(String),
    #[error("{0} of predicate '{1}' used in conditional expression")]
    Args(ArgsError, String),
    #[error(
        "missing arguments (got {got}/{wanted}), type 'string' expected in argument {argument} of \
         predicate '{predicate}' used in conditional expression"
    )]
    Missing {
        got: usize,
        wanted: usize,
        argument: usize,
        predicate: String,
    },
    #[error("too many arguments (got {got}, expected {wanted}) for predicate '{predicate}'")]
    TooMany {
        got: usize,
        wanted: usize,
        predicate: String,
    },
    #[error("invalid argument to conditional expression predicate '{predicate}': '{text}'")]
    BadArgument {
        predicate: &'static str,
        text: String,
    },
    #[error("conditional expression is nested too deeply")]
    TooDeep,
}

/// Parentheses and negations within each other, at most.
const MAX_DEPTH: u32 = 64;

/// The truth of `expression`. An empty one is false.
pub fn eval(
    expression: &str,
    facts: &Facts,
    defined: &dyn Fn(&str) -> bool,
) -> Result<bool, ConditionError> {
    let text = expression.trim();
    if text.is_empty() {
        return Ok(false);
    }
    let (rest, parsed) = any_of(text, MAX_DEPTH).map_err(|error| match error {
        Err::Error(error) | Err::Failure(error) => error,
        Err::Incomplete(_) => ConditionError::Unparsable(text.to_owned()),
    })?;
    match rest.trim_start().chars().next() {
        None => parsed.holds(&Asked { facts, defined }),
        Some(character) => Err(ConditionError::Trailing {
            character,
            expression: text.to_owned(),
        }),
    }
}

/// A condition as written.
enum Expr {
    Number(bool),
    Test(&'static Predicate, Vec<String>),
    Not(Box<Expr>),
    AllOf(Vec<Expr>),
    AnyOf(Vec<Expr>),
}

/// Whom predicates ask.
struct Asked<'a> {
    facts: &'a Facts,
    defined: &'a dyn Fn(&str) -> bool,
}

impl Expr {
    /// Terms behind the one that decides are not asked.
    fn holds(&self, asked: &Asked) -> Result<bool, ConditionError> {
        match self {
            Self::Number(value) => Ok(*value),
            Self::Not(term) => Ok(!term.holds(asked)?),
            Self::AllOf(terms) => Ok(!Self::one_is(terms, false, asked)?),
            Self::AnyOf(terms) => Self::one_is(terms, true, asked),
            Self::Test(predicate, args) => {
                (predicate.holds)(asked, args).ok_or_else(|| ConditionError::BadArgument {
                    predicate: predicate.name,
                    text: args[0].clone(),
                })
            }
        }
    }

    fn one_is(terms: &[Self], wanted: bool, asked: &Asked) -> Result<bool, ConditionError> {
        for term in terms {
            if term.holds(asked)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

type Parsed<'t, T> = IResult<&'t str, T, ConditionError>;

impl ParseError<&str> for ConditionError {
    fn from_error_kind(text: &str, _: ErrorKind) -> Self {
        Self::Unparsable(text.to_owned())
    }

    fn append(_: &str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

fn any_of(text: &str, depth: u32) -> Parsed<'_, Expr> {
    let terms = joined("||", move |text| all_of(text, depth));
    terms.map(Expr::AnyOf).parse(text)
}

fn all_of(text: &str, depth: u32) -> Parsed<'_, Expr> {
    let terms = joined("&&", move |text| term(text, depth));
    terms.map(Expr::AllOf).parse(text)
}

/// One term or several with `operator` between them.
fn joined<'t>(
    operator: &'static str,
    term: impl Fn(&'t str) -> Parsed<'t, Expr> + Copy,
) -> impl Parser<&'t str, Output = Vec<Expr>, Error = ConditionError> {
    let operator = preceded(multispace0, tag(operator));
    let others = many0(preceded(operator, cut(term)));
    pair(term, others).map(|(first, mut terms)| {
        terms.insert(0, first);
        terms
    })
}

fn term(text: &str, depth: u32) -> Parsed<'_, Expr> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Err::Failure(ConditionError::TooDeep));
    };
    let negated = preceded(char('!'), cut(move |text| term(text, depth)));
    let negated = negated.map(|term| Expr::Not(Box::new(term)));
    let group = move |text| group(text, depth);
    preceded(multispace0, alt((negated, group, number, predicate))).parse(text)
}

fn group(text: &str, depth: u32) -> Parsed<'_, Expr> {
    let inside = preceded(char('('), cut(move |text| any_of(text, depth)));
    let (rest, (inside, closed)) =
        pair(inside, opt(preceded(multispace0, char(')')))).parse(text)?;
    match closed {
        Some(_) => Ok((rest, inside)),
        None => Err(Err::Failure(ConditionError::Unclosed(text.to_owned()))),
    }
}

/// False is zero, in decimal or hexadecimal digits.
fn number(text: &str) -> Parsed<'_, Expr> {
    let digits = alt((preceded(tag_no_case("0x"), hex_digit1), digit1));
    let value = preceded(opt(one_of("+-")), digits);
    value
        .map(|digits: &str| Expr::Number(digits.bytes().any(|digit| digit != b'0')))
        .parse(text)
}

fn predicate(text: &str) -> Parsed<'_, Expr> {
    let (after, name) = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_')(text)?;
    let Some(row) = PREDICATES.iter().find(|row| row.name == name) else {
        return Err(Err::Error(ConditionError::Unparsable(text.to_owned())));
    };
    // No parentheses are the same as nothing between them: one empty argument.
    let (rest, args) = opt(arguments)
        .parse(after)
        .map_err(|error| error.map(|error| ConditionError::Args(error, name.to_owned())))?;
    let mut args = args.unwrap_or_else(|| vec![String::new()]);
    if row.args == 0 && args.iter().all(String::is_empty) {
        args.clear();
    }
    let (got, wanted, predicate) = (args.len(), row.args, name.to_owned());
    Err(Err::Failure(match got.cmp(&wanted) {
        Ordering::Equal => return Ok((rest, Expr::Test(row, args))),
        Ordering::Less => ConditionError::Missing {
            got,
            wanted,
            argument: got,
            predicate,
        },
        Ordering::Greater => ConditionError::TooMany {
            got,
            wanted,
            predicate,
        },
    }))
}

/// One row of the manual's table of predicates.
struct Predicate {
    name: &'static str,
    /// How many arguments it takes.
    args: usize,
    /// `None`: the argument is no version.
    holds: fn(&Asked, &[String]) -> Option<bool>,
}

const fn predicate_row(
    name: &'static str,
    args: usize,
    holds: fn(&Asked, &[String]) -> Option<bool>,
) -> Predicate {
    Predicate { name, args, holds }
}

#[rustfmt::skip]
const PREDICATES: &[Predicate] = &[
    predicate_row("awslc_api_atleast", 1, |q, a| { let asked = integer(&a[0])?; Some(q.facts.awslc_api.is_some_and(|api| api >= asked)) }),
    predicate_row("awslc_api_before", 1, |q, a| { let asked = integer(&a[0])?; Some(q.facts.awslc_api.is_some_and(|api| api < asked)) }),
    predicate_row("defined", 1, |q, a| Some((q.defined)(&a[0]))),
    predicate_row("enabled", 1, |q, a| Some(q.facts.enabled.contains(&a[0]))),
    predicate_row("feature", 1, |q, a| Some(q.facts.features.contains(&a[0]))),
    predicate_row("fips_mode", 0, |q, _| Some(q.facts.fips_mode)),
    predicate_row("openssl_version_atleast", 1, |q, a| Some(q.openssl_version() >= openssl_version(&a[0])?)),
    predicate_row("openssl_version_before", 1, |q, a| Some(q.openssl_version() < openssl_version(&a[0])?)),
    predicate_row("ssllib_name_startswith", 1, |q, a| Some(q.facts.ssllib_name.starts_with(&a[0]))),
    predicate_row("streq", 2, |_, a| Some(a[0] == a[1])),
    predicate_row("strneq", 2, |_, a| Some(a[0] != a[1])),
    predicate_row("strstr", 2, |_, a| Some(a[0].contains(&a[1]))),
    predicate_row("version_atleast", 1, |q, a| Some(version(&q.facts.version) >= version(&a[0]))),
    predicate_row("version_before", 1, |q, a| Some(version(&q.facts.version) < version(&a[0]))),
];

fn integer(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// HAProxy's order of versions: components, development releases before the release they lead to.
fn version(text: &str) -> ([u32; 3], u32, u32) {
    let mut numbers = [0; 3];
    let (release, suffix) = text.split_once('-').unwrap_or((text, ""));
    for (slot, part) in numbers.iter_mut().zip(release.split('.')) {
        *slot = integer(part).unwrap_or(0);
    }
    let mut suffixes = suffix.split('-');
    let first = suffixes.next().unwrap_or("");
    let (stage, commits) = match first.strip_prefix("dev") {
        Some(stage) => (integer(stage).unwrap_or(0), suffixes.next().unwrap_or("")),
        None => (u32::MAX, first),
    };
    (numbers, stage, integer(commits).unwrap_or(0))
}

/// `1.1.1w` and `3.0.2`: three numbers, then a letter.
fn openssl_version(text: &str) -> Option<([u32; 3], u8)> {
    let mut parts = text.trim().splitn(3, '.');
    let (major, minor) = (integer(parts.next()?)?, integer(parts.next()?)?);
    let last = parts.next()?;
    let digits = last.bytes().take_while(u8::is_ascii_digit).count();
    let patch = last.as_bytes().get(digits).copied().unwrap_or(0);
    Some(([major, minor, integer(&last[..digits])?], patch))
}

impl Asked<'_> {
    /// That of no library is before all others.
    fn openssl_version(&self) -> ([u32; 3], u8) {
        openssl_version(&self.facts.openssl_version).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(expression: &str) -> Result<bool, ConditionError> {
        let facts = Facts {
            version: "3.5-dev5".to_owned(),
            features: vec!["THREAD".to_owned(), "OPENSSL".to_owned()],
            enabled: vec!["EPOLL".to_owned()],
            ssllib_name: "AWS-LC 1.50".to_owned(),
            openssl_version: "1.1.1".to_owned(),
            awslc_api: Some(35),
            fips_mode: false,
        };
        eval(expression, &facts, &|name| name == "A")
    }

    #[test]
    fn predicates_of_the_manual() {
        for (expression, wanted) in [
            ("", false),
            ("0", false),
            ("17", true),
            ("!0", true),
            ("defined(A)", true),
            ("defined( A )", false),
            ("feature(THREAD)", true),
            ("feature(LUA)", false),
            ("enabled(EPOLL)", true),
            ("streq(a,a)", true),
            ("streq(\"a,b\",\"a,b\")", true),
            ("streq(0, 0)", false),
            ("strneq(a,b)", true),
            ("strstr(abc,b)", true),
            ("version_atleast(2.4-dev19)", true),
            ("version_atleast(3.5)", false),
            ("version_atleast(3.5-dev4)", true),
            ("version_before(3.5)", true),
            ("version_before(3.4.99)", false),
            ("ssllib_name_startswith(AWS-LC)", true),
            ("openssl_version_atleast(1.1.1)", true),
            ("openssl_version_before(3.0.0)", true),
            ("awslc_api_atleast(35)", true),
            ("awslc_api_before(26)", false),
            ("fips_mode()", false),
            ("0 && 1 || 1", true),
            ("1 || 0 && 0", true),
            ("(1 || 0) && 0", false),
            ("!(1 && 0) && !defined(B)", true),
            ("-1000 && 200", true),
            ("-0", false),
            ("0x10 && !0x0", true),
            ("defined", false),
            ("1 || openssl_version_atleast(3)", true),
        ] {
            assert_eq!(ask(expression), Ok(wanted), "{expression}");
        }
    }

    #[test]
    fn faults_are_told() {
        for (expression, message) in [
            ("foo(1)", "unparsable conditional expression 'foo(1)'"),
            (
                "1x",
                "unexpected character 'x' at the end of conditional expression '1x'",
            ),
            ("(1", "expected ')' after conditional expression '(1'"),
            (
                "openssl_version_atleast(3)",
                "invalid argument to conditional expression predicate 'openssl_version_atleast': '3'",
            ),
            ("1 ||", "unparsable conditional expression ''"),
            (
                "1 && (0 || (1",
                "expected ')' after conditional expression '(1'",
            ),
            (
                "streq(a)",
                "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in conditional expression",
            ),
            (
                "defined(",
                "expected ')' in argument 1 of predicate 'defined' used in conditional expression",
            ),
        ] {
            assert_eq!(ask(expression).expect_err(expression).to_string(), message);
        }
        assert_eq!(ask(&"(".repeat(100_000)), Err(ConditionError::TooDeep));
    }
}
