//! Requests: what is accepted, normalised, refused.

use crate::Head;
use crate::h1::*;

/// Parses one request; tells it as it would be sent on, or the status that refuses it.
fn request(raw: &[u8]) -> Result<(String, Framing), u16> {
    let mut head = Head::new();
    match HeadParser::new().request(raw, &Limits::default(), &mut head) {
        Ok(Parse::Complete { framing, .. }) => {
            let mut out = Vec::new();
            write_request(&head, ConnectionOut::KEEP_ALIVE, &mut out);
            Ok((out.escape_ascii().to_string(), framing))
        }
        Ok(Parse::Partial) => panic!("incomplete: {}", raw.escape_ascii()),
        Err(error) => Err(error.request_status()),
    }
}

/// The same for a request line with fields, given without their ends.
fn with_fields(line: &str, fields: &[&str]) -> Result<(String, Framing), u16> {
    request(format!("{line}\r\n{}\r\n", lines(fields)).as_bytes())
}

fn lines(fields: &[&str]) -> String {
    fields
        .iter()
        .fold(String::new(), |text, field| text + field + "\r\n")
}

/// Asserts that the fields sent on are `sent`.
#[track_caller]
fn forwards(line: &str, fields: &[&str], sent_line: &str, sent: &[&str]) -> Framing {
    let (text, framing) = with_fields(line, fields).expect("accepted");
    let want = format!("{sent_line}\r\n{}\r\n", lines(sent));
    assert_eq!(
        text,
        want.as_bytes().escape_ascii().to_string(),
        "{line} {fields:?}"
    );
    framing
}

const GET: &str = "GET / HTTP/1.1";
const POST: &str = "POST / HTTP/1.1";

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
        ("CONNECT a:22 HTTP/1.1", &["Host: b:22"]),
        ("CONNECT a:80 HTTP/1.1", &["Host: a:443"]),
    ] {
        assert_eq!(with_fields(line, fields), Err(400), "{line} {fields:?}");
    }
}

#[test]
fn one_content_length() {
    for value in [
        "3",
        "03",
        "3, 3",
        "3,3,3",
        "3 ,\t3",
        "0000000000000000000000000000003",
    ] {
        let field = format!("Content-Length: {value}");
        let framing = forwards(POST, &[&field], POST, &["content-length: 3"]);
        assert_eq!(framing.body, BodyLength::Length(3));
    }
    let twice = ["Content-Length: 3", "X: y", "Content-Length: 3"];
    forwards(POST, &twice, POST, &["content-length: 3", "x: y"]);
    let zero = forwards(POST, &["Content-Length: 0"], POST, &["content-length: 0"]);
    assert_eq!(zero.body, BodyLength::None);
    let most = format!("content-length: {}", u64::MAX);
    assert_eq!(
        forwards(POST, &[&most], POST, &[&most]).body,
        BodyLength::Length(u64::MAX)
    );
    for value in [
        "",
        "+3",
        "-3",
        "3,",
        ",3",
        "3, ,3",
        "3 3",
        "3,4",
        "0x3",
        "3;a",
        "1\r\n 0",
        "18446744073709551616",
    ] {
        let field = format!("Content-Length: {value}");
        assert_eq!(with_fields(POST, &[&field]), Err(400), "{value:?}");
    }
    assert_eq!(
        with_fields(POST, &["Content-Length: 3", "Content-Length: 4"]),
        Err(400)
    );
}

#[test]
fn transfer_codings() {
    let te = |value: &str| with_fields(POST, &[&format!("Transfer-Encoding: {value}")]);
    for value in ["chunked", "Chunked", "\r\n chunked"] {
        let (text, framing) = te(value).expect("accepted");
        assert_eq!(
            text,
            r"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        assert_eq!(
            (framing.body, framing.keep_alive),
            (BodyLength::Chunked, true)
        );
    }
    for value in [
        "",
        ",",
        "identity",
        "gzip",
        "chunked,chunked",
        "chunked, gzip",
        ", chunked",
        "chunked,",
        "chunked;a=b",
        "\"chunked\"",
        "xchunked",
        "chunked x",
        "\u{b}chunked",
        "chunked\u{b}",
    ] {
        assert_eq!(te(value), Err(400), "{value:?}");
    }
    for value in [
        "gzip, chunked",
        "identity, chunked",
        "gzip\r\nTransfer-Encoding: chunked",
    ] {
        assert_eq!(te(value), Err(422), "{value:?}");
    }
    assert_eq!(te("chunked\r\nTransfer-Encoding: chunked"), Err(400));
}

#[test]
fn doubtful_framing_is_served_and_ends_the_connection() {
    let both = [
        "Content-Length: 13",
        "Transfer-Encoding: chunked",
        "Connection: keep-alive",
    ];
    let framing = forwards(POST, &both, POST, &["transfer-encoding: chunked"]);
    assert_eq!(
        (framing.body, framing.keep_alive),
        (BodyLength::Chunked, false)
    );

    let line = "POST / HTTP/1.0";
    let old = ["Transfer-Encoding: chunked", "Connection: keep-alive"];
    let framing = forwards(line, &old, line, &["transfer-encoding: chunked"]);
    assert_eq!(
        (framing.body, framing.keep_alive),
        (BodyLength::Chunked, false)
    );

    let invalid = ["Content-Length: x", "Transfer-Encoding: chunked"];
    assert_eq!(with_fields(POST, &invalid), Err(400));
}

#[test]
fn bodies_by_method() {
    for method in ["GET", "HEAD", "DELETE"] {
        let line = |version| format!("{method} / HTTP/{version}");
        assert_eq!(
            with_fields(&line("1.0"), &["Content-Length: 3"]).map(|_| ()),
            Err(413)
        );
        let (_, framing) = with_fields(&line("1.1"), &["Content-Length: 3"]).expect("accepted");
        assert_eq!(framing.body, BodyLength::Length(3));
    }
    let (_, framing) = with_fields(POST, &["Expect: 100-Continue"]).expect("accepted");
    assert!(framing.expect_continue && framing.keep_alive);
    assert_eq!(framing.body, BodyLength::None);
    let connect = "CONNECT a:80 HTTP/1.1";
    let framing = forwards(connect, &["Content-Length: 3"], connect, &[]);
    assert_eq!(
        (framing.body, framing.switch),
        (BodyLength::None, Some(Switch::Connect))
    );
}

#[test]
fn connection_tokens() {
    for (value, sent, keep_alive) in [
        ("keep-alive", None, true),
        ("Close", None, false),
        ("keep-alive, close", None, false),
        ("x-foo", Some("x-foo"), true),
        ("x-foo, close", Some("x-foo"), false),
        (" Keep-Alive,Foo, Bar", Some("Foo, Bar"), true),
        ("x-a , x-b", Some("x-a , x-b"), true),
        ("x-foo,,x-bar", Some("x-foo,,x-bar"), true),
        ("", None, true),
        (",", None, true),
        ("upgrade", None, true),
        ("TE", Some("TE"), true),
    ] {
        let sent = sent.map(|sent| format!("connection: {sent}"));
        let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
        let framing = forwards(GET, &[&format!("Connection: {value}")], GET, &sent);
        assert_eq!(framing.keep_alive, keep_alive, "{value}");
    }
    let old = "GET / HTTP/1.0";
    assert!(!forwards(old, &[], old, &["connection: keep-alive"]).keep_alive);
    let asked = forwards(
        old,
        &["Connection: keep-alive"],
        old,
        &["connection: keep-alive"],
    );
    assert!(asked.keep_alive);
}

#[test]
fn upgrades() {
    let upgrade = |fields: &[&str], sent: &[&str]| forwards(GET, fields, GET, sent).switch;
    let token = "Connection: upgrade";
    assert_eq!(
        upgrade(
            &[token, "Upgrade: foo"],
            &["connection: upgrade", "upgrade: foo"]
        ),
        Some(Switch::Other)
    );
    assert_eq!(upgrade(&["Upgrade: foo"], &[]), None);
    assert_eq!(upgrade(&[token, "Upgrade: h2c"], &[]), None);
    assert_eq!(
        upgrade(
            &["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c, foo"],
            &["connection: Upgrade, HTTP2-Settings", "upgrade: foo"]
        ),
        Some(Switch::Other)
    );
    assert_eq!(
        upgrade(
            &["Connection: upgrade, HTTP2-Settings"],
            &["connection: HTTP2-Settings"]
        ),
        None
    );
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let (_, framing) = with_fields(GET, &[token, "Upgrade: WebSocket", key]).expect("accepted");
    assert_eq!(framing.switch, Some(Switch::Websocket));
    assert_eq!(with_fields(GET, &[token, "Upgrade: websocket"]), Err(400));
    assert_eq!(
        with_fields(GET, &[token, "Upgrade: websocket", "Sec-WebSocket-Key: a"]),
        Err(400)
    );

    forwards(GET, &["TE: gzip, trailers"], GET, &["te: trailers"]);
    forwards(GET, &["TE: gzip"], GET, &[]);
    forwards(
        GET,
        &["Keep-Alive: 5", "Proxy-Connection: close"],
        GET,
        &["keep-alive: 5", "proxy-connection: close"],
    );
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
