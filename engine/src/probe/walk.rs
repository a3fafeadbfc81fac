//! One run of a ruleset, without a socket: it says what to do next and is told what happened.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::expect::{self, Verdict, Wanted};
use super::http::{self, Parsed, Response};
use super::ruleset::{Action, Connect, ConnectStep, Expect, Ruleset, Step, Style};
use super::scene::{Asking, Heard, Scene, Subject};
use super::step;
use crate::limits;
use crate::log::Format;
use crate::sample::Data;
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
    /// How the server line says to connect.
    own: ConnectStep,
    scene: Scene,
    /// The step in work.
    at: usize,
    /// That step was handed out and is under way.
    begun: bool,
    answer: Answered,
    asked_head: bool,
    connected_by_tls: bool,
    lingers: bool,
    state: Option<String>,
    passed: Option<Finding>,
}

/// What the server said since the last thing that was said to it.
#[derive(Debug, Default)]
struct Answered {
    bytes: Vec<u8>,
    ended: bool,
    /// HTTP: what the bytes are, once they are a response.
    response: Option<Response>,
}

impl Answered {
    /// Nothing will be added.
    fn is_last(&self) -> bool {
        self.ended || self.bytes.len() >= limits::CHECK_RESPONSE_BYTES_MAX
    }

    fn heard(&self) -> Heard<'_> {
        let bytes = match &self.response {
            Some(response) => &response.body,
            None => &self.bytes,
        };
        Heard {
            response: self.response.as_ref().map(|response| &response.head),
            data: Data {
                bytes,
                complete: self.is_last(),
                last_chance: true,
                is_inspected: false,
            },
        }
    }

    fn forget(&mut self) {
        self.bytes.clear();
        self.response = None;
    }
}

impl Probe {
    /// `state` is what `http-check send-state` tells the server.
    pub fn new(
        rules: Arc<Ruleset>,
        own: ConnectStep,
        subject: Subject,
        state: Option<String>,
    ) -> Self {
        Self {
            rules,
            own,
            scene: Scene::new(subject),
            at: 0,
            begun: false,
            answer: Answered::default(),
            asked_head: false,
            connected_by_tls: false,
            lingers: false,
            state,
            passed: None,
        }
    }

    /// The next thing to do. Asking means that the last one was done.
    pub fn todo(&mut self, asking: Asking<'_>) -> Todo {
        let rules = Arc::clone(&self.rules);
        if self.begun && !matches!(rules.steps[self.at].action, Action::Expect(_)) {
            self.advance();
        }
        while let Some(step) = rules.steps.get(self.at) {
            self.begun = true;
            match &step.action {
                Action::Remark => {}
                Action::Var(var) => self.scene.set(var, self.answer.heard(), asking),
                Action::Connect(connect) => return self.connect(connect, asking),
                Action::Send(payload) => {
                    let heard = self.answer.heard();
                    let bytes = step::payload(payload, &mut self.scene, heard, asking);
                    self.answer.forget();
                    return match bytes {
                        Some(bytes) => Todo::Send(bytes),
                        None => Todo::Done(self.unsendable()),
                    };
                }
                Action::SendHttp(request) => {
                    self.asked_head = request.method == "HEAD";
                    let (heard, state) = (self.answer.heard(), self.state.as_deref());
                    let bytes = step::request(request, state, &mut self.scene, heard, asking);
                    self.answer.forget();
                    return Todo::Send(bytes);
                }
                Action::Expect(expect) => match self.judge(expect, step, asking) {
                    Judged::Wait => return Todo::Receive,
                    Judged::Passed(finding) => self.passed = Some(finding),
                    Judged::Failed(finding) => return Todo::Done(finding),
                },
            }
            self.advance();
        }
        Todo::Done(self.finished())
    }

    fn connect(&mut self, connect: &Connect, asking: Asking<'_>) -> Todo {
        let mut step = connect.over(&self.own);
        if let Some(expr) = &connect.port {
            // As HAProxy does: what is no port is cut to one, and 0 is none.
            let port = self.scene.number(expr, self.answer.heard(), asking) as u16;
            step.port = (port != 0).then_some(port);
        }
        self.answer = Answered::default();
        self.connected_by_tls = step.tls;
        self.lingers = step.linger;
        Todo::Connect(step)
    }

    /// Whether the present answer is what an `expect` wants.
    fn judge(&mut self, expect: &Expect, step: &Step, asking: Asking<'_>) -> Judged {
        let last = self.answer.is_last();
        let place = expect::Place {
            number: step.number,
            comment: step.comment.as_deref(),
        };
        let mut text = |format: &Format| self.scene.text(format, self.answer.heard(), asking);
        let Some(wanted) = Wanted::of(&expect.what, &mut text) else {
            return Judged::Failed(Finding {
                status: CheckStatus::L7Response,
                code: 0,
                info: "Failed to parse hexastring resulting of eval of a log-format string"
                    .to_owned(),
            });
        };
        let verdict = match self.rules.style {
            Style::Http => {
                if self.answer.response.is_none() || !last {
                    match http::parse(&self.answer.bytes, self.asked_head, last) {
                        Parsed::Response(response) => self.answer.response = Some(response),
                        Parsed::Partial if !last => return Judged::Wait,
                        // HAProxy 3.5 calls both an answer that is no HTTP and one that ends early
                        // a socket error.
                        Parsed::Partial | Parsed::Junk => return Judged::Failed(no_http()),
                    }
                }
                match &self.answer.response {
                    Some(response) => expect::on_http(expect, &wanted, response, last, place),
                    None => return Judged::Failed(no_http()),
                }
            }
            _ => expect::on_bytes(expect, &wanted, &self.answer.bytes, last, place),
        };
        match verdict {
            Verdict::Wait => Judged::Wait,
            Verdict::Passed(finding) => {
                let mut finding = self.told(expect, finding, expect.on_success.as_ref(), asking);
                if finding.info.is_empty() {
                    // The last one that had something to say is quoted: mysql's version.
                    finding.info = self
                        .passed
                        .take()
                        .map_or_else(String::new, |said| said.info);
                }
                Judged::Passed(finding)
            }
            Verdict::Failed(finding) => {
                let mut finding = self.told(expect, finding, expect.on_error.as_ref(), asking);
                if expect.on_error.is_some() {
                    finding.info = place.commented(finding.info);
                }
                Judged::Failed(finding)
            }
        }
    }

    /// `on-success`, `on-error` and `status-code`.
    fn told(
        &mut self,
        expect: &Expect,
        mut finding: Finding,
        format: Option<&Format>,
        asking: Asking<'_>,
    ) -> Finding {
        let heard = self.answer.heard();
        if let Some(format) = format {
            let text = self.scene.text(format, heard, asking);
            finding.info = String::from_utf8_lossy(&text).into_owned();
        }
        if let Some(expr) = &expect.status_code {
            finding.code = self.scene.number(expr, heard, asking) as u32;
        }
        finding
    }

    fn advance(&mut self) {
        self.at += 1;
        self.begun = false;
    }

    /// The connection stands; its two ends.
    pub fn connected(&mut self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        self.scene.connected(local, peer);
    }

    /// Bytes came.
    pub fn received(&mut self, bytes: &[u8]) {
        let known = &mut self.answer.bytes;
        let room = limits::CHECK_RESPONSE_BYTES_MAX.saturating_sub(known.len());
        known.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The server closed its side.
    pub fn ended(&mut self) {
        self.answer.ended = true;
    }

    /// Whether the connection is to be closed in good order: it carried something, or `linger`.
    pub fn closes_in_order(&self) -> bool {
        self.lingers || self.rules.style != Style::Connect
    }

    /// The connection failed, or could not be made.
    pub fn failed(&self, error: &io::Error) -> Finding {
        let status = if self.is_connecting() {
            CheckStatus::L4Connection
        } else {
            CheckStatus::SocketError
        };
        self.finding(status, &errno_text(error))
    }

    /// What stands between us and the server, a SOCKS proxy, does not let us through.
    pub fn refused(&self, reason: &str) -> Finding {
        self.finding(CheckStatus::L4Connection, reason)
    }

    /// The TLS handshake failed.
    pub fn tls_failed(&self, reason: &str) -> Finding {
        self.finding(CheckStatus::L6Response, reason)
    }

    fn finding(&self, status: CheckStatus, text: &str) -> Finding {
        Finding {
            status,
            code: 0,
            info: text.to_owned() + &self.place(),
        }
    }

    fn unsendable(&self) -> Finding {
        let number = self.rules.steps.get(self.at).map_or(0, |step| step.number);
        Finding {
            status: CheckStatus::L7Response,
            code: 0,
            info: format!("tcp-check send : failed to build log-format string at step {number}"),
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
        self.finding(status, "")
    }

    /// Whether the step in work is a connection.
    pub fn is_connecting(&self) -> bool {
        matches!(
            self.rules.steps.get(self.at).map(|step| &step.action),
            Some(Action::Connect(_)) | None
        )
    }

    /// All steps passed.
    fn finished(&mut self) -> Finding {
        let said = self.rules.style == Style::Tcp;
        let info = if said {
            "(tcp-check)".to_owned()
        } else {
            String::new()
        };
        let talks = |step: &&Step| !matches!(step.action, Action::Var(_) | Action::Remark);
        let last = self.rules.steps.iter().rev().find(talks);
        let ends_connected = matches!(
            last.map(|step| &step.action),
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
            Action::Connect(Connect {
                step: ConnectStep {
                    port: Some(port), ..
                },
                ..
            }) => format!("connect port {port}"),
            Action::Connect(_) => "connect".to_owned(),
            Action::Send(_) | Action::SendHttp(_) => "send".to_owned(),
            Action::Expect(expect) => expect::step_name(&expect.what),
            Action::Var(_) | Action::Remark => return String::new(),
        };
        let comment = step
            .comment
            .as_ref()
            .map(|text| format!(" comment: '{text}'"))
            .unwrap_or_default();
        format!(" at step {} of tcp-check ({what}){comment}", step.number)
    }
}

/// What an `expect` comes to.
enum Judged {
    Wait,
    Passed(Finding),
    Failed(Finding),
}

fn no_http() -> Finding {
    Finding {
        status: CheckStatus::SocketError,
        code: 0,
        info: String::new(),
    }
}

/// `ECONNREFUSED returned by OS (Connection refused)`.
pub fn errno_text(error: &io::Error) -> String {
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
