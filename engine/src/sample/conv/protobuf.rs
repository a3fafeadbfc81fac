//! Fields of protocol buffers' messages, alone and in gRPC's (manual, 7.3.1 `protobuf`, `ungrpc`).

use crate::sample::args::{Args, Kind, Spec, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

const ARGS: Spec = spec(1, &[Kind::Str, Kind::Str]);

/// The compression flag and the length before a gRPC message.
const GRPC_HEADER_BYTES: usize = 5;

pub static ROWS: &[ConvertRow] = &[
    convert("protobuf", ARGS, Type::Bin, Type::Bin, |v, a, _| {
        extract(&v.into_data(), a)
    })
    .prepared(check),
    convert("ungrpc", ARGS, Type::Bin, Type::Bin, |v, a, _| {
        let data = v.into_data();
        let (header, message) = data.split_at_checked(GRPC_HEADER_BYTES)?;
        let length = u32::from_be_bytes(header[1..].try_into().ok()?);
        extract(message.get(..usize::try_from(length).ok()?)?, a)
    })
    .prepared(check),
];

/// How the bytes of a field lie in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Varint,
    Eight,
    Delimited,
    Four,
}

/// A type that a field can be read as: its name, how it lies there, and what becomes of its bits.
type Reading = (&'static [u8], Wire, fn(u64) -> i64);

const TYPES: &[Reading] = &[
    (b"int32", Wire::Varint, |raw| raw as i64),
    (b"int64", Wire::Varint, |raw| raw as i64),
    (b"uint32", Wire::Varint, |raw| raw as i64),
    (b"uint64", Wire::Varint, |raw| raw as i64),
    (b"sint32", Wire::Varint, zigzag),
    (b"sint64", Wire::Varint, zigzag),
    (b"bool", Wire::Varint, |raw| raw as i64),
    (b"enum", Wire::Varint, |raw| raw as i64),
    (b"fixed64", Wire::Eight, |raw| raw as i64),
    (b"sfixed64", Wire::Eight, |raw| raw as i64),
    (b"double", Wire::Eight, |raw| f64::from_bits(raw) as i64),
    (b"fixed32", Wire::Four, |raw| raw as i64),
    (b"sfixed32", Wire::Four, |raw| i64::from(raw as i32)),
    // HAProxy shows a negative one as the 32 bits of the integer that it becomes.
    (b"float", Wire::Four, |raw| {
        i64::from(f32::from_bits(raw as u32) as i32 as u32)
    }),
];

fn zigzag(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

fn path(args: &Args) -> Option<impl Iterator<Item = Option<u64>>> {
    let text = std::str::from_utf8(args.text(0)?).ok()?;
    Some(text.split('.').map(|number| number.parse().ok()))
}

fn reading(args: &Args) -> Option<&'static Reading> {
    TYPES.iter().find(|(name, ..)| Some(*name) == args.text(1))
}

fn check(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    if !path(args).is_some_and(|mut path| path.all(|number| number.is_some())) {
        return Err(compiler.error(
            "a field of a protocol buffer is named by numbers",
            "write numbers with dots between them, such as 48.59.1",
        ));
    }
    if args.text(1).is_some_and(|name| !name.is_empty()) && reading(args).is_none() {
        return Err(compiler.error(
            "unknown type of a protocol buffer's field",
            "write int32, int64, uint32, uint64, sint32, sint64, bool, enum, fixed64, sfixed64, \
             double, fixed32, sfixed32 or float, or nothing for the field's bytes",
        ));
    }
    Ok(())
}

/// The field that the arguments name, as they want it.
fn extract<'a>(message: &[u8], args: &Args) -> Option<Value<'a>> {
    let mut path = path(args)?.peekable();
    let mut message = message;
    loop {
        let (wire, bytes) = field(message, path.next()??)?;
        if path.peek().is_some() {
            if wire != Wire::Delimited {
                return None;
            }
            message = bytes;
            continue;
        }
        let Some((_, wanted, value)) = reading(args) else {
            return Some(Value::Bin(bytes.to_vec().into()));
        };
        return (wire == *wanted).then(|| Value::Sint(value(raw(wire, bytes))));
    }
}

/// The first field of this number in a message.
fn field(message: &[u8], number: u64) -> Option<(Wire, &[u8])> {
    let mut rest = message;
    while !rest.is_empty() {
        let (key, length) = varint(rest)?;
        rest = &rest[length..];
        let (wire, skipped, length) = match key & 7 {
            0 => (Wire::Varint, 0, varint(rest)?.1),
            1 => (Wire::Eight, 0, 8),
            2 => {
                let (length, digits) = varint(rest)?;
                (Wire::Delimited, digits, usize::try_from(length).ok()?)
            }
            5 => (Wire::Four, 0, 4),
            _ => return None,
        };
        let end = skipped.checked_add(length)?;
        let bytes = rest.get(skipped..end)?;
        if key >> 3 == number {
            return Some((wire, bytes));
        }
        rest = &rest[end..];
    }
    None
}

/// A number of seven bits a byte, the lowest first, with how many bytes it takes.
fn varint(data: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (position, byte) in data.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * position as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, position + 1));
        }
    }
    None
}

fn raw(wire: Wire, bytes: &[u8]) -> u64 {
    if wire == Wire::Varint {
        return varint(bytes).map_or(0, |(value, _)| value);
    }
    let little_endian = bytes.iter().rev();
    little_endian.fold(0, |value, byte| value << 8 | u64::from(*byte))
}
