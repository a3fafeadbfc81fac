//! Items of a log line as JSON or CBOR (manual, 8.2.6: flags `json` and `cbor`).

use cfgparse::model::expr::FormatFlags;

use super::escape::write_hex;

/// How items are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    /// As hexadecimal digits, so that it can be printed.
    Cbor,
}

/// What the text of an item stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number if it reads like one.
    Guess,
    Number,
    Bool,
    Text,
    Bytes,
    /// Texts, each with a NUL behind it.
    List,
    Missing,
}

impl Encoding {
    /// What the flags of an item ask for.
    pub fn of(flags: FormatFlags) -> Option<Encoding> {
        match (flags.json, flags.cbor) {
            (true, _) => Some(Encoding::Json),
            (_, true) => Some(Encoding::Cbor),
            _ => None,
        }
    }

    /// Begins the object of all items.
    pub fn begin(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Encoding::Json => b"{",
            // A map without a length (RFC 8949, 3.2.2).
            Encoding::Cbor => b"BF",
        });
    }

    /// Ends it.
    pub fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Encoding::Json => b"}",
            Encoding::Cbor => b"FF",
        });
    }

    /// The name of an item.
    pub fn key(self, name: &str, is_first: bool, out: &mut Vec<u8>) {
        match self {
            Encoding::Json => {
                if !is_first {
                    out.extend_from_slice(b", ");
                }
                json_text(name.as_bytes(), out);
                out.extend_from_slice(b": ");
            }
            Encoding::Cbor => cbor_bytes(3, name.as_bytes(), out),
        }
    }

    /// Appends what `text` stands for.
    pub fn write(self, kind: Kind, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Encoding::Json => json(kind, text, out),
            Encoding::Cbor => cbor(kind, text, out),
        }
    }
}

fn json(kind: Kind, text: &[u8], out: &mut Vec<u8>) {
    match (kind, number(text)) {
        (Kind::Missing, _) => out.extend_from_slice(b"null"),
        (Kind::Guess | Kind::Number, Some(number)) => decimal(number, out),
        (Kind::Bool, number) => {
            out.extend_from_slice(if is_true(text, number) {
                b"true"
            } else {
                b"false"
            });
        }
        (Kind::List, _) => {
            out.push(b'[');
            for (index, member) in members(text).enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                json_text(member, out);
            }
            out.push(b']');
        }
        (Kind::Number, None) => out.extend_from_slice(b"null"),
        (Kind::Guess | Kind::Text | Kind::Bytes, _) => json_text(text, out),
    }
}

fn cbor(kind: Kind, text: &[u8], out: &mut Vec<u8>) {
    match (kind, number(text)) {
        (Kind::Missing, _) | (Kind::Number, None) => out.extend_from_slice(b"F6"),
        (Kind::Guess | Kind::Number, Some(number)) => {
            // Major type 1 holds -1 - n.
            let (major, value) = if number < 0 {
                (1, -1 - number)
            } else {
                (0, number)
            };
            cbor_head(major, value.unsigned_abs(), out);
        }
        (Kind::Bool, number) => {
            out.extend_from_slice(if is_true(text, number) { b"F5" } else { b"F4" });
        }
        (Kind::List, _) => {
            out.extend_from_slice(b"9F");
            members(text).for_each(|member| cbor_bytes(3, member, out));
            out.extend_from_slice(b"FF");
        }
        (Kind::Bytes, _) => cbor_bytes(2, text, out),
        (Kind::Guess | Kind::Text, _) => cbor_bytes(3, text, out),
    }
}

fn members(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    text.split(|&byte| byte == 0)
}

/// A figure that still grows has a `+`, which is no part of the number.
fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn is_true(text: &[u8], number: Option<i64>) -> bool {
    number.map_or(text == b"true", |number| number != 0)
}

fn decimal(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// RFC 8259, section 7.
fn json_text(text: &[u8], out: &mut Vec<u8>) {
    let is_utf8 = std::str::from_utf8(text).is_ok();
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x20..0x7f => out.push(byte),
            _ if byte >= 0x80 && is_utf8 => out.push(byte),
            _ => {
                out.extend_from_slice(b"\\u00");
                write_hex(byte, out);
            }
        }
    }
    out.push(b'"');
}

fn cbor_bytes(major: u8, bytes: &[u8], out: &mut Vec<u8>) {
    cbor_head(major, bytes.len() as u64, out);
    for byte in bytes {
        write_hex(*byte, out);
    }
}

/// RFC 8949, section 3: a major type and an argument of up to eight bytes.
fn cbor_head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let all = argument.to_be_bytes();
    let (info, bytes): (u8, &[u8]) = match argument {
        0..24 => (argument as u8, &[]),
        24..0x100 => (24, &all[7..]),
        0x100..0x1_0000 => (25, &all[6..]),
        0x1_0000..0x1_0000_0000 => (26, &all[4..]),
        _ => (27, &all),
    };
    write_hex(major << 5 | info, out);
    for byte in bytes {
        write_hex(*byte, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encoding: Encoding, kind: Kind, text: &str) -> String {
        let mut out = Vec::new();
        encoding.write(kind, text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// What HAProxy 3.5 writes, but for texts that it cuts in chunks.
    #[test]
    fn each_kind_in_both_encodings() {
        for (kind, text, json, cbor) in [
            (Kind::Guess, "503", "503", "1901F7"),
            (Kind::Guess, "+54", "54", "1836"),
            (Kind::Guess, "-1", "-1", "20"),
            (Kind::Guess, "----", "\"----\"", "642D2D2D2D"),
            (Kind::Text, "a\"b\\\n", "\"a\\\"b\\\\\\n\"", "656122625C0A"),
            (Kind::Text, "12", "\"12\"", "623132"),
            (Kind::Number, "12", "12", "0C"),
            (Kind::Bool, "3", "true", "F5"),
            (Kind::Bool, "0", "false", "F4"),
            (Kind::List, "a\0-\0", "[\"a\", \"-\"]", "9F6161612DFF"),
            (Kind::Bytes, "\u{1}A", "\"\\u0001A\"", "420141"),
            (Kind::Missing, "", "null", "F6"),
        ] {
            assert_eq!(encoded(Encoding::Json, kind, text), json, "{kind:?} {text}");
            assert_eq!(encoded(Encoding::Cbor, kind, text), cbor, "{kind:?} {text}");
        }
    }
}
