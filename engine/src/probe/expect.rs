//! Whether what was received is what was expected.

use std::fmt::Write as _;

use super::fixed::Answer;
use super::http::Response;
use super::ruleset::{Expect, HeaderMatch, TextMatch, What};
use super::scene::bytes_of_hexadecimal;
use super::walk::Finding;
use crate::log::Format;
use crate::server::CheckStatus;

/// The verdict of one `expect` on the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// More bytes may change it.
    Wait,
    /// With what there is to say about it.
    Passed(Finding),
    Failed(Finding),
}

/// Which line speaks, for messages.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub number: u32,
    pub comment: Option<&'a str>,
}

impl Place<'_> {
    /// A complaint with the line's comment behind it.
    pub fn commented(&self, mut info: String) -> String {
        if let Some(comment) = self.comment {
            let _ = write!(info, " comment: {comment}");
        }
        info
    }
}

/// The texts that an `expect` looks for, evaluated for this check.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The text, or the header's name in lower case.
    text: Vec<u8>,
    value: Vec<u8>,
}

impl Wanted {
    /// `None` where a text that should be hexadecimal is not.
    pub fn of(what: &What, text: &mut impl FnMut(&Format) -> Vec<u8>) -> Option<Self> {
        let mut pattern = |wanted: &TextMatch| wanted.pattern().map(&mut *text).unwrap_or_default();
        Some(match what {
            What::Header(header) => Self {
                text: pattern(&header.name).to_ascii_lowercase(),
                value: header.value.as_ref().map(pattern).unwrap_or_default(),
            },
            What::Text(bytes) => bytes.clone().into(),
            What::TextFormat(format) => text(format).into(),
            What::BinaryFormat(format) => bytes_of_hexadecimal(&text(format))?.into(),
            _ => Self::default(),
        })
    }
}

impl From<Vec<u8>> for Wanted {
    fn from(text: Vec<u8>) -> Self {
        Self {
            text,
            value: Vec::new(),
        }
    }
}

/// A verdict of a `tcp-check` or built-in step. `last`: nothing more will come.
pub(super) fn on_bytes(
    expect: &Expect,
    wanted: &Wanted,
    input: &[u8],
    last: bool,
    place: Place<'_>,
) -> Verdict {
    if input.is_empty() {
        return if last {
            let info = format!("TCPCHK got an empty response at step {}", place.number);
            failed(expect, 0, place.commented(info))
        } else {
            Verdict::Wait
        };
    }
    if let What::Protocol(answer) = &expect.what {
        return on_protocol(expect, answer(input, last));
    }
    if !last && input.len() < expect.min_recv.unwrap_or(0) {
        return Verdict::Wait;
    }
    let matched = match &expect.what {
        What::Text(_) | What::TextFormat(_) | What::BinaryFormat(_) => {
            memchr::memmem::find(input, &wanted.text).is_some()
        }
        What::Regex(regex) => regex.is_match(input),
        What::BinaryRegex(regex) => regex.is_match(hexadecimal(input).as_bytes()),
        What::Anything => true,
        What::Status(_) | What::StatusRegex(_) | What::Header(_) | What::Protocol(_) => false,
    };
    if !matched && !last && expect.min_recv.is_none() {
        return Verdict::Wait;
    }
    if matched != expect.negated {
        return passed(expect, 0);
    }
    let how = if expect.negated {
        "matched unwanted content"
    } else {
        "did not match content"
    };
    let what = subject(&expect.what);
    let info = format!("TCPCHK {how} {what} at step {}", place.number);
    failed(expect, 0, place.commented(info))
}

/// A verdict of an `http-check` step.
pub(super) fn on_http(
    expect: &Expect,
    wanted: &Wanted,
    response: &Response,
    last: bool,
    place: Place<'_>,
) -> Verdict {
    let code = u32::from(response.status);
    if expect.not_found_stops && code == 404 {
        return Verdict::Passed(Finding {
            status: CheckStatus::L7OkConditional,
            code,
            info: String::new(),
        });
    }
    let body = &response.body;
    let matched = match &expect.what {
        What::Text(_) | What::TextFormat(_) | What::BinaryFormat(_) => {
            memchr::memmem::find(body, &wanted.text).is_some()
        }
        What::Regex(regex) => regex.is_match(body),
        _ => return on_status(expect, wanted, response, place),
    };
    let is_short = body.len() < expect.min_recv.unwrap_or(0);
    let may_change = is_short || !matched && expect.min_recv.is_none();
    if may_change && !response.complete && !last {
        return Verdict::Wait;
    }
    if matched != expect.negated {
        return passed(expect, code);
    }
    let info = if expect.negated {
        "HTTP check matched unwanted content"
    } else {
        "HTTP content check did not match"
    };
    failed(expect, code, place.commented(info.to_owned()))
}

fn on_status(expect: &Expect, wanted: &Wanted, response: &Response, place: Place<'_>) -> Verdict {
    let status = response.status;
    let matched = match &expect.what {
        What::Status(ranges) => ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&status)),
        What::StatusRegex(regex) => regex.is_match(status.to_string().as_bytes()),
        What::Header(header) => has_header(header, wanted, response),
        _ => false,
    };
    let code = u32::from(status);
    if matched != expect.negated {
        return passed(expect, code);
    }
    let info = if response.reason.is_empty() {
        let what = subject(&expect.what);
        format!(
            "TCPCHK did not match content{what} at step {}",
            place.number
        )
    } else {
        response.reason.clone()
    };
    failed(expect, code, place.commented(info))
}

fn passed(expect: &Expect, code: u32) -> Verdict {
    Verdict::Passed(Finding {
        status: expect.ok_status,
        code,
        info: String::new(),
    })
}

fn failed(expect: &Expect, code: u32, info: String) -> Verdict {
    Verdict::Failed(Finding {
        status: expect.error_status,
        code,
        info,
    })
}

fn has_header(header: &HeaderMatch, wanted: &Wanted, response: &Response) -> bool {
    let mut named = response.head.fields().filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        header.name.matches(&name, &wanted.text)
    });
    named.any(|(_, value)| match &header.value {
        None => true,
        Some(how) if header.full => how.matches(value.trim_ascii(), &wanted.value),
        Some(how) => value
            .split(|&byte| byte == b',')
            .any(|part| how.matches(part.trim_ascii(), &wanted.value)),
    })
}

fn on_protocol(expect: &Expect, answer: Answer) -> Verdict {
    match answer {
        Answer::Wait => Verdict::Wait,
        Answer::Passed { code, info } => Verdict::Passed(Finding {
            status: expect.ok_status,
            code,
            info,
        }),
        Answer::Failed { status, code, info } => Verdict::Failed(Finding {
            status: status.unwrap_or(expect.error_status),
            code,
            info,
        }),
    }
}

/// How an expectation is named in messages.
fn subject(what: &What) -> String {
    match what {
        What::Text(text) if is_printable(text) => {
            format!("'{}'", String::from_utf8_lossy(text))
        }
        What::Text(_) => "(binary)".to_owned(),
        What::TextFormat(_) => "(log-format string)".to_owned(),
        What::BinaryFormat(_) => "(log-format binary)".to_owned(),
        What::Regex(_) => "(regex)".to_owned(),
        What::BinaryRegex(_) => "(binary regex)".to_owned(),
        What::Status(_) => "(status codes)".to_owned(),
        What::StatusRegex(_) => "(status regex)".to_owned(),
        What::Header(_) => "(header pattern)".to_owned(),
        What::Anything | What::Protocol(_) => "(custom)".to_owned(),
    }
}

/// How an expectation is named where a step timed out.
pub(super) fn step_name(what: &What) -> String {
    match what {
        What::Text(text) if is_printable(text) => {
            format!("expect string '{}'", String::from_utf8_lossy(text))
        }
        What::Text(_) => "expect binary".to_owned(),
        What::TextFormat(_) => "expect log-format string".to_owned(),
        What::BinaryFormat(_) => "expect log-format binary".to_owned(),
        What::Regex(_) => "expect regex".to_owned(),
        What::BinaryRegex(_) => "expect binary regex".to_owned(),
        What::Status(_) => "expect HTTP status codes".to_owned(),
        What::StatusRegex(_) => "expect HTTP status regex".to_owned(),
        What::Header(_) => "expect HTTP header pattern".to_owned(),
        What::Anything | What::Protocol(_) => "expect custom function".to_owned(),
    }
}

fn is_printable(text: &[u8]) -> bool {
    text.iter()
        .all(|&byte| byte == b' ' || byte.is_ascii_graphic())
}

fn hexadecimal(input: &[u8]) -> String {
    input
        .iter()
        .fold(String::with_capacity(input.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        })
}
