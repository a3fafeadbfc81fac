//! Encodings: hexadecimal, base64, URL (manual, 7.3.1).

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};

use crate::log::write_hex;
use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::{Int, Str};
use Type::Bin;

pub static ROWS: &[ConvertRow] = &[
    convert("hex", NONE, Bin, Type::Str, |v, _, _| {
        let data = v.into_data();
        let mut text = Vec::with_capacity(data.len() * 2);
        data.iter().for_each(|byte| write_hex(*byte, &mut text));
        Some(Value::text(text))
    }),
    convert("hex2i", NONE, Type::Str, Type::Sint, |v, _, _| {
        hex_to_int(&v.into_text()).map(Value::Sint)
    }),
    convert(
        "be2dec",
        spec(2, &[Str, Int, Int]),
        Bin,
        Type::Str,
        |v, a, _| decimal(v, a, false),
    )
    .prepared(check_chunk),
    convert(
        "le2dec",
        spec(2, &[Str, Int, Int]),
        Bin,
        Type::Str,
        |v, a, _| decimal(v, a, true),
    )
    .prepared(check_chunk),
    convert(
        "be2hex",
        spec(0, &[Str, Int, Int]),
        Bin,
        Type::Str,
        |v, a, _| Some(chunked_hex(v, a)),
    )
    .prepared(check_hex_chunk),
    convert("base2", NONE, Bin, Type::Str, |v, _, _| {
        let data = v.into_data();
        let bit = |byte: &u8, position: u8| b'0' + (byte >> (7 - position) & 1);
        let bits = data
            .iter()
            .flat_map(|byte| (0..8).map(move |p| bit(byte, p)));
        Some(Value::text(bits.collect::<Vec<u8>>()))
    }),
    convert("base64", NONE, Bin, Type::Str, |v, _, _| {
        Some(Value::text(STANDARD.encode(v.into_data())))
    }),
    convert("b64dec", NONE, Type::Str, Bin, |v, _, _| {
        decode(&STANDARD, v)
    }),
    convert("ub64enc", NONE, Bin, Type::Str, |v, _, _| {
        Some(Value::text(URL_SAFE_NO_PAD.encode(v.into_data())))
    }),
    convert("ub64dec", NONE, Type::Str, Bin, |v, _, _| {
        decode_url_safe(v)
    }),
    convert(
        "url_dec",
        spec(0, &[Int]),
        Type::Str,
        Type::Str,
        |v, a, _| url_decode(v, a),
    ),
    convert(
        "url_enc",
        spec(0, &[Str]),
        Type::Str,
        Type::Str,
        |v, _, _| Some(url_encode(v)),
    )
    .prepared(check_url_encoding),
];

fn decode<'a>(engine: &GeneralPurpose, value: Value<'a>) -> Option<Value<'a>> {
    Some(Value::Bin(engine.decode(value.into_text()).ok()?.into()))
}

/// RFC 4648 section 5; padding is optional.
fn decode_url_safe(value: Value<'_>) -> Option<Value<'_>> {
    let text = value.into_text();
    let end = text.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1);
    Some(Value::Bin(
        URL_SAFE_NO_PAD.decode(&text[..end]).ok()?.into(),
    ))
}

fn hex_to_int(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0i64, |n, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(n.wrapping_shl(4) | i64::from(digit))
    })
}

/// A separator needs a chunk size.
fn check_hex_chunk(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let separated = args.text(0).is_some_and(|separator| !separator.is_empty());
    match args.int(1) {
        None if separated => Err(compiler.error("chunk_size is missing", "write be2hex(:,1)")),
        Some(size) if size < 1 => {
            Err(compiler.error("chunk_size out of bounds", "write 1 or more"))
        }
        _ => Ok(()),
    }
}

/// Chunks of a number's bytes: 1 to 8.
fn check_chunk(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    match args.int(1) {
        Some(1..=8) => Ok(()),
        _ => Err(compiler.error("chunk_size out of bounds", "write a number from 1 to 8")),
    }
}

/// `be2dec(separator,chunk_size[,truncate])`: each chunk as a number; a short last one too, unless truncated.
fn decimal<'a>(value: Value<'a>, args: &'a Args, little: bool) -> Option<Value<'a>> {
    let (separator, size) = (args.text(0)?, usize::try_from(args.int(1)?).ok()?);
    let truncate = args.int(2).is_some_and(|on| on != 0);
    let mut text = Vec::new();
    for chunk in value.into_data().chunks(size) {
        if chunk.len() < size && truncate {
            break;
        }
        if !text.is_empty() {
            text.extend_from_slice(separator);
        }
        let fold = |n: u64, byte: &u8| n << 8 | u64::from(*byte);
        let number = if little {
            chunk.iter().rev().fold(0, fold)
        } else {
            chunk.iter().fold(0, fold)
        };
        text.extend_from_slice(number.to_string().as_bytes());
    }
    Some(Value::text(text))
}

/// `be2hex([separator[,chunk_size[,truncate]]])`
fn chunked_hex<'a>(value: Value<'a>, args: &'a Args) -> Value<'a> {
    let data = value.into_data();
    let separator = args.text(0).unwrap_or_default();
    let size = args
        .int(1)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(data.len());
    let truncate = args.int(2).is_some_and(|on| on != 0);
    let mut text = Vec::with_capacity(data.len() * 2);
    for chunk in data.chunks(size.max(1)) {
        if chunk.len() < size && truncate {
            break;
        }
        if !text.is_empty() {
            text.extend_from_slice(separator);
        }
        for byte in chunk {
            write_hex(*byte, &mut text);
        }
    }
    Value::text(text)
}

/// `url_dec([in_form])`: `+` is a space behind the first `?`, or everywhere in a form.
fn url_decode<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let mut in_form = args.int(0).is_some_and(|on| on != 0);
    let text = value.into_text();
    if !text.iter().any(|b| matches!(b, b'%' | b'+')) {
        return Some(Value::Str(text));
    }
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'+' if in_form => out.push(b' '),
            b'%' => {
                // A broken escape makes the whole text invalid.
                let (high, low) = (digit(at)?, digit(at + 1)?);
                out.push((high << 4 | low) as u8);
                at += 2;
            }
            _ => {
                in_form |= byte == b'?';
                out.push(byte);
            }
        }
    }
    Some(Value::text(out))
}

fn check_url_encoding(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    match args.text(0) {
        None | Some(b"" | b"query") => Ok(()),
        Some(_) => Err(compiler.error("unknown encoding of 'url_enc'", "write 'query' or nothing")),
    }
}

/// All but the unreserved characters of RFC 3986 section 2.3 become `%XX`.
fn url_encode(value: Value<'_>) -> Value<'_> {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let text = value.into_text();
    if text.iter().all(is_plain) {
        return Value::Str(text);
    }
    let mut out = Vec::with_capacity(text.len() * 3);
    for byte in text.iter() {
        if is_plain(byte) {
            out.push(*byte);
        } else {
            out.push(b'%');
            write_hex(*byte, &mut out);
        }
    }
    Value::text(out)
}
