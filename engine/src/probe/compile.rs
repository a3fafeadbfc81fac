//! From the configuration's check lines to a ruleset.

use cfgparse::model::Server;
use cfgparse::model::check::{
    Check, CheckConnect, CheckKind, CheckPort, CheckRule, CheckStep, Expect as ModelExpect,
    ExpectMatch, ExpectText, HttpCheck, HttpSend,
};
use cfgparse::model::expr::{FormatPart, LogFormat, MatchMethod};
use cfgparse::model::rule::Action as RuleAction;
use cfgparse::model::server::{Addr, ProxyVersion};
use regex::bytes::{Regex, RegexBuilder};

use super::fixed;
use super::ruleset::{
    Action, Connect, ConnectStep, Expect, HeaderMatch, HttpRequest, Payload, Prologue, Ruleset,
    Step, Style, TextMatch, VarSource, VarStep, What,
};
use crate::log::Format;
use crate::sample::{CompileError, Compiler, Expr, Point, VarCondition};
use crate::server::CheckStatus;

type Result<T> = std::result::Result<T, CompileError>;

/// The steps of a backend's checks, or of a `healthcheck` section's.
///
/// # Errors
///
/// The first line that cannot be done.
pub fn ruleset(check: &Check, compiler: &mut Compiler<'_>) -> Result<Ruleset> {
    compiler.point = Point::Internal;
    Ok(match &check.kind {
        CheckKind::Connect => Ruleset::connect(),
        CheckKind::Tcp => with_connection(Style::Tcp, written(check, None, compiler)?),
        CheckKind::Http(line) => http_rules(check, line, compiler)?,
        CheckKind::SslHello => fixed::ssl_hello(),
        CheckKind::Mysql { user, pre_41 } => fixed::mysql(user.as_deref(), *pre_41),
        CheckKind::Pgsql { user } => fixed::pgsql(user),
        CheckKind::Redis => fixed::redis(),
        CheckKind::Smtp { hello, domain } => fixed::smtp(hello, domain),
        CheckKind::Ldap => fixed::ldap(),
        CheckKind::Spop => fixed::spop(),
        CheckKind::External => Ruleset::external(),
    })
}

/// How the server line says to connect for checks. A check with its own address or port does not
/// inherit `ssl` and `send-proxy` (manual 5.2, `check`).
pub fn own_connection(server: &Server, rules: &Ruleset) -> ConnectStep {
    let own = &server.check;
    let inherits = own.addr.is_none() && own.port.is_none();
    let params = server.tls.as_ref();
    let is_tls = params.is_some_and(|tls| tls.enabled);
    let tls = own.ssl || (inherits && is_tls && !own.no_ssl);
    let header = server.send_proxy.as_ref();
    let version = header.and_then(|header| header.version);
    let prologue = match version {
        Some(ProxyVersion::V1) if inherits || own.send_proxy => Prologue::ProxyV1,
        Some(ProxyVersion::V2) if inherits || own.send_proxy => Prologue::ProxyV2,
        None if own.send_proxy => Prologue::ProxyV1,
        _ => Prologue::None,
    };
    let named = params.and_then(|tls| tls.check_sni.clone());
    ConnectStep {
        tls,
        sni: named.or_else(|| rules.host.clone().filter(|_| !own.no_sni_auto)),
        alpn: own.alpn.clone(),
        prologue,
        via_socks4: own.via_socks4,
        ..ConnectStep::default()
    }
}

/// The host that an HTTP check names, for the TLS handshake (manual 5.2, `check-sni-auto`): not
/// where lines say how to connect.
fn host_of(check: &Check, line: &HttpCheck) -> Option<String> {
    let mut host = line.host.as_ref();
    for rule in check.rules.iter().filter(|rule| rule.is_http) {
        match &rule.step {
            CheckStep::Connect(_) => return None,
            CheckStep::HttpSend(send) => {
                let mut named = send.headers.iter().rev();
                let named = named.find(|(name, _)| name.eq_ignore_ascii_case("host"));
                host = named.map(|(_, value)| value).or(host);
            }
            _ => {}
        }
    }
    let host = match host?.parts.as_slice() {
        [FormatPart::Text(text)] => text.as_str(),
        _ => return None,
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    Some(name.to_owned())
}

/// The lines as written. `line` is the request line of `option httpchk`.
fn written(
    check: &Check,
    line: Option<&HttpCheck>,
    compiler: &mut Compiler<'_>,
) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let is_http = line.is_some();
    let rules = check.rules.iter().filter(|rule| rule.is_http == is_http);
    for (number, rule) in (1..).zip(rules) {
        compiler.at = rule.at;
        let action = match &rule.step {
            CheckStep::Connect(written) => Action::Connect(connect(written, compiler)?),
            CheckStep::HttpSend(send) => {
                let is_first = !steps
                    .iter()
                    .any(|step| matches!(step.action, Action::SendHttp(_)));
                let base = line.filter(|_| is_first);
                Action::SendHttp(request(send, base, check.send_state, compiler)?)
            }
            CheckStep::Send(bytes) => Action::Send(Payload::Bytes(bytes.clone())),
            CheckStep::SendFormat { format, binary } => {
                let format = Format::compile(format, compiler)?;
                Action::Send(if *binary {
                    Payload::Hexadecimal(format)
                } else {
                    Payload::Format(format)
                })
            }
            CheckStep::Expect(expect) => Action::Expect(expectation(expect, compiler)?),
            CheckStep::Var(action) => Action::Var(variable(action, compiler)?),
            CheckStep::Comment => Action::Remark,
        };
        let comment = comment(rule, &action, &steps);
        steps.push(Step {
            action,
            comment,
            number,
        });
    }
    Ok(steps)
}

/// A line's own comment, else that of the line above; of a run of `expect` lines, that above the
/// first.
fn comment(rule: &CheckRule, action: &Action, before: &[Step]) -> Option<String> {
    if rule.comment.is_some() {
        return rule.comment.clone();
    }
    let expects = |action: &Action| matches!(action, Action::Expect(_));
    let mut above = before.iter().rev();
    let above = above.find(|step| !(expects(action) && expects(&step.action)))?;
    above
        .comment
        .clone()
        .filter(|_| matches!(above.action, Action::Remark))
}

/// With a connection before the first step that needs one.
fn with_connection(style: Style, mut steps: Vec<Step>) -> Ruleset {
    let prepares = |step: &Step| matches!(step.action, Action::Var(_) | Action::Remark);
    let first = steps.iter().position(|step| !prepares(step));
    let connects = first.is_some_and(|at| matches!(steps[at].action, Action::Connect(_)));
    if !connects {
        let step = Step::implicit(Connect::as_server());
        steps.insert(first.unwrap_or(steps.len()), step);
    }
    Ruleset {
        style,
        steps,
        host: None,
    }
}

fn connect(written: &CheckConnect, compiler: &mut Compiler<'_>) -> Result<Connect> {
    let address = match &written.addr {
        None => None,
        Some(Addr::Ip(address)) => Some(*address),
        Some(_) => {
            return Err(compiler.error(
                "'connect addr' needs an IP address",
                "write an address such as 192.0.2.1",
            ));
        }
    };
    if let Some(proto @ ("h2" | "fcgi" | "spop" | "quic")) = written.proto.as_deref() {
        let message = format!("'connect proto {proto}' is not supported yet in health checks");
        return Err(compiler.error(message, "check with HTTP/1"));
    }
    let (port, expr) = match &written.port {
        None => (None, None),
        Some(CheckPort::Fixed(port)) => (Some(*port), None),
        Some(CheckPort::Expr(expr)) => (None, Some(Expr::compile(expr, compiler)?)),
    };
    Ok(Connect {
        as_server: written.default,
        port: expr,
        step: ConnectStep {
            address,
            port,
            tls: written.ssl,
            sni: written.sni.clone(),
            alpn: written.alpn.clone(),
            prologue: if written.send_proxy {
                Prologue::ProxyV1
            } else {
                Prologue::None
            },
            via_socks4: written.via_socks4,
            linger: written.linger,
        },
    })
}

fn variable(action: &RuleAction, compiler: &mut Compiler<'_>) -> Result<VarStep> {
    let (name, conditions, source) = match action {
        RuleAction::SetVar {
            name,
            conditions,
            expr,
        } => (
            name,
            &conditions[..],
            VarSource::Expr(Expr::compile(expr, compiler)?),
        ),
        RuleAction::SetVarFormat {
            name,
            conditions,
            format,
        } => (
            name,
            &conditions[..],
            VarSource::Format(Format::compile(format, compiler)?),
        ),
        RuleAction::UnsetVar { name } => (name, &[][..], VarSource::Nothing),
        _ => return Err(compiler.error("not a variable action", "report this")),
    };
    let var = compiler
        .vars
        .intern(name)
        .map_err(|message| compiler.error(message, "write a name such as check.my_name"))?;
    let only = conditions
        .iter()
        .map(|word| VarCondition::compile(word, compiler))
        .collect::<Result<_>>()?;
    Ok(VarStep { var, only, source })
}

fn http_rules(check: &Check, line: &HttpCheck, compiler: &mut Compiler<'_>) -> Result<Ruleset> {
    let lines = written(check, Some(line), compiler)?;
    let mut ruleset = with_connection(Style::Http, lines);
    ruleset.host = host_of(check, line);
    let steps = &mut ruleset.steps;
    let sends = |step: &Step| matches!(step.action, Action::SendHttp(_));
    if !steps.iter().any(sends) {
        let request = request(&HttpSend::default(), Some(line), check.send_state, compiler)?;
        let connected = steps
            .iter()
            .position(|step| matches!(step.action, Action::Connect(_)));
        let action = Action::SendHttp(request);
        let step = Step {
            action,
            comment: None,
            number: 0,
        };
        steps.insert(connected.map_or(0, |at| at + 1), step);
        // The option's own request counts as a line.
        for (number, step) in (0..).zip(steps.iter_mut()) {
            step.number = number;
        }
    }
    let expects = |step: &Step| matches!(step.action, Action::Expect(_));
    let last_send = steps.iter().rposition(sends).unwrap_or(0);
    if !steps[last_send..].iter().any(expects) {
        let number = steps.last().map_or(1, |step| step.number + 1);
        let action = Action::Expect(Expect {
            what: What::Status(vec![(200, 399)]),
            ..fixed::plain(CheckStatus::L7Status)
        });
        steps.push(Step {
            action,
            comment: None,
            number,
        });
    }
    if check.disable_on_404 {
        // It comes before the last expectation: 404 means NOLB.
        let last = steps
            .iter_mut()
            .rev()
            .find_map(|step| match &mut step.action {
                Action::Expect(expect) => Some(expect),
                _ => None,
            });
        if let Some(expect) = last {
            expect.not_found_stops = true;
        }
    }
    Ok(ruleset)
}

/// A request: what the line says, over what `option httpchk` says where it is the first.
fn request(
    send: &HttpSend,
    line: Option<&HttpCheck>,
    send_state: bool,
    compiler: &mut Compiler<'_>,
) -> Result<HttpRequest> {
    let default = HttpCheck::default();
    let base = line.unwrap_or(&default);
    let mut headers = Vec::new();
    let mut names_host = false;
    for (name, value) in &send.headers {
        names_host |= name.eq_ignore_ascii_case("host");
        headers.push((name.clone(), Format::compile(value, compiler)?));
    }
    // A Host of this line replaces that of the option.
    let mut of_option = Vec::new();
    if let Some(host) = base.host.as_ref().filter(|_| !names_host) {
        of_option.push(("host".to_owned(), Format::compile(host, compiler)?));
    }
    for (name, value) in trailing(base) {
        of_option.push((name, constant(&value, compiler)?));
    }
    of_option.append(&mut headers);
    let empty = LogFormat::default();
    Ok(HttpRequest {
        method: send.method.clone().unwrap_or_else(|| base.method.clone()),
        uri: match &send.uri {
            Some(uri) => Format::compile(uri, compiler)?,
            None => constant(&base.uri, compiler)?,
        },
        version: send.version.clone().unwrap_or_else(|| base.version.clone()),
        headers: of_option,
        body: Format::compile(send.body.as_ref().unwrap_or(&empty), compiler)?,
        send_state,
    })
}

/// Headers that older configurations wrote behind the version.
fn trailing(line: &HttpCheck) -> Vec<(String, String)> {
    line.trailing
        .split("\r\n")
        .filter_map(|text| text.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// A text as a format.
fn constant(text: &str, compiler: &mut Compiler<'_>) -> Result<Format> {
    let format = LogFormat {
        parts: vec![FormatPart::Text(text.to_owned())],
        text: text.to_owned(),
        ..LogFormat::default()
    };
    Format::compile(&format, compiler)
}

fn expectation(expect: &ModelExpect, compiler: &mut Compiler<'_>) -> Result<Expect> {
    let what = match &expect.what {
        ExpectMatch::Status(ranges) => What::Status(ranges.clone()),
        ExpectMatch::StatusRegex(pattern) => What::StatusRegex(regex(pattern, false, compiler)?),
        ExpectMatch::Text(text) => What::Text(text.clone()),
        ExpectMatch::Regex(pattern) => What::Regex(regex(pattern, false, compiler)?),
        ExpectMatch::BinaryRegex(pattern) => What::BinaryRegex(regex(pattern, false, compiler)?),
        ExpectMatch::TextFormat(format) => What::TextFormat(Format::compile(format, compiler)?),
        ExpectMatch::BinaryFormat(format) => What::BinaryFormat(Format::compile(format, compiler)?),
        ExpectMatch::Header(header) => What::Header(HeaderMatch {
            // Names compare without regard to case.
            name: text_match(&header.name, true, compiler)?,
            value: header
                .value
                .as_ref()
                .map(|value| text_match(value, false, compiler))
                .transpose()?,
            full: header.full,
        }),
        ExpectMatch::Custom => What::Anything,
    };
    let on_error = match what {
        What::Status(_) | What::StatusRegex(_) | What::Header(_) => CheckStatus::L7Status,
        _ => CheckStatus::L7Response,
    };
    let plain = fixed::plain(on_error);
    let format = |format: &Option<LogFormat>, compiler: &mut Compiler<'_>| {
        let format = format.as_ref();
        format
            .map(|format| Format::compile(format, compiler))
            .transpose()
    };
    Ok(Expect {
        what,
        negated: expect.negated,
        // -1 is none.
        min_recv: expect
            .min_recv
            .and_then(|bytes| usize::try_from(bytes).ok()),
        ok_status: status(expect.ok_status.as_ref(), plain.ok_status, compiler)?,
        error_status: status(expect.error_status.as_ref(), plain.error_status, compiler)?,
        timeout_status: status(expect.tout_status.as_ref(), plain.timeout_status, compiler)?,
        on_success: format(&expect.on_success, compiler)?,
        on_error: format(&expect.on_error, compiler)?,
        status_code: expect
            .status_code
            .as_ref()
            .map(|expr| Expr::compile(expr, compiler))
            .transpose()?,
        not_found_stops: false,
    })
}

fn status(
    word: Option<&String>,
    default: CheckStatus,
    compiler: &Compiler<'_>,
) -> Result<CheckStatus> {
    let Some(word) = word else {
        return Ok(default);
    };
    CheckStatus::from_code(word).ok_or_else(|| {
        let message = format!("'{word}' is not a check status");
        compiler.error(message, "write one such as L7OK, L7RSP or L7TOUT")
    })
}

fn regex(pattern: &str, any_case: bool, compiler: &Compiler<'_>) -> Result<Regex> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(any_case)
        .build();
    built.map_err(|error| {
        let message = format!("invalid regular expression '{pattern}': {error}");
        compiler.error(message, "write it in the syntax of the regex crate")
    })
}

fn text_match(text: &ExpectText, any_case: bool, compiler: &mut Compiler<'_>) -> Result<TextMatch> {
    let mut pattern = || Format::compile(&text.text, compiler);
    Ok(match text.method {
        MatchMethod::Str => TextMatch::Exact(pattern()?),
        MatchMethod::Beg => TextMatch::Begins(pattern()?),
        MatchMethod::End => TextMatch::Ends(pattern()?),
        MatchMethod::Sub => TextMatch::Contains(pattern()?),
        MatchMethod::Reg => TextMatch::Regex(regex(&text.text.text, any_case, compiler)?),
        _ => {
            return Err(compiler.error(
                "this match method is not for headers of checks",
                "write one of 'str', 'beg', 'end', 'sub' and 'reg'",
            ));
        }
    })
}
