//! Addresses (manual, 7.3.1).

use std::net::IpAddr;

use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::cast::{leading_int, to_v4};
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

pub static ROWS: &[ConvertRow] = &[
    convert(
        "ipmask",
        spec(1, &[Kind::Mask4, Kind::Mask6]),
        Type::Addr,
        Type::Addr,
        |v, a, _| ipmask(&v, a),
    ),
    convert("host_only", NONE, Type::Str, Type::Str, |v, _, _| {
        let text = v.into_text();
        let end = host_len(&text);
        Some(Value::Str(super::text::lower(super::text::cut(
            text, 0, end,
        ))))
    }),
    convert("port_only", NONE, Type::Str, Type::Sint, |v, _, _| {
        let text = v.into_text();
        let port = text
            .get(host_len(&text)..)
            .and_then(|rest| rest.strip_prefix(b":"));
        Some(Value::Sint(port.map_or(0, |digits| {
            let port = leading_int(digits);
            port.max(0)
        })))
    }),
];

/// `ipmask(mask4[,mask6])`: without a mask for IPv6, such an address must carry an IPv4 one.
fn ipmask<'a>(value: &Value<'a>, args: &Args) -> Option<Value<'a>> {
    let mask4 = args.mask4(0)?;
    // What carries an IPv4 address is masked as one.
    match (value.as_address()?, to_v4(value.as_address()?)) {
        (_, Some(v4)) => Some(Value::Ipv4((u32::from(v4) & mask4).into())),
        (IpAddr::V6(v6), None) => Some(Value::Ipv6((u128::from(v6) & args.mask6(1)?).into())),
        (IpAddr::V4(_), None) => None,
    }
}

/// Length of the host in `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_len(text: &[u8]) -> usize {
    match memchr::memrchr(b':', text) {
        Some(colon) if !text[colon..].contains(&b']') => colon,
        _ => text.len(),
    }
}
