//! Conditions of `.if`, `.elif` and `-cc` (manual, 2.4).

use thiserror::Error;

use crate::expr::args::{ArgsError, split_args};

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
    let mut parser = Parser {
        text,
        at: 0,
        facts,
        defined,
        depth: 0,
    };
    let value = parser.disjunction()?;
    parser.skip_blanks();
    match parser.rest().chars().next() {
        None => Ok(value),
        Some(character) => Err(ConditionError::Trailing {
            character,
            expression: text.to_owned(),
        }),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    facts: &'t Facts,
    defined: &'t dyn Fn(&str) -> bool,
    depth: u32,
}

/// Name, number of arguments and test of a predicate.
type Predicate = (&'static str, usize, fn(&Parser, &[String]) -> bool);

/// The manual's table of predicates.
const PREDICATES: &[Predicate] = &[
    ("awslc_api_atleast", 1, |p, a| {
        p.facts.awslc_api.is_some_and(|api| api >= integer(&a[0]))
    }),
    ("awslc_api_before", 1, |p, a| {
        p.facts.awslc_api.is_some_and(|api| api < integer(&a[0]))
    }),
    ("defined", 1, |p, a| (p.defined)(&a[0])),
    ("enabled", 1, |p, a| p.facts.enabled.contains(&a[0])),
    ("feature", 1, |p, a| p.facts.features.contains(&a[0])),
    ("fips_mode", 0, |p, _| p.facts.fips_mode),
    ("openssl_version_atleast", 1, |p, a| {
        openssl_version(&p.facts.openssl_version) >= openssl_version(&a[0])
    }),
    ("openssl_version_before", 1, |p, a| {
        openssl_version(&p.facts.openssl_version) < openssl_version(&a[0])
    }),
    ("ssllib_name_startswith", 1, |p, a| {
        p.facts.ssllib_name.starts_with(&a[0])
    }),
    ("streq", 2, |_, a| a[0] == a[1]),
    ("strneq", 2, |_, a| a[0] != a[1]),
    ("strstr", 2, |_, a| a[0].contains(&a[1])),
    ("version_atleast", 1, |p, a| {
        version(&p.facts.version) >= version(&a[0])
    }),
    ("version_before", 1, |p, a| {
        version(&p.facts.version) < version(&a[0])
    }),
];

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn accept(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn disjunction(&mut self) -> Result<bool, ConditionError> {
        let mut value = self.conjunction()?;
        while self.accept("||") {
            // Parsed whatever the value: faults behind a true term are faults too.
            value |= self.conjunction()?;
        }
        Ok(value)
    }

    fn conjunction(&mut self) -> Result<bool, ConditionError> {
        let mut value = self.term()?;
        while self.accept("&&") {
            value &= self.term()?;
        }
        Ok(value)
    }

    fn term(&mut self) -> Result<bool, ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ConditionError::TooDeep);
        }
        let value = self.term_inner();
        self.depth -= 1;
        value
    }

    fn term_inner(&mut self) -> Result<bool, ConditionError> {
        if self.accept("!") {
            return Ok(!self.term()?);
        }
        if self.accept("(") {
            let value = self.disjunction()?;
            if !self.accept(")") {
                return Err(ConditionError::Unclosed(self.text.to_owned()));
            }
            return Ok(value);
        }
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['-', '+']));
        let digits = sign
            + rest
                .bytes()
                .skip(sign)
                .take_while(u8::is_ascii_digit)
                .count();
        if digits > sign {
            self.at += digits;
            return Ok(rest[sign..digits].bytes().any(|digit| digit != b'0'));
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<bool, ConditionError> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let (name, after) = rest.split_at(length);
        let Some((_, wanted, test)) = PREDICATES.iter().find(|(known, ..)| *known == name) else {
            return Err(ConditionError::Unparsable(rest.to_owned()));
        };
        let mut args = Vec::new();
        self.at += length;
        if let Some(inside) = after.strip_prefix('(') {
            let (found, used) =
                split_args(inside).map_err(|error| ConditionError::Args(error, name.to_owned()))?;
            args = found;
            self.at += 1 + used;
        }
        if *wanted == 0 && args.iter().all(String::is_empty) {
            args.clear();
        }
        if args.len() < *wanted {
            return Err(ConditionError::Missing {
                got: args.len(),
                wanted: *wanted,
                argument: args.len(),
                predicate: name.to_owned(),
            });
        }
        if args.len() > *wanted {
            return Err(ConditionError::TooMany {
                got: args.len(),
                wanted: *wanted,
                predicate: name.to_owned(),
            });
        }
        Ok(test(self, &args))
    }
}

fn integer(text: &str) -> u32 {
    text.trim().parse().unwrap_or(0)
}

/// HAProxy's order of versions: components, development releases before the release they lead to.
fn version(text: &str) -> ([u32; 3], u32, u32) {
    let mut numbers = [0; 3];
    let (release, suffix) = text.split_once('-').unwrap_or((text, ""));
    for (slot, part) in numbers.iter_mut().zip(release.split('.')) {
        *slot = integer(part);
    }
    let mut suffixes = suffix.split('-');
    let first = suffixes.next().unwrap_or("");
    let (stage, commits) = match first.strip_prefix("dev") {
        Some(stage) => (integer(stage), suffixes.next().unwrap_or("")),
        None => (u32::MAX, first),
    };
    (numbers, stage, integer(commits))
}

/// `1.1.1w` and `3.0.2`: numbers, then a letter.
fn openssl_version(text: &str) -> ([u32; 3], u8) {
    let text = text.trim();
    let mut numbers = [0; 3];
    let mut patch = 0;
    for (slot, part) in numbers.iter_mut().zip(text.split('.')) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        *slot = integer(&part[..digits]);
        patch = part.as_bytes().get(digits).copied().unwrap_or(0);
    }
    (numbers, patch)
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
