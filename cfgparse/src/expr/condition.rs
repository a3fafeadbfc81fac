//! `if` and `unless`: ACLs joined by and, or, not (manual, 7.2).

use nom::branch::alt;
use nom::combinator::iterator;
use nom::error::{ErrorKind, ParseError};
use nom::sequence::pair;
use nom::{Err, IResult, Parser};

use super::{Fault, acl};
use crate::ast::Word;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::expr::scope::Scope;
use crate::model::expr::{AclTest, Condition, Term};
use crate::registry::sample::Where;

/// ACLs that exist everywhere (manual, 7.4), with the test that each stands for.
pub const PREDEFINED: &[(&str, &[&str])] = &[
    ("FALSE", &["always_false"]),
    ("HTTP", &["req.proto_http"]),
    ("HTTP_1.0", &["req.ver", "1.0"]),
    ("HTTP_1.1", &["req.ver", "1.1"]),
    ("HTTP_2.0", &["req.ver", "2.0"]),
    ("HTTP_3.0", &["req.ver", "3.0"]),
    ("HTTP_CONTENT", &["req.hdr_val(content-length)", "gt", "0"]),
    ("HTTP_URL_ABS", &["url_reg", "^[^/:]*://"]),
    ("HTTP_URL_SLASH", &["url_beg", "/"]),
    ("HTTP_URL_STAR", &["url", "*"]),
    ("LOCALHOST", &["src", "127.0.0.1/8", "::1"]),
    ("METH_CONNECT", &["method", "CONNECT"]),
    ("METH_DELETE", &["method", "DELETE"]),
    ("METH_GET", &["method", "GET", "HEAD"]),
    ("METH_HEAD", &["method", "HEAD"]),
    ("METH_OPTIONS", &["method", "OPTIONS"]),
    ("METH_POST", &["method", "POST"]),
    ("METH_PUT", &["method", "PUT"]),
    ("METH_TRACE", &["method", "TRACE"]),
    ("RDP_COOKIE", &["req.rdp_cookie_cnt", "gt", "0"]),
    ("REQ_CONTENT", &["req.len", "gt", "0"]),
    ("TRUE", &["always_true"]),
    ("WAIT_END", &["wait_end"]),
];

/// Whether an ACL of this name exists everywhere.
pub fn is_predefined(name: &str) -> bool {
    PREDEFINED.iter().any(|(known, _)| *known == name)
}

/// Words of a line that are left to read.
type Words<'w> = &'w [Word];

type Parsed<'w, T> = IResult<Words<'w>, T, Fault>;

impl ParseError<Words<'_>> for Fault {
    fn from_error_kind(words: Words, _: ErrorKind) -> Self {
        let span = words.first().map_or_else(Span::default, Word::span);
        Self::new("bad-condition", span, "unexpected word in condition")
    }

    fn append(_: Words, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// What a term asks, as written.
enum Asked<'w> {
    /// `name`, without its `!`.
    Named(&'w Word, &'w str),
    /// The words inside `{ }`, and the word that opens them.
    Braces(&'w Word, Words<'w>),
}

/// A conjunction as written: terms, each negated or not, and `!` with nothing behind them.
type Conjunction<'w> = (Vec<(bool, Asked<'w>)>, Vec<&'w Word>);

/// `[!] term ... [or [!] term ...] ...`; conjunctions may be empty.
fn disjunction(words: Words<'_>) -> Parsed<'_, (Conjunction<'_>, Vec<(&Word, Conjunction<'_>)>)> {
    pair(conjunction, many(pair(or, conjunction))).parse(words)
}

fn conjunction(words: Words<'_>) -> Parsed<'_, Conjunction<'_>> {
    pair(many(term), many(not)).parse(words)
}

fn term(words: Words<'_>) -> Parsed<'_, (bool, Asked<'_>)> {
    let (rest, (nots, (bangs, asked))) = pair(many(not), alt((braces, named))).parse(words)?;
    let bangs = bangs + nots.iter().map(|word| word.text.len()).sum::<usize>();
    Ok((rest, (bangs % 2 == 1, asked)))
}

fn or(words: Words<'_>) -> Parsed<'_, &Word> {
    word(is_or)(words)
}

fn is_or(text: &str) -> bool {
    text == "||" || text.eq_ignore_ascii_case("or")
}

fn not(words: Words<'_>) -> Parsed<'_, &Word> {
    word(is_bangs)(words)
}

fn is_bangs(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'!')
}

/// `{ criterion ... }`, the first brace perhaps behind some `!`, which are counted.
fn braces(words: Words<'_>) -> Parsed<'_, (usize, Asked<'_>)> {
    let (rest, open) = word(|text| text.trim_start_matches('!') == "{")(words)?;
    let Some(length) = rest.iter().position(|word| word.text == "}") else {
        let message = "missing closing '}' in condition";
        let remedy = "put '}' behind the patterns, as a word of its own";
        let fault = Fault::new("bad-condition", open.span(), message);
        return Err(Err::Failure(fault.remedy(Some(remedy.to_owned()))));
    };
    let asked = Asked::Braces(open, &rest[..length]);
    Ok((&rest[length + 1..], (open.text.len() - 1, asked)))
}

fn named(words: Words<'_>) -> Parsed<'_, (usize, Asked<'_>)> {
    let is_name = |text: &str| !is_or(text) && !is_bangs(text);
    let (rest, word) = word(is_name)(words)?;
    let name = word.text.trim_start_matches('!');
    let bangs = word.text.len() - name.len();
    Ok((rest, (bangs, Asked::Named(word, name))))
}

/// A word that fits.
fn word<'w>(fits: impl Fn(&str) -> bool) -> impl Fn(Words<'w>) -> Parsed<'w, &'w Word> {
    move |words| match words.split_first() {
        Some((word, rest)) if fits(word.as_str()) => Ok((rest, word)),
        _ => Err(Err::Error(Fault::from_error_kind(words, ErrorKind::Tag))),
    }
}

/// As many items as there are, perhaps none.
fn many<'w, T>(
    mut item: impl Parser<Words<'w>, Output = T, Error = Fault>,
) -> impl FnMut(Words<'w>) -> Parsed<'w, Vec<T>> {
    move |words| {
        let mut items = iterator(words, |words| item.parse(words));
        let all = items.by_ref().collect();
        let (rest, ()) = items.finish()?;
        Ok((rest, all))
    }
}

/// Parses what follows the keyword `if` or `unless`, which is `words[0]`.
pub fn parse(
    cx: &mut Context,
    scope: &Scope,
    words: &[Word],
    place: Where,
) -> Result<Condition, Fault> {
    let (keyword, rest) = match words.split_first() {
        Some((keyword, rest)) if matches!(keyword.as_str(), "if" | "unless") => (keyword, rest),
        first => {
            let span = first.map_or_else(Span::default, |(word, _)| word.span());
            let message = "missing 'if' or 'unless'";
            return Err(Fault::new("bad-condition", span, message));
        }
    };
    let (_, (first, others)) = disjunction(rest).map_err(|error| match error {
        Err::Error(fault) | Err::Failure(fault) => fault,
        Err::Incomplete(_) => Fault::from_error_kind(rest, ErrorKind::Complete),
    })?;
    let mut any_of = Vec::new();
    for (before, (terms, lone)) in std::iter::once((keyword, first)).chain(others) {
        if let Some(word) = lone.first() {
            idle(cx, word, "'!' negates nothing and is ignored");
        } else if terms.is_empty() && rest.len() > 1 {
            idle(cx, before, "an empty part of a condition is ignored");
        }
        let mut all_of = Vec::with_capacity(terms.len());
        for (negated, asked) in terms {
            let test = test(cx, scope, &asked, place)?;
            all_of.push(Term { negated, test });
        }
        // HAProxy takes an empty conjunction for none.
        if !all_of.is_empty() {
            any_of.push(all_of);
        }
    }
    if any_of.is_empty() {
        let applied = if keyword.as_str() == "if" {
            "an empty condition never holds: this rule is never applied"
        } else {
            "an empty condition never holds: this rule is always applied"
        };
        idle(cx, keyword, applied);
    }
    Ok(Condition {
        negated: keyword.as_str() == "unless",
        any_of,
        text: rest.iter().map(Word::as_str).collect::<Vec<_>>().join(" "),
    })
}

/// Points to what HAProxy takes in silence.
fn idle(cx: &mut Context, word: &Word, message: &str) {
    let span = Some(word.span());
    let notice = Diagnostic::new(Severity::Notice, "incomplete-condition", span, message);
    cx.report(notice.remedy("complete the condition, or remove the word"));
}

fn test(cx: &mut Context, scope: &Scope, asked: &Asked, place: Where) -> Result<AclTest, Fault> {
    match asked {
        Asked::Named(word, name) => {
            resolve(cx, scope, name, place, word)?;
            Ok(AclTest::Named((*name).to_owned()))
        }
        Asked::Braces(open, inside) => {
            let parsed = acl::parse(cx, inside, open.span())?;
            scope.check_available(cx, None, parsed.available, &parsed.test, place, open.span());
            Ok(AclTest::Anonymous(Box::new(parsed.test)))
        }
    }
}

fn resolve(
    cx: &mut Context,
    scope: &Scope,
    name: &str,
    place: Where,
    word: &Word,
) -> Result<(), Fault> {
    if let Some(available) = scope.acl(name) {
        for (test, available) in available {
            scope.check_available(cx, Some(name), *available, test, place, word.span());
        }
        return Ok(());
    }
    if is_predefined(name) {
        cx.used_predefined(name, word.span());
        return Ok(());
    }
    let near = cx.closest(name, scope.acl_names());
    let remedy = if name.starts_with('{') || name.ends_with('}') {
        Some("'{' and '}' are words of their own: put blanks around them".to_owned())
    } else {
        near.map(|n| format!("did you mean '{n}' maybe ?"))
    };
    Err(Fault::new(
        "unknown-acl",
        word.span(),
        format!("no such ACL : '{name}'"),
    )
    .remedy(remedy))
}
