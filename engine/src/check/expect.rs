//! Whether what was received is what was expected.

use std::fmt::Write as _;

use super::fixed::Answer;
use super::http::{Parsed, Response, parse};
use super::ruleset::{Expect, HeaderMatch, What};
use crate::server::CheckStatus;

/// The verdict of one `expect` on the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// More bytes may change it.
    Wait,
    /// With what there is to say about it.
    Passed {
        status: CheckStatus,
        code: u32,
        info: String,
    },
    Failed {
        status: CheckStatus,
        code: u32,
        info: String,
    },
}

/// What of a response was compared, which decides what a failure is called.
struct Compared {
    matched: bool,
    code: u32,
    reason: String,
}

/// A verdict of a `tcp-check` or built-in step. `last`: nothing more will come.
pub(super) fn on_bytes(expect: &Expect, input: &[u8], last: bool, at: &str) -> Verdict {
    if input.is_empty() {
        return if last {
            empty(expect, at)
        } else {
            Verdict::Wait
        };
    }
    if let What::Protocol(answer) = &expect.what {
        return on_protocol(expect, answer(input, last));
    }
    let enough = expect.min_recv.map_or(0, |bytes| match &expect.what {
        What::Text(text) => bytes.min(text.len()),
        _ => bytes,
    });
    if !last && input.len() < enough {
        return Verdict::Wait;
    }
    let matched = match &expect.what {
        What::Text(text) => memchr::memmem::find(input, text).is_some(),
        What::Regex(regex) => regex.is_match(input),
        What::BinaryRegex(regex) => regex.is_match(hexadecimal(input).as_bytes()),
        What::Status(_) | What::StatusRegex(_) | What::Header(_) | What::Protocol(_) => false,
    };
    if !matched && !last && expect.min_recv.is_none() {
        return Verdict::Wait;
    }
    if matched != expect.negated {
        return Verdict::Passed {
            status: expect.ok_status,
            code: 0,
            info: String::new(),
        };
    }
    let how = if expect.negated {
        "matched unwanted content"
    } else {
        "did not match content"
    };
    let info = format!("TCPCHK {how} {} at step {at}", subject(&expect.what));
    Verdict::Failed {
        status: expect.error_status,
        code: 0,
        info,
    }
}

/// A verdict of an `http-check` step. `comment` is appended to content failures.
pub(super) fn on_http(
    expect: &Expect,
    input: &[u8],
    was_head: bool,
    last: bool,
    at: &str,
    comment: Option<&str>,
) -> Verdict {
    let response = match parse(input, was_head, last) {
        Parsed::Response(response) => response,
        Parsed::Partial if !last => return Verdict::Wait,
        // HAProxy 3.5 calls both an answer that is no HTTP and one that ends early a socket error.
        Parsed::Partial | Parsed::Junk => {
            let status = CheckStatus::SocketError;
            return Verdict::Failed {
                status,
                code: 0,
                info: String::new(),
            };
        }
    };
    let code = u32::from(response.status);
    if expect.not_found_stops && code == 404 {
        let status = CheckStatus::L7OkConditional;
        return Verdict::Passed {
            status,
            code,
            info: String::new(),
        };
    }
    let matched = match &expect.what {
        What::Text(text) => memchr::memmem::find(&response.body, text).is_some(),
        What::Regex(regex) => regex.is_match(&response.body),
        _ => return on_status(expect, response, at),
    };
    if !matched && !response.complete && !last && expect.min_recv.is_none() {
        return Verdict::Wait;
    }
    if matched != expect.negated {
        return Verdict::Passed {
            status: expect.ok_status,
            code,
            info: String::new(),
        };
    }
    let mut info = if expect.negated {
        "HTTP check matched unwanted content".to_owned()
    } else {
        "HTTP content check did not match".to_owned()
    };
    if let Some(comment) = comment {
        let _ = write!(info, " comment: {comment}");
    }
    Verdict::Failed {
        status: expect.error_status,
        code,
        info,
    }
}

fn on_status(expect: &Expect, response: Response, at: &str) -> Verdict {
    let compared = compare(&expect.what, response);
    if compared.matched != expect.negated {
        return Verdict::Passed {
            status: expect.ok_status,
            code: compared.code,
            info: String::new(),
        };
    }
    let info = if compared.reason.is_empty() {
        format!(
            "TCPCHK did not match content{} at step {at}",
            subject(&expect.what)
        )
    } else {
        compared.reason
    };
    Verdict::Failed {
        status: expect.error_status,
        code: compared.code,
        info,
    }
}

fn compare(what: &What, response: Response) -> Compared {
    let status = response.status;
    let matched = match what {
        What::Status(ranges) => ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&status)),
        What::StatusRegex(regex) => regex.is_match(status.to_string().as_bytes()),
        What::Header(header) => has_header(header, &response),
        What::Text(_) | What::Regex(_) | What::BinaryRegex(_) | What::Protocol(_) => false,
    };
    Compared {
        matched,
        code: u32::from(status),
        reason: response.reason,
    }
}

fn has_header(header: &HeaderMatch, response: &Response) -> bool {
    response
        .fields
        .iter()
        .filter(|(name, _)| header.name.matches(name, true))
        .any(|(_, value)| match &header.value {
            None => true,
            Some(wanted) if header.full => wanted.matches(value.trim_ascii(), false),
            Some(wanted) => value
                .split(|&byte| byte == b',')
                .any(|part| wanted.matches(part.trim_ascii(), false)),
        })
}

fn on_protocol(expect: &Expect, answer: Answer) -> Verdict {
    match answer {
        Answer::Wait => Verdict::Wait,
        Answer::Passed { code, info } => Verdict::Passed {
            status: expect.ok_status,
            code,
            info,
        },
        Answer::Failed { status, code, info } => Verdict::Failed {
            status: status.unwrap_or(expect.error_status),
            code,
            info,
        },
    }
}

fn empty(expect: &Expect, at: &str) -> Verdict {
    let info = format!("TCPCHK got an empty response at step {at}");
    Verdict::Failed {
        status: expect.error_status,
        code: 0,
        info,
    }
}

/// How an expectation is named in messages.
fn subject(what: &What) -> String {
    match what {
        What::Text(text) if is_printable(text) => {
            format!("'{}'", String::from_utf8_lossy(text))
        }
        What::Text(_) => "(binary)".to_owned(),
        What::Regex(_) => "(regex)".to_owned(),
        What::BinaryRegex(_) => "(binary regex)".to_owned(),
        What::Status(_) => "(status codes)".to_owned(),
        What::StatusRegex(_) => "(status regex)".to_owned(),
        What::Header(_) => "(header pattern)".to_owned(),
        What::Protocol(_) => "(custom)".to_owned(),
    }
}

/// How an expectation is named where a step timed out.
pub(super) fn step_name(what: &What) -> String {
    match what {
        What::Text(text) if is_printable(text) => {
            format!("expect string '{}'", String::from_utf8_lossy(text))
        }
        What::Text(_) => "expect binary".to_owned(),
        What::Regex(_) => "expect regex".to_owned(),
        What::BinaryRegex(_) => "expect binary regex".to_owned(),
        What::Status(_) => "expect HTTP status codes".to_owned(),
        What::StatusRegex(_) => "expect HTTP status regex".to_owned(),
        What::Header(_) => "expect HTTP header pattern".to_owned(),
        What::Protocol(_) => "expect custom function".to_owned(),
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
