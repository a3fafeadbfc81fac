//! What a TLS ClientHello in the buffer shows (manual, 7.3.5).

use wire::hello::{self, ClientHello, extension};

use crate::sample::args::{Args, NONE};
use crate::sample::cx::{Cx, Data};
use crate::sample::point::Needs::{RequestData, ResponseData};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

pub static ROWS: &[FetchRow] = &[
    fetch(
        "req.ssl_hello_type",
        NONE,
        Type::Sint,
        RequestData,
        hello_type,
    ),
    fetch(
        "req_ssl_hello_type",
        NONE,
        Type::Sint,
        RequestData,
        hello_type,
    ),
    fetch(
        "res.ssl_hello_type",
        NONE,
        Type::Sint,
        ResponseData,
        server_hello_type,
    ),
    fetch(
        "rep_ssl_hello_type",
        NONE,
        Type::Sint,
        ResponseData,
        server_hello_type,
    ),
    fetch("req.ssl_sni", NONE, Type::Str, RequestData, sni),
    fetch("req_ssl_sni", NONE, Type::Str, RequestData, sni),
    fetch("req.ssl_ver", NONE, Type::Sint, RequestData, version),
    fetch("req_ssl_ver", NONE, Type::Sint, RequestData, version),
    fetch("req.ssl_alpn", NONE, Type::Str, RequestData, alpn),
    fetch(
        "req.ssl_ec_ext",
        NONE,
        Type::Bool,
        RequestData,
        |_, cx, _| {
            read(cx, |h| {
                Some(Value::Bool(
                    h.extension(extension::SUPPORTED_GROUPS).is_some(),
                ))
            })
        },
    ),
    fetch(
        "req.ssl_st_ext",
        NONE,
        Type::Sint,
        RequestData,
        |_, cx, _| {
            read(cx, |h| {
                let ticket = h.extension(extension::SESSION_TICKET);
                Some(Value::Sint(
                    ticket.map_or(0, |ticket| 1 + i64::from(!ticket.is_empty())),
                ))
            })
        },
    ),
    fetch(
        "req.ssl_cipherlist",
        NONE,
        Type::Bin,
        RequestData,
        |_, cx, _| read(cx, |h| Some(data(h.ciphers))),
    ),
    fetch(
        "req.ssl_sigalgs",
        NONE,
        Type::Bin,
        RequestData,
        |_, cx, _| read(cx, |h| list(h, extension::SIGNATURE_ALGORITHMS)),
    ),
    fetch(
        "req.ssl_supported_groups",
        NONE,
        Type::Bin,
        RequestData,
        |_, cx, _| read(cx, |h| list(h, extension::SUPPORTED_GROUPS)),
    ),
    fetch(
        "req.ssl_keyshare_groups",
        NONE,
        Type::Bin,
        RequestData,
        |_, cx, _| read(cx, key_shares),
    ),
];

/// Parses the hello and gives what `pick` finds; waits for the rest of a partial one.
fn read<'a>(
    cx: &Cx<'a>,
    pick: impl FnOnce(&ClientHello<'_>) -> Option<Value<'static>>,
) -> Fetched<'a> {
    let mut scratch = Vec::new();
    match hello::parse(cx.request_data.bytes, &mut scratch) {
        Ok(Some(hello)) => pick(&hello).into(),
        Ok(None) => partial(cx.request_data),
        Err(_) => Fetched::Absent,
    }
}

fn partial<'a>(data: Data<'_>) -> Fetched<'a> {
    if data.complete {
        Fetched::Absent
    } else {
        Fetched::NotYet
    }
}

fn data(bytes: &[u8]) -> Value<'static> {
    Value::Bin(bytes.to_vec().into())
}

fn hello_type<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    read(cx, |_| Some(Value::Sint(1)))
}

fn server_hello_type<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    match hello::handshake_type(cx.response_data.bytes) {
        Some(kind) => Fetched::Value(Value::Sint(i64::from(kind))),
        None if cx.response_data.bytes.first().is_none_or(|b| *b == 22) => {
            partial(cx.response_data)
        }
        None => Fetched::Absent,
    }
}

fn sni<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    read(cx, |hello| Some(Value::text(hello.server_name()?)))
}

/// Major version times 65536 plus minor: 0x30001 is TLSv1.0.
fn version<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    read(cx, |hello| {
        let version = i64::from(hello.legacy_version);
        Some(Value::Sint((version >> 8 << 16) + (version & 0xff)))
    })
}

/// The first protocol that the client offers; an ACL walks all of them.
fn alpn<'a>(_: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    let position = walk.offset;
    let found = read(cx, |hello| Some(Value::text(hello.alpn().nth(position)?)));
    walk.offset += 1;
    walk.more = walk.each && matches!(found, Fetched::Value(_));
    found
}

/// A list of 16-bit numbers behind its length.
fn list(hello: &ClientHello<'_>, kind: u16) -> Option<Value<'static>> {
    Some(data(hello.extension(kind)?.get(2..)?))
}

fn key_shares(hello: &ClientHello<'_>) -> Option<Value<'static>> {
    let mut rest = hello.extension(extension::KEY_SHARE)?.get(2..)?;
    let mut groups = Vec::new();
    while let [a, b, high, low, after @ ..] = rest {
        groups.extend_from_slice(&[*a, *b]);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = after.get(length..).unwrap_or_default();
    }
    Some(Value::Bin(groups.into()))
}
