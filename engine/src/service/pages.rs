//! What a proxy answers for each status that it makes itself: HAProxy's message, or a replacement.

use super::errors::{MESSAGES, Message, Persistence};
use cfgparse::model::Place;
use cfgparse::model::rule::{Reply, ReplyBody};
use cfgparse::model::section::{ErrorFile, ErrorReply, HttpError, HttpErrors};

/// The answers of one proxy, by status.
#[derive(Debug)]
pub struct ErrorPages {
    pages: Vec<(u16, ErrorPage)>,
}

/// One answer.
#[derive(Clone, Debug)]
pub enum ErrorPage {
    /// HAProxy's own text.
    Builtin(&'static Message),
    /// `errorfile`, `errorloc`, `http-error`.
    Custom(CustomPage),
    /// An empty `errorfile`: the connection closes without a word.
    Silent,
}

/// A whole answer that the configuration gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPage {
    /// The status that it says, which need not be the one that it stands for.
    pub status: u16,
    /// Status line and fields, without `connection` and without the empty line.
    head: Vec<u8>,
    body: Vec<u8>,
    /// The file says HTTP/1.0, where only `connection: keep-alive` keeps the connection.
    version_1_0: bool,
    /// Without a length its end is the connection's end.
    delimited: bool,
}

/// An `errorfile` or `http-error` that cannot be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error("no valid HTTP message")]
    NotAMessage,
    #[error("unknown 'http-errors' section '{0}'")]
    UnknownSection(String),
    #[error("log-format expressions in 'http-error' are not supported yet")]
    NeedsEvaluation,
}

impl Default for ErrorPages {
    fn default() -> Self {
        let builtin = |message: &'static Message| (message.status, ErrorPage::Builtin(message));
        Self {
            pages: MESSAGES.iter().map(builtin).collect(),
        }
    }
}

impl ErrorPages {
    /// The pages of a proxy: its lines in their order, of which the last for a status wins.
    /// Lines that cannot be sent are returned beside what can.
    pub fn compile(
        lines: &[HttpError],
        sections: &[HttpErrors],
    ) -> (Self, Vec<(Place, PageError)>) {
        let mut pages = Self::default();
        let mut errors = Vec::new();
        for line in lines {
            if let Err(error) = pages.add(line, sections) {
                errors.push((line.at, error));
            }
        }
        (pages, errors)
    }

    /// The answer for a status; that of 500 for one that has none.
    pub fn page(&self, status: u16) -> &ErrorPage {
        const INTERNAL: &ErrorPage = &ErrorPage::Builtin(Message::internal());
        let row = self
            .pages
            .binary_search_by_key(&status, |(status, _)| *status);
        row.map_or(INTERNAL, |row| &self.pages[row].1)
    }

    fn add(&mut self, line: &HttpError, sections: &[HttpErrors]) -> Result<(), PageError> {
        match &line.reply {
            ErrorReply::File(file) => self.add_file(file),
            ErrorReply::Location { status, url } => {
                self.replace(
                    line.code,
                    ErrorPage::Custom(CustomPage::redirect(*status, url)),
                );
                Ok(())
            }
            ErrorReply::Reply(reply) => {
                let page = CustomPage::of_reply(line.code, reply)?;
                self.replace(line.code, page);
                Ok(())
            }
            ErrorReply::Files(name) => {
                let section = sections.iter().find(|section| section.name == *name);
                let section = section.ok_or_else(|| PageError::UnknownSection(name.clone()))?;
                section
                    .files
                    .iter()
                    .try_for_each(|file| self.add_file(file))
            }
        }
    }

    fn add_file(&mut self, file: &ErrorFile) -> Result<(), PageError> {
        let page = ErrorPage::of_message(&file.message)?;
        self.replace(file.code, page);
        Ok(())
    }

    fn replace(&mut self, status: u16, page: ErrorPage) {
        match self
            .pages
            .binary_search_by_key(&status, |(status, _)| *status)
        {
            Ok(row) => self.pages[row].1 = page,
            Err(row) => self.pages.insert(row, (status, page)),
        }
    }
}

impl ErrorPage {
    /// The content of an `errorfile`.
    pub fn of_message(message: &[u8]) -> Result<Self, PageError> {
        if message.is_empty() {
            return Ok(Self::Silent);
        }
        CustomPage::parse(message)
            .map(Self::Custom)
            .ok_or(PageError::NotAMessage)
    }

    /// The status that the client sees; 0 for silence.
    pub fn status(&self) -> u16 {
        match self {
            Self::Builtin(message) => message.status,
            Self::Custom(page) => page.status,
            Self::Silent => 0,
        }
    }

    /// Whether the connection ends after this answer whatever the client wants.
    pub fn closes(&self) -> bool {
        match self {
            Self::Builtin(message) => message.closes(),
            Self::Custom(page) => !page.delimited,
            Self::Silent => true,
        }
    }

    /// Appends the answer; `with_body` is off for an answer to HEAD.
    pub fn write(&self, out: &mut Vec<u8>, persistence: Persistence, with_body: bool) {
        match self {
            Self::Builtin(message) => message.write(out, persistence, with_body),
            Self::Custom(page) => page.write(out, persistence, with_body),
            Self::Silent => {}
        }
    }

    /// Appends the answer for a connection on which no request could be read.
    pub fn write_raw(&self, out: &mut Vec<u8>) {
        match self {
            Self::Builtin(message) => out.extend_from_slice(message.raw.as_bytes()),
            Self::Custom(page) => {
                out.extend_from_slice(&page.head);
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(&page.body);
            }
            Self::Silent => {}
        }
    }
}

impl CustomPage {
    fn write(&self, out: &mut Vec<u8>, persistence: Persistence, with_body: bool) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(match (persistence, self.delimited) {
            (Persistence::Silent, true) if self.version_1_0 => b"connection: keep-alive\r\n",
            (Persistence::Close, _) if !self.version_1_0 => b"connection: close\r\n",
            (Persistence::KeepAlive, true) => b"connection: keep-alive\r\n",
            _ => b"".as_slice(),
        });
        out.extend_from_slice(b"\r\n");
        if with_body {
            out.extend_from_slice(&self.body);
        }
    }

    /// Status line, fields and body of a file; names go out in lower case, line ends as CRLF.
    fn parse(message: &[u8]) -> Option<Self> {
        let end = memchr::memmem::find(message, b"\n\r\n").map(|at| (at, 3));
        let bare = memchr::memmem::find(message, b"\n\n").map(|at| (at, 2));
        let (at, gap) = end.into_iter().chain(bare).min()?;
        let (text, body) = (
            std::str::from_utf8(&message[..at]).ok()?,
            &message[at + gap..],
        );
        let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
        let first = lines.next()?;
        let (version, rest) = first.split_once(' ')?;
        let status: u16 = rest.split(' ').next()?.parse().ok()?;
        if !version.starts_with("HTTP/") || !(100..=599).contains(&status) {
            return None;
        }
        let mut head = format!("{first}\r\n");
        let mut delimited = body.is_empty() || matches!(status, 204 | 304);
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let name = name.to_ascii_lowercase();
            delimited |= name == "content-length";
            if name != "connection" {
                head.push_str(&format!("{name}: {}\r\n", value.trim()));
            }
        }
        let version_1_0 = version == "HTTP/1.0";
        Some(Self {
            status,
            head: head.into_bytes(),
            body: body.to_vec(),
            version_1_0,
            delimited,
        })
    }

    fn redirect(status: u16, url: &str) -> Self {
        let reason = if status == 303 { "See Other" } else { "Found" };
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\ncache-control: no-cache\r\ncontent-length: 0\r\n\
             location: {url}\r\n"
        );
        Self {
            status,
            head: head.into_bytes(),
            body: Vec::new(),
            version_1_0: false,
            delimited: true,
        }
    }

    /// `http-error status CODE [content-type TYPE] [string TEXT | errorfile FILE] [hdr ...]`.
    fn of_reply(code: u16, reply: &Reply) -> Result<ErrorPage, PageError> {
        if !reply.headers.is_empty() {
            return Err(PageError::NeedsEvaluation);
        }
        let body = match &reply.body {
            ReplyBody::Raw(body) => body.clone(),
            ReplyBody::Default => Vec::new(),
            ReplyBody::ErrorFile { message, .. } => return ErrorPage::of_message(message),
            ReplyBody::Format(_) | ReplyBody::ErrorFiles(_) => {
                return Err(PageError::NeedsEvaluation);
            }
        };
        let status = reply.status.unwrap_or(code);
        let reason = Message::of(status).map_or("Unknown", |message| message.reason);
        let mut head = format!(
            "HTTP/1.1 {status} {reason}\r\ncontent-length: {}\r\n",
            body.len()
        );
        if let (Some(kind), false) = (&reply.content_type, body.is_empty()) {
            head.push_str(&format!("content-type: {kind}\r\n"));
        }
        Ok(ErrorPage::Custom(Self {
            status,
            head: head.into_bytes(),
            body,
            version_1_0: false,
            delimited: true,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(message: &str, persistence: Persistence) -> (String, bool) {
        let page = ErrorPage::of_message(message.as_bytes()).expect("a message");
        let mut out = Vec::new();
        page.write(&mut out, persistence, true);
        (String::from_utf8(out).unwrap_or_default(), page.closes())
    }

    #[test]
    fn files_go_out_as_haproxy_sends_them() {
        let old = "HTTP/1.0 403 Nope\nContent-Length: 4\nContent-Type: text/html\n\nhi!\n";
        let fields = "HTTP/1.0 403 Nope\r\ncontent-length: 4\r\ncontent-type: text/html\r\n";
        let kept = format!("{fields}connection: keep-alive\r\n\r\nhi!\n");
        assert_eq!(sent(old, Persistence::Silent), (kept, false));
        assert_eq!(
            sent(old, Persistence::Close),
            (format!("{fields}\r\nhi!\n"), false)
        );
        let open = "HTTP/1.0 503 Off\r\nConnection: close\r\nX-A:b\r\n\r\n<html>\n";
        let expected = "HTTP/1.0 503 Off\r\nx-a: b\r\n\r\n<html>\n".to_owned();
        assert_eq!(
            sent(open, Persistence::Silent),
            (expected, true),
            "no length: it closes"
        );
        let none = "HTTP/1.1 204 No Content\nFoo: bar\n\n";
        let expected = "HTTP/1.1 204 No Content\r\nfoo: bar\r\n\r\n".to_owned();
        assert_eq!(sent(none, Persistence::Silent), (expected, false));
    }

    #[test]
    fn what_is_no_message_is_refused_and_nothing_is_silence() {
        for bad in [
            "hello",
            "HTTP/1.1 abc\n\n",
            "HTTP/1.1 200 OK\nno colon\n\n",
            "x 200\n\n",
        ] {
            let error = ErrorPage::of_message(bad.as_bytes()).err();
            assert_eq!(error, Some(PageError::NotAMessage), "{bad}");
        }
        let silent = ErrorPage::of_message(b"").expect("silence");
        assert_eq!((silent.status(), silent.closes()), (0, true));
    }

    #[test]
    fn the_last_line_for_a_status_wins() {
        let line = |code, reply| HttpError {
            code,
            reply,
            at: Place::default(),
        };
        let location = |url: &str| ErrorReply::Location {
            status: 303,
            url: url.to_owned(),
        };
        let file = ErrorFile {
            code: 404,
            path: "e".to_owned(),
            message: b"HTTP/1.1 404 Gone fishing\n\n".to_vec(),
            at: Place::default(),
        };
        let section = HttpErrors {
            name: "mine".to_owned(),
            files: vec![file],
            ..HttpErrors::default()
        };
        let lines = [
            line(502, location("/a")),
            line(502, location("/b")),
            line(0, ErrorReply::Files("mine".to_owned())),
            line(0, ErrorReply::Files("other".to_owned())),
        ];
        let (pages, errors) = ErrorPages::compile(&lines, &[section]);
        assert_eq!(
            errors,
            [(
                Place::default(),
                PageError::UnknownSection("other".to_owned())
            )]
        );
        let mut out = Vec::new();
        pages.page(502).write(&mut out, Persistence::Silent, true);
        pages.page(404).write_raw(&mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "HTTP/1.1 303 See Other\r\ncache-control: no-cache\r\ncontent-length: 0\r\n\
             location: /b\r\n\r\nHTTP/1.1 404 Gone fishing\r\n\r\n"
        );
        assert_eq!(
            (pages.page(503).status(), pages.page(299).status()),
            (503, 500)
        );
    }

    #[test]
    fn replies_with_a_plain_text_are_answers() {
        let reply = Reply {
            body: ReplyBody::Raw(b"slow down".to_vec()),
            content_type: Some("text/plain".to_owned()),
            ..Reply::default()
        };
        let line = HttpError {
            code: 429,
            reply: ErrorReply::Reply(reply),
            at: Place::default(),
        };
        let (pages, errors) = ErrorPages::compile(&[line], &[]);
        assert!(errors.is_empty());
        let mut out = Vec::new();
        pages.page(429).write(&mut out, Persistence::Silent, true);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 9\r\n\
             content-type: text/plain\r\n\r\nslow down"
        );
    }
}
