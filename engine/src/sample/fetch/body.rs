//! Buffered bytes: HTTP bodies and raw input (manual, 7.3.5 and 7.3.6).

use wire::{Head, Known};

use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::cast::leading_int;
use crate::sample::cx::{Cx, Data};
use crate::sample::point::Needs::{Nothing, RequestBody, RequestData, ResponseBody, ResponseData};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

use super::request::parameters;
use Kind::{Int, Str};

pub static ROWS: &[FetchRow] = &[
    fetch("req.body", NONE, Type::Bin, RequestBody, |_, cx, _| {
        body(cx.request_data)
    }),
    fetch("req.body_len", NONE, Type::Sint, RequestBody, |_, cx, w| {
        len(cx.request_data, w)
    }),
    fetch(
        "req.body_size",
        NONE,
        Type::Sint,
        RequestBody,
        |_, cx, _| size(cx.request, cx.request_data),
    ),
    fetch(
        "req.body_param",
        spec(0, &[Str, Str]),
        Type::Bin,
        RequestBody,
        body_param,
    ),
    fetch("res.body", NONE, Type::Bin, ResponseBody, |_, cx, _| {
        body(cx.response_data)
    }),
    fetch(
        "res.body_len",
        NONE,
        Type::Sint,
        ResponseBody,
        |_, cx, w| len(cx.response_data, w),
    ),
    fetch(
        "res.body_size",
        NONE,
        Type::Sint,
        ResponseBody,
        |_, cx, _| size(cx.response, cx.response_data),
    ),
    fetch("req.len", NONE, Type::Sint, RequestData, |_, cx, w| {
        len(cx.request_data, w)
    }),
    fetch("req_len", NONE, Type::Sint, RequestData, |_, cx, w| {
        len(cx.request_data, w)
    }),
    fetch("res.len", NONE, Type::Sint, ResponseData, |_, cx, w| {
        len(cx.response_data, w)
    }),
    fetch(
        "req.payload",
        spec(2, &[Int, Int]),
        Type::Bin,
        RequestData,
        |a, cx, w| payload(a, raw(cx, cx.request_data), w),
    ),
    fetch(
        "payload",
        spec(2, &[Int, Int]),
        Type::Bin,
        RequestData,
        |a, cx, w| payload(a, raw(cx, cx.request_data), w),
    ),
    fetch(
        "res.payload",
        spec(2, &[Int, Int]),
        Type::Bin,
        ResponseData,
        |a, cx, w| payload(a, raw(cx, cx.response_data), w),
    ),
    fetch(
        "req.payload_lv",
        spec(2, &[Int, Int, Str]),
        Type::Bin,
        RequestData,
        |a, cx, _| payload_lv(a, raw(cx, cx.request_data)),
    ),
    fetch(
        "payload_lv",
        spec(2, &[Int, Int, Str]),
        Type::Bin,
        RequestData,
        |a, cx, _| payload_lv(a, raw(cx, cx.request_data)),
    ),
    fetch(
        "res.payload_lv",
        spec(2, &[Int, Int, Str]),
        Type::Bin,
        ResponseData,
        |a, cx, _| payload_lv(a, raw(cx, cx.response_data)),
    ),
    fetch(
        "req.rdp_cookie",
        spec(0, &[Str]),
        Type::Str,
        RequestData,
        rdp_cookie,
    ),
    fetch(
        "rdp_cookie",
        spec(0, &[Str]),
        Type::Str,
        RequestData,
        rdp_cookie,
    ),
    fetch(
        "req.rdp_cookie_cnt",
        spec(0, &[Str]),
        Type::Sint,
        RequestData,
        rdp_cookie_cnt,
    ),
    fetch(
        "rdp_cookie_cnt",
        spec(0, &[Str]),
        Type::Sint,
        RequestData,
        rdp_cookie_cnt,
    ),
    fetch("wait_end", NONE, Type::Bool, Nothing, wait_end),
];

fn body(data: Data<'_>) -> Fetched<'_> {
    Fetched::Value(Value::bin(data.bytes))
}

fn len<'a>(data: Data<'a>, walk: &mut Walk) -> Fetched<'a> {
    walk.may_change = !data.complete;
    Fetched::Value(Value::Sint(data.bytes.len() as i64))
}

/// The body's announced length, or what is there of it if none is announced.
fn size<'a>(head: Option<&Head>, data: Data<'a>) -> Fetched<'a> {
    let announced = head.and_then(|head| head.first_known(Known::ContentLength));
    let size = announced.map_or(data.bytes.len() as i64, leading_int);
    Fetched::Value(Value::Sint(size))
}

/// A parameter of an `application/x-www-form-urlencoded` body.
fn body_param<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    let name = args.text(0).filter(|name| !name.is_empty());
    let ignore_case = args.text(1).is_some_and(|flag| flag == b"i");
    let mut found = parameters(cx.request_data.bytes, b'&')
        .filter(|(own, _)| match name {
            Some(name) if ignore_case => own.eq_ignore_ascii_case(name),
            Some(name) => *own == name,
            None => true,
        })
        .map(|(_, value)| value);
    let value = if walk.each {
        found.nth(walk.offset)
    } else {
        found.next()
    };
    walk.offset += 1;
    walk.more = walk.each && value.is_some();
    value.map(Value::bin).into()
}

/// The buffer as it came. An HTTP proxy has messages instead (manual, 7.3.5).
fn raw<'a>(cx: &Cx<'a>, data: Data<'a>) -> Option<Data<'a>> {
    cx.request.is_none().then_some(data)
}

/// `payload(offset,length)`; a length of 0 means all that is there once nothing more can come.
fn payload<'a>(args: &'a Args, data: Option<Data<'a>>, walk: &mut Walk) -> Fetched<'a> {
    let (Some(data), Some(offset), Some(length)) =
        (data, non_negative(args, 0), non_negative(args, 1))
    else {
        return Fetched::Absent;
    };
    let end = if length == 0 {
        data.bytes.len()
    } else {
        offset.saturating_add(length)
    };
    walk.may_change = length == 0 && !data.complete;
    match data.bytes.get(offset..end) {
        Some(bytes) if length > 0 || data.complete || data.last_chance => {
            Fetched::Value(Value::bin(bytes))
        }
        Some(bytes) if !bytes.is_empty() => Fetched::Value(Value::bin(bytes)),
        _ => short(data),
    }
}

fn short<'a>(data: Data<'_>) -> Fetched<'a> {
    if data.complete {
        Fetched::Absent
    } else {
        Fetched::NotYet
    }
}

fn non_negative(args: &Args, index: usize) -> Option<usize> {
    usize::try_from(args.int(index)?).ok()
}

/// `payload_lv(offset1,length[,offset2])`: data behind a length of `length` bytes at `offset1`.
fn payload_lv<'a>(args: &'a Args, data: Option<Data<'a>>) -> Fetched<'a> {
    let (Some(data), Some(at), Some(width)) = (data, non_negative(args, 0), non_negative(args, 1))
    else {
        return Fetched::Absent;
    };
    let Some(head) = data.bytes.get(at..at.saturating_add(width)) else {
        return short(data);
    };
    let length = head
        .iter()
        .fold(0usize, |n, b| n.wrapping_shl(8) | usize::from(*b));
    let start = match args.text(2).and_then(|t| std::str::from_utf8(t).ok()) {
        None | Some("") => at + width,
        Some(text) => {
            let offset = leading_int(text.as_bytes());
            let relative = text.starts_with('+') || text.starts_with('-');
            let base = if relative { (at + width) as i64 } else { 0 };
            match usize::try_from(base.saturating_add(offset)) {
                Ok(start) => start,
                Err(_) => return Fetched::Absent,
            }
        }
    };
    if length == 0 {
        return Fetched::Absent;
    }
    match data.bytes.get(start..start.saturating_add(length)) {
        Some(bytes) => Fetched::Value(Value::bin(bytes)),
        None => short(data),
    }
}

/// The cookie of an RDP connection request (`Cookie: name=value` behind the TPKT and X.224 headers).
fn rdp_cookie<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    find_rdp_cookie(args, cx.request_data)
}

fn rdp_cookie_cnt<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    match find_rdp_cookie(args, cx.request_data) {
        Fetched::NotYet => Fetched::NotYet,
        found => Fetched::Value(Value::Sint(i64::from(matches!(found, Fetched::Value(_))))),
    }
}

fn find_rdp_cookie<'a>(args: &'a Args, data: Data<'a>) -> Fetched<'a> {
    // TPKT version 3, reserved, length; X.224 length, connection request 0xE0, two references, class.
    let Some(header) = data.bytes.get(..11) else {
        return short(data);
    };
    if header[0] != 3 || header[5] != 0xe0 || header[6..11].iter().any(|b| *b != 0) {
        return Fetched::Absent;
    }
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let Some(packet) = data.bytes.get(11..total) else {
        return short(data);
    };
    let Some(rest) = packet
        .get(..7)
        .filter(|word| word.eq_ignore_ascii_case(b"Cookie:"))
        .map(|_| packet[7..].trim_ascii_start())
    else {
        return Fetched::Absent;
    };
    let Some(equals) = memchr::memchr(b'=', rest) else {
        return Fetched::Absent;
    };
    if args
        .text(0)
        .is_some_and(|name| !name.is_empty() && !rest[..equals].eq_ignore_ascii_case(name))
    {
        return Fetched::Absent;
    }
    let value = &rest[equals + 1..];
    let end = memchr::memchr2(b'\r', b';', value).unwrap_or(value.len());
    Fetched::Value(Value::str(&value[..end]))
}

/// True once the inspection delay is over; until then it makes a content rule wait.
fn wait_end<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let has_message = cx.request.is_some() && !cx.request_data.is_inspected;
    if cx.request_data.last_chance || cx.response_data.last_chance || has_message {
        Fetched::Value(Value::Bool(true))
    } else {
        Fetched::NotYet
    }
}
