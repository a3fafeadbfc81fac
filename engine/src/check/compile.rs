//! From the configuration's check lines to a ruleset and settings.

use cfgparse::model::check::{
    Check, CheckConnect, CheckKind, CheckPort, CheckStep, Expect as ModelExpect, ExpectMatch,
    ExpectText, HttpCheck, HttpSend,
};
use cfgparse::model::expr::{FormatPart, LogFormat, MatchMethod};
use cfgparse::model::server::{Addr, ProxyVersion};
use cfgparse::model::{Proxy, Server};
use regex::bytes::Regex;
use thiserror::Error;

use super::fixed;
use super::ruleset::{
    Action, ConnectStep, Expect, HeaderMatch, HttpRequest, Prologue, Ruleset, Step, Style,
    TextMatch, What,
};
use super::schedule::Settings;
use crate::server::CheckStatus;

/// Why a check cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CompileError {
    /// Known to HAProxy, not done here.
    #[error("{0} is not supported yet in health checks")]
    Unsupported(&'static str),
    #[error("invalid regular expression '{pattern}': {reason}")]
    Regex { pattern: String, reason: String },
    #[error("'{0}' is not a check status")]
    Status(String),
}

/// A server's check parameters with the proxy's timeouts.
pub fn settings(proxy: &Proxy, server: &Server) -> Settings {
    let default = Settings::default();
    let check = &server.check;
    let ms = |value: Option<u32>| value.map(u64::from);
    Settings {
        inter_ms: ms(check.inter_ms).unwrap_or(default.inter_ms),
        fastinter_ms: ms(check.fastinter_ms),
        downinter_ms: ms(check.downinter_ms),
        rise: check.rise.unwrap_or(default.rise),
        fall: check.fall.unwrap_or(default.fall),
        init_state: server.init_state.unwrap_or(default.init_state),
        observe: check.observe,
        on_error: check.on_error.unwrap_or(default.on_error),
        error_limit: check.error_limit.unwrap_or(default.error_limit),
        connect_timeout_ms: ms(proxy.timeouts.connect),
        check_timeout_ms: ms(proxy.timeouts.check),
        disable_on_404: proxy.check.disable_on_404,
        log_checks: proxy.check.log_health_checks || proxy.options.log_health_checks,
    }
}

/// The steps of a server's check.
pub fn rules(check: &Check, server: &Server) -> Result<Ruleset, CompileError> {
    if server.check.via_socks4 {
        return Err(CompileError::Unsupported("check-via-socks4"));
    }
    if server.check.healthcheck.is_some() {
        return Err(CompileError::Unsupported("healthcheck"));
    }
    steps(check, &own_connection(server))
}

/// The steps, with `own` as the connection of those that name none.
pub(super) fn steps(check: &Check, own: &ConnectStep) -> Result<Ruleset, CompileError> {
    let mut ruleset = match &check.kind {
        CheckKind::Connect => Ruleset::connect(ConnectStep::default()),
        CheckKind::Tcp => written(check, Style::Tcp, own, |_, step| tcp_step(step))?,
        CheckKind::Http(http) => http_rules(check, http, own)?,
        CheckKind::SslHello => fixed::ssl_hello(),
        CheckKind::Mysql { user, pre_41 } => fixed::mysql(user.as_deref(), *pre_41),
        CheckKind::Pgsql { user } => fixed::pgsql(user),
        CheckKind::Redis => fixed::redis(),
        CheckKind::Smtp { hello, domain } => fixed::smtp(hello, domain),
        CheckKind::Ldap => fixed::ldap(),
        CheckKind::Spop => return Err(CompileError::Unsupported("option spop-check")),
        CheckKind::External => return Err(CompileError::Unsupported("option external-check")),
    };
    if let Some(Step {
        action: Action::Connect(connect),
        number: 0,
        ..
    }) = ruleset.steps.first_mut()
    {
        connect.clone_from(own);
    }
    Ok(ruleset)
}

/// How the server line says to connect. A check with its own address or port does not inherit
/// `ssl` and `send-proxy` (manual 5.2, `check`).
fn own_connection(server: &Server) -> ConnectStep {
    let inherits = server.check.addr.is_none() && server.check.port.is_none();
    let tls = server.check.ssl || (inherits && server.tls.is_some() && !server.check.no_ssl);
    let version = server.send_proxy.as_ref().and_then(|header| header.version);
    let prologue = match version {
        Some(ProxyVersion::V1) if inherits || server.check.send_proxy => Prologue::ProxyV1,
        Some(ProxyVersion::V2) if inherits || server.check.send_proxy => Prologue::ProxyV2,
        None if server.check.send_proxy => Prologue::ProxyV1,
        _ => Prologue::None,
    };
    ConnectStep {
        tls,
        prologue,
        ..ConnectStep::default()
    }
}

/// The lines as written, with a connection in front if they do not begin with one. `convert` gets
/// how many steps came before.
fn written(
    check: &Check,
    style: Style,
    own: &ConnectStep,
    convert: impl Fn(&[Step], &CheckStep) -> Result<Action, CompileError>,
) -> Result<Ruleset, CompileError> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, rule) in (1..).zip(&check.rules) {
        let action = match &rule.step {
            CheckStep::Connect(connect) => Action::Connect(connect_step(connect, own)?),
            step => convert(&steps, step)?,
        };
        steps.push(Step {
            action,
            comment: rule.comment.clone(),
            number,
        });
    }
    if !matches!(
        steps.first(),
        Some(Step {
            action: Action::Connect(_),
            ..
        })
    ) {
        let action = Action::Connect(own.clone());
        steps.insert(
            0,
            Step {
                action,
                comment: None,
                number: 0,
            },
        );
    }
    Ok(Ruleset { style, steps })
}

fn connect_step(connect: &CheckConnect, own: &ConnectStep) -> Result<ConnectStep, CompileError> {
    if connect.via_socks4 {
        return Err(CompileError::Unsupported("via-socks4"));
    }
    let address = match &connect.addr {
        None => None,
        Some(Addr::Ip(address)) => Some(*address),
        Some(_) => {
            return Err(CompileError::Unsupported(
                "connect addr without an IP address",
            ));
        }
    };
    let port = match &connect.port {
        None => None,
        Some(CheckPort::Fixed(port)) => Some(*port),
        Some(CheckPort::Expr(_)) => {
            return Err(CompileError::Unsupported("connect port with an expression"));
        }
    };
    let inherited = if connect.default {
        own.clone()
    } else {
        ConnectStep::default()
    };
    Ok(ConnectStep {
        address,
        port,
        tls: connect.ssl || inherited.tls,
        prologue: if connect.send_proxy {
            Prologue::ProxyV1
        } else {
            inherited.prologue
        },
    })
}

fn tcp_step(step: &CheckStep) -> Result<Action, CompileError> {
    match step {
        CheckStep::Send(bytes) => Ok(Action::Send(bytes.clone())),
        CheckStep::Expect(expect) => expectation(expect, CheckStatus::L7Response),
        CheckStep::SendFormat {
            format,
            binary: false,
        } => Ok(Action::Send(literal(format)?.into_bytes())),
        CheckStep::SendFormat { .. } => Err(CompileError::Unsupported("send-binary-lf")),
        CheckStep::Var(_) => Err(CompileError::Unsupported("set-var")),
        CheckStep::Connect(_) | CheckStep::HttpSend(_) => {
            Err(CompileError::Unsupported("this step"))
        }
    }
}

fn http_rules(check: &Check, line: &HttpCheck, own: &ConnectStep) -> Result<Ruleset, CompileError> {
    let mut ruleset = written(check, Style::Http, own, |before, step| match step {
        CheckStep::HttpSend(send) => {
            let is_first = !before
                .iter()
                .any(|step| matches!(step.action, Action::SendHttp(_)));
            let base = if is_first {
                of_option(line)
            } else {
                HttpRequest::default()
            };
            Ok(Action::SendHttp(request(send, base, check.send_state)?))
        }
        CheckStep::Expect(expect) => expectation(expect, CheckStatus::L7Response),
        step => tcp_step(step),
    })?;
    if !ruleset
        .steps
        .iter()
        .any(|step| matches!(step.action, Action::SendHttp(_)))
    {
        let request = HttpRequest {
            send_state: check.send_state,
            ..of_option(line)
        };
        let action = Action::SendHttp(request);
        ruleset.steps.insert(
            1,
            Step {
                action,
                comment: None,
                number: 0,
            },
        );
        // The option's own request counts as a line.
        for (number, step) in (0..).zip(&mut ruleset.steps) {
            step.number = number;
        }
    }
    if !matches!(
        ruleset.steps.last(),
        Some(Step {
            action: Action::Expect(_),
            ..
        })
    ) {
        let number = ruleset.steps.last().map_or(1, |step| step.number + 1);
        let action = Action::Expect(Expect {
            what: What::Status(vec![(200, 399)]),
            ..base_expect(CheckStatus::L7Status)
        });
        ruleset.steps.push(Step {
            action,
            comment: None,
            number,
        });
    }
    if check.disable_on_404 {
        accept_404(&mut ruleset);
    }
    Ok(ruleset)
}

/// `http-check disable-on-404` comes before the last expectation: 404 means NOLB.
fn accept_404(ruleset: &mut Ruleset) {
    let last = ruleset.steps.len().saturating_sub(1);
    if let Some(Step {
        action: Action::Expect(expect),
        ..
    }) = ruleset.steps.get_mut(last)
    {
        expect.not_found_stops = true;
    }
}

/// The request of the `option httpchk` line itself.
fn of_option(line: &HttpCheck) -> HttpRequest {
    let mut headers = Vec::new();
    for text in line
        .trailing
        .split("\r\n")
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        // The fourth argument is a Host value; older configurations wrote whole headers there.
        match text.split_once(':') {
            Some((name, value)) if !name.contains(['.', '[']) && value.parse::<u16>().is_err() => {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => headers.push(("host".to_owned(), text.to_owned())),
        }
    }
    HttpRequest {
        method: line.method.clone(),
        uri: line.uri.clone(),
        version: line.version.clone(),
        headers,
        ..HttpRequest::default()
    }
}

fn request(
    send: &HttpSend,
    base: HttpRequest,
    send_state: bool,
) -> Result<HttpRequest, CompileError> {
    let mut headers = base.headers;
    for (name, value) in &send.headers {
        headers.push((name.clone(), literal(value)?));
    }
    Ok(HttpRequest {
        method: send.method.clone().unwrap_or(base.method),
        uri: send
            .uri
            .as_ref()
            .map(literal)
            .transpose()?
            .unwrap_or(base.uri),
        version: send.version.clone().unwrap_or(base.version),
        headers,
        body: send
            .body
            .as_ref()
            .map(literal)
            .transpose()?
            .unwrap_or_default()
            .into_bytes(),
        send_state,
    })
}

/// The text of a format without anything to evaluate.
fn literal(format: &LogFormat) -> Result<String, CompileError> {
    format
        .parts
        .iter()
        .map(|part| match part {
            FormatPart::Text(text) => Ok(text.as_str()),
            _ => Err(CompileError::Unsupported("a log-format with variables")),
        })
        .collect()
}

fn base_expect(error_status: CheckStatus) -> Expect {
    Expect {
        what: What::Status(Vec::new()),
        negated: false,
        min_recv: None,
        ok_status: CheckStatus::L7Ok,
        error_status,
        timeout_status: CheckStatus::L7Timeout,
        not_found_stops: false,
    }
}

fn expectation(expect: &ModelExpect, on_content: CheckStatus) -> Result<Action, CompileError> {
    if expect.on_success.is_some() || expect.on_error.is_some() || expect.status_code.is_some() {
        return Err(CompileError::Unsupported(
            "on-success, on-error and status-code",
        ));
    }
    let what = match &expect.what {
        ExpectMatch::Status(ranges) => What::Status(ranges.clone()),
        ExpectMatch::StatusRegex(pattern) => What::StatusRegex(regex(pattern)?),
        ExpectMatch::Text(text) => What::Text(text.clone()),
        ExpectMatch::Regex(pattern) => What::Regex(regex(pattern)?),
        ExpectMatch::BinaryRegex(pattern) => What::BinaryRegex(regex(pattern)?),
        ExpectMatch::TextFormat(format) => What::Text(literal(format)?.into_bytes()),
        ExpectMatch::Header(header) => What::Header(HeaderMatch {
            name: text_match(&header.name)?,
            value: header.value.as_ref().map(text_match).transpose()?,
            full: header.full,
        }),
        ExpectMatch::BinaryFormat(_) => return Err(CompileError::Unsupported("binary-lf")),
        ExpectMatch::Custom => return Err(CompileError::Unsupported("expect custom")),
    };
    let on_error = match what {
        What::Status(_) | What::StatusRegex(_) | What::Header(_) => CheckStatus::L7Status,
        _ => on_content,
    };
    let named = |word: &Option<String>, default| match word {
        None => Ok(default),
        Some(word) => {
            CheckStatus::from_code(word).ok_or_else(|| CompileError::Status(word.clone()))
        }
    };
    Ok(Action::Expect(Expect {
        what,
        negated: expect.negated,
        min_recv: expect
            .min_recv
            .and_then(|bytes| usize::try_from(bytes).ok()),
        ok_status: named(&expect.ok_status, CheckStatus::L7Ok)?,
        error_status: named(&expect.error_status, on_error)?,
        timeout_status: named(&expect.tout_status, CheckStatus::L7Timeout)?,
        not_found_stops: false,
    }))
}

fn regex(pattern: &str) -> Result<Regex, CompileError> {
    Regex::new(pattern).map_err(|error| CompileError::Regex {
        pattern: pattern.to_owned(),
        reason: error.to_string(),
    })
}

fn text_match(text: &ExpectText) -> Result<TextMatch, CompileError> {
    let pattern = literal(&text.text)?;
    Ok(match text.method {
        MatchMethod::Str => TextMatch::Exact(pattern),
        MatchMethod::Beg => TextMatch::Begins(pattern),
        MatchMethod::End => TextMatch::Ends(pattern),
        MatchMethod::Sub => TextMatch::Contains(pattern),
        MatchMethod::Reg => TextMatch::Regex(regex(&pattern)?),
        _ => return Err(CompileError::Unsupported("this match method")),
    })
}
