//! The HTTP of checks: one request, one response held whole.

use wire::Head;
use wire::h1::{Asked, BodyLength, Chunk, ChunkDecoder, HeadParser, Limits, Parse};

use super::ruleset::HttpRequest;

/// Writes a request. `state` is the value of `x-haproxy-server-state`, sent where the request has
/// room for it.
pub(super) fn write(request: &HttpRequest, state: Option<&str>, out: &mut Vec<u8>) {
    let mut line = |parts: &[&str]| {
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    };
    line(&[&request.method, " ", &request.uri, " ", &request.version]);
    let mut says_connection = false;
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        says_connection |= name == "connection";
        // The body decides the framing (manual 4.2, `http-check send`).
        if name != "content-length" && name != "transfer-encoding" {
            line(&[&name, ": ", value]);
        }
    }
    if let (true, Some(state)) = (request.send_state, state) {
        line(&["x-haproxy-server-state: ", state]);
    }
    if !request.body.is_empty() {
        line(&["content-length: ", &request.body.len().to_string()]);
    }
    if !says_connection && request.version != "HTTP/1.0" {
        line(&["connection: close"]);
    }
    line(&[]);
    out.extend_from_slice(&request.body);
}

/// A response as far as it has come.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    pub reason: String,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Nothing more will come of it.
    pub complete: bool,
}

/// What the bytes received so far are.
#[derive(Debug)]
pub(super) enum Parsed {
    Partial,
    Response(Response),
    Junk,
}

/// Parses all that was received for one request. Responses are small and come in few pieces, so
/// each piece parses from the start.
pub(super) fn parse(input: &[u8], was_head: bool, ended: bool) -> Parsed {
    let mut head = Head::new();
    let asked = Asked {
        head: was_head,
        switch: Some(wire::h1::Switch::Other),
    };
    let (consumed, framing) =
        match HeadParser::new().response(input, &Limits::default(), asked, &mut head) {
            Ok(Parse::Complete { consumed, framing }) => (consumed, framing),
            Ok(Parse::Partial) => return Parsed::Partial,
            Err(_) => return Parsed::Junk,
        };
    let rest = &input[consumed..];
    let (body, complete) = match framing.body {
        BodyLength::None | BodyLength::Tunnel => (Vec::new(), true),
        BodyLength::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            (
                rest[..rest.len().min(length)].to_vec(),
                rest.len() >= length,
            )
        }
        BodyLength::UntilClose => (rest.to_vec(), false),
        BodyLength::Chunked => match dechunk(rest) {
            Some(found) => found,
            None => return Parsed::Junk,
        },
    };
    Parsed::Response(Response {
        status: head.status(),
        reason: reason(input),
        fields: head
            .fields()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect(),
        body,
        complete: complete || ended,
    })
}

/// The reason as the server wrote it, empty if it wrote none: a parsed head has the usual one then.
fn reason(input: &[u8]) -> String {
    let line = input
        .trim_ascii_start()
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let text = line
        .splitn(3, |&byte| byte == b' ')
        .nth(2)
        .unwrap_or_default();
    String::from_utf8_lossy(text.trim_ascii()).into_owned()
}

/// The data of a chunked body, and whether its end was seen; `None` if it is malformed.
fn dechunk(mut input: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut decoder = ChunkDecoder::new();
    let mut trailers = Head::new();
    let mut body = Vec::new();
    loop {
        match decoder
            .next(input, &Limits::default(), &mut trailers)
            .ok()?
        {
            Chunk::Framing(bytes) => input = &input[bytes..],
            Chunk::Data(bytes) => {
                body.extend_from_slice(&input[..bytes]);
                input = &input[bytes..];
            }
            Chunk::Partial => return Some((body, false)),
            Chunk::End(_) => return Some((body, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(request: &HttpRequest) -> String {
        let mut out = Vec::new();
        write(request, Some("UP 2/3; name=b/s"), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn requests_as_haproxy_writes_them() {
        let plain = HttpRequest::default();
        assert_eq!(text(&plain), "OPTIONS / HTTP/1.0\r\n\r\n");
        let full = HttpRequest {
            method: "POST".to_owned(),
            uri: "/x".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: vec![
                ("Host".into(), "foo".into()),
                ("Content-Length".into(), "9".into()),
            ],
            body: b"abc".to_vec(),
            send_state: true,
        };
        assert_eq!(
            text(&full),
            "POST /x HTTP/1.1\r\nhost: foo\r\nx-haproxy-server-state: UP 2/3; name=b/s\r\n\
             content-length: 3\r\nconnection: close\r\n\r\nabc"
        );
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        let body = |input: &[u8], ended| match parse(input, false, ended) {
            Parsed::Response(response) => Some((response.body, response.complete)),
            Parsed::Partial | Parsed::Junk => None,
        };
        let length = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef";
        assert_eq!(body(length, false), Some((b"abc".to_vec(), true)));
        assert_eq!(
            body(&length[..length.len() - 4], false),
            Some((b"ab".to_vec(), false))
        );
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        assert_eq!(body(chunked, false), Some((b"ab".to_vec(), true)));
        let close = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(body(close, false), Some((b"abc".to_vec(), false)));
        assert_eq!(body(close, true), Some((b"abc".to_vec(), true)));
        assert!(matches!(
            parse(b"SSH-2.0\r\n\r\n", false, false),
            Parsed::Junk
        ));
        assert!(matches!(
            parse(b"HTTP/1.1 200 OK\r\nCon", false, false),
            Parsed::Partial
        ));
    }
}
