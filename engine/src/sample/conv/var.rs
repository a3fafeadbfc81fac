//! Converters that read and write variables (manual, 7.3.1).

use crate::sample::args::{Args, Kind, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};
use crate::sample::var_condition::VarCondition;

use Kind::{Str, Var};

pub static ROWS: &[ConvertRow] = &[
    convert(
        "set-var",
        spec(1, &[Var, Str, Str, Str, Str]),
        Type::Any,
        Type::Any,
        |v, a, cx| {
            let var = a.var(0)?;
            let old = cx.var(var);
            if conditions(a).all(|only| only.allows(var.scope, old.as_ref(), &v)) {
                cx.effects.set(var, v.clone().into_owned());
            }
            Some(v)
        },
    )
    .prepared(check_conditions),
    convert(
        "unset-var",
        spec(1, &[Var]),
        Type::Any,
        Type::Any,
        |v, a, cx| {
            cx.effects.unset(a.var(0)?);
            Some(v)
        },
    ),
    convert(
        "strcmp",
        spec(1, &[Var]),
        Type::Str,
        Type::Sint,
        |v, a, cx| {
            let other = cx.var(a.var(0)?)?.into_text();
            Some(Value::Sint(compare(&v.into_text(), &other)))
        },
    ),
    convert(
        "secure_memcmp",
        spec(1, &[Var]),
        Type::Bin,
        Type::Bool,
        |v, a, cx| {
            let other = cx.var(a.var(0)?)?.into_data();
            Some(Value::Bool(equal_in_constant_time(&v.into_data(), &other)))
        },
    ),
    convert(
        "concat",
        spec(0, &[Str, Var, Str]),
        Type::Str,
        Type::Str,
        |v, a, cx| {
            let mut text = v.into_text().into_owned();
            text.extend_from_slice(a.text(0).unwrap_or_default());
            if let Some(value) = a.var(1).and_then(|var| cx.var(var)) {
                text.extend_from_slice(&value.into_text());
            }
            text.extend_from_slice(a.text(2).unwrap_or_default());
            Some(Value::text(text))
        },
    ),
    convert(
        "add_item",
        spec(1, &[Str, Var, Str]),
        Type::Str,
        Type::Str,
        |v, a, cx| {
            let mut text = v.into_text().into_owned();
            let value = a.var(1).and_then(|var| cx.var(var)).map(Value::into_text);
            let (value, suffix) = (value.unwrap_or_default(), a.text(2).unwrap_or_default());
            let adds = !value.is_empty() || !suffix.is_empty();
            if adds && !text.is_empty() {
                text.extend_from_slice(a.text(0).unwrap_or_default());
            }
            text.extend_from_slice(&value);
            text.extend_from_slice(suffix);
            Some(Value::text(text))
        },
    )
    .prepared(check_item),
];

/// The words behind the name of a `set-var`.
fn condition_words(args: &Args) -> impl Iterator<Item = &str> {
    (1..=4).filter_map(|index| std::str::from_utf8(args.text(index)?).ok())
}

fn conditions(args: &Args) -> impl Iterator<Item = VarCondition> {
    condition_words(args).filter_map(VarCondition::parse)
}

fn check_conditions(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    condition_words(args).try_for_each(|word| VarCondition::compile(word, compiler).map(drop))
}

/// `add_item` needs a variable or a suffix.
fn check_item(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    if args.var(1).is_none() && args.text(2).is_none() {
        return Err(compiler.error("add_item: nothing to add", "name a variable or a suffix"));
    }
    Ok(())
}

/// Negative, 0 or positive as strcmp(3): the difference of the first bytes that differ; the shorter of
/// two texts that begin alike is less by one.
fn compare(a: &[u8], b: &[u8]) -> i64 {
    match a.iter().zip(b).find(|(x, y)| x != y) {
        Some((x, y)) => i64::from(*x) - i64::from(*y),
        None => a.len().cmp(&b.len()) as i64,
    }
}

fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |different, (x, y)| different | (x ^ y))
            == 0
}
