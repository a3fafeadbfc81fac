//! Implicit casts between sample types, as the manual's converters and matches apply them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::{Type, Value, until_nul};

/// Whether a sample declared as `from` can be cast to `to` for some value.
///
/// A chain for which this is false is a configuration error ("converter cannot be applied").
pub fn castable(from: Type, to: Type) -> bool {
    use Type::{Addr, Any, Bin, Bool, Ipv4, Ipv6, Meth, Sint, Str};
    matches!(
        (from, to),
        (Any | Str, _)
            | (_, Any | Str | Bin)
            | (Bool | Sint, Bool | Sint)
            | (Sint | Addr | Ipv4 | Ipv6, Addr | Ipv4 | Ipv6)
            | (Ipv4, Sint)
            | (Bin | Meth, Meth)
    )
}

impl<'a> Value<'a> {
    /// Casts to `to`; `None` where this value has no such form ("abc" as an address).
    pub fn cast(self, to: Type) -> Option<Value<'a>> {
        match to {
            Type::Any => Some(self),
            Type::Bool => self.as_int().map(|i| Value::Bool(i != 0)),
            Type::Sint => self.as_int().map(Value::Sint),
            Type::Addr => self.as_address().map(Value::ip),
            Type::Ipv4 => to_v4(self.as_address()?).map(Value::Ipv4),
            Type::Ipv6 => Some(Value::Ipv6(to_v6(self.as_address()?))),
            Type::Str => Some(Value::Str(self.into_text())),
            Type::Bin => Some(Value::Bin(self.into_data())),
            Type::Meth => self.into_method(),
        }
    }

    /// The value as an integer: the leading digits of a string, 1 for true.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Sint(i) => Some(*i),
            Value::Ipv4(a) => Some(i64::from(u32::from(*a))),
            Value::Str(s) if s.is_empty() => None,
            Value::Str(s) => Some(leading_int(s)),
            Value::Ipv6(_) | Value::Bin(_) | Value::Meth(_) => None,
        }
    }

    /// The value as an address.
    pub fn as_address(&self) -> Option<IpAddr> {
        match self {
            Value::Sint(i) => Some(IpAddr::V4(Ipv4Addr::from(*i as u32))),
            Value::Ipv4(a) => Some(IpAddr::V4(*a)),
            Value::Ipv6(a) => Some(IpAddr::V6(*a)),
            Value::Str(s) => parse_address(s),
            Value::Bin(b) => match b.len() {
                4 => Some(IpAddr::from(<[u8; 4]>::try_from(&b[..]).ok()?)),
                16 => Some(IpAddr::from(<[u8; 16]>::try_from(&b[..]).ok()?)),
                _ => None,
            },
            Value::Bool(_) | Value::Meth(_) => None,
        }
    }

    /// The text form; borrowed where this is text already.
    pub fn into_text(self) -> Cow<'a, [u8]> {
        match self {
            Value::Str(s) | Value::Meth(s) => s,
            Value::Bin(Cow::Borrowed(b)) => Cow::Borrowed(until_nul(b)),
            Value::Bin(Cow::Owned(mut b)) => {
                b.truncate(until_nul(&b).len());
                Cow::Owned(b)
            }
            other => {
                let mut text = Vec::with_capacity(16);
                other.write_text(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The data form: eight big-endian bytes of a number, 4 or 16 of an address.
    pub fn into_data(self) -> Cow<'a, [u8]> {
        match self {
            Value::Str(b) | Value::Bin(b) | Value::Meth(b) => b,
            Value::Bool(b) => Cow::Owned(i64::from(b).to_be_bytes().to_vec()),
            Value::Sint(i) => Cow::Owned(i.to_be_bytes().to_vec()),
            Value::Ipv4(a) => Cow::Owned(a.octets().to_vec()),
            Value::Ipv6(a) => Cow::Owned(a.octets().to_vec()),
        }
    }

    fn into_method(self) -> Option<Value<'a>> {
        match self {
            Value::Str(b) | Value::Bin(b) | Value::Meth(b) => Some(Value::Meth(b)),
            _ => None,
        }
    }
}

/// The integer at the start of `text`: an optional sign, then digits; 0 without digits. Saturates.
pub fn leading_int(text: &[u8]) -> i64 {
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            break;
        }
        let digit = i64::from(byte - b'0');
        value = if negative {
            value.saturating_mul(10).saturating_sub(digit)
        } else {
            value.saturating_mul(10).saturating_add(digit)
        };
    }
    value
}

/// An address at the start of `text`: of IPv4 whatever follows its fourth number, of IPv6 the whole.
fn parse_address(text: &[u8]) -> Option<IpAddr> {
    if let Some(v4) = leading_v4(text) {
        return Some(IpAddr::V4(v4));
    }
    let v6: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(IpAddr::V6(v6))
}

/// Four numbers with dots between them; a fifth, or anything else, may follow.
fn leading_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut rest = text;
    for (position, octet) in octets.iter_mut().enumerate() {
        if position > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let number = std::str::from_utf8(&rest[..digits]).ok()?;
        *octet = number.parse().ok()?;
        rest = &rest[digits..];
    }
    Some(Ipv4Addr::from(octets))
}

/// An IPv4 form of `address`: itself, or what `::a.b.c.d`, `::ffff:a.b.c.d` and `2002:ab:cd::` carry
/// (manual, 7.1.6).
pub fn to_v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            let low = || Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
            if s[0] == 0x2002 {
                Some(Ipv4Addr::from((u32::from(s[1]) << 16) | u32::from(s[2])))
            } else if s[..5] == [0; 5] && (s[5] == 0xffff || s[5] == 0) {
                Some(low())
            } else {
                None
            }
        }
    }
}

/// The IPv6 form of `address`; an IPv4 address becomes `::ffff:a.b.c.d`.
pub fn to_v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}
