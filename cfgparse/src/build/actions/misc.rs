//! Actions on connections, counters, logs and timeouts.

use super::{
    ActionContext, ActionRow, CNT, CON, HTTP, QUIC, REQ, RES, RSP, Ruleset, SES, TCP, action,
    at_condition,
};
use crate::args::Args;
use crate::ast::Word;
use crate::build::proxy::draft::sample_expr;
use crate::build::proxy::log::level_of;
use crate::build::syntax::arity;
use crate::context::{Context, Reference, ReferenceKind};
use crate::expr::sample;
use crate::model::rule::{Action, CaptureSlot, NumberValue, SettableTimeout, TimeoutValue};
use crate::model::server::AddressFamily;
use crate::quantity::{self, TimeUnit};
use crate::registry::prelude::*;

/// Takes all words up to the condition: an action that this version does not run. Its arguments
/// must fit its syntax, as far as that tells.
pub(super) fn known(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let name = args.label().rsplit(' ').next().unwrap_or("").to_owned();
    let mut words: Vec<String> = c.inside.map(str::to_owned).into_iter().collect();
    expressions(cx, c, args)?;
    let (least, most) = arity(args.syntax());
    let mut count = 0;
    while !at_condition(args) {
        count += 1;
        if most.is_some_and(|most| count > most) {
            args.unexpected_end(cx, &format!("{} and a condition", args.syntax()));
            return None;
        }
        words.push(args.next()?.text.clone());
    }
    if count < least {
        args.unexpected_end(cx, args.syntax());
        return None;
    }
    Some(Action::Known { name, args: words })
}

/// Checks the words of `args` that its syntax calls expressions, and that no optional word lacks its
/// value. Nothing is read.
fn expressions(cx: &mut Context, c: &ActionContext, args: &Args) -> Option<()> {
    let syntax = args.syntax();
    let items = syntax.split(' ').filter(|item| !item.starts_with('('));
    let mut words = args.upcoming();
    if let Some(end) = words
        .iter()
        .position(|word| matches!(word.as_str(), "if" | "unless"))
    {
        words = &words[..end];
    }
    let mut items = items.peekable();
    while let Some(item) = items.next() {
        if let Some(keyword) = item.strip_prefix('[') {
            let value = items.next().unwrap_or("").trim_end_matches(']');
            match words {
                [first, second, rest @ ..] if first.text == keyword => {
                    expression(cx, c, args, value, second)?;
                    words = rest;
                }
                [first, ..] if first.text == keyword => {
                    let message = format!("'{}' : '{keyword}' expects {value}.", args.label());
                    cx.alert(first.span(), "missing-argument", message);
                    return None;
                }
                _ => {}
            }
        } else if let Some((first, rest)) = words.split_first() {
            expression(cx, c, args, item, first)?;
            words = rest;
        }
    }
    Some(())
}

/// Checks a word that stands for `item` of a syntax: `<expr>`, or a number, size or time instead.
fn expression(
    cx: &mut Context,
    c: &ActionContext,
    args: &Args,
    item: &str,
    word: &Word,
) -> Option<()> {
    let instead = match item {
        "<expr>" => false,
        "<size>|<expr>" => quantity::size(&word.text).is_ok(),
        "<time>|<expr>" => quantity::time_ms(&word.text, TimeUnit::Milliseconds).is_ok(),
        _ if item.ends_with("|<expr>") => quantity::number::<i64>(&word.text).is_ok(),
        _ => true,
    };
    if instead {
        return Some(());
    }
    match sample::parse(cx, &word.text, word.span()) {
        Ok(parsed) if parsed.available & c.place.bit() != 0 => Some(()),
        Ok(_) => {
            let message = format!(
                "'{}' : '{}' needs data that is not available in '{}'.",
                args.label(),
                word.text,
                c.place.words()
            );
            cx.alert(word.span(), "never-available", message);
            None
        }
        Err(fault) => {
            fault.report(cx, &format!("'{}' : ", args.label()));
            None
        }
    }
}

fn do_log(cx: &mut Context, _: &ActionContext, args: &mut Args) -> Option<Action> {
    let profile = if args.accept("profile") {
        let word = args.required(cx, "a log-profile's name")?;
        cx.references.push(Reference {
            kind: ReferenceKind::LogProfile,
            name: word.text.clone(),
            span: word.span(),
        });
        Some(word.text.clone())
    } else {
        None
    };
    Some(Action::DoLog { profile })
}

#[rustfmt::skip]
pub const ROWS: &[ActionRow] = &[
    action("attach-srv", "<srv> [name <expr>]", SES, Planned, "offer the connection to a reverse server", known),
    action("cache-store", "<name>", RES, Full, "store the response in a cache", |cx, _, a| cache(cx, a).map(Action::CacheStore)),
    action("cache-use", "<name> [no-early-hints]", REQ, Full, "answer from a cache", |cx, _, a| {
        let name = cache(cx, a)?;
        // Early hints of a cache are refused, so that there is nothing to take back.
        a.accept("no-early-hints");
        Some(Action::CacheUse(name))
    }),
    action("capture", "<expr> len <n>|id <n>", CNT | HTTP, Full, "keep a value for the logs", capture),
    action("close", "", RSP, Planned, "close the server's connection", known),
    action("dgram-drop", "", QUIC, Planned, "drop a datagram", known),
    action("disable-l7-retry", "", REQ, Full, "never send this request again", |_, _, _| Some(Action::DisableL7Retry)),
    action("do-log", "[profile <name>]", QUIC | TCP | HTTP, Full, "write a log line now", do_log),
    action("do-resolve", "(<var>,<resolvers>[,<family>]) <expr>", CNT | REQ, Full, "resolve a name", do_resolve),
    action("expect-netscaler-cip", "layer4", CON, Refused("use expect-proxy"), "expect a NetScaler header", known),
    action("expect-proxy", "layer4", CON, Full, "expect a PROXY protocol header", |cx, _, a| {
        let word = a.required(cx, "'layer4'")?;
        if word.text != "layer4" {
            a.unexpected(cx, word, "'layer4'");
            return None;
        }
        Some(Action::ExpectProxy)
    }),
    action("pause", "<delay>|<expr>", REQ | RES, Full, "wait", |cx, c, a| time_value(cx, c, a).map(Action::Pause)),
    action("send-retry", "", QUIC, Planned, "ask for a retry", known),
    action("send-spoe-group", "<engine> <group>", CNT | RSP | REQ | RES, Planned, "ask SPOE agents", known),
    action("set-bandwidth-limit", "<name> [limit <size>|<expr>] [period <time>|<expr>]", CNT | RSP | REQ | RES, Planned, "limit the bandwidth", bandwidth_limit),
    action("set-bc-mark", "<mark>|<expr>", CNT | REQ, Full, "packet mark towards the server", |cx, c, a| number_value(cx, c, a).map(Action::SetBcMark)),
    action("set-bc-tos", "<tos>|<expr>", CNT | REQ, Full, "type of service towards the server", |cx, c, a| number_value(cx, c, a).map(Action::SetBcTos)),
    action("set-dst", "<expr>", CON | SES | CNT | REQ, Full, "set the destination address", |cx, c, a| sample_expr(cx, a, c.place).map(Action::SetDst)),
    action("set-dst-port", "<expr>", CON | SES | CNT | REQ, Full, "set the destination port", |cx, c, a| sample_expr(cx, a, c.place).map(Action::SetDstPort)),
    action("set-fc-mark", "<mark>|<expr>", TCP | REQ | RES, Full, "packet mark towards the client", |cx, c, a| number_value(cx, c, a).map(Action::SetFcMark)),
    action("set-fc-tos", "<tos>|<expr>", TCP | REQ | RES, Full, "type of service towards the client", |cx, c, a| number_value(cx, c, a).map(Action::SetFcTos)),
    action("set-log-level", "<level>", CNT | RSP | HTTP, Full, "level of the log line", |cx, _, a| {
        let word = a.required(cx, "a log level")?;
        if word.text == "silent" {
            return Some(Action::SetLogLevel(None));
        }
        let Some(level) = level_of(&word.text) else {
            a.unexpected(cx, word, "emerg, alert, crit, err, warning, notice, info, debug or silent");
            return None;
        };
        Some(Action::SetLogLevel(Some(level as u8)))
    }),
    action("set-mark", "<mark>|<expr>", TCP | REQ | RES, Full, "old name of set-fc-mark", |cx, c, a| number_value(cx, c, a).map(Action::SetFcMark)),
    action("set-nice", "<nice>", CNT | RSP | REQ | RES, Harmless, "priority of the stream's tasks", known),
    action("set-priority-class", "<expr>", CNT | REQ, Full, "class in queues", |cx, c, a| sample_expr(cx, a, c.place).map(Action::SetPriorityClass)),
    action("set-priority-offset", "<expr>", CNT | REQ, Full, "place in queues", |cx, c, a| sample_expr(cx, a, c.place).map(Action::SetPriorityOffset)),
    action("set-retries", "<retries>|<expr>", CNT | REQ, Full, "number of retries", set_retries),
    action("set-src", "<expr>", CON | SES | CNT | REQ, Full, "set the source address", |cx, c, a| sample_expr(cx, a, c.place).map(Action::SetSrc)),
    action("set-src-port", "<expr>", CON | SES | CNT | REQ, Full, "set the source port", |cx, c, a| sample_expr(cx, a, c.place).map(Action::SetSrcPort)),
    action("set-timeout", "<which> <time>|<expr>", REQ | RES, Full, "set a timeout of this stream", set_timeout),
    action("set-tos", "<tos>|<expr>", TCP | REQ | RES, Full, "old name of set-fc-tos", |cx, c, a| number_value(cx, c, a).map(Action::SetFcTos)),
    action("silent-drop", "[rst-ttl <ttl>]", TCP | REQ | RES, Partial("rst-ttl changes nothing: no packet is sent at all"), "forget the connection without telling the client", |cx, _, a| {
        if a.accept("rst-ttl") {
            a.number_in(cx, 1, 255)?;
        }
        Some(Action::SilentDrop)
    }),
    action("strict-mode", "on|off", HTTP, Full, "whether a failed action is an error", |cx, _, a| a.on_off(cx).map(Action::StrictMode)),
    action("switch-mode", "http [proto <name>]", CNT, Planned, "go on in HTTP", switch_mode),
    action("use-service", "<name>", CNT | REQ, Full, "answer by a service", use_service),
    action("wait-for-body", "time <time> [at-least <bytes>]", REQ | RES, Full, "wait for the body", wait_for_body),
    action("wait-for-handshake", "", REQ, Planned, "wait for the end of the TLS handshake", known),
];

fn switch_mode(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let what = format!("'{}'", args.label());
    if !cx.needs_side(true, args.here(), &what) {
        return None;
    }
    known(cx, c, args)
}

/// The filter is found by its name when the whole section is read.
fn bandwidth_limit(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    if let Some(word) = args.peek() {
        cx.references.push(Reference {
            kind: ReferenceKind::BandwidthLimit,
            name: word.text.clone(),
            span: word.span(),
        });
    }
    known(cx, c, args)
}

fn cache(cx: &mut Context, args: &mut Args) -> Option<String> {
    let word = args.required(cx, "a cache name")?;
    cx.references.push(Reference {
        kind: ReferenceKind::Cache,
        name: word.text.clone(),
        span: word.span(),
    });
    Some(word.text.clone())
}

fn capture(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let expr = sample_expr(cx, args, c.place)?;
    let word = args.required(cx, "'len' or 'id'")?;
    let slot = match word.as_str() {
        "len" if matches!(c.set, Ruleset::TcpContent | Ruleset::HttpRequest) => {
            let what = format!("'{}'", args.label());
            if !cx.needs_side(true, word.span(), &what) {
                return None;
            }
            CaptureSlot::Len(args.number_in(cx, 1, 65_535)? as u32)
        }
        "len" => {
            args.unexpected(cx, word, "'id': a slot that 'declare capture' makes");
            return None;
        }
        "id" => CaptureSlot::Id(args.number(cx)?),
        _ => {
            args.unexpected(cx, word, "'len' or 'id'");
            return None;
        }
    };
    Some(Action::Capture { expr, slot })
}

fn do_resolve(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let mut parts = c.inside.unwrap_or("").split(',').map(str::trim);
    let (var, resolvers) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    if let Err(message) = sample::variable(var) {
        cx.alert(args.span(), "bad-variable", message);
        return None;
    }
    let prefer = match parts.next() {
        None => None,
        Some("ipv4") => Some(AddressFamily::Ipv4),
        Some("ipv6") => Some(AddressFamily::Ipv6),
        Some(other) => {
            let message = format!("'do-resolve' : expects 'ipv4' or 'ipv6', not '{other}'.");
            cx.alert(args.span(), "unexpected-argument", message);
            return None;
        }
    };
    cx.references.push(Reference {
        kind: ReferenceKind::Resolvers,
        name: resolvers.to_owned(),
        span: args.span(),
    });
    let expr = sample_expr(cx, args, c.place)?;
    Some(Action::DoResolve {
        var: var.to_owned(),
        resolvers: resolvers.to_owned(),
        prefer,
        expr,
    })
}

fn set_retries(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let what = format!("'{}'", args.label());
    if !cx.needs_side(false, args.here(), &what) {
        return None;
    }
    let is_number = args.peek_str().starts_with(|c: char| c.is_ascii_digit());
    if !is_number {
        return sample_expr(cx, args, c.place).map(Action::SetRetries);
    }
    let span = args.here();
    let retries = args.number_in(cx, 0, i64::from(i32::MAX))?;
    match sample::parse(cx, &format!("int({retries})"), span) {
        Ok(parsed) => Some(Action::SetRetries(parsed.expr)),
        Err(fault) => {
            fault.report(cx, "'set-retries' : ");
            None
        }
    }
}

fn set_timeout(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let wanted = "'client', 'connect', 'queue', 'server', 'tarpit' or 'tunnel'";
    let word = args.required(cx, wanted)?;
    let which = match word.as_str() {
        "client" => SettableTimeout::Client,
        "connect" => SettableTimeout::Connect,
        "queue" => SettableTimeout::Queue,
        "server" => SettableTimeout::Server,
        "tarpit" => SettableTimeout::Tarpit,
        "tunnel" => SettableTimeout::Tunnel,
        _ => {
            args.unexpected(cx, word, wanted);
            return None;
        }
    };
    let of_client = which == SettableTimeout::Client;
    let of_any = which == SettableTimeout::Tarpit;
    let what = format!("'{} {}'", args.label(), word.text);
    if !of_any && !cx.needs_side(of_client, word.span(), &what) {
        return None;
    }
    let value = time_value(cx, c, args)?;
    Some(Action::SetTimeout { which, value })
}

/// A time, or an expression in milliseconds.
fn time_value(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<TimeoutValue> {
    if args.peek_str().starts_with(|c: char| c.is_ascii_digit()) {
        return args.time(cx).map(TimeoutValue::Constant);
    }
    sample_expr(cx, args, c.place).map(TimeoutValue::Expr)
}

/// A number, decimal or hexadecimal, or an expression.
fn number_value(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<NumberValue> {
    let text = args.peek_str();
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse::<u64>().ok(),
    };
    if let Some(number) = number {
        args.next();
        // As many bits as the kernel takes, as in HAProxy.
        return Some(NumberValue::Constant(number as u32));
    }
    sample_expr(cx, args, c.place).map(NumberValue::Expr)
}

fn use_service(cx: &mut Context, _: &ActionContext, args: &mut Args) -> Option<Action> {
    let word = args.required(cx, "a service name")?;
    if word.text != "prometheus-exporter" && !(cx.has_lua && word.text.starts_with("lua.")) {
        let message = format!("'{}' unknown service name.", word.text);
        cx.alert(word.span(), "unknown-service", message);
        return None;
    }
    Some(Action::UseService(word.text.clone()))
}

fn wait_for_body(cx: &mut Context, _: &ActionContext, args: &mut Args) -> Option<Action> {
    let mut time_ms = None;
    let mut at_least_bytes = None;
    while !at_condition(args) {
        let word = args.next()?;
        match word.as_str() {
            "time" => {
                let value = args.required(cx, "a time")?;
                time_ms = quantity::time_ms(&value.text, TimeUnit::Milliseconds).ok();
                if time_ms.is_none() {
                    args.unexpected(cx, value, "a time");
                    return None;
                }
            }
            "at-least" => at_least_bytes = Some(args.size(cx)?),
            _ => {
                args.unexpected(cx, word, "'time' or 'at-least'");
                return None;
            }
        }
    }
    let Some(time_ms) = time_ms else {
        args.unexpected_end(cx, "'time <time>'");
        return None;
    };
    Some(Action::WaitForBody {
        time_ms,
        at_least_bytes,
    })
}
