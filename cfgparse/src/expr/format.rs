//! Log-format strings: text, aliases, expressions (manual, 8.2.6).

use super::Fault;
use super::sample;
use crate::context::Context;
use crate::diagnostic::{Diagnostics, Span, closest};
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

/// Parses a whole word. Expressions must have data at `place`.
pub fn parse(cx: &mut Context, text: &str, span: Span, place: Where) -> Result<LogFormat, Fault> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    // What `%o` sets holds for all items behind it.
    let mut common = FormatFlags::default();
    while let Some(at) = rest.find('%') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            literal.push('%');
            rest = after;
            continue;
        }
        let (part, after) = item(cx, rest, span, place, common)?;
        rest = after;
        let part = match part {
            // What is no item stands for itself: `100%`, `% `.
            None => {
                literal.push('%');
                continue;
            }
            Some(FormatPart::Alias { name, flags, .. }) if name == "o" => {
                common = flags;
                continue;
            }
            Some(part) => part,
        };
        if !literal.is_empty() {
            parts.push(FormatPart::Text(std::mem::take(&mut literal)));
        }
        parts.push(part);
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(FormatPart::Text(literal));
    }
    Ok(LogFormat {
        parts,
        common,
        text: text.to_owned(),
    })
}

/// What stands behind `%`; nothing if no item begins here.
fn item<'t>(
    cx: &mut Context,
    text: &'t str,
    span: Span,
    place: Where,
    common: FormatFlags,
) -> Result<(Option<FormatPart>, &'t str), Fault> {
    let bad = |message: String| Fault::new("bad-format", span, message);
    let mut rest = text;
    let mut name = None;
    if let Some(inside) = rest.strip_prefix('(') {
        let end = inside
            .find(')')
            .ok_or_else(|| bad("missing ')' behind '%('".to_owned()))?;
        name = Some(inside[..end].to_owned()).filter(|name| !name.is_empty());
        rest = &inside[end + 1..];
    }
    let mut flags = common;
    if let Some(inside) = rest.strip_prefix('{') {
        let end = inside
            .find('}')
            .ok_or_else(|| bad("missing '}' behind '%{'".to_owned()))?;
        flags = self::flags(flags, &inside[..end], span)?;
        rest = &inside[end + 1..];
    }
    if let Some(inside) = rest.strip_prefix('[') {
        let (expr, after) = bracketed(cx, inside, span, place)?;
        return Ok((Some(FormatPart::Sample { expr, flags, name }), after));
    }
    let end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    if end == 0 {
        let bare = rest.len() == text.len();
        return if bare {
            Ok((None, text))
        } else {
            Err(bad(format!("missing alias behind '%{text}'")))
        };
    }
    let alias = &rest[..end];
    let Some(row) = aliases::find(alias) else {
        let near = closest(alias, ALIASES.iter().map(|row| row.info.name));
        return Err(bad(format!("no such format alias '{alias}'. If you wanted to emit the '%' character verbatim, you need to use '%%'"))
            .remedy(near.map(|n| format!("did you mean '%{n}' maybe ?"))));
    };
    cx.used(&row.info, span);
    Ok((
        Some(FormatPart::Alias {
            name: alias.to_owned(),
            flags,
            key: name,
        }),
        &rest[end..],
    ))
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

fn flags(mut flags: FormatFlags, text: &str, span: Span) -> Result<FormatFlags, Fault> {
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
                let message = format!("no such format flag '{name}'");
                return Err(Fault::new("bad-format", span, message).remedy(Some(
                    "flags are Q, X, E, json, cbor and bin, each behind + or -".to_owned(),
                )));
            }
        };
        *slot = on;
    }
    Ok(flags)
}
