//! Health checks of a backend (manual, `option httpchk`, `http-check`, `tcp-check`).

use super::Place;
use super::expr::{LogFormat, SampleExpr};
use super::rule::Action;

/// How the servers of a backend are checked.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Check {
    pub kind: CheckKind,
    /// `http-check` lines, or `tcp-check` lines, in order.
    pub rules: Vec<CheckRule>,
    /// `http-check disable-on-404`.
    pub disable_on_404: bool,
    /// `http-check send-state`.
    pub send_state: bool,
    /// `option log-health-checks`.
    pub log_health_checks: bool,
    pub external_command: Option<String>,
    pub external_path: Option<String>,
}

/// What a check says to a server.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum CheckKind {
    /// No option: a TCP connection that is accepted is enough.
    #[default]
    Connect,
    /// `option tcp-check`, with `tcp-check` rules or connect only.
    Tcp,
    /// `option httpchk [METHOD] [URI] [VERSION [HEADERS]]`.
    Http(HttpCheck),
    /// `option ssl-hello-chk`.
    SslHello,
    /// `option mysql-check [user NAME [post-41|pre-41]]`.
    Mysql {
        user: Option<String>,
        pre_41: bool,
    },
    /// `option pgsql-check user NAME`.
    Pgsql {
        user: String,
    },
    Redis,
    /// `option smtpchk [HELLO DOMAIN]`.
    Smtp {
        hello: String,
        domain: String,
    },
    Ldap,
    Spop,
    External,
}

/// The request line and what `option httpchk` may carry behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCheck {
    /// `OPTIONS` where nothing is written.
    pub method: String,
    /// `/` where nothing is written.
    pub uri: String,
    /// `HTTP/1.0` where nothing is written.
    pub version: String,
    /// The fourth argument: the value of the Host field.
    pub host: Option<LogFormat>,
    /// Header lines smuggled in behind the version (old style), as written with `\r\n` between.
    pub trailing: String,
}

/// `healthcheck NAME` (manual, 12.9).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Healthcheck {
    pub name: String,
    pub check: Check,
    pub at: Place,
}

impl Default for HttpCheck {
    fn default() -> Self {
        Self {
            method: "OPTIONS".to_owned(),
            uri: "/".to_owned(),
            version: "HTTP/1.0".to_owned(),
            host: None,
            trailing: String::new(),
        }
    }
}

/// One line of `http-check` or `tcp-check`.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRule {
    pub step: CheckStep,
    pub comment: Option<String>,
    /// It is an `http-check` line, not a `tcp-check` line.
    pub is_http: bool,
    pub at: Place,
}

/// What such a line does.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckStep {
    Connect(Box<CheckConnect>),
    HttpSend(Box<HttpSend>),
    /// `tcp-check send STRING` and `send-binary HEX`: bytes as they go out.
    Send(Vec<u8>),
    /// `tcp-check send-lf` and `send-binary-lf`.
    SendFormat {
        format: LogFormat,
        /// The text is hexadecimal.
        binary: bool,
    },
    Expect(Box<Expect>),
    /// `set-var`, `set-var-fmt`, `unset-var`.
    Var(Action),
    /// `comment`: a line of its own, which is counted.
    Comment,
}

/// `connect`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CheckConnect {
    /// The server's own address where nothing is written.
    pub addr: Option<super::server::Addr>,
    pub port: Option<CheckPort>,
    pub default: bool,
    pub send_proxy: bool,
    pub via_socks4: bool,
    pub ssl: bool,
    pub sni: Option<String>,
    pub alpn: Vec<String>,
    pub proto: Option<String>,
    pub linger: bool,
}

/// `port` of a check's connection.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckPort {
    Fixed(u16),
    Expr(SampleExpr),
}

/// `http-check send`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HttpSend {
    pub method: Option<String>,
    pub uri: Option<LogFormat>,
    pub version: Option<String>,
    pub headers: Vec<(String, LogFormat)>,
    pub body: Option<LogFormat>,
}

/// `expect`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// Behind `!`.
    pub negated: bool,
    pub what: ExpectMatch,
    /// `min-recv`: bytes to wait for; -1: no minimum.
    pub min_recv: Option<i32>,
    /// `ok-status`, `error-status`, `tout-status`: `L7OK`, ...
    pub ok_status: Option<String>,
    pub error_status: Option<String>,
    pub tout_status: Option<String>,
    pub on_success: Option<LogFormat>,
    pub on_error: Option<LogFormat>,
    pub status_code: Option<SampleExpr>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectMatch {
    /// Ranges of status codes, both ends included.
    Status(Vec<(u16, u16)>),
    /// The status as text.
    StatusRegex(String),
    /// `string`: somewhere in the body (HTTP) or the buffer (TCP).
    Text(Vec<u8>),
    Regex(String),
    /// `rbinary`: a regular expression on the hexadecimal form.
    BinaryRegex(String),
    TextFormat(LogFormat),
    BinaryFormat(LogFormat),
    Header(Box<ExpectHeader>),
    /// `custom`: what was configured decides (log replies of Lua checks).
    Custom,
}

/// `expect hdr name ... value ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectHeader {
    pub name: ExpectText,
    pub value: Option<ExpectText>,
    /// The value is compared as a whole line, not by comma-separated element.
    pub full: bool,
}

/// A text and how it is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectText {
    /// `-m str|beg|end|sub|reg`.
    pub method: super::expr::MatchMethod,
    pub text: LogFormat,
}
