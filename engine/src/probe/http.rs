//! The HTTP of checks: one request, one response held whole.

use wire::Head;
use wire::h1::{Asked, BodyLength, Chunk, ChunkDecoder, HeadParser, Limits, Parse};

/// A request with all its texts known.
pub(super) struct Written<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub version: &'a str,
    /// Names in lower case.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    /// The value of `x-haproxy-server-state`.
    pub state: Option<&'a str>,
}

impl Written<'_> {
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut line = |parts: &[&str]| {
            for part in parts {
                out.extend_from_slice(part.as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        };
        line(&[self.method, " ", &self.target(), " ", self.version]);
        // The body decides the framing (manual 4.2, `http-check send`).
        let frames = |name: &str| matches!(name, "content-length" | "transfer-encoding");
        // HTTP/1.1 keeps connections without saying so.
        let idle = |name: &str, value: &str| {
            name == "connection"
                && value.eq_ignore_ascii_case("keep-alive")
                && self.version == "HTTP/1.1"
        };
        let mut headers = self.headers.iter();
        while let Some((name, value)) =
            headers.find(|(name, value)| !frames(name) && !idle(name, value))
        {
            line(&[name, ": ", value]);
        }
        if let Some(state) = self.state {
            line(&["x-haproxy-server-state: ", state]);
        }
        if !self.body.is_empty() || matches!(self.method, "POST" | "PUT" | "PATCH") {
            line(&["content-length: ", &self.body.len().to_string()]);
        }
        if self.header("connection").is_none() && self.version != "HTTP/1.0" {
            line(&["connection: close"]);
        }
        line(&[]);
        out.extend_from_slice(self.body);
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(name, value)| (name == wanted).then_some(value.as_str()))
    }

    /// The authority of an absolute URI follows the Host field (manual 4.2, `http-check send`).
    fn target(&self) -> std::borrow::Cow<'_, str> {
        let absolute = self.uri.split_once("://").zip(self.header("host"));
        match absolute {
            Some(((scheme, rest), host)) => {
                let path = rest.find('/').map_or("", |at| &rest[at..]);
                format!("{scheme}://{host}{path}").into()
            }
            None => self.uri.into(),
        }
    }
}

/// A response as far as it has come.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    pub reason: String,
    pub head: Head,
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
        head,
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

    fn text(request: &Written<'_>) -> String {
        let mut out = Vec::new();
        request.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn requests_as_haproxy_writes_them() {
        let plain = Written {
            method: "OPTIONS",
            uri: "/",
            version: "HTTP/1.0",
            headers: &[],
            body: b"",
            state: None,
        };
        assert_eq!(text(&plain), "OPTIONS / HTTP/1.0\r\n\r\n");
        let headers = [
            ("host".to_owned(), "foo".to_owned()),
            ("content-length".to_owned(), "9".to_owned()),
        ];
        let full = Written {
            method: "POST",
            uri: "http://a.b/x",
            version: "HTTP/1.1",
            headers: &headers,
            body: b"abc",
            state: Some("UP 2/3; name=b/s"),
        };
        assert_eq!(
            text(&full),
            "POST http://foo/x HTTP/1.1\r\nhost: foo\r\nx-haproxy-server-state: UP 2/3; \
             name=b/s\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc"
        );
        let post = Written {
            method: "POST",
            ..plain
        };
        assert_eq!(text(&post), "POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n");
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
