//! What a request asks of the origin, by its path.
//!
//! | path | answer |
//! |---|---|
//! | `/N` | N bytes with a length |
//! | `/chunked/N` | N bytes in chunks of 4096 |
//! | `/eof/N` | N bytes until the close |
//! | `/delay/MS/N` | N bytes after MS milliseconds |
//! | `/status/CODE` | that status, no body |
//! | `/echo` | the request's head as body |
//!
//! The header `x-tag` (hexadecimal) is sent back and shifts the body's pattern; uploads must
//! carry the pattern of their tag, else the answer is 422.

use crate::framing::Body;

/// A request head, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub head_bytes: usize,
    pub wanted: Wanted,
    pub tag: Option<u64>,
    pub upload: Body,
    pub close: bool,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
    pub head_only: bool,
}

/// What is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Length { bytes: u64, delay_ms: u64 },
    Chunked { bytes: u64 },
    Eof { bytes: u64 },
    Status { code: u16 },
    Echo,
    Unknown,
}

/// A head that the origin does not understand.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a request")]
pub struct NotARequest;

const HEADERS_MAX: usize = 128;

impl Request {
    /// Reads a head from the front of `input`; `None` while it is incomplete.
    pub fn parse(input: &[u8]) -> Result<Option<Request>, NotARequest> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut headers);
        let head_bytes = match parsed.parse(input).map_err(|_| NotARequest)? {
            httparse::Status::Partial => return Ok(None),
            httparse::Status::Complete(bytes) => bytes,
        };
        let old = parsed.version == Some(0);
        let mut request = Request {
            head_bytes,
            wanted: Wanted::parse(parsed.path.unwrap_or_default()),
            tag: None,
            upload: Body::none(),
            close: old,
            expects_continue: false,
            head_only: parsed.method == Some("HEAD"),
        };
        for header in parsed.headers.iter() {
            request.note(
                header.name,
                std::str::from_utf8(header.value).unwrap_or_default(),
            )?;
        }
        Ok(Some(request))
    }

    fn note(&mut self, name: &str, value: &str) -> Result<(), NotARequest> {
        if name.eq_ignore_ascii_case("x-tag") {
            self.tag = u64::from_str_radix(value, 16).ok();
        } else if name.eq_ignore_ascii_case("content-length") {
            self.upload = Body::Length(value.parse().map_err(|_| NotARequest)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.upload = Body::chunked();
        } else if name.eq_ignore_ascii_case("connection") {
            self.close = value.eq_ignore_ascii_case("close")
                || (self.close && !value.eq_ignore_ascii_case("keep-alive"));
        } else if name.eq_ignore_ascii_case("expect") {
            self.expects_continue = value.eq_ignore_ascii_case("100-continue");
        }
        Ok(())
    }
}

impl Wanted {
    fn parse(path: &str) -> Wanted {
        let path = path.split('?').next().unwrap_or_default();
        let number = |text: &str| text.parse::<u64>().ok();
        let mut words = path.split('/').skip(1);
        let (first, second, third) = (words.next(), words.next(), words.next());
        let wanted = match (first, second, third) {
            (Some("echo"), None, _) => Some(Wanted::Echo),
            (Some("chunked"), Some(n), None) => number(n).map(|bytes| Wanted::Chunked { bytes }),
            (Some("eof"), Some(n), None) => number(n).map(|bytes| Wanted::Eof { bytes }),
            (Some("status"), Some(n), None) => n.parse().ok().map(|code| Wanted::Status { code }),
            (Some("delay"), Some(ms), Some(n)) => number(ms)
                .zip(number(n))
                .map(|(delay_ms, bytes)| Wanted::Length { bytes, delay_ms }),
            (Some(n), None, _) => number(n).map(|bytes| Wanted::Length { bytes, delay_ms: 0 }),
            _ => None,
        };
        wanted.unwrap_or(Wanted::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let table = [
            (
                "/64",
                Wanted::Length {
                    bytes: 64,
                    delay_ms: 0,
                },
            ),
            (
                "/64?x=/1",
                Wanted::Length {
                    bytes: 64,
                    delay_ms: 0,
                },
            ),
            (
                "/delay/5/6",
                Wanted::Length {
                    bytes: 6,
                    delay_ms: 5,
                },
            ),
            ("/chunked/7", Wanted::Chunked { bytes: 7 }),
            ("/eof/8", Wanted::Eof { bytes: 8 }),
            ("/status/503", Wanted::Status { code: 503 }),
            ("/echo", Wanted::Echo),
            ("/", Wanted::Unknown),
            ("/a/b/c/d", Wanted::Unknown),
            ("/-1", Wanted::Unknown),
        ];
        for (path, wanted) in table {
            assert_eq!(Wanted::parse(path), wanted, "{path}");
        }
    }

    #[test]
    fn persistence_follows_version_and_header() {
        let close = |head: &str| Request::parse(head.as_bytes()).unwrap().unwrap().close;
        assert!(!close("GET /1 HTTP/1.1\r\n\r\n"));
        assert!(close("GET /1 HTTP/1.1\r\nConnection: Close\r\n\r\n"));
        assert!(close("GET /1 HTTP/1.0\r\n\r\n"));
        assert!(!close("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        assert_eq!(Request::parse(b"GET /1 HT"), Ok(None));
        assert_eq!(Request::parse(b"\0\0"), Err(NotARequest));
    }
}
