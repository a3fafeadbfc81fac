//! What `option accept-unsafe-violations-in-http-request` and `-response` let through (manual).

use crate::Head;
use crate::h1::*;

const LENIENT: Limits = Limits {
    head_bytes: 15_360,
    buffer_bytes: 16_384,
    fields: 100,
    body_with_any_method: false,
    lenient: true,
};

fn request(raw: &[u8], limits: &Limits) -> Result<Vec<u8>, HeadError> {
    let mut head = Head::new();
    let parsed = HeadParser::new().request(raw, limits, &mut head)?;
    assert!(matches!(parsed, Parse::Complete { .. }), "{raw:?}");
    let mut text = Vec::new();
    write_request(&head, ConnectionOut::KEEP_ALIVE, &mut text);
    Ok(text)
}

fn response(raw: &[u8], asked: Asked, limits: &Limits) -> Result<(Head, Framing), HeadError> {
    let mut head = Head::new();
    match HeadParser::new().response(raw, limits, asked, &mut head)? {
        Parse::Complete { framing, .. } => Ok((head, framing)),
        Parse::Partial => panic!("{raw:?} is whole"),
    }
}

#[test]
fn requests_that_pass_only_by_the_option() {
    for (raw, sent) in [
        (
            &b"GET /#top HTTP/1.1\r\nhost: a\r\n\r\n"[..],
            &b"GET /#top HTTP/1.1\r\nhost: a\r\n\r\n"[..],
        ),
        (
            b"GET /\xe9 HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET /\xe9 HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n",
            b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n",
        ),
        // The field goes, the request passes.
        (
            b"GET / HTTP/1.1\r\nx y: 1\r\nz\0: 1\r\nw: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nw: 1\r\n\r\n",
        ),
        (
            b"GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n",
            b"GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n",
        ),
        (
            b"CONNECT a HTTP/1.1\r\nhost: b\r\n\r\n",
            b"CONNECT a HTTP/1.1\r\nhost: b\r\n\r\n",
        ),
    ] {
        assert_eq!(
            request(raw, &LENIENT).as_deref(),
            Ok(sent),
            "{}",
            raw.escape_ascii()
        );
        assert!(request(raw, &Limits::default()).is_err());
    }
    let websocket =
        b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    assert!(request(websocket, &LENIENT).is_ok());
    assert!(request(websocket, &Limits::default()).is_err());
}

/// What two readers could frame or route differently stays refused.
#[test]
fn the_option_does_not_open_the_framing() {
    for raw in [
        &b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: x\0, chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\n: empty\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /a\x01b HTTP/1.1\r\n\r\n",
        b"GET relative HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    ] {
        assert!(request(raw, &LENIENT).is_err(), "{}", raw.escape_ascii());
    }
}

#[test]
fn responses_that_pass_only_by_the_option() {
    let asked = Asked::default();
    for raw in [
        &b"HTTP/1.1 1234 Odd\r\ncontent-length: 0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nx y: 1\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: \0\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (head, _) = response(raw, asked, &LENIENT).expect("accepted");
        assert!(!head.contains(b"x y"));
        assert!(response(raw, asked, &Limits::default()).is_err());
    }
    let twice = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, , chunked\r\n\r\n";
    let (head, framing) = response(twice, asked, &LENIENT).expect("accepted");
    assert_eq!(framing.body, BodyLength::Chunked);
    assert_eq!(head.first(b"transfer-encoding"), Some(&b"chunked"[..]));
    assert!(response(twice, asked, &Limits::default()).is_err());
    let too_much = b"HTTP/1.1 65536 Odd\r\n\r\n";
    assert!(response(too_much, asked, &LENIENT).is_err());
}
