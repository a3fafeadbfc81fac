//! What a check says and wants to hear: a list of steps.

use std::net::{IpAddr, SocketAddr};

use regex::bytes::Regex;
use wire::pp::{Addresses, Command, write_v1, write_v2};

use super::fixed::Answer;
use crate::log::Format;
use crate::sample::{Expr, VarCondition, VarRef};
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
    /// `option external-check`: a program says it, in one word.
    External,
}

/// A check's steps in order. The first that does more than set variables is a connection.
#[derive(Debug)]
pub struct Ruleset {
    pub style: Style,
    pub steps: Vec<Step>,
    /// The host that it asks for, where no line says how to connect (manual 5.2, `check-sni-auto`).
    pub host: Option<String>,
}

/// One `tcp-check` or `http-check` line.
#[derive(Debug)]
pub struct Step {
    pub action: Action,
    /// Its own `comment`, or that of the line above it.
    pub comment: Option<String>,
    /// Its number among the lines as written, from 1; 0 for the connection nobody wrote.
    pub number: u32,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    Connect(Connect),
    Send(Payload),
    SendHttp(HttpRequest),
    Expect(Expect),
    Var(VarStep),
    /// `comment`: only counted.
    Remark,
}

/// `connect` as written.
#[derive(Debug, Default)]
pub struct Connect {
    /// What the server line says about its checks' connections holds, where this line says nothing.
    pub as_server: bool,
    pub step: ConnectStep,
    /// `port EXPR`.
    pub port: Option<Expr>,
}

/// Where a connection goes and what it speaks first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectStep {
    /// `None`: that of the server.
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
    pub tls: bool,
    /// The name asked for in the TLS handshake.
    pub sni: Option<String>,
    /// The protocols offered there; empty: those of the server.
    pub alpn: Vec<String>,
    pub prologue: Prologue,
    /// Through the server's `socks4`.
    pub via_socks4: bool,
    /// Closed in good order, not by a reset.
    pub linger: bool,
}

/// What goes out before anything else (`send-proxy`, `check-send-proxy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prologue {
    #[default]
    None,
    /// With the connection's own addresses.
    ProxyV1,
    /// LOCAL: the proxy itself speaks.
    ProxyV2,
}

impl Prologue {
    /// The header on a connection between these two (PROXY protocol, sections 2.1 and 2.2).
    pub fn write(self, local: Option<SocketAddr>, peer: Option<SocketAddr>, out: &mut Vec<u8>) {
        let addresses = match local.zip(peer) {
            Some((source, destination)) => Addresses::Inet {
                source,
                destination,
            },
            None => Addresses::Unspecified,
        };
        match self {
            Self::None => {}
            Self::ProxyV1 => write_v1(&addresses, out),
            Self::ProxyV2 => {
                let fits = write_v2(Command::Local, &Addresses::Unspecified, |_| (), out);
                debug_assert!(fits, "no addresses, no records");
            }
        }
    }
}

/// What a `tcp-check send` of any kind sends.
#[derive(Debug)]
pub enum Payload {
    Bytes(Vec<u8>),
    Format(Format),
    /// The text is hexadecimal.
    Hexadecimal(Format),
}

/// `http-check send`.
#[derive(Debug)]
pub struct HttpRequest {
    pub method: String,
    pub uri: Format,
    pub version: String,
    pub headers: Vec<(String, Format)>,
    pub body: Format,
    /// `http-check send-state`: room for the header that tells the server how it is seen.
    pub send_state: bool,
}

/// `set-var`, `set-var-fmt`, `unset-var`.
#[derive(Debug)]
pub struct VarStep {
    pub var: VarRef,
    pub only: Box<[VarCondition]>,
    pub source: VarSource,
}

/// What a variable becomes.
#[derive(Debug)]
pub enum VarSource {
    Expr(Expr),
    Format(Format),
    Nothing,
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
    pub on_success: Option<Format>,
    pub on_error: Option<Format>,
    pub status_code: Option<Expr>,
}

/// What is looked for.
#[derive(Debug)]
pub enum What {
    /// Ranges of codes, both ends included.
    Status(Vec<(u16, u16)>),
    StatusRegex(Regex),
    Text(Vec<u8>),
    /// `string-lf`
    TextFormat(Format),
    /// `binary-lf`: the text is hexadecimal.
    BinaryFormat(Format),
    Regex(Regex),
    /// A regular expression on the upper-case hexadecimal form.
    BinaryRegex(Regex),
    Header(HeaderMatch),
    /// `custom`: whatever comes will do.
    Anything,
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
    Exact(Format),
    Begins(Format),
    Ends(Format),
    Contains(Format),
    Regex(Regex),
}

impl TextMatch {
    /// The pattern that is evaluated for each check.
    pub fn pattern(&self) -> Option<&Format> {
        match self {
            Self::Exact(pattern)
            | Self::Begins(pattern)
            | Self::Ends(pattern)
            | Self::Contains(pattern) => Some(pattern),
            Self::Regex(_) => None,
        }
    }

    /// Whether `text` fits; `pattern` is what [`TextMatch::pattern`] gave for this check.
    pub fn matches(&self, text: &[u8], pattern: &[u8]) -> bool {
        match self {
            Self::Exact(_) => text == pattern,
            Self::Begins(_) => text.starts_with(pattern),
            Self::Ends(_) => text.ends_with(pattern),
            Self::Contains(_) => memchr::memmem::find(text, pattern).is_some(),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Ruleset {
    /// A plain connection as the server line has it.
    pub fn connect() -> Self {
        Self {
            style: Style::Connect,
            steps: vec![Step::implicit(Connect::as_server())],
            host: None,
        }
    }

    /// A program does all there is to do.
    pub fn external() -> Self {
        Self {
            style: Style::External,
            ..Self::connect()
        }
    }

    /// Whether some step tells the server how it is seen.
    pub fn sends_state(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(&step.action, Action::SendHttp(request) if request.send_state))
    }

    /// Whether some step opens a connection under TLS by its own words.
    pub fn asks_for_tls(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(&step.action, Action::Connect(connect) if connect.step.tls))
    }
}

impl Step {
    /// A connection that no line asks for.
    pub fn implicit(connect: Connect) -> Self {
        Self {
            action: Action::Connect(connect),
            comment: None,
            number: 0,
        }
    }
}

impl Connect {
    pub fn as_server() -> Self {
        Self {
            as_server: true,
            ..Self::default()
        }
    }

    /// This line's words over those of the server line.
    pub fn over(&self, own: &ConnectStep) -> ConnectStep {
        if !self.as_server {
            return self.step.clone();
        }
        let said = &self.step;
        ConnectStep {
            address: said.address.or(own.address),
            port: said.port.or(own.port),
            tls: said.tls || own.tls,
            sni: said.sni.clone().or_else(|| own.sni.clone()),
            alpn: if said.alpn.is_empty() {
                own.alpn.clone()
            } else {
                said.alpn.clone()
            },
            prologue: match (own.prologue, said.prologue) {
                (Prologue::None, said) => said,
                (own, _) => own,
            },
            via_socks4: said.via_socks4 || own.via_socks4,
            linger: said.linger || own.linger,
        }
    }
}
