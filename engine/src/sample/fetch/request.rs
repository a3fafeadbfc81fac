//! The request line, its parts, and what is derived from the request as a whole (manual, 7.3.6).

use std::borrow::Cow;
use std::net::IpAddr;

use wire::{Head, Known, TargetForm};

use crate::rules::basic_credentials;
use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::cast::{leading_int, to_v4};
use crate::sample::conv::hash::{avalanche, sdbm};
use crate::sample::cx::Cx;
use crate::sample::point::Needs::{Request, RequestKept};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

use Kind::{Int, Str, Userlist};

pub static ROWS: &[FetchRow] = &[
    fetch("method", NONE, Type::Meth, RequestKept, method),
    fetch("path", NONE, Type::Str, Request, |_, cx, _| part(cx, path)),
    fetch("pathq", NONE, Type::Str, Request, |_, cx, _| {
        part(cx, path_and_query)
    }),
    fetch("query", spec(0, &[Str]), Type::Str, Request, query),
    fetch("url", NONE, Type::Str, Request, |_, cx, _| {
        part(cx, |head| Some(head.target()))
    }),
    fetch("url_ip", NONE, Type::Ipv4, Request, url_ip),
    fetch("url_port", NONE, Type::Sint, Request, url_port),
    fetch("base", NONE, Type::Str, Request, |_, cx, _| owned(cx, base)),
    fetch("baseq", NONE, Type::Str, Request, |_, cx, _| {
        owned(cx, base_and_query)
    }),
    fetch("base32", NONE, Type::Sint, Request, |_, cx, _| {
        hashed(cx, base)
    }),
    fetch("url32", NONE, Type::Sint, Request, |_, cx, _| {
        hashed(cx, base_and_query)
    }),
    fetch("base32+src", NONE, Type::Bin, Request, |_, cx, _| {
        hashed_with_src(cx, base)
    }),
    fetch("url32+src", NONE, Type::Bin, Request, |_, cx, _| {
        hashed_with_src(cx, base_and_query)
    }),
    fetch("urlp", spec(0, &[Str, Str, Str]), Type::Str, Request, urlp),
    fetch(
        "url_param",
        spec(0, &[Str, Str, Str]),
        Type::Str,
        Request,
        urlp,
    ),
    fetch(
        "urlp_val",
        spec(0, &[Str, Str, Str]),
        Type::Sint,
        Request,
        urlp_val,
    ),
    fetch("req.ver", NONE, Type::Str, RequestKept, version),
    fetch("req_ver", NONE, Type::Str, RequestKept, version),
    fetch("req.proto_http", NONE, Type::Bool, Request, |_, cx, _| {
        is_http(cx)
    }),
    fetch("req_proto_http", NONE, Type::Bool, Request, |_, cx, _| {
        is_http(cx)
    }),
    fetch(
        "http_first_req",
        NONE,
        Type::Bool,
        RequestKept,
        |_, cx, _| Fetched::Value(Value::Bool(cx.stream.first_request)),
    ),
    fetch(
        "http_auth",
        spec(1, &[Userlist]),
        Type::Bool,
        Request,
        http_auth,
    ),
    fetch(
        "http_auth_group",
        spec(1, &[Userlist]),
        Type::Str,
        Request,
        http_auth_group,
    ),
    fetch("http_auth_user", NONE, Type::Str, Request, |_, cx, _| {
        credential(cx, |c| c.user)
    }),
    fetch("http_auth_pass", NONE, Type::Str, Request, |_, cx, _| {
        credential(cx, |c| c.password)
    }),
    fetch("http_auth_type", NONE, Type::Str, Request, http_auth_type),
    fetch(
        "http_auth_bearer",
        spec(0, &[Str]),
        Type::Str,
        Request,
        http_auth_bearer,
    ),
    fetch(
        "capture.req.hdr",
        spec(1, &[Int]),
        Type::Str,
        RequestKept,
        capture_req_hdr,
    ),
    fetch(
        "capture.req.method",
        NONE,
        Type::Str,
        RequestKept,
        |_, cx, _| line_word(cx, 0),
    ),
    fetch(
        "capture.req.uri",
        NONE,
        Type::Str,
        RequestKept,
        captured_uri,
    ),
    fetch(
        "capture.req.ver",
        NONE,
        Type::Str,
        RequestKept,
        |_, cx, _| line_version(cx),
    ),
    fetch("unique-id", NONE, Type::Str, RequestKept, |_, cx, _| {
        let id = cx.unique_id();
        (!id.is_empty()).then(|| Value::str(id)).into()
    }),
];

fn part<'a>(cx: &Cx<'a>, read: impl FnOnce(&'a Head) -> Option<&'a [u8]>) -> Fetched<'a> {
    match cx.request {
        Some(head) => read(head).map(Value::str).into(),
        None => Fetched::NotYet,
    }
}

fn owned<'a>(cx: &Cx<'a>, make: fn(&Head) -> Vec<u8>) -> Fetched<'a> {
    match cx.request {
        Some(head) => Fetched::Value(Value::text(make(head))),
        None => Fetched::NotYet,
    }
}

fn method<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    match cx.request {
        Some(head) => Fetched::Value(Value::Meth(Cow::Borrowed(head.method()))),
        None if cx.stream.request_line.is_empty() => Fetched::NotYet,
        None => line_word(cx, 0),
    }
}

fn path(head: &Head) -> Option<&[u8]> {
    let target = head.target_parts();
    match target.form {
        TargetForm::Origin | TargetForm::Absolute => Some(target.path()).filter(|p| !p.is_empty()),
        TargetForm::Authority | TargetForm::Asterisk => None,
    }
}

fn path_and_query(head: &Head) -> Option<&[u8]> {
    path(head).map(|_| head.path_and_query())
}

fn query<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let with_mark = args.text(0) == Some(b"with_qm");
    part(cx, |head| {
        let query = head.query()?;
        if !with_mark {
            return Some(query);
        }
        let target = head.target();
        target.get(target.len() - query.len() - 1..)
    })
}

fn authority_of<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    Some(cx.request?.target_parts().host_and_port()).filter(|text| !text.is_empty())
}

fn url_ip<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    authority_of(cx)
        .and_then(super::header::parse_address)
        .and_then(to_v4)
        .map(Value::Ipv4)
        .into()
}

fn url_port<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    authority_of(cx)
        .and_then(|text| memchr::memrchr(b':', text).map(|colon| leading_int(&text[colon + 1..])))
        .map(Value::Sint)
        .into()
}

/// The first `Host` and the path (manual, `base`).
fn base(head: &Head) -> Vec<u8> {
    let mut text = head.first_known(Known::Host).unwrap_or_default().to_vec();
    text.extend_from_slice(path(head).unwrap_or_default());
    text
}

fn base_and_query(head: &Head) -> Vec<u8> {
    let mut text = head.first_known(Known::Host).unwrap_or_default().to_vec();
    text.extend_from_slice(path_and_query(head).unwrap_or_default());
    text
}

fn hash32(text: &[u8]) -> u32 {
    avalanche(sdbm(text))
}

fn hashed<'a>(cx: &Cx<'a>, make: fn(&Head) -> Vec<u8>) -> Fetched<'a> {
    match cx.request {
        Some(head) => Fetched::Value(Value::Sint(i64::from(hash32(&make(head))))),
        None => Fetched::NotYet,
    }
}

/// The hash's four bytes, then the 4 or 16 of the client's address.
fn hashed_with_src<'a>(cx: &Cx<'a>, make: fn(&Head) -> Vec<u8>) -> Fetched<'a> {
    let Some(head) = cx.request else {
        return Fetched::NotYet;
    };
    let mut data = hash32(&make(head)).to_be_bytes().to_vec();
    match cx.src().map(|address| address.ip()) {
        Some(IpAddr::V4(v4)) => data.extend_from_slice(&v4.octets()),
        Some(IpAddr::V6(v6)) => data.extend_from_slice(&v6.octets()),
        None => return Fetched::Absent,
    }
    Fetched::Value(Value::Bin(data.into()))
}

/// The value of a query parameter; `urlp(name,delimiter,i)`, where `i` ignores the name's case.
fn urlp<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    let Some(head) = cx.request else {
        return Fetched::NotYet;
    };
    let name = args.text(0).filter(|name| !name.is_empty());
    let mark = args
        .text(1)
        .and_then(|d| d.first().copied())
        .unwrap_or(b'?');
    let ignore_case = args.text(2).is_some_and(|flag| flag == b"i");
    let target = head.target();
    let start = memchr::memchr(mark, target).map_or(target.len(), |at| at + 1);
    let mut found = parameters(&target[start..], mark)
        .filter(|(own, _)| match name {
            Some(name) if ignore_case => own.eq_ignore_ascii_case(name),
            Some(name) => *own == name,
            None => true,
        })
        .map(|(_, value)| value);
    if !walk.each {
        return found.next().map(Value::str).into();
    }
    let value = found.nth(walk.offset);
    walk.offset += 1;
    walk.more = value.is_some();
    value.map(Value::str).into()
}

/// `name=value` pairs of a query or form; a name without `=` has an empty value.
pub(super) fn parameters(text: &[u8], separator: u8) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(move |&b| b == separator || b == b'&' || b == b';')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match memchr::memchr(b'=', pair) {
            Some(equals) => (&pair[..equals], &pair[equals + 1..]),
            None => (pair, &pair[pair.len()..]),
        })
}

fn urlp_val<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    match urlp(args, cx, walk) {
        Fetched::Value(value) => value.cast(Type::Sint).into(),
        other => other,
    }
}

fn version<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    match cx.request {
        Some(head) => Fetched::Value(Value::str(version_text(head.version()))),
        None => match line_version(cx) {
            Fetched::Value(Value::Str(Cow::Borrowed(text))) => {
                text.strip_prefix(b"HTTP/").map(Value::str).into()
            }
            other => other,
        },
    }
}

/// `1.1` and the like.
pub(super) fn version_text(version: wire::Version) -> &'static [u8] {
    match (version.major, version.minor) {
        (0, _) => b"0.9",
        (1, 0) => b"1.0",
        (2, _) => b"2.0",
        (3, _) => b"3.0",
        _ => b"1.1",
    }
}

fn is_http<'a>(cx: &Cx<'a>) -> Fetched<'a> {
    match cx.request {
        Some(_) => Fetched::Value(Value::Bool(true)),
        None => Fetched::NotYet,
    }
}

/// Where the client says who it is.
fn credentials_field(cx: &Cx<'_>) -> Known {
    if cx.is_proxied() {
        Known::ProxyAuthorization
    } else {
        Known::Authorization
    }
}

fn http_auth<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let Some(head) = cx.request else {
        return Fetched::NotYet;
    };
    let allowed = args.userlist(0).is_some_and(|list| {
        basic_credentials(head, credentials_field(cx))
            .is_some_and(|c| list.check(&c.user, &c.password))
    });
    Fetched::Value(Value::Bool(allowed))
}

/// The user's groups one after another, if the password is right; matched against group names.
fn http_auth_group<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    let (Some(head), Some(list)) = (cx.request, args.userlist(0)) else {
        return Fetched::Absent;
    };
    let Some(credentials) = basic_credentials(head, credentials_field(cx)) else {
        return Fetched::Absent;
    };
    if !list.check(&credentials.user, &credentials.password) {
        return Fetched::Absent;
    }
    if !walk.each {
        // As a value it is the user's name; only an ACL looks at groups.
        return Fetched::Value(Value::text(credentials.user));
    }
    let group = list.groups(&credentials.user).nth(walk.offset);
    walk.offset += 1;
    walk.more = group.is_some();
    group.map(|name| Value::str(name.as_bytes())).into()
}

fn credential<'a>(cx: &Cx<'a>, pick: fn(crate::rules::Credentials) -> Vec<u8>) -> Fetched<'a> {
    cx.request
        .and_then(|head| basic_credentials(head, credentials_field(cx)))
        .map(|c| Value::text(pick(c)))
        .into()
}

fn http_auth_type<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let Some(head) = cx.request else {
        return Fetched::NotYet;
    };
    if basic_credentials(head, credentials_field(cx)).is_some() {
        return Fetched::Value(Value::str(b"Basic"));
    }
    // Only the two schemes that can be understood have a type.
    let line = head.first_known(credentials_field(cx));
    let is_bearer = line
        .and_then(|line| line.get(..7))
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
    is_bearer.then(|| Value::str(b"Bearer")).into()
}

fn http_auth_bearer<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let Some(head) = cx.request else {
        return Fetched::NotYet;
    };
    let line = match args.text(0) {
        Some(name) => {
            let name = name.to_ascii_lowercase();
            head.fields()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| value)
        }
        None => head.first_known(credentials_field(cx)),
    };
    line.and_then(|line| {
        let space = memchr::memchr(b' ', line)?;
        line[..space]
            .eq_ignore_ascii_case(b"bearer")
            .then(|| Value::str(line[space..].trim_ascii()))
    })
    .into()
}

fn capture_req_hdr<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let id = args.int(0).and_then(|id| usize::try_from(id).ok());
    id.and_then(|id| cx.capture(false, id)).into()
}

/// The URI as it was received, from its first slash on: without scheme and authority.
fn captured_uri<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let Fetched::Value(Value::Str(Cow::Borrowed(uri))) = line_word(cx, 1) else {
        return Fetched::Absent;
    };
    let authority = memchr::memmem::find(uri, b"://").map_or(0, |at| at + 3);
    let slash = memchr::memchr(b'/', &uri[authority..]);
    let path = slash.map_or(uri.len(), |at| authority + at);
    Fetched::Value(Value::str(&uri[path..]))
}

/// A word of the request line as it was received.
fn line_word<'a>(cx: &Cx<'a>, index: usize) -> Fetched<'a> {
    let line = &cx.stream.request_line;
    if line.is_empty() {
        return Fetched::Absent;
    }
    line.split(|&b| b == b' ').nth(index).map(Value::str).into()
}

/// HTTP/1.0 or HTTP/1.1: whatever the client said, the messages are one of the two.
fn line_version<'a>(cx: &Cx<'a>) -> Fetched<'a> {
    match line_word(cx, 2) {
        Fetched::Value(Value::Str(text)) if text.ends_with(b"/1.0") => {
            Fetched::Value(Value::str(b"HTTP/1.0"))
        }
        Fetched::Value(_) => Fetched::Value(Value::str(b"HTTP/1.1")),
        other => other,
    }
}
