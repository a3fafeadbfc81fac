//! Request lines, fields, hosts and limits.

use super::{GET, forwards, request, with_fields};
use crate::Head;
use crate::h1::*;

#[test]
fn request_lines_that_are_accepted() {
    for (raw, sent) in [
        (
            &b"GET / HTTP/1.1\nHost: a\n\n"[..],
            r"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        (b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", r"GET / HTTP/1.1\r\n\r\n"),
        (b"\n\nGET / HTTP/1.1\r\n\n", r"GET / HTTP/1.1\r\n\r\n"),
        (b"GET   /a   HTTP/1.1\r\n\r\n", r"GET /a HTTP/1.1\r\n\r\n"),
        (b"GET\t/a\tHTTP/1.1\r\n\r\n", r"GET /a HTTP/1.1\r\n\r\n"),
        (
            b"get /a\"<>\\^`{|} HTTP/1.1\r\n\r\n",
            r#"get /a\"<>\\^`{|} HTTP/1.1\r\n\r\n"#,
        ),
        (
            b"G!#$%&*+-.^_`|~0 / HTTP/1.2\r\n\r\n",
            r"G!#$%&*+-.^_`|~0 / HTTP/1.1\r\n\r\n",
        ),
        (
            b"GET //a/../b HTTP/2.0\r\n\r\n",
            r"GET //a/../b HTTP/1.1\r\n\r\n",
        ),
        (
            b"GET / HTTP/1.0\r\n\r\n",
            r"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        ),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", r"OPTIONS * HTTP/1.1\r\n\r\n"),
        (
            b"M-SEARCH * HTTP/1.1\r\n\r\n",
            r"M-SEARCH * HTTP/1.1\r\n\r\n",
        ),
    ] {
        let sent_on = request(raw).map(|(text, _)| text);
        assert_eq!(sent_on.as_deref(), Ok(sent), "{}", raw.escape_ascii());
    }
}

#[test]
fn request_lines_that_are_refused() {
    for raw in [
        "GET /",
        "GET / ",
        "GET",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1 x",
        "GET / HTTP/1.10",
        "GET / HTTP/01.1",
        "GET / HTTP/11",
        "GET / HTTP/1.",
        "GET / http/1.1",
        "GET / RTSP/1.0",
        " GET / HTTP/1.1",
        "G@T / HTTP/1.1",
        "G:T / HTTP/1.1",
        "GET /#a HTTP/1.1",
        "GET /\u{e9} HTTP/1.1",
        "GET /a\u{1}b HTTP/1.1",
        "GET /a\u{7f} HTTP/1.1",
        "GET a HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET foo:bar HTTP/1.1",
        "GET 1http://a/ HTTP/1.1",
        "GET * HTTP/1.1",
        "PRI * HTTP/2.0",
        "OPTIONS *x HTTP/1.1",
        "CONNECT / HTTP/1.1",
        "CONNECT a HTTP/1.1",
        "CONNECT a:x HTTP/1.1",
        "CONNECT http://a/ HTTP/1.1",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1\rX: y",
        "GET / HTTP/1.1\0",
    ] {
        assert_eq!(with_fields(raw, &[]), Err(400), "{}", raw.escape_debug());
    }
}

#[test]
fn field_lines() {
    let sent = |field: &str| with_fields(GET, &[field]).map(|(text, _)| text);
    let whole = |field: &str| Ok(format!(r"GET / HTTP/1.1\r\n{field}\r\n\r\n"));
    assert_eq!(sent("X-Y_z.1!#$%&*+^`|~:a"), whole("x-y_z.1!#$%&*+^`|~: a"));
    assert_eq!(sent("X: \t a b \t "), whole("x: a b"));
    assert_eq!(sent("X:"), whole("x: "));
    assert_eq!(sent("X: a\u{1}\u{7f}"), whole(r"x: a\x01\x7f"));
    // obs-fold, RFC 9112 section 5.2: the line end becomes spaces.
    assert_eq!(sent("X: a\r\n b\r\n\tc"), whole(r"x: a   b  \tc"));
    assert_eq!(sent("X: a\n b"), whole("x: a  b"));
    assert_eq!(sent("X:\r\n b"), whole("x: b"));
    assert_eq!(sent("X: a\r\n \r\nY: b"), whole(r"x: a\r\ny: b"));
    for field in [
        "X : a",
        "X y: a",
        ": a",
        "X",
        " X: a",
        "X@: a",
        "X\u{e9}: a",
        "X(: a",
        "X\"{}: a",
        "X: a\0",
        "X: a\rb",
        "X: a\r",
        "\rX: a",
    ] {
        assert_eq!(sent(field), Err(400), "{}", field.escape_debug());
    }
    let named = |length: usize| sent(&format!("{}: a", "n".repeat(length))).map(|_| ());
    assert_eq!((named(255), named(256)), (Ok(()), Err(400)));
}

#[test]
fn host_and_target_agree() {
    for (line, host, sent_line, sent_host) in [
        (GET, "a:80", GET, "a:80"),
        (GET, "[::1]:8080", GET, "[::1]:8080"),
        (GET, "", GET, ""),
        (
            "GET http://a/x HTTP/1.1",
            "A",
            "GET http://a/x HTTP/1.1",
            "A",
        ),
        (
            "GET http://a:80/x HTTP/1.1",
            "a",
            "GET http://a/x HTTP/1.1",
            "a",
        ),
        (
            "GET http://a/x HTTP/1.1",
            "a:80",
            "GET http://a/x HTTP/1.1",
            "a:80",
        ),
        (
            "GET http://a:80/x HTTP/1.1",
            "a:80",
            "GET http://a/x HTTP/1.1",
            "a",
        ),
        (
            "GET http://a:/x HTTP/1.1",
            "a",
            "GET http://a/x HTTP/1.1",
            "a",
        ),
        (
            "GET https://a:443/x HTTP/1.1",
            "a",
            "GET https://a/x HTTP/1.1",
            "a",
        ),
        (
            "GET http://u@a/x HTTP/1.1",
            "a",
            "GET http://u@a/x HTTP/1.1",
            "a",
        ),
        ("GET http://a HTTP/1.1", "a", "GET http://a/ HTTP/1.1", "a"),
        (
            "GET http://a?x HTTP/1.1",
            "a",
            "GET http://a?x HTTP/1.1",
            "a",
        ),
        ("CONNECT a:443 HTTP/1.1", "a", "CONNECT a:443 HTTP/1.1", "a"),
        (
            "CONNECT a:80 HTTP/1.1",
            "a:80",
            "CONNECT a:80 HTTP/1.1",
            "a",
        ),
        (
            "CONNECT a:22 HTTP/1.1",
            "a:22",
            "CONNECT a:22 HTTP/1.1",
            "a:22",
        ),
    ] {
        let (field, sent_field) = (format!("Host: {host}"), format!("host: {sent_host}"));
        forwards(line, &[&field], sent_line, &[&sent_field]);
    }
    forwards(
        GET,
        &["Host: a", "X: y", "Host: A"],
        GET,
        &["host: a", "x: y"],
    );
    for (line, fields) in [
        (GET, &["Host: a", "Host: b"][..]),
        (GET, &["Host: a:80", "Host: a"]),
        (GET, &["Host: a b"]),
        (GET, &["Host: a, a"]),
        (GET, &["Host: a/b"]),
        (GET, &["Host: a@b"]),
        (GET, &["Host: a[b]"]),
        (GET, &["Host: [::1"]),
        (GET, &["Host: \u{e9}"]),
        ("GET http://a/x HTTP/1.1", &["Host: b"]),
        ("GET http://a/x HTTP/1.0", &["Host: b"]),
        ("GET https://a/x HTTP/1.1", &["Host: a:80"]),
        ("GET http:///x HTTP/1.1", &["Host: a"]),
        ("GET http://a::/x HTTP/1.1", &["Host: a"]),
        ("GET http://:80/x HTTP/1.1", &["Host: a"]),
        ("CONNECT a:80:80 HTTP/1.1", &["Host: a"]),
        ("CONNECT a:22 HTTP/1.1", &["Host: b:22"]),
        ("CONNECT a:80 HTTP/1.1", &["Host: a:443"]),
    ] {
        assert_eq!(with_fields(line, fields), Err(400), "{line} {fields:?}");
    }
}

#[test]
fn limits_and_their_statuses() {
    let limits = Limits::default();
    let verdict = |raw: &[u8]| HeadParser::new().request(raw, &limits, &mut Head::new());
    let fields = |count: usize| format!("{GET}\r\n{}\r\n", "a: b\r\n".repeat(count));
    assert!(matches!(
        verdict(fields(100).as_bytes()),
        Ok(Parse::Complete { .. })
    ));
    assert_eq!(
        verdict(fields(101).as_bytes()),
        Err(HeadError::TooManyFields)
    );
    assert_eq!(HeadError::TooManyFields.request_status(), 400);

    let uri = |length: usize| format!("GET /{}", "a".repeat(length));
    assert_eq!(verdict(uri(16_000).as_bytes()), Ok(Parse::Partial));
    assert_eq!(
        verdict(uri(16_384).as_bytes()),
        Err(HeadError::TargetTooLong)
    );
    assert_eq!(HeadError::TargetTooLong.request_status(), 414);

    let head = |length: usize| format!("{GET}\r\nX: {}\r\n\r\n", "a".repeat(length - 23));
    assert!(matches!(
        verdict(head(15_360).as_bytes()),
        Ok(Parse::Complete { .. })
    ));
    assert_eq!(
        verdict(head(15_361).as_bytes()),
        Err(HeadError::HeadTooLarge)
    );
    let unfinished = format!("{GET}\r\nX: {}", "a".repeat(16_384));
    assert_eq!(verdict(unfinished.as_bytes()), Err(HeadError::HeadTooLarge));
    assert_eq!(HeadError::HeadTooLarge.request_status(), 431);
}

#[test]
fn what_no_byte_can_mend_is_refused_before_the_line_ends() {
    let verdict = |raw: &[u8]| HeadParser::new().request(raw, &Limits::default(), &mut Head::new());
    for raw in [
        &b"\x16\x03\x01"[..],
        b"G\x01",
        b"GET / HTTP/1.1\r\nHo st",
        b"\r\nGET / HTTP/1.1\r\nA: \0",
    ] {
        assert!(verdict(raw).is_err(), "{}", raw.escape_ascii());
    }
    for raw in [
        &b""[..],
        b"\r",
        b"\r\n",
        b"\r\n\r",
        b"G",
        b"GET",
        b"GET\r",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n\r",
    ] {
        assert_eq!(verdict(raw), Ok(Parse::Partial), "{}", raw.escape_ascii());
    }
}
