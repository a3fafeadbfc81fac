//! `capture-req` and `capture-res`: keep a sample in a slot and pass it on (manual, 7.3.1).

use crate::sample::args::{Arg, Args, Kind, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::Type;

use Kind::Int;

pub static ROWS: &[ConvertRow] = &[
    convert(
        "capture-req",
        spec(1, &[Int]),
        Type::Str,
        Type::Str,
        |v, a, cx| {
            cx.effects
                .capture_request(a.index(0)?, cut(v.bytes(), a.index(1)?));
            Some(v)
        },
    )
    .prepared(|args, compiler| prepare(args, compiler, false)),
    convert(
        "capture-res",
        spec(1, &[Int]),
        Type::Str,
        Type::Str,
        |v, a, cx| {
            cx.effects
                .capture_response(a.index(0)?, cut(v.bytes(), a.index(1)?));
            Some(v)
        },
    )
    .prepared(|args, compiler| prepare(args, compiler, true)),
];

fn cut(bytes: Option<&[u8]>, len: usize) -> Vec<u8> {
    let bytes = bytes.unwrap_or_default();
    bytes[..len.min(bytes.len())].to_vec()
}

/// The slot's length goes with its number; without such a slot the converter fails while running.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a preparation")]
fn prepare(
    args: &mut Args,
    compiler: &mut Compiler<'_>,
    response: bool,
) -> Result<(), CompileError> {
    let slots = if response {
        &compiler.captures.response
    } else {
        &compiler.captures.request
    };
    let len = args.index(0).and_then(|slot| slots.get(slot)).copied();
    let mut with_len = args.0.to_vec();
    with_len.push(len.map_or(Arg::Absent, |len| Arg::Int(i64::from(len))));
    args.0 = with_len.into();
    Ok(())
}
