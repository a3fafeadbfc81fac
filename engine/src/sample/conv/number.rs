//! Arithmetic, bits and comparisons of integers, and their text forms (manual, 7.3.1).

use crate::log::date::Date;
use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::cx::Cx;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::{Int, IntOrVar, Str};
use Type::Sint;

pub static ROWS: &[ConvertRow] = &[
    convert("add", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, i64::saturating_add)
    }),
    convert("sub", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, i64::saturating_sub)
    }),
    convert("mul", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, i64::saturating_mul)
    }),
    convert("div", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, divide)
    }),
    convert("mod", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, remainder)
    }),
    convert("and", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, |x, y| x & y)
    }),
    convert("or", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, |x, y| x | y)
    }),
    convert("xor", spec(1, &[IntOrVar]), Sint, Sint, |v, a, cx| {
        two(&v, a, cx, |x, y| x ^ y)
    }),
    convert("neg", NONE, Sint, Sint, |v, _, _| {
        one(&v, |x| Value::Sint(x.saturating_neg()))
    }),
    convert("cpl", NONE, Sint, Sint, |v, _, _| {
        one(&v, |x| Value::Sint(!x))
    }),
    convert("bool", NONE, Sint, Type::Bool, |v, _, _| {
        one(&v, |x| Value::Bool(x != 0))
    }),
    convert("not", NONE, Sint, Type::Bool, |v, _, _| {
        one(&v, |x| Value::Bool(x == 0))
    }),
    convert("even", NONE, Sint, Type::Bool, |v, _, _| {
        one(&v, |x| Value::Bool(x & 1 == 0))
    }),
    convert("odd", NONE, Sint, Type::Bool, |v, _, _| {
        one(&v, |x| Value::Bool(x & 1 == 1))
    }),
    convert("htonl", NONE, Sint, Type::Bin, |v, _, _| {
        one(&v, |x| Value::Bin((x as u32).to_be_bytes().to_vec().into()))
    }),
    convert(
        "http_date",
        spec(0, &[Int, Str]),
        Sint,
        Type::Str,
        |v, a, _| http_date(&v, a),
    ),
    convert(
        "ltime",
        spec(1, &[Str, Int]),
        Sint,
        Type::Str,
        |v, a, cx| date(&v, a, 1_000_000, Some(cx.clock.utc_offset_s)),
    ),
    convert("utime", spec(1, &[Str, Int]), Sint, Type::Str, |v, a, _| {
        date(&v, a, 1_000_000, None)
    }),
    convert(
        "ms_ltime",
        spec(1, &[Str, Int]),
        Sint,
        Type::Str,
        |v, a, cx| date(&v, a, 1000, Some(cx.clock.utc_offset_s)),
    ),
    convert(
        "ms_utime",
        spec(1, &[Str, Int]),
        Sint,
        Type::Str,
        |v, a, _| date(&v, a, 1000, None),
    ),
    convert(
        "us_ltime",
        spec(1, &[Str, Int]),
        Sint,
        Type::Str,
        |v, a, cx| date(&v, a, 1, Some(cx.clock.utc_offset_s)),
    ),
    convert(
        "us_utime",
        spec(1, &[Str, Int]),
        Sint,
        Type::Str,
        |v, a, _| date(&v, a, 1, None),
    ),
    convert(
        "iif",
        spec(2, &[Str, Str]),
        Type::Bool,
        Type::Str,
        |v, a, _| a.text(usize::from(v.as_int()? == 0)).map(Value::str),
    ),
];

fn one<'a>(value: &Value<'a>, apply: impl FnOnce(i64) -> Value<'a>) -> Option<Value<'a>> {
    value.as_int().map(apply)
}

/// Applies `operation` to the value and the argument, a number or a variable.
fn two<'a>(
    value: &Value<'a>,
    args: &'a Args,
    cx: &Cx<'a>,
    operation: fn(i64, i64) -> i64,
) -> Option<Value<'a>> {
    Some(Value::Sint(operation(value.as_int()?, args.number(0, cx)?)))
}

/// A division by zero gives the greatest number (manual, `div`).
fn divide(a: i64, b: i64) -> i64 {
    match b {
        0 => i64::MAX,
        _ => a.saturating_div(b),
    }
}

fn remainder(a: i64, b: i64) -> i64 {
    if b == 0 { 0 } else { a.wrapping_rem(b) }
}

/// `http_date([offset[,unit]])`
fn http_date<'a>(value: &Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let unit_us = match args.text(1) {
        Some(b"ms") => 1000,
        Some(b"us") => 1,
        _ => 1_000_000,
    };
    let us = moment(value, args.int(0), unit_us)?;
    let mut text = Vec::with_capacity(30);
    Date::new(us, 0).write_http(&mut text);
    Some(Value::text(text))
}

/// `ltime(format[,offset])` and relatives; the offset is in the unit of the value.
fn date<'a>(
    value: &Value<'a>,
    args: &'a Args,
    unit_us: i64,
    utc_offset_s: Option<i32>,
) -> Option<Value<'a>> {
    let us = moment(value, args.int(1), unit_us)?;
    let mut text = Vec::with_capacity(32);
    let date = utc_offset_s.map_or_else(|| Date::utc(us), |offset_s| Date::new(us, offset_s));
    date.write_strftime(args.text(0)?, &mut text);
    Some(Value::text(text))
}

/// Microseconds since 1970, kept to years with four digits.
fn moment(value: &Value<'_>, offset: Option<i64>, unit_us: i64) -> Option<i64> {
    const YEAR_9999_S: i64 = 253_402_300_799;
    let units = value.as_int()?.saturating_add(offset.unwrap_or(0));
    let us = units.saturating_mul(unit_us);
    Some(us.clamp(-62_135_596_800 * 1_000_000, YEAR_9999_S * 1_000_000))
}
