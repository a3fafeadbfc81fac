//! Predefined ACLs (manual, 7.4).

use cfgparse::model::Place;
use cfgparse::model::expr::{AclExpr, Call, MatchMethod, Pattern, SampleExpr};

struct Row {
    name: &'static str,
    fetch: &'static str,
    args: &'static [&'static str],
    method: MatchMethod,
    patterns: &'static [&'static str],
}

const fn row(
    name: &'static str,
    fetch: &'static str,
    args: &'static [&'static str],
    method: MatchMethod,
    patterns: &'static [&'static str],
) -> Row {
    Row {
        name,
        fetch,
        args,
        method,
        patterns,
    }
}

use MatchMethod::{Beg, Bool, Int, Ip, Reg, Str};

static ROWS: &[Row] = &[
    row("FALSE", "always_false", &[], Bool, &[]),
    row("HTTP", "req.proto_http", &[], Bool, &[]),
    row("HTTP_1.0", "req.ver", &[], Str, &["1.0"]),
    row("HTTP_1.1", "req.ver", &[], Str, &["1.1"]),
    row("HTTP_2.0", "req.ver", &[], Str, &["2.0"]),
    row("HTTP_3.0", "req.ver", &[], Str, &["3.0"]),
    row(
        "HTTP_CONTENT",
        "req.hdr_val",
        &["content-length"],
        Int,
        &["gt", "0"],
    ),
    row("HTTP_URL_ABS", "url", &[], Reg, &["^[^/:]*://"]),
    row("HTTP_URL_SLASH", "url", &[], Beg, &["/"]),
    row("HTTP_URL_STAR", "url", &[], Str, &["*"]),
    row("LOCALHOST", "src", &[], Ip, &["127.0.0.1/8", "::1"]),
    row("METH_CONNECT", "method", &[], Str, &["CONNECT"]),
    row("METH_DELETE", "method", &[], Str, &["DELETE"]),
    row("METH_GET", "method", &[], Str, &["GET", "HEAD"]),
    row("METH_HEAD", "method", &[], Str, &["HEAD"]),
    row("METH_OPTIONS", "method", &[], Str, &["OPTIONS"]),
    row("METH_POST", "method", &[], Str, &["POST"]),
    row("METH_PUT", "method", &[], Str, &["PUT"]),
    row("METH_TRACE", "method", &[], Str, &["TRACE"]),
    row("RDP_COOKIE", "req.rdp_cookie_cnt", &[], Int, &["gt", "0"]),
    row("REQ_CONTENT", "req.len", &[], Int, &["gt", "0"]),
    row("TRUE", "always_true", &[], Bool, &[]),
    row("WAIT_END", "wait_end", &[], Bool, &[]),
];

/// The test that `name` stands for.
pub fn find(name: &str) -> Option<AclExpr> {
    let row = ROWS.iter().find(|row| row.name == name)?;
    let at = Place::default();
    Some(AclExpr {
        sample: SampleExpr {
            fetch: Call {
                name: row.fetch.to_owned(),
                args: row.args.iter().map(|&arg| arg.to_owned()).collect(),
                at,
            },
            converters: Vec::new(),
            text: row.fetch.to_owned(),
        },
        method: row.method,
        ignore_case: false,
        no_dns: false,
        unique_id: None,
        as_map: false,
        patterns: row
            .patterns
            .iter()
            .map(|&text| Pattern {
                text: text.to_owned(),
                at,
            })
            .collect(),
        files: Vec::new(),
        at,
    })
}
