//! Requests and responses of HAProxy's published flaws in HTTP/1, each under its number.

use super::request;
use crate::Head;
use crate::h1::*;

/// Refused whatever stands around it: nothing of these may be read in two ways.
#[test]
fn refused_requests() {
    for (number, raw) in [
        // An empty name ended the list of fields; those behind it were lost.
        (
            "CVE-2023-25725",
            &b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\nX: y\r\n\r\n"[..],
        ),
        ("CVE-2023-25725", b"GET / HTTP/1.1\r\n:\r\n\r\n"),
        // An empty length was forwarded, and read by some servers as none.
        (
            "CVE-2023-40225",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        ),
        (
            "CVE-2023-40225",
            b"POST / HTTP/1.1\r\nContent-Length: \r\nContent-Length: 5\r\n\r\n",
        ),
        (
            "CVE-2023-40225",
            b"POST / HTTP/1.1\r\nContent-Length: 5,\r\n\r\n",
        ),
        // Rules on the end of a path were led astray by a fragment.
        (
            "CVE-2023-45539",
            b"GET /index.html#.png HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        // A coding that only some take for `chunked`.
        (
            "CVE-2019-18277",
            b"POST / HTTP/1.1\r\nContent-Length: 6\r\nTransfer-Encoding:\x0bchunked\r\n\r\n",
        ),
        (
            "CVE-2019-18277",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: \x0cchunked\r\n\r\n",
        ),
        (
            "CVE-2019-18277",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\x0b\r\n\r\n",
        ),
        // A method with a space brought a target of its own.
        (
            "CVE-2021-39241",
            b"GET /admin? HTTP/1.1 /static HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        // Target and `Host` that name two sites.
        (
            "CVE-2021-39242",
            b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        ),
    ] {
        assert!(request(raw).is_err(), "{number}: {}", raw.escape_ascii());
    }
}

/// CVE-2021-40346: the length of a long name overflowed into the next one's, so that a field of
/// any name could pass for another.
#[test]
fn a_long_name_is_no_length() {
    for padding in [240, 242, 255, 256, 257, 270, 512, 65_536 - 14] {
        let name = format!("content-length0{}", "a".repeat(padding));
        let raw = format!("POST / HTTP/1.1\r\nhost: a\r\n{name}:\r\ncontent-length: 60\r\n\r\n");
        if let Ok((text, framing)) = request_within(raw.as_bytes()) {
            assert_eq!(framing.body, BodyLength::Length(60), "{padding}");
            let lengths = text.matches("\r\ncontent-length:").count();
            assert_eq!(lengths, 1, "{padding}");
        }
    }
}

fn request_within(raw: &[u8]) -> Result<(String, Framing), HeadError> {
    let limits = Limits {
        head_bytes: 1 << 20,
        buffer_bytes: 1 << 20,
        ..Limits::default()
    };
    let mut head = Head::new();
    match HeadParser::new().request(raw, &limits, &mut head)? {
        Parse::Complete { framing, .. } => {
            let mut out = Vec::new();
            write_request(&head, ConnectionOut::KEEP_ALIVE, &mut out);
            Ok((String::from_utf8_lossy(&out).into_owned(), framing))
        }
        Parse::Partial => panic!("it is whole"),
    }
}

/// CVE-2022-0711: a response with `Set-Cookie2` was looked through for ever.
#[test]
fn a_response_with_set_cookie2_comes_to_an_end() {
    let raw =
        b"HTTP/1.1 200 OK\r\nSet-Cookie2: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n";
    let mut head = Head::new();
    let parsed = HeadParser::new().response(raw, &Limits::default(), Asked::default(), &mut head);
    assert!(matches!(parsed, Ok(Parse::Complete { consumed, .. }) if consumed == raw.len()));
    assert_eq!(head.values(b"set-cookie2").count(), 1);
}
