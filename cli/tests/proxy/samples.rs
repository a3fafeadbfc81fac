//! Fetches and converters in rules on requests and responses, row by row.
//!
//! A row is `EXPRESSION => VALUE`, the value as text, or in hexadecimal behind `0x` where it is not
//! printable, or nothing where there is no value. Most are examples of the manual's section 7.3 with
//! their relatives; all hold for the reference as well.

use crate::harness::{Client, Message, Origin, Proxy};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const ON_REQUESTS: &str = include_str!("samples/request.txt");
const ON_RESPONSES: &str = include_str!("samples/response.txt");

/// Rows of one section: what they show fits the head of a response.
const ROWS: usize = 20;

const REQUEST: &str = "POST /dir/pa%20th?a=1&b=2&c=&x.y=z;a=9&e HTTP/1.1\r
Host: www.Example.com:8080\r
X-Json: {\"a\":\"x\",\"b\":{\"c\":\"y\",\"d\":[1,\"two\"]},\"f\":12.7,\"s\":\"str\",\"t\":true,\"n\":null,\"big\":12345678901234,\"esc\":\"q\\\"u\\n\",\"fl\":1.0e3,\"iss\":-5}\r
X-JWT: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\r
X-List: a, b ,\"c,d\"\r
X-List: e\r
X-Ip: 10.0.0.1, 10.0.0.2:80\r
X-Ip6: [::1]:90\r
X-Num: 12abc\r
X-Empty:\r
X-Date: Tue, 1 Jan\r
X-Auth: Bearer tok1\r
Authorization: Basic Ym9iOnB3\r
Cookie: c1=v1; c2=22; c1=again; c3\r
Content-Type: application/x-www-form-urlencoded\r
Content-Length: 19\r
\r
a=1&b=two%20x&A=cap";

const RESPONSE: &str = "HTTP/1.1 203 Non-Authoritative Information\r
x: v1, v2\r
x: v3\r
Set-Cookie: a=1; path=/\r
set-cookie: b=2; Secure\r
Content-Length: 10\r
\r
key=1&body";

/// What the rows refer to, in front of them in every section.
const VARIABLES: &str = "
    acl isget method GET
    declare capture request len 20
    capture request header x-num len 20
    capture response header x len 20
    unique-id-format %ci-fix
    http-request set-var(txn.n) int(3)
    http-request set-var(txn.s) str(value)
    http-request set-var(txn.k) str(a2V5)
    http-request set-var(txn.iv) str(MDEyMzQ1Njc4OTAx)
    http-request set-var(txn.iv16) str(MDEyMzQ1Njc4OTAxMjM0NQ==)
    http-request set-var(txn.key16) str(MDEyMzQ1Njc4OTAxMjM0NQ==)
    http-request set-var(txn.key32) str(MDEyMzQ1Njc4OTAxMjM0NTAxMjM0NTY3ODkwMTIzNDU=)
    http-request set-var(txn.alg) str(HS256)
    http-request set-var(txn.sec) str(your-256-bit-secret)
    http-request set-var(txn.j) req.hdr(x-json)
    http-request set-var(txn.jwt) req.hdr(x-jwt)
";

const MAPS: &[(&str, &str)] = &[
    ("m.map", "a va\nb vb with blanks\nab vab\n"),
    ("mi.map", "a 5\nb -7\n"),
    ("ip.map", "10.0.0.0/8 eight\n10.1.0.0/16 sixteen\n"),
    ("int.map", "1 one\n10:20 tens\n"),
    ("reg.map", "^x([0-9]+)y$ got-\\1-\\0\n^A(.)C$ abc-\\1\n"),
    ("sip.map", "a 1.2.3.4\nb ::1\n"),
];

fn rows(table: &str) -> Vec<(&str, &str)> {
    let rows = table.lines().filter_map(|line| line.split_once(" =>"));
    rows.map(|(expr, value)| (expr, value.trim())).collect()
}

/// A section for each group of rows, which keeps their values in variables and tells them in its
/// answer, as text and as bytes.
fn config(rule: &str, groups: &[&[(&str, &str)]], directory: &Path, origin: &Origin) -> String {
    let server = format!("server s1 {} weight 7 maxconn 10", origin.address);
    let mut text = format!(
        "
    tune.bufsize 65536
userlist ul
    group g1 users bob,al
    group g2 users bob
    user bob insecure-password pw
    user al insecure-password x
defaults
    mode http
    timeout client 5s
    timeout server 4s
    timeout connect 3s
    timeout tarpit 7s
    timeout queue 6s
    timeout tunnel 8s
    option http-buffer-request
backend tab
    stick-table type ip size 10 store gpc0,conn_cnt
backend nb
backend be
    {server}
"
    );
    let folder = format!("{}/", directory.display());
    for (number, group) in groups.iter().enumerate() {
        let name = if number == 0 {
            "f".to_owned()
        } else {
            format!("f{number}")
        };
        let _ = write!(
            text,
            "listen {name}\n    bind unix@{folder}{number}.sock name lst id 9{VARIABLES}"
        );
        for (row, (expr, _)) in group.iter().enumerate() {
            let expr = expr.replace("MAPS/", &folder);
            let _ = writeln!(text, "    {rule} set-var(txn.x{row}) {expr}");
        }
        for row in 0..group.len() {
            let _ = writeln!(
                text,
                "    http-after-response set-header t{row} \"<%[var(txn.x{row})]>\"
    http-after-response set-header h{row} %[var(txn.x{row}),hex]"
            );
        }
        if rule == "http-request" {
            let _ = writeln!(text, "    http-request return status 203");
        }
        let _ = writeln!(text, "    {server}");
    }
    text
}

fn check(rule: &str, table: &str) {
    let rows = rows(table);
    let groups: Vec<_> = rows.chunks(ROWS).collect();
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in MAPS {
        fs::write(directory.path().join(name), text).expect("a map");
    }
    let origin = Origin::answering(|_| RESPONSE.to_owned());
    let proxy = Proxy::start(1, &config(rule, &groups, directory.path(), &origin));
    let mut wrong = String::new();
    for (number, group) in groups.iter().enumerate() {
        let socket = directory.path().join(format!("{number}.sock"));
        let answer = Client::connect_unix(&socket).send(REQUEST).response();
        assert_eq!(answer.status(), 203, "{}", proxy.output());
        for (row, (expr, expected)) in group.iter().enumerate() {
            let found = shown(&answer, row, expected.starts_with("0x"));
            if found != *expected {
                let _ = writeln!(wrong, "{expr}: {found} instead of {expected}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The value of a row.
fn shown(answer: &Message, row: usize, in_hex: bool) -> String {
    if in_hex {
        return format!(
            "0x{}",
            answer.header(&format!("h{row}")).unwrap_or_default()
        );
    }
    let text = answer.header(&format!("t{row}")).unwrap_or_default();
    let text = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    text.unwrap_or_default().to_owned()
}

#[test]
fn on_requests() {
    check("http-request", ON_REQUESTS);
}

#[test]
fn on_responses() {
    check("http-response", ON_RESPONSES);
}
