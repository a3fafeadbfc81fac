//! Arguments in parentheses: their own level of quotes and escapes (manual, 2.2).

use std::borrow::Cow;

use nom::branch::alt;
use nom::bytes::complete::{is_not, take_till};
use nom::character::complete::{char, one_of};
use nom::combinator::{cut, recognize, success, value};
use nom::error::{Error, ErrorKind, ParseError};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded};
use nom::{Err, IResult, Parser};

/// Why arguments can't be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgsError {
    #[error("expected ')' in argument {0}")]
    Unclosed(usize),
    #[error("unmatched quote in argument {0}")]
    UnmatchedQuote(usize),
}

impl ParseError<&str> for ArgsError {
    fn from_error_kind(_: &str, _: ErrorKind) -> Self {
        Self::Unclosed(0)
    }

    fn append(_: &str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// `(one,two)`. Nothing between the parentheses is one empty argument.
pub fn arguments(text: &str) -> IResult<&str, Vec<String>, ArgsError> {
    let (mut rest, _) = char('(')(text)?;
    let mut args = Vec::new();
    loop {
        let number = args.len() + 1;
        let failed = |_| Err::Failure(ArgsError::UnmatchedQuote(number));
        let (after, arg) = argument(rest).map_err(failed)?;
        args.push(arg);
        rest = match after.split_at_checked(1) {
            Some((",", rest)) => rest,
            Some((_, rest)) => return Ok((rest, args)),
            None => return Err(Err::Failure(ArgsError::Unclosed(number))),
        };
    }
}

/// Up to the next comma or closing parenthesis; fails where a quote is left open.
fn argument(text: &str) -> IResult<&str, String> {
    let plain = is_not("\\\"',)").map(Cow::from);
    joined(alt((plain, escape("\\\"' ,)("), weak, strong))).parse(text)
}

fn weak(text: &str) -> IResult<&str, Cow<'_, str>> {
    let inside = joined(alt((is_not("\\\"").map(Cow::from), escape("\\\""))));
    delimited(char('"'), inside.map(Cow::from), cut(char('"'))).parse(text)
}

fn strong(text: &str) -> IResult<&str, Cow<'_, str>> {
    let inside = take_till(|c| c == '\'');
    delimited(char('\''), inside.map(Cow::from), cut(char('\''))).parse(text)
}

/// A backslash, and what it protects of `known`. One that protects nothing stays.
fn escape<'t>(
    known: &'static str,
) -> impl Parser<&'t str, Output = Cow<'t, str>, Error = Error<&'t str>> {
    let meant = alt((
        value("\n", char('n')),
        value("\r", char('r')),
        value("\t", char('t')),
        recognize(one_of(known)),
        success("\\"),
    ));
    preceded(char('\\'), meant.map(Cow::from))
}

fn joined<'t>(
    piece: impl Parser<&'t str, Output = Cow<'t, str>, Error = Error<&'t str>>,
) -> impl Parser<&'t str, Output = String, Error = Error<&'t str>> {
    fold_many0(piece, String::new, |mut text, piece| {
        text.push_str(&piece);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<String>, &str) {
        let (rest, args) = arguments(text).expect(text);
        (args, rest)
    }

    fn owned(args: &[&str]) -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }

    #[test]
    fn the_manuals_examples() {
        assert_eq!(cut("(foo,blah,g)]"), (owned(&["foo", "blah", "g"]), "]"));
        assert_eq!(
            cut("((foo|bar),blah,g)"),
            (owned(&["(foo|bar"]), ",blah,g)")
        );
        assert_eq!(
            cut(r#"("(foo|bar)",blah,g)"#),
            (owned(&["(foo|bar)", "blah", "g"]), "")
        );
        assert_eq!(
            cut(r#"("(foo|bar)", blah, g)"#),
            (owned(&["(foo|bar)", " blah", " g"]), "")
        );
        assert_eq!(
            cut(r#"("^/(here)(/|$)","my/\1",g)"#),
            (owned(&["^/(here)(/|$)", r"my/\1", "g"]), "")
        );
        assert_eq!(cut("()"), (owned(&[""]), ""));
        assert_eq!(cut(r"(\'foo\')"), (owned(&["'foo'"]), ""));
        assert_eq!(
            cut(r#"(a\n"\t\d'\"" 'b\n"' )"#),
            (owned(&["a\n\t\\d'\" b\\n\" "]), "")
        );
    }

    #[test]
    fn faults_name_the_argument() {
        assert_eq!(arguments("(a,b"), Err(Err::Failure(ArgsError::Unclosed(2))));
        assert_eq!(
            arguments("(a,\"b)"),
            Err(Err::Failure(ArgsError::UnmatchedQuote(2)))
        );
        assert_eq!(
            arguments("(a,b'"),
            Err(Err::Failure(ArgsError::UnmatchedQuote(2)))
        );
        assert_eq!(arguments("(a\\"), Err(Err::Failure(ArgsError::Unclosed(1))));
    }
}
