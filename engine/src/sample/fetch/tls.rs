//! TLS of both sides, and what a ClientHello shows (manual, 7.3.4 and 7.3.5).

use crate::sample::args::NONE;
use crate::sample::cx::{Cx, TlsFacts};
use crate::sample::point::Needs::{Client, Server};
use crate::sample::row::{FetchRow, Fetched, fetch};
use crate::sample::value::{Type, Value};

pub static ROWS: &[FetchRow] = &[
    fetch("ssl_fc", NONE, Type::Bool, Client, |_, cx, _| {
        bool(cx.session.tls.is_some())
    }),
    fetch("ssl_fc_sni", NONE, Type::Str, Client, |_, cx, _| {
        front(cx, |t| text(&t.sni))
    }),
    fetch("ssl_fc_has_sni", NONE, Type::Bool, Client, |_, cx, _| {
        bool(cx.session.tls.as_ref().is_some_and(|t| !t.sni.is_empty()))
    }),
    fetch("ssl_fc_alpn", NONE, Type::Str, Client, |_, cx, _| {
        front(cx, |t| text(&t.alpn))
    }),
    fetch("ssl_fc_npn", NONE, Type::Str, Client, |_, _, _| {
        Fetched::Absent
    }),
    fetch("ssl_fc_cipher", NONE, Type::Str, Client, |_, cx, _| {
        front(cx, |t| text(t.cipher.as_bytes()))
    }),
    fetch("ssl_fc_protocol", NONE, Type::Str, Client, |_, cx, _| {
        front(cx, |t| text(t.protocol.as_bytes()))
    }),
    fetch("ssl_fc_curve", NONE, Type::Str, Client, |_, cx, _| {
        front(cx, |t| text(t.curve.as_bytes()))
    }),
    fetch(
        "ssl_fc_alg_keysize",
        NONE,
        Type::Sint,
        Client,
        |_, cx, _| front(cx, key_size),
    ),
    fetch(
        "ssl_fc_use_keysize",
        NONE,
        Type::Sint,
        Client,
        |_, cx, _| front(cx, key_size),
    ),
    fetch("ssl_fc_is_resumed", NONE, Type::Bool, Client, |_, cx, _| {
        bool(cx.session.tls.as_ref().is_some_and(|t| t.resumed))
    }),
    fetch("ssl_fc_session_id", NONE, Type::Bin, Client, |_, cx, _| {
        front(cx, |t| data(&t.session_id))
    }),
    fetch("ssl_fc_has_early", NONE, Type::Bool, Client, |_, _, _| {
        bool(false)
    }),
    fetch("ssl_fc_early_rcvd", NONE, Type::Bool, Client, |_, _, _| {
        bool(false)
    }),
    fetch("ssl_fc_has_crt", NONE, Type::Bool, Client, |_, cx, _| {
        front(cx, |t| Some(Value::Bool(t.peer_certificate.is_some())))
    }),
    fetch("ssl_fc_err", NONE, Type::Sint, Client, |_, cx, _| {
        front(cx, |_| Some(Value::Sint(0)))
    }),
    fetch("ssl_fc_err_str", NONE, Type::Str, Client, |_, _, _| {
        Fetched::Absent
    }),
    fetch("ssl_c_used", NONE, Type::Bool, Client, |_, cx, _| {
        front(cx, |t| Some(Value::Bool(t.peer_certificate.is_some())))
    }),
    fetch("ssl_c_verify", NONE, Type::Sint, Client, |_, cx, _| {
        front(cx, |t| Some(int(t.verify_error)))
    }),
    fetch("ssl_c_err", NONE, Type::Sint, Client, |_, cx, _| {
        front(cx, |t| Some(int(t.verify_error)))
    }),
    fetch("ssl_c_ca_err", NONE, Type::Sint, Client, |_, cx, _| {
        front(cx, |t| Some(int(t.ca_error)))
    }),
    fetch(
        "ssl_c_ca_err_depth",
        NONE,
        Type::Sint,
        Client,
        |_, cx, _| front(cx, |t| Some(int(t.ca_error_depth))),
    ),
    fetch("ssl_c_der", NONE, Type::Bin, Client, |_, cx, _| {
        front(cx, |t| t.peer_certificate.as_deref().map(Value::bin))
    }),
    fetch("ssl_f_der", NONE, Type::Bin, Client, |_, cx, _| {
        front(cx, |t| t.own_certificate.as_deref().map(Value::bin))
    }),
    fetch("ssl_bc", NONE, Type::Bool, Server, |_, cx, _| {
        bool(cx.stream.server_tls.is_some())
    }),
    fetch("ssl_bc_alpn", NONE, Type::Str, Server, |_, cx, _| {
        back(cx, |t| text(&t.alpn))
    }),
    fetch("ssl_bc_npn", NONE, Type::Str, Server, |_, _, _| {
        Fetched::Absent
    }),
    fetch("ssl_bc_cipher", NONE, Type::Str, Server, |_, cx, _| {
        back(cx, |t| text(t.cipher.as_bytes()))
    }),
    fetch("ssl_bc_protocol", NONE, Type::Str, Server, |_, cx, _| {
        back(cx, |t| text(t.protocol.as_bytes()))
    }),
    fetch("ssl_bc_curve", NONE, Type::Str, Server, |_, cx, _| {
        back(cx, |t| text(t.curve.as_bytes()))
    }),
    fetch(
        "ssl_bc_alg_keysize",
        NONE,
        Type::Sint,
        Server,
        |_, cx, _| back(cx, key_size),
    ),
    fetch(
        "ssl_bc_use_keysize",
        NONE,
        Type::Sint,
        Server,
        |_, cx, _| back(cx, key_size),
    ),
    fetch("ssl_bc_is_resumed", NONE, Type::Bool, Server, |_, cx, _| {
        bool(cx.stream.server_tls.as_ref().is_some_and(|t| t.resumed))
    }),
    fetch("ssl_bc_session_id", NONE, Type::Bin, Server, |_, cx, _| {
        back(cx, |t| data(&t.session_id))
    }),
    fetch("ssl_bc_err", NONE, Type::Sint, Server, |_, cx, _| {
        back(cx, |_| Some(Value::Sint(0)))
    }),
    fetch("ssl_bc_err_str", NONE, Type::Str, Server, |_, _, _| {
        Fetched::Absent
    }),
    fetch("ssl_s_der", NONE, Type::Bin, Server, |_, cx, _| {
        back(cx, |t| t.peer_certificate.as_deref().map(Value::bin))
    }),
];

fn bool<'a>(truth: bool) -> Fetched<'a> {
    Fetched::Value(Value::Bool(truth))
}

fn int<'a>(number: impl Into<i64>) -> Value<'a> {
    Value::Sint(number.into())
}

fn text(bytes: &[u8]) -> Option<Value<'_>> {
    (!bytes.is_empty()).then(|| Value::str(bytes))
}

fn data(bytes: &[u8]) -> Option<Value<'_>> {
    (!bytes.is_empty()).then(|| Value::bin(bytes))
}

fn key_size(tls: &TlsFacts) -> Option<Value<'_>> {
    (tls.cipher_bits > 0).then(|| int(tls.cipher_bits))
}

fn front<'a>(cx: &Cx<'a>, read: impl FnOnce(&'a TlsFacts) -> Option<Value<'a>>) -> Fetched<'a> {
    cx.session.tls.as_deref().and_then(read).into()
}

fn back<'a>(cx: &Cx<'a>, read: impl FnOnce(&'a TlsFacts) -> Option<Value<'a>>) -> Fetched<'a> {
    cx.stream.server_tls.as_deref().and_then(read).into()
}
