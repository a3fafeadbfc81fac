//! Body length and connection of requests.

use super::{GET, POST, forwards, with_fields};
use crate::h1::*;

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
    assert_eq!(
        with_fields(connect, &["Content-Length: 3"]).map(|_| ()),
        Err(400)
    );
    for field in ["Content-Length: 0", "Transfer-Encoding: chunked"] {
        let framing = forwards(connect, &[field], connect, &[]);
        let switch = Some(Switch::Connect);
        assert_eq!((framing.body, framing.switch), (BodyLength::None, switch));
        assert_eq!(framing.keep_alive, field.ends_with('0'));
    }
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
