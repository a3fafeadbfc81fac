//! Sample expressions: a fetch and its converters (manual, 7.3).

use nom::bytes::complete::take_while1;
use nom::combinator::opt;
use nom::sequence::pair;
use nom::{Err, IResult, Parser};

use super::args::{ArgsError, arguments};
use super::regex::{self, RegexFault};
use super::{Fault, pattern, values};
use crate::context::{Context, Reference, ReferenceKind};
use crate::diagnostic::{Span, closest};
use crate::model::expr::{Call, MatchMethod, SampleExpr};
use crate::registry::converters::CONVERTERS;
use crate::registry::fetches::FETCHES;
use crate::registry::sample::{Type, arg_range, arg_type, find_converter, find_fetch};
use crate::registry::{Info, Planned};

/// An expression and what its rows say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub expr: SampleExpr,
    /// Type of the last step's result.
    pub out: Type,
    /// One bit for each place where the fetch has data.
    pub available: u32,
}

/// A name and, behind it, arguments.
struct Step<'t> {
    name: &'t str,
    args: Vec<String>,
}

/// `name` or `name(arg,...)`.
fn step(text: &str) -> IResult<&str, Step<'_>, ArgsError> {
    let name = take_while1(|c: char| c.is_ascii_alphanumeric() || "._-+:/".contains(c));
    let args = opt(arguments).map(Option::unwrap_or_default);
    pair(name, args)
        .map(|(name, args)| Step { name, args })
        .parse(text)
}

/// Whether `text` begins with a converter.
pub fn is_converter(text: &str) -> bool {
    let end = text.find(['(', ',']).unwrap_or(text.len());
    find_converter(&text[..end]).is_some()
}

/// The step at the beginning of `text`, or why there is none.
fn first_step<'t>(text: &'t str, what: &str, span: Span) -> Result<(&'t str, Step<'t>), Fault> {
    step(text).map_err(|error| match error {
        Err::Failure(error) => {
            let name = text.split('(').next().unwrap_or("");
            let message = format!("{what} '{name}' : {error}");
            Fault::new("bad-expression", span, message).remedy(Some(
                "close the parenthesis, and quote ')' and ',' inside arguments".to_owned(),
            ))
        }
        _ => Fault::new(
            "bad-expression",
            span,
            format!("missing {what} in '{text}'"),
        ),
    })
}

/// Parses a whole word.
pub fn parse(cx: &mut Context, text: &str, span: Span) -> Result<Parsed, Fault> {
    let (parsed, rest) = parse_prefix(cx, text, span)?;
    if !rest.is_empty() {
        return Err(Fault::new(
            "bad-expression",
            span,
            format!(
                "unexpected '{rest}' behind the expression '{}'",
                parsed.expr.text
            ),
        ));
    }
    Ok(parsed)
}

/// Parses as much as belongs to the expression; the rest begins with none of its characters.
pub fn parse_prefix<'t>(
    cx: &mut Context,
    text: &'t str,
    span: Span,
) -> Result<(Parsed, &'t str), Fault> {
    let (mut rest, first) = first_step(text, "fetch method", span)?;
    if cx.has_lua && first.name.starts_with("lua.") {
        return Ok((lua(cx, first, &text[..text.len() - rest.len()], span), rest));
    }
    let Some(row) = find_fetch(first.name) else {
        return Err(unknown_fetch(first.name, text, span));
    };
    cx.used(&row.info, span);
    let fetch = call(cx, "fetch method", row.args, first, span)?;
    let mut out = row.out;
    let mut converters = Vec::new();
    while let Some(next) = rest.strip_prefix(',') {
        // HAProxy takes several commas for one, and one with nothing behind it.
        let next = next.trim_start_matches(',');
        rest = next;
        if next.is_empty() {
            break;
        }
        let step;
        (rest, step) = first_step(next, "converter", span)?;
        let (converter, gives) = converter(cx, out, step, span)?;
        converters.push(converter);
        out = gives;
    }
    let text = text[..text.len() - rest.len()].to_owned();
    let expr = SampleExpr {
        fetch,
        converters,
        text,
    };
    Ok((
        Parsed {
            expr,
            out,
            available: row.available,
        },
        rest,
    ))
}

static LUA: Info = Info {
    name: "lua.*",
    syntax: "(<args>)",
    status: Planned,
    doc: "fetches, converters, actions and services of Lua programs",
};

/// What a Lua program registers: its type is known when it runs only.
fn lua(cx: &mut Context, step: Step, text: &str, span: Span) -> Parsed {
    cx.used(&LUA, span);
    let fetch = Call {
        name: step.name.to_owned(),
        args: step.args,
        at: span.at,
    };
    let expr = SampleExpr {
        fetch,
        converters: Vec::new(),
        text: text.to_owned(),
    };
    Parsed {
        expr,
        out: Type::Any,
        available: u32::MAX,
    }
}

/// One step behind the fetch, and the type that it makes of `input`.
fn converter(cx: &mut Context, input: Type, step: Step, span: Span) -> Result<(Call, Type), Fault> {
    let Some(row) = find_converter(step.name) else {
        return Err(unknown_converter(step.name, span));
    };
    cx.used(&row.info, span);
    if !input.casts_to(row.input) {
        let message = format!("converter '{}' cannot be applied", step.name);
        return Err(Fault::new("bad-cast", span, message).remedy(Some(format!(
            "it takes {:?} values, and what stands before it gives {input:?}",
            row.input
        ))));
    }
    let out = if row.out == Type::Same {
        input
    } else {
        row.out
    };
    Ok((call(cx, "converter", row.args, step, span)?, out))
}

fn unknown_fetch(name: &str, text: &str, span: Span) -> Fault {
    let message = format!("unknown fetch method '{name}' in expression '{text}'");
    let near = closest(name, FETCHES.iter().map(|row| row.info.name));
    Fault::new("unknown-fetch", span, message)
        .remedy(near.map(|n| format!("did you mean '{n}' maybe ?")))
}

fn unknown_converter(name: &str, span: Span) -> Fault {
    let near = closest(name, CONVERTERS.iter().map(|row| row.info.name));
    Fault::new(
        "unknown-converter",
        span,
        format!("unknown converter '{name}'"),
    )
    .remedy(near.map(|n| format!("did you mean '{n}' maybe ?")))
}

/// Checks a step's arguments against its row.
fn call(
    cx: &mut Context,
    what: &str,
    types: &'static str,
    step: Step,
    span: Span,
) -> Result<Call, Fault> {
    let Step { name, mut args } = step;
    let (least, _) = arg_range(types);
    let checks_nothing = !values::CHECKS_EMPTY.contains(&name);
    if args.len() == 1 && args[0].is_empty() && least == 0 && checks_nothing {
        args.clear();
    }
    if args.is_empty() && least > 0 {
        // No parentheses are the same as nothing between them: one empty argument.
        args.push(String::new());
    }
    right_count(what, name, types, args.len())
        .map_err(|(code, message)| Fault::new(code, span, message))?;
    for (index, arg) in args.iter().enumerate() {
        // What may be left out may be empty.
        if index < least || !arg.is_empty() {
            check_arg(cx, what, name, arg_type(types, index), arg, span)?;
        }
    }
    if args.iter().all(String::is_empty) {
        own_side(cx, what, name, arg_type(types, 0), span)?;
    }
    meaning(cx, what, name, &args, span)?;
    Ok(Call {
        name: name.to_owned(),
        args,
        at: span.at,
    })
}

/// Refuses too few and too many arguments.
fn right_count(
    what: &str,
    name: &str,
    types: &'static str,
    got: usize,
) -> Result<(), (&'static str, String)> {
    let (least, most) = arg_range(types);
    if got < least {
        let wanted = arg_type(types, got);
        return Err((
            "missing-argument",
            format!(
                "{what} '{name}' : missing arguments (got {got}/{least}), type '{wanted}' expected"
            ),
        ));
    }
    if got > most {
        let message = if most == 0 {
            format!("{what} '{name}' does not support any argument")
        } else {
            format!("{what} '{name}' : too many arguments (got {got}, at most {most})")
        };
        return Err(("extra-argument", message));
    }
    Ok(())
}

/// What single fetches and converters want of their arguments beyond their types.
fn meaning(
    cx: &mut Context,
    what: &str,
    name: &str,
    args: &[String],
    span: Span,
) -> Result<(), Fault> {
    if name == "acl" && what == "fetch method" {
        cx.references.extend(args.iter().map(|name| Reference {
            kind: ReferenceKind::Acl,
            name: name.clone(),
            span,
        }));
    }
    if name == "var" || matches!(name, "set-var" | "unset-var") {
        variable(&args[0]).map_err(|message| {
            Fault::new("bad-variable", span, format!("{what} '{name}' : {message}"))
        })?;
    }
    let check = if what == "converter" {
        values::converter
    } else {
        values::fetch
    };
    check(name, args).map_err(|message| {
        let message = format!("invalid args in {what} '{name}' : {message}");
        Fault::new("bad-value", span, message)
    })?;
    if name.starts_with("map") && !args.is_empty() && find_converter(name).is_some() {
        let word = name.split('_').nth(1).unwrap_or("str");
        let method = pattern::method(word).unwrap_or(MatchMethod::Str);
        cx.map_file(&args[0], method, span)?;
    }
    Ok(())
}

/// A proxy that is not named is the one at hand: it must have the side that the fetch asks about.
fn own_side(cx: &Context, what: &str, name: &str, kind: &str, span: Span) -> Result<(), Fault> {
    let (has, side) = match kind {
        "backend" => (cx.owner.has_backend, "backend"),
        "frontend" => (cx.owner.has_frontend, "frontend"),
        "user list" => {
            let message = format!("{what} '{name}' : missing userlist name");
            return Err(Fault::new("missing-argument", span, message));
        }
        _ => return Ok(()),
    };
    if has {
        return Ok(());
    }
    let message = format!(
        "{what} '{name}' : '{}' has no {side} capability",
        cx.owner.name
    );
    let remedy = format!("name a {side}: {name}(<{side}>)");
    Err(Fault::new("wrong-section", span, message).remedy(Some(remedy)))
}

fn check_arg(
    cx: &mut Context,
    what: &str,
    name: &str,
    kind: &str,
    arg: &str,
    span: Span,
) -> Result<(), Fault> {
    let mut refer = |kind| {
        cx.references.push(Reference {
            kind,
            name: arg.to_owned(),
            span,
        });
    };
    match kind {
        "integer" if arg.is_empty() => {
            let message = format!("{what} '{name}' : expected type 'integer', but got nothing");
            return Err(Fault::new("missing-argument", span, message));
        }
        "integer" if arg.parse::<i64>().is_err() => {
            return Err(Fault::new(
                "bad-value",
                span,
                format!("{what} '{name}' : failed to parse '{arg}' as type 'integer'"),
            ));
        }
        "table" if !arg.is_empty() => refer(ReferenceKind::Table),
        "backend" if !arg.is_empty() => refer(ReferenceKind::Backend),
        "frontend" if !arg.is_empty() => refer(ReferenceKind::Frontend),
        "server" if !arg.is_empty() => refer(ReferenceKind::Server),
        "user list" if !arg.is_empty() => refer(ReferenceKind::Userlist),
        "regex" => regex_fault(cx, arg, false, span)?,
        _ => {}
    }
    Ok(())
}

/// Scopes of variables (manual, 2.8).
const SCOPES: &[&str] = &[
    "proc", "sess", "txn", "req", "res", "check", "psess", "ptxn", "preq", "pres",
];

/// Checks `scope.name`.
pub fn variable(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("Empty variable name cannot be accepted".to_owned());
    }
    let scopes = "'proc', 'sess', 'txn', 'req', 'res' or 'check'";
    let known = name
        .split_once('.')
        .filter(|(scope, _)| SCOPES.contains(scope));
    let Some((_, rest)) = known else {
        let near = name
            .split_once('.')
            .and_then(|(scope, rest)| Some((closest(scope, SCOPES.iter().copied())?, rest)));
        let hint = near.map_or(String::new(), |(scope, rest)| {
            format!(" Did you mean '{scope}.{rest}' maybe ?")
        });
        return Err(format!(
            "invalid variable name '{name}'. A variable name must be start by its scope. The scope can be {scopes}.{hint}"
        ));
    };
    match rest
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || *c == '_' || *c == '.'))
    {
        Some(bad) => Err(format!(
            "invalid syntax at char '{bad}' of the variable name '{name}'."
        )),
        None => Ok(()),
    }
}

/// Refuses a regular expression that can't be used.
pub fn regex_fault(
    cx: &mut Context,
    text: &str,
    ignore_case: bool,
    span: Span,
) -> Result<(), Fault> {
    match regex::check(text, ignore_case) {
        Ok(()) => Ok(()),
        Err(RegexFault::Unsupported(_)) if cx.options.language_only => Ok(()),
        Err(RegexFault::Unsupported(reason)) => Err(Fault::new(
            "regex-not-supported",
            span,
            format!("regex '{text}' is not supported (error={reason})"),
        )
        .remedy(Some(
            "write it without look-around and backreferences".to_owned(),
        ))),
        Err(RegexFault::Invalid(reason)) => Err(Fault::new(
            "bad-regex",
            span,
            format!("regex '{text}' is invalid (error={reason})"),
        )),
    }
}
