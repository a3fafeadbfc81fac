//! Choices from lists: languages, parameters, labels (manual, 7.3.1).

use crate::sample::args::Arg;
use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::Str;

pub static ROWS: &[ConvertRow] = &[
    convert(
        "language",
        spec(1, &[Str, Str]),
        Type::Str,
        Type::Str,
        |v, a, _| language(v, a),
    ),
    convert(
        "param",
        spec(1, &[Str, Str]),
        Type::Str,
        Type::Str,
        |v, a, _| param(v, a),
    )
    .prepared(prepare_param),
    convert("reverse_dom", NONE, Type::Str, Type::Str, |v, _, _| {
        reverse_labels(v)
    }),
    convert(
        "has_ctl",
        spec(0, &[Str]),
        Type::Bin,
        Type::Bool,
        |v, a, _| {
            let mask = a.int(0).unwrap_or(0x1_ffff_fdff);
            Some(Value::Bool(v.into_data().iter().any(|byte| match byte {
                0..=31 => mask >> byte & 1 == 1,
                0x7f => mask >> 32 & 1 == 1,
                _ => false,
            })))
        },
    )
    .prepared(prepare_controls),
];

/// `language(value[;value...][,default])` over an Accept-Language value.
fn language<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let known = args.text(0)?;
    let text = value.into_text();
    let mut best: Option<(u32, &'a [u8])> = None;
    for item in text.split(|&b| b == b',') {
        let mut parts = item.split(|&b| b == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let quality = parts
            .find_map(|part| part.trim_ascii().strip_prefix(b"q="))
            .map_or(1000, thousandths);
        if quality == 0 || best.is_some_and(|(q, _)| q >= quality) {
            continue;
        }
        let base = name.split(|&b| b == b'-').next().unwrap_or_default();
        let find = |wanted: &[u8]| known.split(|&b| b == b';').find(|own| *own == wanted);
        if let Some(found) = find(name).or_else(|| find(base)) {
            best = Some((quality, found));
        }
    }
    best.map(|(_, name)| name)
        .or_else(|| args.text(1))
        .map(Value::str)
}

/// `0.5` as 500 (RFC 9110 section 12.4.2).
fn thousandths(text: &[u8]) -> u32 {
    let digit = |at: usize| match text.get(at) {
        Some(byte) if byte.is_ascii_digit() => u32::from(byte - b'0'),
        _ => 0,
    };
    (digit(0) * 1000 + digit(2) * 100 + digit(3) * 10 + digit(4)).min(1000)
}

/// The delimiter: one character or `0xHH`.
fn prepare_param(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let delimiter = match args.text(1) {
        None | Some(b"") => b'&',
        Some([one]) => *one,
        Some([b'0', b'x' | b'X', digits @ ..]) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| compiler.error("invalid delimiter of 'param'", "write 0x00 to 0xff"))?,
        Some(_) => {
            let remedy = "write one character, or its code as 0xHH";
            return Err(compiler.error("invalid delimiter of 'param'", remedy));
        }
    };
    args.replace(1, Arg::Str(Box::new([delimiter])));
    Ok(())
}

fn param<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let (name, delimiter) = (args.text(0)?, *args.text(1)?.first()?);
    let text = value.into_text();
    let mut start = 0;
    for pair in text.split(|&b| b == delimiter) {
        let end = start + pair.len();
        if let Some(rest) = pair.strip_prefix(name) {
            match rest.first() {
                None => return Some(Value::str(b"")),
                Some(b'=') => {
                    let from = start + name.len() + 1;
                    return Some(Value::Str(super::text::cut(text, from, end)));
                }
                Some(_) => {}
            }
        }
        start = end + 1;
    }
    None
}

/// `mail.example.com` to `com.example.mail`; an empty label makes it fail.
fn reverse_labels(value: Value<'_>) -> Option<Value<'_>> {
    let text = value.into_text();
    let text = text.strip_suffix(b".").unwrap_or(&text);
    let mut reversed = Vec::with_capacity(text.len());
    for label in text.rsplit(|&b| b == b'.') {
        if label.is_empty() {
            return None;
        }
        if !reversed.is_empty() {
            reversed.push(b'.');
        }
        reversed.extend_from_slice(label);
    }
    Some(Value::text(reversed))
}

/// The mask of `has_ctl`: a number, `any` or `http`.
fn prepare_controls(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let Some(text) = args.text(0) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(text).into_owned();
    let mask = match text.as_str() {
        "any" => Some(0x1_ffff_ffff),
        "http" => Some(0x2401),
        _ => match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
    };
    let mask = mask
        .filter(|mask| (0..=0x1_ffff_ffff).contains(mask))
        .ok_or_else(|| {
            compiler.error(
                format!("invalid mask '{text}' of 'has_ctl'"),
                "write a number up to 0x1FFFFFFFF, any or http",
            )
        })?;
    args.replace(0, Arg::Int(mask));
    Ok(())
}
