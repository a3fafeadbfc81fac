//! `http-check` and `tcp-check` lines (manual, 4.2).

use super::draft::{Draft, log_format, sample_expr};
use crate::address;
use crate::args::Args;
use crate::ast::Word;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::Context;
use crate::expr::sample::regex_fault;
use crate::expr::{format, pattern};
use crate::model::check::{
    CheckConnect, CheckPort, CheckRule, CheckStep, Expect, ExpectHeader, ExpectMatch, ExpectText,
    HttpSend,
};
use crate::model::expr::{LogFormat, MatchMethod};
use crate::model::rule::Action;
use crate::model::server::Port;
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    lax_end(proxy_row("http-check comment", "<string>", "DLB", Full, "remark for the log of a failed check", comment)),
    proxy_row("http-check connect", "[default] [port <expr>] [addr <ip>] [send-proxy] [ssl] ...", "DLB", Full, "open a connection", connect),
    proxy_row("http-check disable-on-404", "", "DLB", Full, "404 means: no new sessions", |_, d, _| d.proxy.check.disable_on_404 = true),
    proxy_row("http-check expect", "[min-recv <n>] [!] <match> <pattern> ...", "DLB", Full, "what a good answer is", |cx, d, a| expect(cx, d, a, true)),
    proxy_row("http-check send", "[meth <m>] [uri <u>] [ver <v>] [hdr <name> <fmt>]* [body <b>]", "DLB", Full, "what is asked", send),
    proxy_row("http-check send-state", "", "DLB", Full, "tell the server its state", |_, d, _| d.proxy.check.send_state = true),
    proxy_row("http-check", "set-var(<name>) ...", "DLB", Full, "variables of checks", variable),
    lax_end(proxy_row("tcp-check comment", "<string>", "DLB", Full, "remark for the log of a failed check", comment)),
    proxy_row("tcp-check connect", "[default] [port <expr>] [addr <ip>] [send-proxy] [ssl] ...", "DLB", Full, "open a connection", connect),
    proxy_row("tcp-check expect", "[min-recv <n>] [!] <match> <pattern> ...", "DLB", Full, "what a good answer is", |cx, d, a| expect(cx, d, a, false)),
    proxy_row("tcp-check send", "<data>", "DLB", Full, "send a text", |cx, d, a| {
        let Some(text) = a.text(cx, "a string") else { return };
        step(cx, d, a, CheckStep::Send(text.into_bytes()));
    }),
    proxy_row("tcp-check send-binary", "<hexstring>", "DLB", Full, "send bytes", |cx, d, a| {
        let Some(word) = a.required(cx, "a hexadecimal string") else { return };
        let Some(bytes) = hexadecimal(&word.text) else { return a.unexpected(cx, word, "an even number of hexadecimal digits") };
        step(cx, d, a, CheckStep::Send(bytes));
    }),
    proxy_row("tcp-check send-binary-lf", "<hexfmt>", "DLB", Full, "send bytes from a format", |cx, d, a| {
        let Some(format) = log_format(cx, a, Where::Check, "a format") else { return };
        step(cx, d, a, CheckStep::SendFormat { format, binary: true });
    }),
    proxy_row("tcp-check send-lf", "<fmt>", "DLB", Full, "send a text from a format", |cx, d, a| {
        let Some(format) = log_format(cx, a, Where::Check, "a format") else { return };
        step(cx, d, a, CheckStep::SendFormat { format, binary: false });
    }),
    proxy_row("tcp-check", "set-var(<name>) ...", "DLB", Full, "variables of checks", variable),
];

/// Adds a step; a comment may stand behind it.
fn step(cx: &mut Context, draft: &mut Draft, args: &mut Args, step: CheckStep) {
    let comment = if args.accept("comment") {
        args.text(cx, "a comment")
    } else {
        None
    };
    add(cx, draft, args, step, comment);
}

/// Adds a line, whose place among the others must be right.
fn add(cx: &mut Context, draft: &mut Draft, args: &Args, step: CheckStep, comment: Option<String>) {
    let label = args.label();
    let is_http = label.starts_with("http-check");
    let before: Vec<&CheckStep> = if draft.check_is_inherited {
        Vec::new()
    } else {
        let rules = draft.proxy.check.rules.iter();
        let same = rules.filter(|rule| rule.is_http == is_http);
        same.map(|rule| &rule.step).collect()
    };
    let prepares = |step: &&&CheckStep| matches!(step, CheckStep::Var(_) | CheckStep::Comment);
    let connects = |step: &&&CheckStep| matches!(step, CheckStep::Connect(_));
    let first = before.iter().find(|step| !prepares(step));
    let last = before.iter().rev().find(|step| !prepares(step));
    let message = match &step {
        CheckStep::Connect(_) if first.is_some_and(|first| !connects(&first)) => {
            "first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' or a 'comment', when there is a 'connect' step in the tcp-check ruleset.".to_owned()
        }
        CheckStep::HttpSend(_) if last.is_some_and(|last| !connects(&last)) => format!(
            "unable to add http-check send rule at step {} (missing connect rule).",
            before.len() + 1
        ),
        _ => String::new(),
    };
    if !message.is_empty() {
        cx.alert(args.span(), "wrong-order", format!("'{label}' : {message}"));
    }
    draft.add_check_rule(CheckRule {
        step,
        comment,
        is_http,
        at: args.span().at,
    });
}

/// A comment of its own is a line of the check; it speaks of the line below it.
fn comment(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let comment = args.text(cx, "a string");
    add(cx, draft, args, CheckStep::Comment, comment);
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

fn variable(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let wanted = "'connect', 'send', 'expect', 'comment', 'set-var(name)', 'unset-var(name)' or another step";
    let Some(word) = args.required(cx, wanted) else {
        return;
    };
    let (name, inside) = word.text.split_once('(').unwrap_or((&word.text, ""));
    let mut parts = inside.trim_end_matches(')').split(',').map(str::trim);
    let variable = parts.next().unwrap_or("").to_owned();
    let conditions = parts.map(str::to_owned).collect();
    let action = match name {
        "set-var" => sample_expr(cx, args, Where::Check).map(|expr| Action::SetVar {
            name: variable,
            conditions,
            expr,
        }),
        "set-var-fmt" => {
            log_format(cx, args, Where::Check, "a format").map(|format| Action::SetVarFormat {
                name: variable,
                conditions,
                format,
            })
        }
        "unset-var" => Some(Action::UnsetVar { name: variable }),
        _ => {
            args.unexpected(cx, word, wanted);
            None
        }
    };
    match action {
        Some(action) => step(cx, draft, args, CheckStep::Var(action)),
        None => {
            args.rest();
        }
    }
}

fn connect(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut connect = CheckConnect::default();
    let mut note = None;
    while let Some(word) = args.next() {
        match word.as_str() {
            "default" => connect.default = true,
            "port" => connect.port = port(cx, args),
            "addr" => {
                let Some(word) = args.required(cx, "an address") else {
                    break;
                };
                match address::server(&cx.address(&word.text)) {
                    Ok((addr, port)) => {
                        connect.addr = Some(addr);
                        if let Port::Fixed(port @ 1..) = port {
                            connect.port = connect.port.or(Some(CheckPort::Fixed(port)));
                        }
                    }
                    Err(error) => cx.alert(word.span(), "bad-address", error.to_string()),
                }
            }
            "send-proxy" => connect.send_proxy = true,
            "via-socks4" => connect.via_socks4 = true,
            "ssl" => connect.ssl = true,
            "linger" => connect.linger = true,
            "sni" => connect.sni = args.text(cx, "a name"),
            "proto" => connect.proto = args.text(cx, "a protocol"),
            "alpn" => {
                let list = args.text(cx, "a list of protocols").unwrap_or_default();
                connect.alpn = list.split(',').map(str::to_owned).collect();
            }
            "comment" => note = args.text(cx, "a comment"),
            _ => {
                args.unexpected(
                    cx,
                    word,
                    "'comment', 'port', 'addr', 'ssl', 'send-proxy', 'via-socks4', 'linger', 'sni', 'alpn', 'proto' or 'default'",
                );
                args.rest();
                return;
            }
        }
    }
    let step = CheckStep::Connect(Box::new(connect));
    add(cx, draft, args, step, note);
}

fn port(cx: &mut Context, args: &mut Args) -> Option<CheckPort> {
    let word = args.peek()?;
    if let Ok(port) = word.text.parse::<u16>() {
        args.next();
        return Some(CheckPort::Fixed(port));
    }
    sample_expr(cx, args, Where::Check).map(CheckPort::Expr)
}

fn send(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut send = HttpSend::default();
    let mut note = None;
    let plain = |word: &Word| LogFormat {
        parts: vec![crate::model::expr::FormatPart::Text(word.text.clone())],
        text: word.text.clone(),
        ..LogFormat::default()
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "meth" => send.method = args.text(cx, "a method"),
            "uri" => send.uri = args.required(cx, "a URI").map(plain),
            "uri-lf" => send.uri = log_format(cx, args, Where::Check, "a format"),
            "ver" => send.version = args.text(cx, "a version"),
            "hdr" => {
                let Some(name) = args.text(cx, "a header name") else {
                    break;
                };
                let Some(value) = log_format(cx, args, Where::Check, "a header value") else {
                    break;
                };
                send.headers.push((name, value));
            }
            "body" => send.body = args.required(cx, "a body").map(plain),
            "body-lf" => send.body = log_format(cx, args, Where::Check, "a format"),
            "comment" => note = args.text(cx, "a comment"),
            _ => {
                args.unexpected(
                    cx,
                    word,
                    "'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf'",
                );
                args.rest();
                return;
            }
        }
    }
    let step = CheckStep::HttpSend(Box::new(send));
    add(cx, draft, args, step, note);
}

fn expect(cx: &mut Context, draft: &mut Draft, args: &mut Args, http: bool) {
    let mut expect = Expect {
        negated: false,
        what: ExpectMatch::Custom,
        min_recv: None,
        ok_status: None,
        error_status: None,
        tout_status: None,
        on_success: None,
        on_error: None,
        status_code: None,
    };
    let mut note = None;
    let mut found = false;
    while let Some(word) = args.next() {
        match word.as_str() {
            "min-recv" => expect.min_recv = args.number(cx),
            "comment" => note = args.text(cx, "a comment"),
            "ok-status" => {
                let words = ["L4OK", "L6OK", "L7OK", "L7OKC"];
                let named = "'L4OK', 'L6OK', 'L7OK' or 'L7OKC'";
                expect.ok_status = status(cx, args, "ok-status", &words, named);
            }
            "error-status" => {
                let words = ["L4CON", "L6RSP", "L7RSP", "L7STS", "L7OKC"];
                let named = "'L4CON', 'L6RSP', 'L7RSP' or 'L7STS'";
                expect.error_status = status(cx, args, "error-status", &words, named);
            }
            "tout-status" => {
                let words = ["L4TOUT", "L6TOUT", "L7TOUT"];
                let named = "'L4TOUT', 'L6TOUT' or 'L7TOUT'";
                expect.tout_status = status(cx, args, "tout-status", &words, named);
            }
            "on-success" => expect.on_success = log_format(cx, args, Where::Check, "a format"),
            "on-error" => expect.on_error = log_format(cx, args, Where::Check, "a format"),
            "status-code" => expect.status_code = sample_expr(cx, args, Where::Check),
            "!" => expect.negated = !expect.negated,
            text => {
                if found {
                    args.unexpected(cx, word, "only one match");
                    args.rest();
                    return;
                }
                let name = text.trim_start_matches('!');
                expect.negated ^= (text.len() - name.len()) % 2 == 1;
                let Some(what) = what(cx, args, word, name, (http, expect.negated)) else {
                    args.rest();
                    return;
                };
                expect.what = what;
                found = true;
            }
        }
    }
    if !found {
        args.unexpected_end(
            cx,
            "a match such as 'status', 'string' or 'rstring' and its pattern",
        );
        return;
    }
    let step = CheckStep::Expect(Box::new(expect));
    add(cx, draft, args, step, note);
}

fn what(
    cx: &mut Context,
    args: &mut Args,
    word: &Word,
    name: &str,
    (http, negated): (bool, bool),
) -> Option<ExpectMatch> {
    let regex = |cx: &mut Context, args: &mut Args| {
        let word = args.required(cx, "a regular expression")?;
        match regex_fault(cx, &word.text, false, word.span()) {
            Ok(()) => Some(word.text.clone()),
            Err(fault) => {
                fault.report(cx, "'expect' : ");
                None
            }
        }
    };
    Some(match (name, http) {
        ("status", true) => ExpectMatch::Status(statuses(cx, args)?),
        ("rstatus", true) => ExpectMatch::StatusRegex(regex(cx, args)?),
        ("string", _) => ExpectMatch::Text(args.text(cx, "a string")?.into_bytes()),
        ("rstring", _) => ExpectMatch::Regex(regex(cx, args)?),
        ("string-lf", _) => {
            ExpectMatch::TextFormat(log_format(cx, args, Where::Check, "a format")?)
        }
        ("hdr" | "fhdr", true) => ExpectMatch::Header(Box::new(header(cx, args, name == "fhdr")?)),
        ("binary", false) => {
            let word = args.required(cx, "a hexadecimal string")?;
            let Some(bytes) = hexadecimal(&word.text) else {
                args.unexpected(cx, word, "an even number of hexadecimal digits");
                return None;
            };
            ExpectMatch::Text(bytes)
        }
        ("rbinary", false) => ExpectMatch::BinaryRegex(regex(cx, args)?),
        ("binary-lf", false) => {
            ExpectMatch::BinaryFormat(log_format(cx, args, Where::Check, "a format")?)
        }
        ("custom", false) if negated => {
            let message = "'tcp-check expect' : [!] not supported with 'custom'.";
            cx.alert(word.span(), "unexpected-argument", message);
            return None;
        }
        ("custom", false) => ExpectMatch::Custom,
        _ => {
            let wanted = if http {
                "'min-recv', 'status', 'rstatus', 'hdr', 'fhdr', 'string', 'string-lf', 'rstring', 'comment', 'on-success', 'on-error' or 'status-code'"
            } else {
                "'min-recv', '[!]binary', '[!]string', '[!]rstring', '[!]rbinary', '[!]string-lf', '[!]binary-lf' or 'comment'"
            };
            args.unexpected(cx, word, wanted);
            return None;
        }
    })
}

/// One of the statuses that `what` may name.
fn status(
    cx: &mut Context,
    args: &mut Args,
    what: &str,
    words: &[&str],
    named: &str,
) -> Option<String> {
    let label = args.label();
    let word = args.required(cx, "a status")?;
    if !words.contains(&word.as_str()) {
        let message = format!(
            "'{label}' : '{what}' only supports {named} status (got '{}').",
            word.text
        );
        cx.alert(word.span(), "unexpected-argument", message);
    }
    Some(word.text.clone())
}

/// `200`, `200-399`, comma separated.
fn statuses(cx: &mut Context, args: &mut Args) -> Option<Vec<(u16, u16)>> {
    let word = args.required(cx, "status codes")?;
    let mut ranges = Vec::new();
    for part in word.text.split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let range = low
            .trim()
            .parse::<u16>()
            .ok()
            .zip(high.trim().parse::<u16>().ok());
        let Some((low, high)) = range.filter(|(low, high)| low <= high) else {
            args.unexpected(cx, word, "status codes such as 200-399,404");
            return None;
        };
        ranges.push((low, high));
    }
    Some(ranges)
}

/// `name [-m METHOD] NAME [value [-m METHOD] VALUE]`, each perhaps `-lf`.
fn header(cx: &mut Context, args: &mut Args, full: bool) -> Option<ExpectHeader> {
    let word = args.required(cx, "'name' or 'name-lf'")?;
    if !matches!(word.as_str(), "name" | "name-lf") {
        args.unexpected(cx, word, "'name' or 'name-lf'");
        return None;
    }
    let name = header_text(cx, args)?;
    let value = if args.accept("value") || args.accept("value-lf") {
        Some(header_text(cx, args)?)
    } else {
        None
    };
    Some(ExpectHeader { name, value, full })
}

fn header_text(cx: &mut Context, args: &mut Args) -> Option<ExpectText> {
    let mut method = MatchMethod::Str;
    if args.accept("-m") {
        let word = args.required(cx, "'str', 'beg', 'end', 'sub' or 'reg'")?;
        let Some(found) = pattern::method(&word.text) else {
            args.unexpected(cx, word, "'str', 'beg', 'end', 'sub' or 'reg'");
            return None;
        };
        method = found;
    }
    let word = args.required(cx, "a text")?;
    match format::parse(cx, &word.text, word.span(), Where::Check) {
        Ok(text) => Some(ExpectText { method, text }),
        Err(fault) => {
            fault.report(cx, "'expect' : ");
            None
        }
    }
}
