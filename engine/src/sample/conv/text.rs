//! Strings: case, parts, trimming (manual, 7.3.1).

use std::borrow::Cow;

use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::{Int, IntOrVar, Str};

pub static ROWS: &[ConvertRow] = &[
    convert("lower", NONE, Type::Str, Type::Str, |v, _, _| {
        Some(Value::Str(lower(v.into_text())))
    }),
    convert("upper", NONE, Type::Str, Type::Str, |v, _, _| {
        Some(Value::Str(change(
            v.into_text(),
            u8::is_ascii_lowercase,
            <[u8]>::make_ascii_uppercase,
        )))
    }),
    convert("length", NONE, Type::Str, Type::Sint, |v, _, _| {
        Some(Value::Sint(v.into_text().len() as i64))
    }),
    convert("ltrim", spec(1, &[Str]), Type::Str, Type::Str, |v, a, _| {
        let (text, chars) = (v.into_text(), a.text(0)?);
        let start = text
            .iter()
            .position(|b| !chars.contains(b))
            .unwrap_or(text.len());
        let end = text.len();
        Some(Value::Str(cut(text, start, end)))
    }),
    convert("rtrim", spec(1, &[Str]), Type::Str, Type::Str, |v, a, _| {
        let (text, chars) = (v.into_text(), a.text(0)?);
        let end = text
            .iter()
            .rposition(|b| !chars.contains(b))
            .map_or(0, |at| at + 1);
        Some(Value::Str(cut(text, 0, end)))
    }),
    convert("cut_crlf", NONE, Type::Str, Type::Str, |v, _, _| {
        let text = v.into_text();
        let end = memchr::memchr2(b'\r', b'\n', &text).unwrap_or(text.len());
        Some(Value::Str(cut(text, 0, end)))
    }),
    convert("reverse", NONE, Type::Str, Type::Str, |v, _, _| {
        let mut text = v.into_text().into_owned();
        text.reverse();
        Some(Value::text(text))
    }),
    convert(
        "field",
        spec(2, &[Int, Str, Int]),
        Type::Str,
        Type::Str,
        |v, a, _| field(v, a),
    )
    .prepared(check_index),
    convert(
        "word",
        spec(2, &[Int, Str, Int]),
        Type::Str,
        Type::Str,
        |v, a, _| word(v, a),
    )
    .prepared(check_index),
    convert(
        "bytes",
        spec(1, &[IntOrVar, IntOrVar]),
        Type::Bin,
        Type::Bin,
        bytes,
    )
    .prepared(check_range),
];

/// The bytes from `start` to `end`, borrowed where `text` is.
pub(super) fn cut(text: Cow<'_, [u8]>, start: usize, end: usize) -> Cow<'_, [u8]> {
    let end = end.min(text.len());
    let start = start.min(end);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            text.drain(..start);
            Cow::Owned(text)
        }
    }
}

/// Letters in lower case.
pub(super) fn lower(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    change(text, u8::is_ascii_uppercase, <[u8]>::make_ascii_lowercase)
}

/// Changes `text` in a copy, unless no byte needs it.
fn change(text: Cow<'_, [u8]>, needs: fn(&u8) -> bool, apply: fn(&mut [u8])) -> Cow<'_, [u8]> {
    if !text.iter().any(needs) {
        return text;
    }
    let mut text = text.into_owned();
    apply(&mut text);
    Cow::Owned(text)
}

/// Fields count from 1, or from -1 backwards.
fn check_index(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    if args.int(0) == Some(0) {
        return Err(compiler.error(
            "unexpected value '0' for the index",
            "count from 1, or back from -1",
        ));
    }
    Ok(())
}

/// `field(index,delimiters[,count])`: fields may be empty; a negative index counts from the end.
fn field<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let (index, delimiters) = (args.int(0)?, args.text(1)?);
    let text = value.into_text();
    let bounds = parts(&text, delimiters);
    let (start, end) = span(bounds, index, args.int(2).unwrap_or(1))?;
    Some(Value::Str(cut(text, start, end)))
}

/// `word(index,delimiters[,count])`: delimiters in a row count once.
fn word<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let (index, delimiters) = (args.int(0)?, args.text(1)?);
    let text = value.into_text();
    let bounds = parts(&text, delimiters).filter(|(start, end)| start < end);
    let count = args.int(2).unwrap_or(1);
    let words = bounds.clone().count() as i64;
    let (mut start, mut end) = span(bounds, index, count)?;
    // Where there are fewer words than wanted, all that is left counts, delimiters included.
    let left = words + 1 - index.saturating_abs();
    if count == 0 || count > left {
        if index > 0 {
            end = text.len();
        } else {
            start = 0;
        }
    }
    Some(Value::Str(cut(text, start, end)))
}

/// Where the parts between delimiters begin and end.
fn parts<'t>(
    text: &'t [u8],
    delimiters: &'t [u8],
) -> impl Iterator<Item = (usize, usize)> + Clone + 't {
    let parts = text.split(move |byte| delimiters.contains(byte));
    parts.scan(0, |next, part| {
        let start = *next;
        let end = start + part.len();
        *next = end + 1;
        Some((start, end))
    })
}

/// From the field at `index` (1 is the first, -1 the last) over `count` fields; 0 means all that follow.
fn span(
    mut bounds: impl Iterator<Item = (usize, usize)> + Clone,
    index: i64,
    count: i64,
) -> Option<(usize, usize)> {
    let count = usize::try_from(count).ok()?;
    let step = usize::try_from(index.unsigned_abs()).ok()?.checked_sub(1)?;
    let fields = bounds.clone().count();
    let (first, last) = if index > 0 {
        let last = if count == 0 {
            fields
        } else {
            (step + count).min(fields)
        };
        (step, last.checked_sub(1)?)
    } else {
        let last = fields.checked_sub(1 + step)?;
        let first = if count == 0 {
            0
        } else {
            (last + 1).saturating_sub(count)
        };
        (first, last)
    };
    let (start, _) = bounds.clone().nth(first)?;
    let (_, end) = bounds.nth(last)?;
    Some((start, end))
}

/// What is written must be a place in the data; what a variable holds is looked at each time.
fn check_range(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    if args.int(0).is_some_and(|offset| offset < 0) {
        return Err(compiler.error("bytes: offset must be >= 0", "count from 0"));
    }
    if args.int(1).is_some_and(|length| length <= 0) {
        return Err(compiler.error(
            "bytes: length must be > 0",
            "leave it out for all that follows",
        ));
    }
    Ok(())
}

/// `bytes(offset[,length])`
fn bytes<'a>(value: Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let data = value.into_data();
    let offset = usize::try_from(args.number(0, cx)?).ok()?;
    let length = if args.is_given(1) {
        usize::try_from(args.number(1, cx)?).ok()?
    } else {
        usize::MAX
    };
    if offset > data.len() {
        return Some(Value::bin(&[]));
    }
    Some(Value::Bin(cut(data, offset, offset.saturating_add(length))))
}
