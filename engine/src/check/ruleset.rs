//! What a check says and wants to hear: a list of steps.

use std::net::IpAddr;

use regex::bytes::Regex;

use super::fixed::Answer;
use crate::server::CheckStatus;

/// How results of a ruleset are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A plain connection.
    Connect,
    /// `option tcp-check`: errors name the step.
    Tcp,
    /// `option httpchk`: errors carry the reason of the status line.
    Http,
    /// redis, mysql, ...: the protocol's own words.
    Builtin,
}

/// A check's steps in order. The first is always a connection.
#[derive(Debug)]
pub struct Ruleset {
    pub style: Style,
    pub steps: Vec<Step>,
}

/// One `tcp-check` or `http-check` line.
#[derive(Debug)]
pub struct Step {
    pub action: Action,
    pub comment: Option<String>,
    /// Its number among the lines as written, from 1; 0 for the connection nobody wrote.
    pub number: u32,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    Connect(ConnectStep),
    Send(Vec<u8>),
    SendHttp(HttpRequest),
    Expect(Expect),
}

/// `connect`: where it differs from the server's own address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectStep {
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
    pub tls: bool,
    pub prologue: Prologue,
}

/// What goes out before anything else (`send-proxy`, `check-send-proxy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prologue {
    #[default]
    None,
    ProxyV1,
    ProxyV2,
}

impl Prologue {
    /// A check speaks for the proxy itself: UNKNOWN in version 1, LOCAL in version 2 (PROXY
    /// protocol, sections 2.1 and 2.2).
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::ProxyV1 => b"PROXY UNKNOWN\r\n",
            Self::ProxyV2 => b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
        }
    }
}

/// `http-check send`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: String,
    pub uri: String,
    pub version: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// `http-check send-state`: room for the header that tells the server how it is seen.
    pub send_state: bool,
}

impl Default for HttpRequest {
    /// Manual 4.2, `option httpchk`.
    fn default() -> Self {
        Self {
            method: "OPTIONS".to_owned(),
            uri: "/".to_owned(),
            version: "HTTP/1.0".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            send_state: false,
        }
    }
}

/// `expect`.
#[derive(Debug)]
pub struct Expect {
    pub what: What,
    /// Behind `!`.
    pub negated: bool,
    /// Bytes to wait for before the answer counts; `None` waits until it matches or ends.
    pub min_recv: Option<usize>,
    pub ok_status: CheckStatus,
    pub error_status: CheckStatus,
    pub timeout_status: CheckStatus,
    /// `http-check disable-on-404`: a 404 passes conditionally.
    pub not_found_stops: bool,
}

/// What is looked for.
#[derive(Debug)]
pub enum What {
    /// Ranges of codes, both ends included.
    Status(Vec<(u16, u16)>),
    StatusRegex(Regex),
    Text(Vec<u8>),
    Regex(Regex),
    /// A regular expression on the upper-case hexadecimal form.
    BinaryRegex(Regex),
    Header(HeaderMatch),
    /// A protocol of its own: see `fixed`.
    Protocol(fn(&[u8], bool) -> Answer),
}

/// `expect hdr` and `fhdr`.
#[derive(Debug)]
pub struct HeaderMatch {
    /// Names compare without regard to case.
    pub name: TextMatch,
    pub value: Option<TextMatch>,
    /// The whole line, not its comma-separated parts.
    pub full: bool,
}

/// A text and how it is compared (`-m`).
#[derive(Debug)]
pub enum TextMatch {
    Exact(String),
    Begins(String),
    Ends(String),
    Contains(String),
    Regex(Regex),
}

impl TextMatch {
    pub fn matches(&self, text: &[u8], ignore_case: bool) -> bool {
        let text = if ignore_case {
            text.to_ascii_lowercase()
        } else {
            text.to_vec()
        };
        let want = |pattern: &str| {
            if ignore_case {
                pattern.to_ascii_lowercase()
            } else {
                pattern.to_owned()
            }
        };
        match self {
            Self::Exact(pattern) => text == want(pattern).as_bytes(),
            Self::Begins(pattern) => text.starts_with(want(pattern).as_bytes()),
            Self::Ends(pattern) => text.ends_with(want(pattern).as_bytes()),
            Self::Contains(pattern) => {
                memchr::memmem::find(&text, want(pattern).as_bytes()).is_some()
            }
            Self::Regex(regex) => regex.is_match(&text),
        }
    }
}

impl Ruleset {
    /// A plain connection.
    pub fn connect(step: ConnectStep) -> Self {
        Self {
            style: Style::Connect,
            steps: vec![Step {
                action: Action::Connect(step),
                comment: None,
                number: 0,
            }],
        }
    }
}
