//! HTTP/1 messages as the test's own ends see them, raw enough to notice every byte.

use std::io::{self, BufRead};

/// A request or a response with its body taken out of its framing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line, without its line end.
    pub start: String,
    /// In order, names as they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Every byte of the head, its empty line included.
    pub head: Vec<u8>,
    /// Sizes of the chunks; empty when not chunked.
    pub chunks: Vec<usize>,
    pub trailers: Vec<(String, String)>,
}

/// What is known about a message before it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Request,
    Response,
    /// The answer to HEAD.
    Bodyless,
}

impl Message {
    /// Reads one message; `None` at a clean end.
    pub fn read(from: &mut impl BufRead, expect: Expect) -> io::Result<Option<Message>> {
        let Some(mut message) = Message::read_head(from)? else {
            return Ok(None);
        };
        message.read_body(from, expect)?;
        Ok(Some(message))
    }

    pub fn read_head(from: &mut impl BufRead) -> io::Result<Option<Message>> {
        let mut head = Vec::new();
        let Some(start) = line(from, &mut head)? else {
            return Ok(None);
        };
        let headers = fields(from, &mut head)?;
        Ok(Some(Message {
            start,
            headers,
            head,
            ..Message::default()
        }))
    }

    pub fn read_body(&mut self, from: &mut impl BufRead, expect: Expect) -> io::Result<()> {
        let bodyless = matches!(self.status(), 100..=199 | 204 | 304) && expect != Expect::Request;
        if bodyless || expect == Expect::Bodyless {
            return Ok(());
        }
        if self.header("transfer-encoding").is_some() {
            return self.read_chunks(from);
        }
        match self.header("content-length") {
            Some(length) => {
                self.body = vec![0; length.parse().map_err(io::Error::other)?];
                from.read_exact(&mut self.body)
            }
            None if expect == Expect::Request => Ok(()),
            None => from.read_to_end(&mut self.body).map(|_| ()),
        }
    }

    fn read_chunks(&mut self, from: &mut impl BufRead) -> io::Result<()> {
        loop {
            let size = line(from, &mut Vec::new())?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16).map_err(io::Error::other)?;
            if size == 0 {
                self.trailers = fields(from, &mut Vec::new())?;
                return Ok(());
            }
            let mut chunk = vec![0; size + 2];
            from.read_exact(&mut chunk)?;
            assert_eq!(&chunk[size..], b"\r\n", "a chunk's end");
            self.body.extend_from_slice(&chunk[..size]);
            self.chunks.push(size);
        }
    }

    /// 0 for a request.
    pub fn status(&self) -> u16 {
        let mut words = self.start.split(' ');
        let version = words.next().unwrap_or_default();
        let code = words.next().filter(|_| version.starts_with("HTTP/"));
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub fn path(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).into_iter().next()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(named)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A line without its end; `None` at the end of the stream. `raw` gets its bytes.
fn line(from: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    raw.extend_from_slice(&bytes);
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    assert_eq!(bytes.pop(), Some(b'\r'), "a line's end");
    Ok(Some(bytes.iter().map(|byte| char::from(*byte)).collect()))
}

fn fields(from: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let text = line(from, raw)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if text.is_empty() {
            return Ok(fields);
        }
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| io::Error::other(text.clone()))?;
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
}
