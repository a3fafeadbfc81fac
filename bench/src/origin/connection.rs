//! One client connection of the origin.

use super::Answers;
use super::request::{Request, Wanted};
use crate::pattern::Pattern;
use crate::ready::{Interest, Readiness};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What the connection waits for next.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    Waiting(Interest),
    Delayed(Instant),
    Closed,
}

/// Chunk size of chunked answers, and how much of them is rendered ahead, in bytes.
const CHUNK_BYTES: u64 = 4096;
const RENDER_AHEAD: usize = 256 * 1024;

pub struct Connection {
    stream: TcpStream,
    interest: Interest,
    fixed: Option<Vec<u8>>,
    input: Vec<u8>,
    eof: bool,
    upload: Option<Upload>,
    answer: Option<Answer>,
}

/// A request whose body is still arriving.
struct Upload {
    request: Request,
    head: Vec<u8>,
    pattern: Pattern,
    intact: bool,
}

/// An answer on its way out.
struct Answer {
    not_before: Option<Instant>,
    text: Vec<u8>,
    text_sent: usize,
    pattern: Pattern,
    raw_left: u64,
    chunked_left: Option<u64>,
    close: bool,
}

impl Connection {
    pub fn new(stream: TcpStream, answers: &Answers) -> Connection {
        let fixed = match answers {
            Answers::ByPath => None,
            Answers::Fixed { bytes } => {
                let mut text =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n").into_bytes();
                text.resize(text.len() + *bytes as usize, 0);
                Some(text)
            }
        };
        Connection {
            stream,
            interest: Interest::Read,
            fixed,
            input: Vec::new(),
            eof: false,
            upload: None,
            answer: None,
        }
    }

    /// Changes what the readiness loop reports, when it differs.
    pub fn watch(&mut self, loop_: &Readiness, token: u64, interest: Interest) -> io::Result<()> {
        if interest != self.interest {
            loop_.change(&self.stream, token, interest)?;
            self.interest = interest;
        }
        Ok(())
    }

    /// Takes what has arrived, at most one buffer full.
    pub fn receive(&mut self, readable: bool, scratch: &mut [u8]) -> io::Result<()> {
        if !readable || self.eof {
            return Ok(());
        }
        match self.stream.read(scratch) {
            Ok(0) => self.eof = true,
            Ok(n) => self.input.extend_from_slice(&scratch[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Answers as many requests as have arrived and fit the socket.
    pub fn answer(&mut self) -> io::Result<Progress> {
        if self.fixed.is_some() {
            return self.answer_fixed();
        }
        loop {
            if let Some(answer) = &mut self.answer {
                if let Some(at) = answer.not_before.take_if(|at| *at > Instant::now()) {
                    answer.not_before = Some(at);
                    return Ok(if self.eof {
                        Progress::Closed
                    } else {
                        Progress::Delayed(at)
                    });
                }
                if !answer.send(&mut self.stream)? {
                    return Ok(Progress::Waiting(Interest::ReadWrite));
                }
                let close = answer.close;
                self.answer = None;
                if close {
                    return Ok(Progress::Closed);
                }
            }
            if !self.next_request()? {
                let end = if self.eof {
                    Progress::Closed
                } else {
                    Progress::Waiting(Interest::Read)
                };
                return Ok(end);
            }
        }
    }

    /// Moves on in the input; true when an answer is due.
    fn next_request(&mut self) -> io::Result<bool> {
        if self.upload.is_none() {
            let Some(request) = Request::parse(&self.input).map_err(io::Error::other)? else {
                return Ok(false);
            };
            if request.expects_continue && !request.upload.is_done() {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let head = match request.wanted {
                Wanted::Echo => self.input[..request.head_bytes].to_vec(),
                _ => Vec::new(),
            };
            self.input.drain(..request.head_bytes);
            let pattern = Pattern::of_tag(request.tag.unwrap_or(0));
            self.upload = Some(Upload {
                request,
                head,
                pattern,
                intact: true,
            });
        }
        let Some(mut upload) = self.upload.take() else {
            return Ok(false);
        };
        let taken = upload.take(&self.input)?;
        self.input.drain(..taken);
        if upload.request.upload.is_done() {
            self.answer = Some(Answer::to(upload));
            return Ok(true);
        }
        self.upload = Some(upload);
        Ok(false)
    }

    fn answer_fixed(&mut self) -> io::Result<Progress> {
        if self.eof {
            return Ok(Progress::Closed);
        }
        if self.answer.is_none() && !self.input.is_empty() {
            self.input.clear();
            self.answer = self.fixed.clone().map(Answer::text);
        }
        if let Some(answer) = &mut self.answer {
            if !answer.send(&mut self.stream)? {
                return Ok(Progress::Waiting(Interest::ReadWrite));
            }
            self.answer = None;
        }
        Ok(Progress::Waiting(Interest::Read))
    }
}

impl Upload {
    fn take(&mut self, input: &[u8]) -> io::Result<usize> {
        let Upload {
            request,
            pattern,
            intact,
            ..
        } = self;
        let taken = request
            .upload
            .take(input, |data| *intact &= pattern.matches(data));
        taken.map_err(io::Error::other)
    }
}

impl Answer {
    fn text(text: Vec<u8>) -> Answer {
        Answer {
            not_before: None,
            text,
            text_sent: 0,
            pattern: Pattern::of_tag(0),
            raw_left: 0,
            chunked_left: None,
            close: false,
        }
    }

    fn to(upload: Upload) -> Answer {
        let request = upload.request;
        let wanted = if upload.intact {
            request.wanted
        } else {
            Wanted::Status { code: 422 }
        };
        let mut answer = Answer::text(Vec::with_capacity(128));
        answer.close = request.close;
        answer.pattern = Pattern::of_tag(request.tag.unwrap_or(0));
        let mut code = 200;
        let framing = match wanted {
            Wanted::Length { bytes, delay_ms } => {
                answer.raw_left = bytes;
                answer.not_before =
                    (delay_ms > 0).then(|| Instant::now() + Duration::from_millis(delay_ms));
                format!("content-length: {bytes}\r\n")
            }
            Wanted::Chunked { bytes } => {
                answer.chunked_left = Some(bytes);
                "transfer-encoding: chunked\r\n".to_owned()
            }
            Wanted::Eof { bytes } => {
                answer.raw_left = bytes;
                answer.close = true;
                "connection: close\r\n".to_owned()
            }
            Wanted::Status { code: asked } => {
                code = asked;
                "content-length: 0\r\n".to_owned()
            }
            Wanted::Echo => format!("content-length: {}\r\n", upload.head.len()),
            Wanted::Unknown => {
                code = 404;
                "content-length: 0\r\n".to_owned()
            }
        };
        let reason = if code == 200 { "OK" } else { "Asked For" };
        let tag = request
            .tag
            .map_or_else(String::new, |tag| format!("x-tag: {tag:016x}\r\n"));
        answer.text = format!("HTTP/1.1 {code} {reason}\r\n{framing}{tag}\r\n").into_bytes();
        if wanted == Wanted::Echo {
            answer.text.extend_from_slice(&upload.head);
        }
        if request.head_only {
            answer.raw_left = 0;
            answer.chunked_left = None;
        }
        answer
    }

    /// Sends what fits; true when all is out.
    fn send(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        loop {
            if self.text_sent == self.text.len() {
                self.render_chunks();
            }
            let text = &self.text[self.text_sent..];
            if text.is_empty() && self.raw_left == 0 {
                return Ok(true);
            }
            let piece = self.pattern.piece(self.raw_left);
            let pieces = [IoSlice::new(text), IoSlice::new(piece)];
            let sent = match stream.write_vectored(&pieces) {
                Ok(sent) => sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            let of_text = sent.min(text.len());
            self.text_sent += of_text;
            self.raw_left -= (sent - of_text) as u64;
            self.pattern.advance(sent - of_text);
        }
    }

    fn render_chunks(&mut self) {
        let Some(left) = &mut self.chunked_left else {
            return;
        };
        self.text.clear();
        self.text_sent = 0;
        while *left > 0 && self.text.len() < RENDER_AHEAD {
            let length = (*left).min(CHUNK_BYTES);
            self.text
                .extend_from_slice(format!("{length:x}\r\n").as_bytes());
            self.text.extend_from_slice(self.pattern.piece(length));
            self.text.extend_from_slice(b"\r\n");
            self.pattern.advance(length as usize);
            *left -= length;
        }
        if *left == 0 {
            self.text.extend_from_slice(b"0\r\n\r\n");
            self.chunked_left = None;
        }
    }
}
