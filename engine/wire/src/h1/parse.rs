//! The incremental parser of request and response heads.

use memchr::{memchr2, memchr3};

use super::error::HeadError;
use super::framing::{self, Asked, Framing, Seen};
use crate::head::{Head, Kind, Version};
use crate::text;

/// Bounds of a message head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest head in bytes, start line included: `tune.bufsize` less `tune.maxrewrite`.
    pub head_bytes: usize,
    /// Bytes an unfinished head may reach before it is given up: `tune.bufsize`.
    pub buffer_bytes: usize,
    /// Most fields: `tune.http.maxhdr` less one for the start line.
    pub fields: usize,
    /// Accept GET, HEAD and DELETE of HTTP/1.0 with a body: `h1-accept-payload-with-any-method`.
    pub body_with_any_method: bool,
    /// Let through some of what breaks the rules: `option accept-unsafe-violations-in-http-request`
    /// and `-response`. What two readers could frame differently stays refused.
    pub lenient: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_bytes: 16_384 - 1_024,
            buffer_bytes: 16_384,
            fields: 100,
            body_with_any_method: false,
            lenient: false,
        }
    }
}

/// How far a head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parse {
    /// More bytes are needed; call again with the same bytes and what follows them.
    Partial,
    /// The head is complete and its body begins at `consumed`.
    Complete {
        /// Bytes of the input that belonged to the head, blank lines in front of it included.
        consumed: usize,
        /// What the head says of its body and connection.
        framing: Framing,
    },
}

/// Parses one head from input that arrives piece by piece.
///
/// Each call gets the unconsumed input from its beginning. Complete lines are looked at once: the
/// parser remembers where it was, so a client that sends single bytes costs no more than one that
/// sends all at once.
#[derive(Clone, Debug, Default)]
pub struct HeadParser {
    stage: Stage,
    /// Where the line in work begins.
    line: usize,
    /// Up to where that line has been searched for its end.
    searched: usize,
    /// Bytes that ended the line before.
    ending: u8,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    StartLine,
    Fields,
}

impl HeadParser {
    /// A parser at the beginning of a message.
    pub fn new() -> HeadParser {
        HeadParser::default()
    }

    /// Whether anything of a message was seen, blank lines in front of it aside.
    pub fn has_begun(&self) -> bool {
        self.stage != Stage::StartLine || self.searched > self.line
    }

    /// Parses a request into `head`, which the first call clears.
    pub fn request(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<Parse, HeadError> {
        let Some(consumed) = self.head(input, limits, Kind::Request, head)? else {
            return Ok(Parse::Partial);
        };
        let seen = std::mem::take(self).seen;
        let framing = framing::request(head, seen, limits)?;
        Ok(Parse::Complete { consumed, framing })
    }

    /// Parses the response to the request that `asked` describes.
    ///
    /// An interim response (1xx but 101) is a complete head too: parse again after it.
    pub fn response(
        &mut self,
        input: &[u8],
        limits: &Limits,
        asked: Asked,
        head: &mut Head,
    ) -> Result<Parse, HeadError> {
        let Some(consumed) = self.head(input, limits, Kind::Response, head)? else {
            return Ok(Parse::Partial);
        };
        let seen = std::mem::take(self).seen;
        let framing = framing::response(head, seen, asked, limits.lenient)?;
        Ok(Parse::Complete { consumed, framing })
    }

    /// Parses the fields behind a chunked body; `Some` is the number of bytes up to their end.
    pub(super) fn trailers(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<Option<usize>, HeadError> {
        if self.line == 0 && self.stage == Stage::StartLine {
            head.reset(Kind::Trailers);
            self.stage = Stage::Fields;
        }
        let end = self.head(input, limits, Kind::Trailers, head)?;
        if end.is_some() {
            framing::trailers(head, std::mem::take(self).seen)?;
        }
        Ok(end)
    }

    /// Consumes complete lines; `Some` is where the head ends.
    fn head(
        &mut self,
        input: &[u8],
        limits: &Limits,
        kind: Kind,
        head: &mut Head,
    ) -> Result<Option<usize>, HeadError> {
        while let Some((line, next)) = self.next_line(input, limits.lenient)? {
            match self.stage {
                Stage::StartLine if line.is_empty() => {}
                Stage::StartLine => {
                    head.reset(kind);
                    head.reserve(input.len().min(limits.buffer_bytes));
                    match kind {
                        Kind::Response => status_line(line, head, limits.lenient)?,
                        Kind::Request | Kind::Trailers => {
                            request_line(line, head, limits.lenient)?;
                        }
                    }
                    self.stage = Stage::Fields;
                }
                Stage::Fields if line.is_empty() => {
                    let fits = next <= limits.head_bytes;
                    return if fits {
                        Ok(Some(next))
                    } else {
                        Err(HeadError::HeadTooLarge)
                    };
                }
                Stage::Fields => self.field(line, limits, head)?,
            }
            self.ending = (next - self.line - line.len()) as u8;
            self.line = next;
            self.searched = next;
        }
        if input.len() >= limits.buffer_bytes {
            return Err(self.too_large(kind));
        }
        if !limits.lenient {
            self.check_unfinished(input.get(self.line..).unwrap_or(&[]), kind)?;
        }
        Ok(None)
    }

    /// The line in work without its end, and where the next one begins; `None` if it is not all here.
    fn next_line<'a>(
        &mut self,
        input: &'a [u8],
        lenient: bool,
    ) -> Result<Option<(&'a [u8], usize)>, HeadError> {
        let Some(rest) = input.get(self.searched..) else {
            return Ok(None);
        };
        let found = if lenient {
            memchr2(b'\n', b'\r', rest)
        } else {
            memchr3(b'\n', b'\r', 0, rest)
        };
        let Some(found) = found else {
            self.searched = input.len();
            return Ok(None);
        };
        let end = self.searched + found;
        let line = &input[self.line..end];
        match (input[end], input.get(end + 1)) {
            (b'\n', _) => Ok(Some((line, end + 1))),
            (b'\r', Some(b'\n')) => Ok(Some((line, end + 2))),
            (b'\r', None) => {
                self.searched = end;
                Ok(None)
            }
            _ => Err(HeadError::Control),
        }
    }

    fn field(&mut self, line: &[u8], limits: &Limits, head: &mut Head) -> Result<(), HeadError> {
        if text::blank(line[0]) {
            let joined = head.fold_line(self.ending as usize, line);
            return if joined { Ok(()) } else { Err(HeadError::Fold) };
        }
        if head.len() == limits.fields {
            return Err(HeadError::TooManyFields);
        }
        match head.push_line(line) {
            Some(known) => self.seen.note(known),
            // A field whose name is none is dropped; one without a name never passes.
            None if limits.lenient && line[0] != b':' && line.contains(&b':') => {}
            None => return Err(HeadError::FieldName),
        }
        Ok(())
    }

    /// Refuses at once what no further byte can mend, so that a client of another protocol is told
    /// before a timeout. The work is bounded: only the beginning of the line is looked at.
    fn check_unfinished(&self, line: &[u8], kind: Kind) -> Result<(), HeadError> {
        let beginning = &line[..line.len().min(UNFINISHED_BYTES_MAX)];
        match (self.stage, kind) {
            (Stage::StartLine, Kind::Response) => {
                let length = beginning.len().min(PROTOCOL.len());
                let valid = beginning[..length] == PROTOCOL[..length] || beginning == b"\r";
                if valid {
                    Ok(())
                } else {
                    Err(HeadError::Version)
                }
            }
            (Stage::StartLine, _) => {
                let method = beginning.iter().position(|&b| !text::token(b));
                let valid = match method {
                    Some(0) => beginning == b"\r",
                    Some(end) => matches!(beginning[end], b' ' | b'\t' | b'\r'),
                    None => true,
                };
                if valid {
                    Ok(())
                } else {
                    Err(HeadError::Method)
                }
            }
            (Stage::Fields, _) if beginning.first().is_some_and(|&b| text::blank(b)) => Ok(()),
            (Stage::Fields, _) => {
                let name = beginning.iter().position(|&b| !text::token(b));
                let valid = match name {
                    Some(0) => beginning == b"\r",
                    Some(end) => beginning[end] == b':',
                    None => true,
                };
                if valid {
                    Ok(())
                } else {
                    Err(HeadError::FieldName)
                }
            }
        }
    }

    fn too_large(&self, kind: Kind) -> HeadError {
        match (self.stage, kind) {
            (Stage::StartLine, Kind::Request) => HeadError::TargetTooLong,
            _ => HeadError::HeadTooLarge,
        }
    }
}

/// How much of an unfinished line is checked ahead of its end.
const UNFINISHED_BYTES_MAX: usize = 64;

const PROTOCOL: &[u8] = b"HTTP/";

/// `method SP target SP version`, where HAProxy takes any number of blanks between the parts.
fn request_line(line: &[u8], head: &mut Head, lenient: bool) -> Result<(), HeadError> {
    let method_end = line
        .iter()
        .position(|&b| !text::token(b))
        .ok_or(HeadError::StartLine)?;
    let (method, rest) = line.split_at(method_end);
    if method.is_empty() || !text::blank(rest[0]) {
        return Err(HeadError::Method);
    }
    let rest = skip_blanks(rest);
    let target_end = memchr::memchr2(b' ', b'\t', rest).ok_or(HeadError::StartLine)?;
    let (target, rest) = rest.split_at(target_end);
    let is_visible = |target: &[u8]| target.iter().all(|&b| b > b' ' && b != 0x7f);
    if !(text::valid_target(target) || lenient && is_visible(target)) {
        return Err(HeadError::Target);
    }
    head.set_version(version(skip_blanks(rest))?);
    head.set_method(method);
    head.set_target(target);
    Ok(())
}

/// `version SP status SP reason`, where a missing reason becomes the usual one.
fn status_line(line: &[u8], head: &mut Head, lenient: bool) -> Result<(), HeadError> {
    let version_end = memchr::memchr2(b' ', b'\t', line).ok_or(HeadError::StartLine)?;
    head.set_version(version(&line[..version_end])?);
    let rest = skip_blanks(&line[version_end..]);
    let status_end = memchr::memchr2(b' ', b'\t', rest).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(status_end);
    let has_length = digits.len() == 3 || (lenient && digits.len() > 3);
    // A first digit of 0 would be an interim response to one reader and a final one to another.
    if !has_length || !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return Err(HeadError::Status);
    }
    let status = digits.iter().try_fold(0u16, |status, digit| {
        status.checked_mul(10)?.checked_add(u16::from(digit - b'0'))
    });
    let status = status.ok_or(HeadError::Status)?;
    let reason = skip_blanks(rest);
    head.set_status(status, (!reason.is_empty()).then_some(reason));
    Ok(())
}

fn version(text: &[u8]) -> Result<Version, HeadError> {
    match text.strip_prefix(PROTOCOL) {
        Some(&[major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9']) => Ok(Version {
            major: major - b'0',
            minor: minor - b'0',
        }),
        _ => Err(HeadError::Version),
    }
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let start = line
        .iter()
        .position(|&b| !text::blank(b))
        .unwrap_or(line.len());
    &line[start..]
}
