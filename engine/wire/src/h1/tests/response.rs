//! Responses: what is accepted, and how it is framed by what was asked.

use crate::h1::*;
use crate::{Head, Version};

/// Parses a response to what `asked` describes; tells it as it would be sent on.
fn response(raw: &[u8], asked: Asked) -> Result<(String, Framing), HeadError> {
    let mut head = Head::new();
    match HeadParser::new().response(raw, &Limits::default(), asked, &mut head)? {
        Parse::Complete { framing, .. } => {
            let mut out = Vec::new();
            write_response(&head, ConnectionOut::KEEP_ALIVE, &mut out);
            Ok((out.escape_ascii().to_string(), framing))
        }
        Parse::Partial => panic!("incomplete: {}", raw.escape_ascii()),
    }
}

#[test]
fn status_lines() {
    let sent = |line: &str| {
        response(format!("{line}\r\n\r\n").as_bytes(), Asked::default()).map(|(text, _)| text)
    };
    for (line, want) in [
        ("HTTP/1.1 200 OK", r"HTTP/1.1 200 OK\r\n\r\n"),
        (
            "HTTP/1.1 200 Fine Reason",
            r"HTTP/1.1 200 Fine Reason\r\n\r\n",
        ),
        ("HTTP/1.1 404", r"HTTP/1.1 404 Not Found\r\n\r\n"),
        ("HTTP/1.1 404 ", r"HTTP/1.1 404 Not Found\r\n\r\n"),
        ("HTTP/1.2  999  Odd", r"HTTP/1.1 999 Odd\r\n\r\n"),
        (
            "\r\nHTTP/1.0 200 OK",
            r"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\n",
        ),
    ] {
        assert_eq!(sent(line).as_deref(), Ok(want), "{line:?}");
    }
    for line in [
        "http/1.1 200 OK",
        "ICY 200 OK",
        "RTSP/1.0 200 OK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1200 OK",
        "HTTP/1.10 200 OK",
        "HTTP/1.1",
        "HTTP/1.1 200 a\rb",
        "HTTP/1.1 200 a\0b",
    ] {
        assert!(sent(line).is_err(), "{line:?}");
    }
}

#[test]
fn response_bodies() {
    let get = Asked::default();
    let head = Asked {
        head: true,
        switch: None,
    };
    let connect = Asked {
        head: false,
        switch: Some(Switch::Connect),
    };
    for (status, fields, asked, body, keep_alive) in [
        (
            200,
            "Content-Length: 3\r\n",
            get,
            BodyLength::Length(3),
            true,
        ),
        (200, "Content-Length: 0\r\n", get, BodyLength::None, true),
        (
            200,
            "Transfer-Encoding: chunked\r\n",
            get,
            BodyLength::Chunked,
            true,
        ),
        (
            200,
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            get,
            BodyLength::Chunked,
            false,
        ),
        (200, "", get, BodyLength::UntilClose, false),
        (
            200,
            "Content-Length: 3\r\nConnection: close\r\n",
            get,
            BodyLength::Length(3),
            false,
        ),
        (200, "Content-Length: 3\r\n", head, BodyLength::None, true),
        (200, "", head, BodyLength::None, true),
        (204, "Content-Length: 3\r\n", get, BodyLength::None, true),
        (304, "Content-Length: 3\r\n", get, BodyLength::None, true),
        (103, "Link: a\r\n", get, BodyLength::None, true),
        (
            200,
            "Content-Length: 3\r\n",
            connect,
            BodyLength::Tunnel,
            false,
        ),
        (
            403,
            "Content-Length: 3\r\n",
            connect,
            BodyLength::Length(3),
            true,
        ),
    ] {
        let raw = format!("HTTP/1.1 {status} X\r\n{fields}\r\n");
        let (_, framing) = response(raw.as_bytes(), asked).expect("accepted");
        assert_eq!(
            (framing.body, framing.keep_alive),
            (body, keep_alive),
            "{raw:?} {asked:?}"
        );
    }
    let (text, _) =
        response(b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", get).expect("accepted");
    assert_eq!(text, r"HTTP/1.1 204 No\r\n\r\n");
    let (_, framing) =
        response(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", get).expect("accepted");
    assert!(!framing.keep_alive);
    for field in [
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: 3, 4",
        "X : y",
    ] {
        let raw = format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n");
        assert!(response(raw.as_bytes(), get).is_err(), "{field}");
    }
}

#[test]
fn protocol_switches_need_both_sides() {
    let asked = |switch| Asked {
        head: false,
        switch,
    };
    let granted =
        b"HTTP/1.1 101 Sw\r\nConnection: upgrade\r\nUpgrade: foo\r\nContent-Length: 3\r\n\r\n";
    let (text, framing) = response(granted, asked(Some(Switch::Other))).expect("accepted");
    assert_eq!(framing.body, BodyLength::Tunnel);
    assert!(!text.contains("content-length"), "{text}");
    assert_eq!(response(granted, asked(None)), Err(HeadError::Switch));
    assert_eq!(
        response(granted, asked(Some(Switch::Websocket))),
        Err(HeadError::Websocket)
    );
    let bare = b"HTTP/1.1 101 Sw\r\nX: y\r\n\r\n";
    assert_eq!(
        response(bare, asked(Some(Switch::Other))),
        Err(HeadError::Switch)
    );
    let (_, refused) = response(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        asked(Some(Switch::Other)),
    )
    .expect("accepted");
    assert_eq!(refused.switch, None);
}

#[test]
fn what_the_outgoing_head_says_of_its_connection() {
    let sent = |version, connection| {
        let mut head = Head::response(200, b"OK");
        head.set_version(version);
        let mut out = Vec::new();
        write_response(&head, connection, &mut out);
        String::from_utf8(out)
            .expect("ASCII")
            .split("\r\n")
            .nth(1)
            .map(str::to_owned)
    };
    let old_peer = ConnectionOut {
        peer_10: true,
        ..ConnectionOut::KEEP_ALIVE
    };
    let (keep, close) = (
        Some("connection: keep-alive".to_owned()),
        Some("connection: close".to_owned()),
    );
    let nothing = Some(String::new());
    assert_eq!(sent(Version::HTTP_11, ConnectionOut::KEEP_ALIVE), nothing);
    assert_eq!(sent(Version::HTTP_11, old_peer), keep);
    assert_eq!(sent(Version::HTTP_11, ConnectionOut::CLOSE), close);
    assert_eq!(sent(Version::HTTP_11, ConnectionOut::SILENT), nothing);
    assert_eq!(sent(Version::HTTP_10, ConnectionOut::KEEP_ALIVE), keep);
    assert_eq!(sent(Version::HTTP_10, ConnectionOut::CLOSE), nothing);
}
