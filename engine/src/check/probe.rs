//! One run of a ruleset, without a socket: it says what to do next and is told what happened.

use std::io;
use std::sync::Arc;

use super::expect::{self, Verdict};
use super::http;
use super::ruleset::{Action, ConnectStep, Ruleset, Step, Style};
use crate::limits;
use crate::server::CheckStatus;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub status: CheckStatus,
    /// HTTP status or the protocol's own code; shown where `status.has_code()`.
    pub code: u32,
    pub info: String,
}

/// What the owner of the socket is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Todo {
    /// Close what is open, connect anew, send the prologue.
    Connect(ConnectStep),
    Send(Vec<u8>),
    /// Wait for bytes or the end, and report them.
    Receive,
    Done(Finding),
}

/// A run in progress.
#[derive(Debug)]
pub struct Probe {
    rules: Arc<Ruleset>,
    /// The step in work.
    at: usize,
    /// That step was handed out and is under way.
    begun: bool,
    input: Vec<u8>,
    ended: bool,
    asked_head: bool,
    connected_by_tls: bool,
    state: Option<String>,
    passed: Option<Finding>,
}

impl Probe {
    /// `state` is what `http-check send-state` tells the server.
    pub fn new(rules: Arc<Ruleset>, state: Option<String>) -> Self {
        Self {
            rules,
            at: 0,
            begun: false,
            input: Vec::new(),
            ended: false,
            asked_head: false,
            connected_by_tls: false,
            state,
            passed: None,
        }
    }

    /// The next thing to do. Asking means that the last one was done.
    pub fn todo(&mut self) -> Todo {
        let rules = Arc::clone(&self.rules);
        if self.begun && !matches!(rules.steps[self.at].action, Action::Expect(_)) {
            self.advance();
        }
        let Some(step) = rules.steps.get(self.at) else {
            return Todo::Done(self.finished());
        };
        self.begun = true;
        match &step.action {
            Action::Connect(connect) => {
                self.forget_input();
                self.connected_by_tls = connect.tls;
                Todo::Connect(connect.clone())
            }
            Action::Send(bytes) => {
                self.forget_input();
                Todo::Send(bytes.clone())
            }
            Action::SendHttp(request) => {
                self.forget_input();
                self.asked_head = request.method == "HEAD";
                let mut bytes = Vec::new();
                http::write(request, self.state.as_deref(), &mut bytes);
                Todo::Send(bytes)
            }
            Action::Expect(expect) => {
                let at = step.number.to_string();
                let full = self.input.len() >= limits::CHECK_RESPONSE_BYTES_MAX;
                let last = self.ended || full;
                let comment = step.comment.as_deref();
                let verdict = match rules.style {
                    Style::Http => {
                        let input = &self.input;
                        expect::on_http(expect, input, self.asked_head, last, &at, comment)
                    }
                    _ => expect::on_bytes(expect, &self.input, last, &at),
                };
                match verdict {
                    Verdict::Wait => Todo::Receive,
                    Verdict::Passed { status, code, info } => {
                        // The last one that had something to say is quoted: mysql's version.
                        let said = self.passed.take().map(|finding| finding.info);
                        let info = if info.is_empty() {
                            said.unwrap_or_default()
                        } else {
                            info
                        };
                        self.passed = Some(Finding { status, code, info });
                        self.advance();
                        self.todo()
                    }
                    Verdict::Failed { status, code, info } => Todo::Done(Finding {
                        status,
                        code,
                        info: self.worded(info, step),
                    }),
                }
            }
        }
    }

    fn advance(&mut self) {
        self.at += 1;
        self.begun = false;
    }

    fn forget_input(&mut self) {
        self.input.clear();
    }

    /// Bytes came.
    pub fn received(&mut self, bytes: &[u8]) {
        let room = limits::CHECK_RESPONSE_BYTES_MAX.saturating_sub(self.input.len());
        self.input
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The server closed its side.
    pub fn ended(&mut self) {
        self.ended = true;
    }

    /// The connection failed, or could not be made.
    pub fn failed(&self, error: &io::Error) -> Finding {
        let status = if self.is_connecting() {
            CheckStatus::L4Connection
        } else {
            CheckStatus::SocketError
        };
        Finding {
            status,
            code: 0,
            info: errno_text(error) + &self.place(),
        }
    }

    /// The TLS handshake failed.
    pub fn tls_failed(&self, reason: &str) -> Finding {
        let info = reason.to_owned() + &self.place();
        Finding {
            status: CheckStatus::L6Response,
            code: 0,
            info,
        }
    }

    /// The step in work took too long. `in_handshake`: TCP was connected, TLS was not.
    pub fn timed_out(&self, in_handshake: bool) -> Finding {
        let status = match self.rules.steps.get(self.at).map(|step| &step.action) {
            Some(Action::Expect(expect)) => expect.timeout_status,
            Some(Action::Connect(_)) if in_handshake => CheckStatus::L6Timeout,
            Some(Action::Connect(_)) => CheckStatus::L4Timeout,
            _ => CheckStatus::L7Timeout,
        };
        Finding {
            status,
            code: 0,
            info: self.place(),
        }
    }

    /// Whether the step in work is a connection.
    pub fn is_connecting(&self) -> bool {
        matches!(
            self.rules.steps.get(self.at).map(|step| &step.action),
            Some(Action::Connect(_)) | None
        )
    }

    fn worded(&self, info: String, step: &Step) -> String {
        match (&step.comment, self.rules.style) {
            (Some(comment), Style::Tcp) => format!("{info} comment: {comment}"),
            _ => info,
        }
    }

    /// All steps passed.
    fn finished(&mut self) -> Finding {
        let said = self.rules.style == Style::Tcp;
        let info = if said {
            "(tcp-check)".to_owned()
        } else {
            String::new()
        };
        let ends_connected = matches!(
            self.rules.steps.last().map(|step| &step.action),
            Some(Action::Connect(_)) | None
        );
        if ends_connected {
            let status = if self.connected_by_tls {
                CheckStatus::L6Ok
            } else {
                CheckStatus::L4Ok
            };
            return Finding {
                status,
                code: 0,
                info,
            };
        }
        match self.passed.take() {
            Some(passed) if passed.info.is_empty() => Finding { info, ..passed },
            Some(passed) => passed,
            None => Finding {
                status: CheckStatus::L7Ok,
                code: 0,
                info,
            },
        }
    }

    /// ` at step 2 of tcp-check (connect port 1)`: HAProxy names the step of `tcp-check` rules.
    fn place(&self) -> String {
        let Some(step) = self.rules.steps.get(self.at) else {
            return String::new();
        };
        if self.rules.style != Style::Tcp || self.rules.steps.len() == 1 && step.number == 0 {
            return String::new();
        }
        if step.number == 0 {
            return " at initial connection step of tcp-check".to_owned();
        }
        let what = match &step.action {
            Action::Connect(ConnectStep {
                port: Some(port), ..
            }) => format!("connect port {port}"),
            Action::Connect(_) => "connect".to_owned(),
            Action::Send(_) | Action::SendHttp(_) => "send".to_owned(),
            Action::Expect(expect) => expect::step_name(&expect.what),
        };
        let comment = step
            .comment
            .as_ref()
            .map(|text| format!(" comment: '{text}'"))
            .unwrap_or_default();
        format!(" at step {} of tcp-check ({what}){comment}", step.number)
    }
}

/// `ECONNREFUSED returned by OS (Connection refused)`.
pub(super) fn errno_text(error: &io::Error) -> String {
    let Some(errno) = error.raw_os_error() else {
        return error.to_string();
    };
    let name = ERRNO_NAMES
        .iter()
        .find(|(number, _)| *number == errno)
        .map_or_else(|| errno.to_string(), |(_, name)| (*name).to_owned());
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    format!("{name} returned by OS ({text})")
}

/// Errors that connecting and talking to a server can give.
const ERRNO_NAMES: &[(i32, &str)] = &[
    (libc::EACCES, "EACCES"),
    (libc::EADDRINUSE, "EADDRINUSE"),
    (libc::EADDRNOTAVAIL, "EADDRNOTAVAIL"),
    (libc::EAGAIN, "EAGAIN"),
    (libc::ECONNABORTED, "ECONNABORTED"),
    (libc::ECONNREFUSED, "ECONNREFUSED"),
    (libc::ECONNRESET, "ECONNRESET"),
    (libc::EHOSTDOWN, "EHOSTDOWN"),
    (libc::EHOSTUNREACH, "EHOSTUNREACH"),
    (libc::EINVAL, "EINVAL"),
    (libc::EMFILE, "EMFILE"),
    (libc::ENETDOWN, "ENETDOWN"),
    (libc::ENETUNREACH, "ENETUNREACH"),
    (libc::ENFILE, "ENFILE"),
    (libc::ENOBUFS, "ENOBUFS"),
    (libc::ENOENT, "ENOENT"),
    (libc::ENOMEM, "ENOMEM"),
    (libc::EPERM, "EPERM"),
    (libc::EPIPE, "EPIPE"),
    (libc::ETIMEDOUT, "ETIMEDOUT"),
];
