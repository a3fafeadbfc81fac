//! Keys: samples cut to the type of a table (manual, 11.1, `type`).

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cfgparse::model::persist::KeyType;

use crate::sample::{Type, Value, castable, until_nul};

/// The type of a table's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Ipv4,
    Ipv6,
    Integer,
    /// At most so many bytes.
    Text {
        bytes_max: usize,
    },
    /// Exactly so many bytes.
    Binary {
        bytes: usize,
    },
}

/// A key's bytes; short ones are made in place.
#[derive(Clone, Debug)]
pub enum Key<'a> {
    Fixed { bytes: [u8; 16], len: u8 },
    Bytes(Cow<'a, [u8]>),
}

impl std::ops::Deref for Key<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Key::Fixed { bytes, len } => &bytes[..usize::from(*len)],
            Key::Bytes(bytes) => bytes,
        }
    }
}

impl Key<'_> {
    fn fixed<const N: usize>(from: [u8; N]) -> Self {
        let mut bytes = [0; 16];
        bytes[..N].copy_from_slice(&from);
        Key::Fixed {
            bytes,
            len: N as u8,
        }
    }
}

impl From<KeyType> for KeyKind {
    fn from(written: KeyType) -> Self {
        match written {
            KeyType::Ip => KeyKind::Ipv4,
            KeyType::Ipv6 => KeyKind::Ipv6,
            KeyType::Integer => KeyKind::Integer,
            KeyType::String { len } => KeyKind::Text {
                bytes_max: len as usize,
            },
            KeyType::Binary { len } => KeyKind::Binary {
                bytes: len as usize,
            },
        }
    }
}

impl KeyKind {
    /// The word that `show table` prints; `ipv4` still goes by its old name there.
    pub fn word(self) -> &'static str {
        match self {
            KeyKind::Ipv4 => "ip",
            KeyKind::Ipv6 => "ipv6",
            KeyKind::Integer => "integer",
            KeyKind::Text { .. } => "string",
            KeyKind::Binary { .. } => "binary",
        }
    }

    fn sample(self) -> Type {
        match self {
            KeyKind::Ipv4 => Type::Ipv4,
            KeyKind::Ipv6 => Type::Ipv6,
            KeyKind::Integer => Type::Sint,
            KeyKind::Text { .. } => Type::Str,
            KeyKind::Binary { .. } => Type::Bin,
        }
    }

    /// Whether samples of this type can be keys.
    pub fn accepts(self, sample: Type) -> bool {
        castable(sample, self.sample())
    }

    /// The key that a sample stands for; `None` where it has none, such as an IPv6 address in a
    /// table of IPv4 addresses.
    pub fn key(self, value: Value<'_>) -> Option<Key<'_>> {
        Some(match (self, value.cast(self.sample())?) {
            (_, Value::Ipv4(address)) => Key::fixed(address.octets()),
            (_, Value::Ipv6(address)) => Key::fixed(address.octets()),
            (_, Value::Sint(number)) => Key::fixed((number as u32).to_be_bytes()),
            (KeyKind::Text { bytes_max }, Value::Str(text)) => {
                let len = until_nul(&text).len().min(bytes_max);
                if len == 0 {
                    return None;
                }
                Key::Bytes(cut(text, len))
            }
            (KeyKind::Binary { bytes }, Value::Bin(data)) if !data.is_empty() => {
                if data.len() >= bytes {
                    return Some(Key::Bytes(cut(data, bytes)));
                }
                let mut padded = data.into_owned();
                padded.resize(bytes, 0);
                Key::Bytes(Cow::Owned(padded))
            }
            _ => return None,
        })
    }

    /// A key as the admin socket gets it; `None` if it is not of this type.
    pub fn parse(self, text: &str) -> Option<Key<'_>> {
        let value = match self {
            KeyKind::Ipv4 | KeyKind::Ipv6 => Value::ip(text.parse::<IpAddr>().ok()?),
            KeyKind::Integer => Value::Sint(crate::sample::leading_int(text.as_bytes())),
            KeyKind::Text { .. } | KeyKind::Binary { .. } => Value::str(text.as_bytes()),
        };
        self.key(value)
    }

    /// A key as a sample (`sc_key`).
    pub fn value(self, key: &[u8]) -> Value<'static> {
        let number = || <[u8; 4]>::try_from(key).map_or(0, u32::from_be_bytes);
        match self {
            KeyKind::Ipv4 => Value::Ipv4(Ipv4Addr::from(number())),
            KeyKind::Ipv6 => {
                let octets = <[u8; 16]>::try_from(key).unwrap_or_default();
                Value::Ipv6(Ipv6Addr::from(octets))
            }
            KeyKind::Integer => Value::Sint(i64::from(number())),
            KeyKind::Text { .. } => Value::text(key),
            KeyKind::Binary { .. } => Value::Bin(Cow::Owned(key.to_vec())),
        }
    }

    /// A key as `show table` prints it.
    pub fn print(self, key: &[u8], out: &mut String) {
        match self {
            KeyKind::Text { .. } => escape(key, out),
            KeyKind::Binary { .. } => {
                for byte in key {
                    let _ = write!(out, "{byte:02X}");
                }
            }
            _ => {
                let mut text = Vec::new();
                self.value(key).write_text(&mut text);
                out.push_str(&String::from_utf8_lossy(&text));
            }
        }
    }
}

fn cut(bytes: Cow<'_, [u8]>, len: usize) -> Cow<'_, [u8]> {
    match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..len]),
        Cow::Owned(mut bytes) => {
            bytes.truncate(len);
            Cow::Owned(bytes)
        }
    }
}

/// What could be taken for something else on the admin socket stands as a backslash and a number.
fn escape(text: &[u8], out: &mut String) {
    for &byte in text {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x1b => out.push_str("\\e"),
            b'\\' | b' ' | b'=' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0x21..=0x7e => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn key(kind: KeyKind, value: Value<'_>) -> Option<Vec<u8>> {
        kind.key(value).map(|key| key.to_vec())
    }

    #[test]
    fn samples_become_keys_of_the_tables_type() {
        let v4 = Value::Ipv4([192, 0, 2, 1].into());
        let mapped = Value::Ipv6("::ffff:192.0.2.1".parse().expect("an address"));
        let v6 = Value::Ipv6("2001:db8::1".parse().expect("an address"));
        assert_eq!(key(KeyKind::Ipv4, v4.clone()), Some(vec![192, 0, 2, 1]));
        assert_eq!(key(KeyKind::Ipv4, mapped), Some(vec![192, 0, 2, 1]));
        assert_eq!(key(KeyKind::Ipv4, v6), None);
        assert_eq!(key(KeyKind::Ipv6, v4).map(|key| key.len()), Some(16));
        assert_eq!(
            key(KeyKind::Integer, Value::Sint(258)),
            Some(vec![0, 0, 1, 2])
        );
        let text = KeyKind::Text { bytes_max: 3 };
        assert_eq!(key(text, Value::str(b"abcd")), Some(b"abc".to_vec()));
        assert_eq!(key(text, Value::str(b"")), None);
        let binary = KeyKind::Binary { bytes: 4 };
        assert_eq!(key(binary, Value::bin(b"ab")), Some(b"ab\0\0".to_vec()));
        assert_eq!(key(binary, Value::bin(b"abcde")), Some(b"abcd".to_vec()));
    }

    #[test]
    fn keys_are_printed_as_they_are_typed() {
        let print = |kind: KeyKind, text: &str| {
            let mut out = String::new();
            kind.print(&kind.parse(text).expect("a key"), &mut out);
            out
        };
        assert_eq!(print(KeyKind::Ipv4, "192.0.2.7"), "192.0.2.7");
        assert_eq!(print(KeyKind::Ipv6, "192.0.2.7"), "::ffff:192.0.2.7");
        assert_eq!(print(KeyKind::Integer, "77"), "77");
        assert_eq!(print(KeyKind::Integer, "x"), "0");
        assert_eq!(print(KeyKind::Text { bytes_max: 9 }, "/a"), "/a");
        assert_eq!(print(KeyKind::Binary { bytes: 3 }, "az"), "617A00");
        assert!(KeyKind::Ipv4.parse("1.2.3.x").is_none());
    }
}
