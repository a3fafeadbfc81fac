//! Header fields of both directions (manual, 7.3.6).

use std::net::IpAddr;

use wire::Head;

use crate::sample::args::{Args, HeaderName, Kind, NONE, spec};
use crate::sample::cast::leading_int;
use crate::sample::cx::Cx;
use crate::sample::point::Needs::{Request, Response};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

use Kind::{Header, Int, Str};

pub static ROWS: &[FetchRow] = &[
    fetch("hdr", spec(0, &[Header, Int]), Type::Str, Request, req_hdr),
    fetch(
        "req.hdr",
        spec(0, &[Header, Int]),
        Type::Str,
        Request,
        req_hdr,
    ),
    fetch(
        "hdr_cnt",
        spec(0, &[Header]),
        Type::Sint,
        Request,
        req_hdr_cnt,
    ),
    fetch(
        "req.hdr_cnt",
        spec(0, &[Header]),
        Type::Sint,
        Request,
        req_hdr_cnt,
    ),
    fetch(
        "hdr_ip",
        spec(0, &[Header, Int]),
        Type::Addr,
        Request,
        req_hdr_ip,
    ),
    fetch(
        "req.hdr_ip",
        spec(0, &[Header, Int]),
        Type::Addr,
        Request,
        req_hdr_ip,
    ),
    fetch(
        "hdr_val",
        spec(0, &[Header, Int]),
        Type::Sint,
        Request,
        req_hdr_val,
    ),
    fetch(
        "req.hdr_val",
        spec(0, &[Header, Int]),
        Type::Sint,
        Request,
        req_hdr_val,
    ),
    fetch(
        "req.fhdr",
        spec(0, &[Header, Int]),
        Type::Str,
        Request,
        req_fhdr,
    ),
    fetch(
        "req.fhdr_cnt",
        spec(0, &[Header]),
        Type::Sint,
        Request,
        req_fhdr_cnt,
    ),
    fetch(
        "req.hdr_names",
        spec(0, &[Str]),
        Type::Str,
        Request,
        req_hdr_names,
    ),
    fetch("req.hdrs", NONE, Type::Bin, Request, req_hdrs),
    fetch("req.hdrs_bin", NONE, Type::Bin, Request, req_hdrs_bin),
    fetch(
        "shdr",
        spec(0, &[Header, Int]),
        Type::Str,
        Response,
        res_hdr,
    ),
    fetch(
        "res.hdr",
        spec(0, &[Header, Int]),
        Type::Str,
        Response,
        res_hdr,
    ),
    fetch(
        "shdr_cnt",
        spec(0, &[Header]),
        Type::Sint,
        Response,
        res_hdr_cnt,
    ),
    fetch(
        "res.hdr_cnt",
        spec(0, &[Header]),
        Type::Sint,
        Response,
        res_hdr_cnt,
    ),
    fetch(
        "shdr_ip",
        spec(0, &[Header, Int]),
        Type::Addr,
        Response,
        res_hdr_ip,
    ),
    fetch(
        "res.hdr_ip",
        spec(0, &[Header, Int]),
        Type::Addr,
        Response,
        res_hdr_ip,
    ),
    fetch(
        "shdr_val",
        spec(0, &[Header, Int]),
        Type::Sint,
        Response,
        res_hdr_val,
    ),
    fetch(
        "res.hdr_val",
        spec(0, &[Header, Int]),
        Type::Sint,
        Response,
        res_hdr_val,
    ),
    fetch(
        "res.fhdr",
        spec(0, &[Header, Int]),
        Type::Str,
        Response,
        res_fhdr,
    ),
    fetch(
        "res.fhdr_cnt",
        spec(0, &[Header]),
        Type::Sint,
        Response,
        res_fhdr_cnt,
    ),
    fetch(
        "res.hdr_names",
        spec(0, &[Str]),
        Type::Str,
        Response,
        res_hdr_names,
    ),
    fetch("res.hdrs", NONE, Type::Bin, Response, res_hdrs),
    fetch("res.hdrs_bin", NONE, Type::Bin, Response, res_hdrs_bin),
];

/// Both directions of a fetch that reads one head.
macro_rules! directions {
    ($($req:ident, $res:ident = $read:expr;)*) => {
        $(
            fn $req<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
                read_head(cx.request, args, walk, $read)
            }
            fn $res<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
                read_head(cx.response, args, walk, $read)
            }
        )*
    };
}

directions! {
    req_hdr, res_hdr = |h, a, w| part(h, a, w).map(Value::str);
    req_hdr_cnt, res_hdr_cnt = |h, a, _| Some(Value::Sint(parts(h, a.header(0)).count() as i64));
    req_hdr_ip, res_hdr_ip = |h, a, w| next_parsed(h, a, w, part, |v| parse_address(v).map(Value::ip));
    req_hdr_val, res_hdr_val = |h, a, w| part(h, a, w).map(|v| Value::Sint(leading_int(v)));
    req_fhdr, res_fhdr = |h, a, w| line(h, a, w).map(Value::str);
    req_fhdr_cnt, res_fhdr_cnt = |h, a, _| Some(Value::Sint(lines(h, a.header(0)).count() as i64));
    req_hdr_names, res_hdr_names = |h, a, _| Some(names(h, a));
    req_hdrs, res_hdrs = |h, _, _| Some(all_text(h));
    req_hdrs_bin, res_hdrs_bin = |h, _, _| Some(all_binary(h));
}

fn read_head<'a>(
    head: Option<&'a Head>,
    args: &'a Args,
    walk: &mut Walk,
    read: impl FnOnce(&'a Head, &'a Args, &mut Walk) -> Option<Value<'a>>,
) -> Fetched<'a> {
    match head {
        Some(head) => read(head, args, walk).into(),
        None => Fetched::NotYet,
    }
}

/// The lines of a field, or of all fields, with their positions.
fn lines<'a>(
    head: &'a Head,
    name: Option<&'a HeaderName>,
) -> impl DoubleEndedIterator<Item = (usize, &'a [u8])> {
    head.fields_known()
        .enumerate()
        .filter(move |(_, (known, text, _))| name.is_none_or(|name| is_called(name, *known, text)))
        // A rule may have written blanks around a value, which are no part of it (RFC 9110,
        // section 5.5).
        .map(|(position, (_, _, value))| (position, value.trim_ascii()))
}

fn is_called(name: &HeaderName, known: wire::Known, text: &[u8]) -> bool {
    known == name.known && (known != wire::Known::Other || *text == *name.text)
}

/// All comma-separated parts of a field's lines.
fn parts<'a>(head: &'a Head, name: Option<&'a HeaderName>) -> impl Iterator<Item = &'a [u8]> {
    lines(head, name).flat_map(|(_, line)| Parts { rest: Some(line) })
}

/// The parts of one line between commas that are not quoted.
pub(crate) struct Parts<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Parts<'a> {
        Parts { rest: Some(line) }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.rest?;
        let end = part_len(line);
        self.rest = line.get(end + 1..);
        Some(line[..end].trim_ascii())
    }
}

/// The parts of a line with the blanks around them.
pub(crate) fn spans(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = part_len(line);
        rest = line.get(end + 1..);
        Some(&line[..end])
    })
}

/// Where the first part of `line` ends: at a comma outside of quotes.
fn part_len(line: &[u8]) -> usize {
    let Some(comma) = memchr::memchr(b',', line) else {
        return line.len();
    };
    if memchr::memchr(b'"', &line[..comma]).is_none() {
        return comma;
    }
    let (mut quoted, mut escaped) = (false, false);
    for (position, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return position,
            _ => {}
        }
    }
    line.len()
}

/// The part that `hdr(name,occurrence)` means, or the walk's next part.
fn part<'a>(head: &'a Head, args: &'a Args, walk: &mut Walk) -> Option<&'a [u8]> {
    let name = args.header(0);
    if let Some(occurrence) = args.int(1).filter(|&n| n != 0) {
        return nth(|| parts(head, name), occurrence);
    }
    if !walk.each {
        let (_, line) = lines(head, name).next_back()?;
        return Parts::new(line).last();
    }
    let from = walk.field;
    let (position, line) = lines(head, name).find(|(position, _)| *position >= from)?;
    let offset = if position == walk.field {
        walk.offset
    } else {
        0
    };
    let rest = &line[offset.min(line.len())..];
    let end = part_len(rest);
    (walk.field, walk.offset) = if end < rest.len() {
        (position, offset + end + 1)
    } else {
        (position + 1, 0)
    };
    walk.more = true;
    Some(rest[..end].trim_ascii())
}

/// The line that `fhdr(name,occurrence)` means, or the walk's next line.
fn line<'a>(head: &'a Head, args: &'a Args, walk: &mut Walk) -> Option<&'a [u8]> {
    let name = args.header(0);
    if let Some(occurrence) = args.int(1).filter(|&n| n != 0) {
        return nth(|| lines(head, name).map(|(_, line)| line), occurrence);
    }
    if !walk.each {
        return lines(head, name).next_back().map(|(_, line)| line);
    }
    let from = walk.field;
    let (position, line) = lines(head, name).find(|(position, _)| *position >= from)?;
    walk.field = position + 1;
    walk.more = true;
    Some(line)
}

/// Counted from the first for a positive occurrence, from the last for a negative one (-1 is the last).
fn nth<'a, I: Iterator<Item = &'a [u8]>>(all: impl Fn() -> I, occurrence: i64) -> Option<&'a [u8]> {
    let index = if occurrence > 0 {
        occurrence as usize - 1
    } else {
        let back = usize::try_from(occurrence.unsigned_abs()).ok()?;
        all().count().checked_sub(back)?
    };
    all().nth(index)
}

/// Skips parts that `parse` refuses, as `hdr_ip` does while an ACL walks.
fn next_parsed<'a>(
    head: &'a Head,
    args: &'a Args,
    walk: &mut Walk,
    next: fn(&'a Head, &'a Args, &mut Walk) -> Option<&'a [u8]>,
    parse: impl Fn(&'a [u8]) -> Option<Value<'a>>,
) -> Option<Value<'a>> {
    loop {
        walk.more = false;
        let text = next(head, args, walk)?;
        match parse(text) {
            Some(value) => return Some(value),
            None if walk.more => {}
            None => return None,
        }
    }
}

/// An address as RFC 7239 writes it, or an IPv4 address with a port (manual, `req.hdr_ip`).
pub(crate) fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Some(rest) = text.strip_prefix('[') {
        return rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    }
    let (address, port) = text.rsplit_once(':')?;
    let is_digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if !is_digits || port.parse::<u16>().is_err() {
        return None;
    }
    address.parse().ok().map(IpAddr::V4)
}

fn names<'a>(head: &'a Head, args: &'a Args) -> Value<'a> {
    let delimiter = args.text(0).filter(|d| !d.is_empty()).unwrap_or(b",");
    let mut text = Vec::new();
    for (position, (name, _)) in head.fields().enumerate() {
        if position > 0 {
            text.push(delimiter[0]);
        }
        text.extend_from_slice(name);
    }
    Value::text(text)
}

fn all_text(head: &Head) -> Value<'_> {
    let mut text = Vec::new();
    for (name, value) in head.fields() {
        for piece in [name, b": ", value, b"\r\n"] {
            text.extend_from_slice(piece);
        }
    }
    text.extend_from_slice(b"\r\n");
    Value::Bin(text.into())
}

/// Names and values behind their lengths as variable-size integers, ended by two empty strings.
fn all_binary(head: &Head) -> Value<'_> {
    let mut data = Vec::new();
    for (name, value) in head.fields() {
        for piece in [name, value] {
            write_varint(piece.len() as u64, &mut data);
            data.extend_from_slice(piece);
        }
    }
    data.extend_from_slice(&[0, 0]);
    Value::Bin(data.into())
}

/// The variable-size integers of the peers protocol: 4 bits in the first byte, 7 in the following.
fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    if number < 0xf0 {
        out.push(number as u8);
        return;
    }
    out.push(number as u8 | 0xf0);
    number = (number - 0xf0) >> 4;
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number = (number - 0x80) >> 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_respect_quotes() {
        let split = |line: &'static str| Parts::new(line.as_bytes()).collect::<Vec<_>>();
        assert_eq!(split("a,,b"), [&b"a"[..], b"", b"b"]);
        assert_eq!(split("\"q,r\", z"), [&b"\"q,r\""[..], b"z"]);
        assert_eq!(split("\"a\\\",b\",c"), [&b"\"a\\\",b\""[..], b"c"]);
        assert_eq!(split(""), [b""]);
    }

    #[test]
    fn addresses_of_headers() {
        let parse = |text: &str| parse_address(text.as_bytes()).map(|a| a.to_string());
        assert_eq!(parse("1.2.3.4:80").as_deref(), Some("1.2.3.4"));
        assert_eq!(parse("[::1]:80"), None);
        assert_eq!(parse("1.2.3.4:99999"), None);
        assert_eq!(parse("[::1]").as_deref(), Some("::1"));
        assert_eq!(parse("2001:db8::1").as_deref(), Some("2001:db8::1"));
        assert_eq!(parse("host:80"), None);
        assert_eq!(parse("1.2.3.4:x"), None);
    }
}
