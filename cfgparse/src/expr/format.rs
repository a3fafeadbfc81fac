//! Log-format strings: text, aliases, expressions (manual, 8.2.6).

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while};
use nom::character::complete::{alphanumeric1, char, none_of};
use nom::combinator::{cut, opt, peek, value, verify};
use nom::error::Error;
use nom::sequence::{delimited, pair};
use nom::{Err, IResult, Parser};

use super::Fault;
use super::sample;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span, closest};
use crate::load::LoadOptions;
use crate::model::expr::{FormatFlags, FormatPart, LogFormat, SampleExpr};
use crate::registry::aliases::{self, ALIASES};
use crate::registry::sample::Where;
use crate::source::Environment;

/// Parses a format that the program itself brings, such as that of `option httplog`.
pub fn built_in(text: &str) -> Option<LogFormat> {
    let (files, options) = (std::collections::BTreeMap::new(), LoadOptions::default());
    let environment = Environment::default();
    let mut cx = Context::new(Diagnostics::default(), &files, &options, &[], &environment);
    parse(&mut cx, text, Span::default(), Where::Log).ok()
}

/// What stands between the texts of a format, as written.
#[derive(Clone)]
enum Item<'t> {
    /// `%%`, and a `%` that begins no item.
    Percent,
    Alias(Decoration<'t>, &'t str),
    /// Behind the `[`.
    Expression(Decoration<'t>),
}

/// `(name:type)` and `{flags}` in front of an item.
type Decoration<'t> = (Option<&'t str>, Option<&'t str>);

/// What follows a `%`.
fn item(text: &str) -> IResult<&str, Item<'_>> {
    let name = take_while(|c: char| c.is_ascii_alphanumeric() || "-_:".contains(c));
    let name = delimited(char('('), name, cut(char(')')));
    let flags = delimited(char('{'), take_till(|c| c == '}'), cut(char('}')));
    let decoration = pair(opt(name), opt(flags));
    let alias = verify(alphanumeric1, |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    let decorated = pair(decoration, alt((alias, tag("["))));
    let decorated = decorated.map(|(decoration, what)| match what {
        "[" => Item::Expression(decoration),
        alias => Item::Alias(decoration, alias),
    });
    let itself = peek(none_of(" \t0123456789({"));
    alt((
        value(Item::Percent, char('%')),
        decorated,
        value(Item::Percent, itself),
    ))
    .parse(text)
}

/// Parses a whole word. Expressions must have data at `place`.
pub fn parse(cx: &mut Context, text: &str, span: Span, place: Where) -> Result<LogFormat, Fault> {
    let mut format = LogFormat {
        parts: Vec::new(),
        common: FormatFlags::default(),
        text: text.to_owned(),
    };
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        literal.push_str(before);
        let (after, item) = item(behind).map_err(|error| no_item(error, behind, span))?;
        rest = after;
        let part = match item {
            Item::Percent => {
                literal.push('%');
                continue;
            }
            Item::Alias(decoration, alias) => {
                self::alias(cx, alias, span)?;
                let (key, flags) = decorated(cx, decoration, format.common, span)?;
                // What `%o` sets holds for all items behind it.
                if alias == "o" {
                    format.common = flags;
                    continue;
                }
                let name = alias.to_owned();
                FormatPart::Alias { name, flags, key }
            }
            Item::Expression(decoration) => {
                let (name, flags) = decorated(cx, decoration, format.common, span)?;
                let expr;
                (expr, rest) = bracketed(cx, after, span, place)?;
                FormatPart::Sample { expr, flags, name }
            }
        };
        if !literal.is_empty() {
            let text = std::mem::take(&mut literal);
            format.parts.push(FormatPart::Text(text));
        }
        format.parts.push(part);
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        format.parts.push(FormatPart::Text(literal));
    }
    Ok(format)
}

/// Says why what stands behind a `%` is no item.
fn no_item(error: Err<Error<&str>>, behind: &str, span: Span) -> Fault {
    let message = match (error, behind.chars().next()) {
        (Err::Failure(error), Some('(')) if !error.input.is_empty() => {
            format!("invalid character in custom name near '{}'", error.input)
        }
        (Err::Failure(_), Some('(')) => "missing ')' behind '%('".to_owned(),
        (Err::Failure(_), _) => "missing '}' behind '%{'".to_owned(),
        (_, Some('(' | '{')) => format!("missing alias behind '%{behind}'"),
        (_, None) => "truncated line after '%'".to_owned(),
        (_, Some(_)) => format!("unexpected alias name near '{behind}'"),
    };
    let remedy = "to write a single '%', use '%%'";
    Fault::new("bad-format", span, message).remedy(Some(remedy.to_owned()))
}

/// The alias must be known.
fn alias(cx: &mut Context, alias: &str, span: Span) -> Result<(), Fault> {
    if let Some(row) = aliases::find(alias) {
        cx.used(&row.info, span);
        return Ok(());
    }
    let near = closest(alias, ALIASES.iter().map(|row| row.info.name));
    let message = format!(
        "no such format alias '{alias}'. If you wanted to emit the '%' character verbatim, you need to use '%%'"
    );
    Err(Fault::new("bad-format", span, message)
        .remedy(near.map(|n| format!("did you mean '%{n}' maybe ?"))))
}

/// The key and the flags of an item; `common` holds where it says nothing.
fn decorated(
    cx: &mut Context,
    (name, flags): Decoration,
    common: FormatFlags,
    span: Span,
) -> Result<(Option<String>, FormatFlags), Fault> {
    if let Some((_, kind)) = name.and_then(|name| name.split_once(':'))
        && !["str", "sint", "bool", "raw"].contains(&kind)
    {
        let message =
            format!("unexpected output type '{kind}'. Supported types are: str, sint, bool, raw");
        return Err(Fault::new("bad-format", span, message));
    }
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    let flags = flags.map_or(common, |flags| self::flags(cx, common, flags, span));
    Ok((name, flags))
}

/// The expression behind `%[`, and what follows its `]`.
fn bracketed<'t>(
    cx: &mut Context,
    inside: &'t str,
    span: Span,
    place: Where,
) -> Result<(SampleExpr, &'t str), Fault> {
    let (parsed, after) = sample::parse_prefix(cx, inside, span)?;
    let Some(after) = after.strip_prefix(']') else {
        let message = if after.is_empty() {
            format!("missing closing ']' behind '%[{inside}'")
        } else {
            format!(
                "expected ']' after '{}' but found '{after}'",
                parsed.expr.text
            )
        };
        return Err(Fault::new("bad-format", span, message));
    };
    if parsed.available & place.bit() == 0 {
        return Err(Fault::new(
            "never-available",
            span,
            format!(
                "sample fetch '{}' may not be reliably used here because it needs data which is not available in '{}'",
                parsed.expr.text,
                place.words()
            ),
        ));
    }
    Ok((parsed.expr, after))
}

fn flags(cx: &mut Context, mut flags: FormatFlags, text: &str, span: Span) -> FormatFlags {
    for word in text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let (on, name) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(name), _) => (true, name),
            (_, Some(name)) => (false, name),
            _ => (true, word),
        };
        let slot = match name {
            "Q" => &mut flags.quote,
            "X" => &mut flags.hex,
            "E" => &mut flags.escape,
            "json" => &mut flags.json,
            "cbor" => &mut flags.cbor,
            "bin" => &mut flags.binary,
            _ => {
                // HAProxy takes them without a word.
                let message = format!("format flag '{name}' is unknown and has no effect");
                let notice = Diagnostic::new(Severity::Notice, "unknown-flag", Some(span), message);
                cx.report(
                    notice.remedy("flags are Q, X, E, json, cbor and bin, each behind + or -"),
                );
                continue;
            }
        };
        *slot = on;
    }
    flags
}
