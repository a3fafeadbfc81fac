//! Typed sample values and the types that rows declare.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The type of a sample (manual, 7.1 and 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Known only while running: `var()`, or a converter that takes or gives anything.
    Any,
    Bool,
    Sint,
    /// An address whose family is known only while running.
    Addr,
    Ipv4,
    Ipv6,
    Str,
    Bin,
    /// An HTTP method.
    Meth,
}

impl Type {
    /// HAProxy's short word.
    pub fn word(self) -> &'static str {
        match self {
            Type::Any => "any",
            Type::Bool => "bool",
            Type::Sint => "sint",
            Type::Addr => "addr",
            Type::Ipv4 => "ipv4",
            Type::Ipv6 => "ipv6",
            Type::Str => "str",
            Type::Bin => "bin",
            Type::Meth => "meth",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Type::Any => "any",
            Type::Bool => "boolean",
            Type::Sint => "integer",
            Type::Addr => "address",
            Type::Ipv4 => "IPv4",
            Type::Ipv6 => "IPv6",
            Type::Str => "string",
            Type::Bin => "binary",
            Type::Meth => "method",
        })
    }
}

/// One sample; text and data borrow from the message, the session or the plan where they can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Bool(bool),
    Sint(i64),
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
    Str(Cow<'a, [u8]>),
    Bin(Cow<'a, [u8]>),
    /// The method's text as received.
    Meth(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    pub fn str(text: &'a [u8]) -> Value<'a> {
        Value::Str(Cow::Borrowed(text))
    }

    /// Borrowed data.
    pub fn bin(data: &'a [u8]) -> Value<'a> {
        Value::Bin(Cow::Borrowed(data))
    }

    /// Text made while evaluating.
    pub fn text(text: impl Into<Vec<u8>>) -> Value<'a> {
        Value::Str(Cow::Owned(text.into()))
    }

    /// An address of either family.
    pub fn ip(address: IpAddr) -> Value<'a> {
        match address {
            IpAddr::V4(v4) => Value::Ipv4(v4),
            IpAddr::V6(v6) => Value::Ipv6(v6),
        }
    }

    /// The type this value has while running.
    pub fn kind(&self) -> Type {
        match self {
            Value::Bool(_) => Type::Bool,
            Value::Sint(_) => Type::Sint,
            Value::Ipv4(_) => Type::Ipv4,
            Value::Ipv6(_) => Type::Ipv6,
            Value::Str(_) => Type::Str,
            Value::Bin(_) => Type::Bin,
            Value::Meth(_) => Type::Meth,
        }
    }

    /// The bytes of a string, data block or method.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Str(b) | Value::Bin(b) | Value::Meth(b) => Some(b),
            _ => None,
        }
    }

    /// The address, where this is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Value::Ipv4(v4) => Some(IpAddr::V4(*v4)),
            Value::Ipv6(v6) => Some(IpAddr::V6(*v6)),
            _ => None,
        }
    }

    /// A copy that borrows nothing, for variables and tables.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Bool(b) => Value::Bool(b),
            Value::Sint(i) => Value::Sint(i),
            Value::Ipv4(a) => Value::Ipv4(a),
            Value::Ipv6(a) => Value::Ipv6(a),
            Value::Str(b) => Value::Str(Cow::Owned(b.into_owned())),
            Value::Bin(b) => Value::Bin(Cow::Owned(b.into_owned())),
            Value::Meth(b) => Value::Meth(Cow::Owned(b.into_owned())),
        }
    }

    /// A view of this value that borrows from it.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Bool(b) => Value::Bool(*b),
            Value::Sint(i) => Value::Sint(*i),
            Value::Ipv4(a) => Value::Ipv4(*a),
            Value::Ipv6(a) => Value::Ipv6(*a),
            Value::Str(b) => Value::Str(Cow::Borrowed(b)),
            Value::Bin(b) => Value::Bin(Cow::Borrowed(b)),
            Value::Meth(b) => Value::Meth(Cow::Borrowed(b)),
        }
    }

    /// Appends what the cast to a string yields, without making that string.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        match self {
            Value::Bool(b) => out.push(if *b { b'1' } else { b'0' }),
            Value::Sint(i) => {
                let mut digits = itoa::Buffer::new();
                out.extend_from_slice(digits.format(*i).as_bytes());
            }
            // Writing to a Vec cannot fail.
            Value::Ipv4(a) => drop(write!(out, "{a}")),
            Value::Ipv6(a) => drop(write!(out, "{a}")),
            Value::Str(b) | Value::Meth(b) => out.extend_from_slice(b),
            // Data cast to text ends at its first NUL, as every C string does.
            Value::Bin(b) => out.extend_from_slice(until_nul(b)),
        }
    }
}

/// The bytes before the first NUL.
pub fn until_nul(data: &[u8]) -> &[u8] {
    match memchr::memchr(0, data) {
        Some(end) => &data[..end],
        None => data,
    }
}
