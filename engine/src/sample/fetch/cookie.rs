//! Cookies of both directions (manual, 7.3.6).

use wire::{Head, Known};

use crate::sample::args::{Args, Kind, spec};
use crate::sample::cast::leading_int;
use crate::sample::cx::Cx;
use crate::sample::point::Needs::{Request, Response};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

use Kind::Str;

pub static ROWS: &[FetchRow] = &[
    fetch("cook", spec(0, &[Str]), Type::Str, Request, req_cook),
    fetch("cookie", spec(0, &[Str]), Type::Str, Request, req_cook),
    fetch("req.cook", spec(0, &[Str]), Type::Str, Request, req_cook),
    fetch(
        "cook_cnt",
        spec(0, &[Str]),
        Type::Sint,
        Request,
        req_cook_cnt,
    ),
    fetch(
        "req.cook_cnt",
        spec(0, &[Str]),
        Type::Sint,
        Request,
        req_cook_cnt,
    ),
    fetch(
        "cook_val",
        spec(0, &[Str]),
        Type::Sint,
        Request,
        req_cook_val,
    ),
    fetch(
        "req.cook_val",
        spec(0, &[Str]),
        Type::Sint,
        Request,
        req_cook_val,
    ),
    fetch(
        "req.cook_names",
        spec(0, &[Str]),
        Type::Str,
        Request,
        req_cook_names,
    ),
    fetch("scook", spec(0, &[Str]), Type::Str, Response, res_cook),
    fetch("res.cook", spec(0, &[Str]), Type::Str, Response, res_cook),
    fetch(
        "scook_cnt",
        spec(0, &[Str]),
        Type::Sint,
        Response,
        res_cook_cnt,
    ),
    fetch(
        "res.cook_cnt",
        spec(0, &[Str]),
        Type::Sint,
        Response,
        res_cook_cnt,
    ),
    fetch(
        "scook_val",
        spec(0, &[Str]),
        Type::Sint,
        Response,
        res_cook_val,
    ),
    fetch(
        "res.cook_val",
        spec(0, &[Str]),
        Type::Sint,
        Response,
        res_cook_val,
    ),
    fetch(
        "res.cook_names",
        spec(0, &[Str]),
        Type::Str,
        Response,
        res_cook_names,
    ),
];

fn req_cook<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    one(cx.request, Known::Cookie, args, walk, Value::str)
}

fn res_cook<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    one(cx.response, Known::SetCookie, args, walk, Value::str)
}

fn req_cook_val<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    one(cx.request, Known::Cookie, args, walk, |v| {
        Value::Sint(leading_int(v))
    })
}

fn res_cook_val<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    one(cx.response, Known::SetCookie, args, walk, |v| {
        Value::Sint(leading_int(v))
    })
}

fn req_cook_cnt<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    count(cx.request, Known::Cookie, args)
}

fn res_cook_cnt<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    count(cx.response, Known::SetCookie, args)
}

fn req_cook_names<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    names(cx.request, Known::Cookie, args)
}

fn res_cook_names<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    names(cx.response, Known::SetCookie, args)
}

/// The cookies of all `field` lines, in order: name and value.
fn cookies(head: &Head, field: Known) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.values_known(field)
        .flat_map(move |line| Cookies::new(line, field == Known::SetCookie))
}

/// The cookies of one line.
pub(crate) struct Cookies<'a> {
    rest: &'a [u8],
    /// A `Set-Cookie` line has one cookie, then attributes.
    only_first: bool,
}

impl<'a> Cookies<'a> {
    pub(crate) fn new(line: &'a [u8], only_first: bool) -> Cookies<'a> {
        Cookies {
            rest: line,
            only_first,
        }
    }
}

impl<'a> Iterator for Cookies<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr::memchr2(b';', b',', self.rest).unwrap_or(self.rest.len());
            let pair = &self.rest[..end];
            self.rest = if self.only_first {
                &[]
            } else {
                self.rest.get(end + 1..).unwrap_or(&[])
            };
            if let Some(equals) = memchr::memchr(b'=', pair) {
                return Some((pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii()));
            }
        }
        None
    }
}

fn matching<'a>(
    head: &'a Head,
    field: Known,
    name: Option<&'a [u8]>,
) -> impl Iterator<Item = &'a [u8]> {
    cookies(head, field)
        .filter(move |(own, _)| name.is_none_or(|name| name.is_empty() || *own == name))
        .map(|(_, value)| value)
}

/// The last cookie of that name, or the first of any name; in an ACL each in turn.
fn one<'a>(
    head: Option<&'a Head>,
    field: Known,
    args: &'a Args,
    walk: &mut Walk,
    make: impl FnOnce(&'a [u8]) -> Value<'a>,
) -> Fetched<'a> {
    let Some(head) = head else {
        return Fetched::NotYet;
    };
    let name = args.text(0).filter(|name| !name.is_empty());
    let mut all = matching(head, field, name);
    let found = if walk.each {
        let found = all.nth(walk.offset);
        walk.offset += 1;
        walk.more = found.is_some();
        found
    } else if name.is_none() {
        all.next()
    } else {
        all.last()
    };
    found.map(make).into()
}

fn count<'a>(head: Option<&'a Head>, field: Known, args: &'a Args) -> Fetched<'a> {
    match head {
        Some(head) => Fetched::Value(Value::Sint(
            matching(head, field, args.text(0)).count() as i64
        )),
        None => Fetched::NotYet,
    }
}

fn names<'a>(head: Option<&'a Head>, field: Known, args: &'a Args) -> Fetched<'a> {
    let Some(head) = head else {
        return Fetched::NotYet;
    };
    let delimiter = args
        .text(0)
        .and_then(|d| d.first().copied())
        .unwrap_or(b',');
    let mut text = Vec::new();
    for (position, (name, _)) in cookies(head, field).enumerate() {
        if position > 0 {
            text.push(delimiter);
        }
        text.extend_from_slice(name);
    }
    Fetched::Value(Value::text(text))
}
