//! The response's status line and captures (manual, 7.3.6).

use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::cx::Cx;
use crate::sample::point::Needs::{Response, ResponseKept};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

use super::request::version_text;

pub static ROWS: &[FetchRow] = &[
    fetch("status", NONE, Type::Sint, ResponseKept, status),
    fetch("txn.status", NONE, Type::Sint, ResponseKept, status),
    fetch(
        "server_status",
        NONE,
        Type::Sint,
        ResponseKept,
        |_, cx, _| known_status(cx.stream.server_status),
    ),
    fetch("res.ver", NONE, Type::Str, Response, version),
    fetch("resp_ver", NONE, Type::Str, Response, version),
    fetch(
        "capture.res.hdr",
        spec(1, &[Kind::Int]),
        Type::Str,
        ResponseKept,
        capture_res_hdr,
    ),
    fetch(
        "capture.res.ver",
        NONE,
        Type::Str,
        ResponseKept,
        |_, cx, _| {
            let text = cx.response.map(|head| version_text(head.version()));
            text.map(|v| {
                Value::str(if v == b"1.0" {
                    b"HTTP/1.0"
                } else {
                    b"HTTP/1.1"
                })
            })
            .into()
        },
    ),
    fetch(
        "res.cache_hit",
        NONE,
        Type::Bool,
        ResponseKept,
        |_, cx, _| Fetched::Value(Value::Bool(cx.stream.cache.hit.is_some())),
    ),
    fetch("res.cache_name", NONE, Type::Str, ResponseKept, cache_name),
];

fn status<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    match cx.response {
        Some(head) => Fetched::Value(Value::Sint(i64::from(head.status()))),
        None => known_status(cx.stream.status),
    }
}

fn cache_name<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let cache = cx.stream.cache.hit.and_then(|id| cx.world.cache(id));
    cache
        .map(|cache| Value::str(cache.settings.name.as_bytes()))
        .into()
}

fn known_status<'a>(status: i32) -> Fetched<'a> {
    (status > 0).then(|| Value::Sint(i64::from(status))).into()
}

fn version<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    match cx.response {
        Some(head) => Fetched::Value(Value::str(version_text(head.version()))),
        None => Fetched::NotYet,
    }
}

fn capture_res_hdr<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let id = args.int(0).and_then(|id| usize::try_from(id).ok());
    id.and_then(|id| cx.capture(true, id)).into()
}
