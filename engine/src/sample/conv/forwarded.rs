//! RFC 7239 `Forwarded` values (manual, 7.3.1 `rfc7239_field` and relatives).

use std::net::{IpAddr, Ipv6Addr};

use crate::sample::args::{Kind, NONE, spec};
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

pub static ROWS: &[ConvertRow] = &[
    convert(
        "rfc7239_is_valid",
        NONE,
        Type::Str,
        Type::Bool,
        |v, _, _| Some(Value::Bool(parse(&v.into_text()).is_some())),
    ),
    convert(
        "rfc7239_field",
        spec(1, &[Kind::Str]),
        Type::Str,
        Type::Str,
        |v, a, _| {
            let text = v.into_text();
            let wanted = a.text(0)?;
            let (_, value) = parse(&text)?
                .into_iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(Value::text(value))
        },
    ),
    convert("rfc7239_n2nn", NONE, Type::Str, Type::Any, |v, _, _| {
        let text = v.into_text();
        let (name, _) = split_node(&text)?;
        node_name(name)
    }),
    convert("rfc7239_n2np", NONE, Type::Str, Type::Any, |v, _, _| {
        let text = v.into_text();
        let (_, port) = split_node(&text)?;
        let port = port?;
        Some(match std::str::from_utf8(port).ok()?.parse::<u16>() {
            Ok(number) => Value::Sint(i64::from(number)),
            Err(_) => Value::text(port),
        })
    }),
    convert("rfc7239_nn", NONE, Type::Any, Type::Str, |v, _, _| {
        Some(match v {
            Value::Ipv6(v6) => Value::text(format!("[{v6}]").into_bytes()),
            Value::Ipv4(_) => Value::text(v.into_text()),
            other => match &*other.into_text() {
                b"" => Value::str(b"unknown"),
                text => obfuscated(text)?,
            },
        })
    }),
    convert(
        "rfc7239_np",
        NONE,
        Type::Any,
        Type::Str,
        |v, _, _| match v {
            Value::Sint(port) => Some(Value::text(u64::try_from(port).ok()?.to_string())),
            other => obfuscated(&other.into_text()),
        },
    ),
];

/// `_name`, if the name's characters are allowed (RFC 7239 section 6.3).
fn obfuscated<'a>(text: &[u8]) -> Option<Value<'a>> {
    if text.is_empty() || !text.iter().all(|b| is_obfuscated(*b)) {
        return None;
    }
    Some(Value::text([b"_", text].concat()))
}

fn is_obfuscated(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The parameters of one forwarded element, unquoted; `None` if it does not comply.
fn parse(text: &[u8]) -> Option<Vec<(&[u8], Vec<u8>)>> {
    let mut found: Vec<(&[u8], Vec<u8>)> = Vec::new();
    let mut rest = text;
    loop {
        let equals = memchr::memchr(b'=', rest)?;
        let name = &rest[..equals];
        let (value, after) = take_value(&rest[equals + 1..])?;
        let repeated = found.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if repeated || !is_valid(name, &value) {
            return None;
        }
        found.push((name, value));
        match after {
            [] => return Some(found),
            [b';', more @ ..] => rest = more,
            _ => return None,
        }
    }
}

/// A token or a quoted string, and what follows.
fn take_value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if let [b'"', inside @ ..] = text {
        let mut value = Vec::new();
        let mut at = 0;
        loop {
            match inside.get(at)? {
                b'"' => return Some((value, &inside[at + 1..])),
                b'\\' => {
                    value.push(*inside.get(at + 1)?);
                    at += 2;
                }
                byte => {
                    value.push(*byte);
                    at += 1;
                }
            }
        }
    }
    let end = memchr::memchr(b';', text).unwrap_or(text.len());
    // A colon or a bracket needs quotes (RFC 7239 section 4).
    let plain = text[..end]
        .iter()
        .all(|b| !matches!(b, b':' | b'[' | b']' | b'"' | b',' | b' '));
    (end > 0 && plain).then(|| (text[..end].to_vec(), &text[end..]))
}

fn is_valid(name: &[u8], value: &[u8]) -> bool {
    match &name.to_ascii_lowercase()[..] {
        b"proto" => matches!(value, b"http" | b"https"),
        b"host" => {
            !value.is_empty()
                && value
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"-.~:[]%".contains(b))
        }
        b"for" | b"by" => split_node(value)
            .is_some_and(|(name, port)| node_name(name).is_some() && port.is_none_or(is_port)),
        _ => false,
    }
}

fn is_port(port: &[u8]) -> bool {
    match port {
        [b'_', rest @ ..] => !rest.is_empty() && rest.iter().all(|b| is_obfuscated(*b)),
        _ => std::str::from_utf8(port).is_ok_and(|text| text.parse::<u16>().is_ok()),
    }
}

/// A node's name and port: `192.0.2.1:80`, `[2001:db8::1]:80`, `_name:_port`, `unknown`.
fn split_node(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let name_len = if text.first() == Some(&b'[') {
        memchr::memchr(b']', text)? + 1
    } else {
        memchr::memchr(b':', text).unwrap_or(text.len())
    };
    match &text[name_len..] {
        [] => Some((text, None)),
        [b':', port @ ..] => Some((&text[..name_len], Some(port))),
        _ => None,
    }
}

fn node_name<'a>(name: &[u8]) -> Option<Value<'a>> {
    match name {
        b"unknown" => Some(Value::str(b"unknown")),
        [b'_', rest @ ..] if !rest.is_empty() && rest.iter().all(|b| is_obfuscated(*b)) => {
            Some(Value::text(name))
        }
        [b'[', inside @ .., b']'] => {
            let v6: Ipv6Addr = std::str::from_utf8(inside).ok()?.parse().ok()?;
            Some(Value::Ipv6(v6))
        }
        _ => match std::str::from_utf8(name).ok()?.parse().ok()? {
            IpAddr::V4(v4) => Some(Value::Ipv4(v4)),
            IpAddr::V6(_) => None,
        },
    }
}
