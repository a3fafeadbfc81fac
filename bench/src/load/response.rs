//! One answer as it arrives, checked against its request.

use super::report::Failure;
use crate::framing::Body;
use crate::pattern::Pattern;

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Partial,
    Complete { used: usize },
}

/// An answer in progress.
pub struct Response {
    /// Head bytes that came without the rest of the head.
    head: Vec<u8>,
    body: Option<Body>,
    check: Option<Pattern>,
    tag: Option<u64>,
    pub status: u16,
    pub body_bytes: u64,
    /// The server announced the close.
    pub close: bool,
    pub begun: bool,
    intact: bool,
}

/// Longest answer head, in bytes.
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 128;

impl Response {
    /// The answer to a request with this tag; `None` when it is not to be checked.
    pub fn expect(&mut self, tag: Option<u64>) {
        self.head.clear();
        *self = Response {
            head: std::mem::take(&mut self.head),
            tag,
            ..Response::new()
        };
    }

    pub fn new() -> Response {
        Response {
            head: Vec::new(),
            body: None,
            check: None,
            tag: None,
            status: 0,
            body_bytes: 0,
            close: false,
            begun: false,
            intact: true,
        }
    }

    /// Takes bytes; they may reach beyond the end of this answer.
    pub fn take(&mut self, input: &[u8]) -> Result<Arrival, Failure> {
        self.begun |= !input.is_empty();
        let mut used = 0;
        while self.body.is_none() {
            match self.take_head(&input[used..])? {
                Some(n) => used += n,
                None => return Ok(Arrival::Partial),
            }
        }
        let Response {
            body: Some(body),
            check,
            body_bytes,
            intact,
            ..
        } = self
        else {
            return Ok(Arrival::Partial);
        };
        let taken = body.take(&input[used..], |data| {
            *body_bytes += data.len() as u64;
            if let Some(pattern) = check {
                *intact &= pattern.matches(data);
            }
        });
        used += taken.map_err(|_| Failure::Junk)?;
        if !self.intact {
            return Err(Failure::Corrupted);
        }
        Ok(if body.is_done() {
            Arrival::Complete { used }
        } else {
            Arrival::Partial
        })
    }

    /// Whether the close at this point is the answer's regular end.
    pub fn ends_at_close(&self) -> bool {
        self.body == Some(Body::Eof)
    }

    /// Reads a head; returns how many of `input`'s bytes it took, `None` while incomplete.
    fn take_head(&mut self, input: &[u8]) -> Result<Option<usize>, Failure> {
        if self.head.is_empty() {
            let used = self.parse(input)?;
            if used.is_none() {
                self.head.extend_from_slice(input);
            }
            return Ok(used);
        }
        let before = self.head.len();
        self.head.extend_from_slice(input);
        let head = std::mem::take(&mut self.head);
        let used = self.parse(&head)?;
        match used {
            // The part held back was incomplete, so the head ends in what came now.
            Some(bytes) => Ok(Some(bytes - before)),
            None if head.len() > HEAD_MAX => Err(Failure::Junk),
            None => {
                self.head = head;
                Ok(None)
            }
        }
    }

    fn parse(&mut self, input: &[u8]) -> Result<Option<usize>, Failure> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Response::new(&mut headers);
        let bytes = match parsed.parse(input).map_err(|_| Failure::Junk)? {
            httparse::Status::Partial => return Ok(None),
            httparse::Status::Complete(bytes) => bytes,
        };
        self.status = parsed.code.unwrap_or(0);
        if (100..200).contains(&self.status) {
            return Ok(Some(bytes));
        }
        let mut body = Body::Eof;
        let mut tag = None;
        for header in parsed.headers.iter() {
            let (name, value) = (header.name, header.value);
            let text = || std::str::from_utf8(value).unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                body = Body::Length(text().parse().map_err(|_| Failure::Junk)?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                body = Body::chunked();
            } else if name.eq_ignore_ascii_case("connection") {
                self.close = value.eq_ignore_ascii_case(b"close");
            } else if name.eq_ignore_ascii_case("x-tag") {
                tag = u64::from_str_radix(text(), 16).ok();
            }
        }
        if matches!(self.status, 204 | 304) {
            body = Body::none();
        }
        self.close |= body == Body::Eof;
        self.body = Some(body);
        self.check_tag(tag)?;
        Ok(Some(bytes))
    }

    /// Answers of the origin repeat the tag; those that the subject made itself have none.
    fn check_tag(&mut self, found: Option<u64>) -> Result<(), Failure> {
        let Some(expected) = self.tag else {
            return Ok(());
        };
        match found {
            Some(found) if found != expected => Err(Failure::Crossed),
            None if self.status == 200 => Err(Failure::Crossed),
            Some(_) if self.status == 200 => {
                self.check = Some(Pattern::of_tag(expected));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(tag: Option<u64>, input: &[u8], step: usize) -> Result<(Arrival, u64), Failure> {
        let mut response = Response::new();
        response.expect(tag);
        let mut last = Arrival::Partial;
        for piece in input.chunks(step) {
            last = response.take(piece)?;
        }
        Ok((last, response.body_bytes))
    }

    #[test]
    fn an_answer_completes_at_every_split() {
        let input = b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-tag: 02\r\n\r\n\x02\x03\x04";
        for step in 1..=input.len() {
            let (arrival, bytes) = taken(Some(2), input, step).unwrap();
            assert!(matches!(arrival, Arrival::Complete { .. }), "step {step}");
            assert_eq!(bytes, 3);
        }
    }

    #[test]
    fn another_tag_or_body_is_noticed() {
        let answer = |tag: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n{tag}\r\n\u{2}");
        let check = |text: String| taken(Some(2), text.as_bytes(), 1000);
        assert_eq!(check(answer("x-tag: 3\r\n")), Err(Failure::Crossed));
        assert_eq!(check(answer("")), Err(Failure::Crossed));
        assert!(check(answer("x-tag: 2\r\n")).is_ok());
        assert_eq!(
            check(answer("x-tag: 2\r\n").replace('\u{2}', "!")),
            Err(Failure::Corrupted)
        );
        let own = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 1\r\n\r\n!";
        assert!(check(own.to_owned()).is_ok());
    }

    #[test]
    fn close_delimited_answers_end_at_the_close() {
        let mut response = Response::new();
        response.expect(None);
        assert_eq!(
            response.take(b"HTTP/1.1 200 OK\r\n\r\nabc"),
            Ok(Arrival::Partial)
        );
        assert!(response.ends_at_close() && response.close);
        assert_eq!(taken(None, b"\0garbage\r\n\r\n", 100), Err(Failure::Junk));
    }
}
