//! `option` and `no option` (manual, 4.2).

use super::draft::Draft;
use crate::address;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, lax_number, proxy_row};
use crate::context::Context;
use crate::expr::sample;
use crate::model::proxy::{
    Forwarded, ForwardedValue, Forwardfor, HttpConnection, Options, Originalto, RestrictNames,
};
use crate::model::section::Network;
use crate::registry::Sections;
use crate::registry::prelude::*;

/// How a switch is kept.
#[derive(Clone, Copy)]
enum Slot {
    Flag(fn(&mut Options) -> &mut bool),
    /// One whose default is neither on nor off.
    Tri(fn(&mut Options) -> &mut Option<bool>),
}

/// Options that are on or off and can be negated, with the field of each.
#[rustfmt::skip]
const SLOTS: &[(&str, Slot)] = &[
    ("abortonclose", Slot::Tri(|o| &mut o.abortonclose)),
    ("accept-invalid-http-request", Slot::Flag(|o| &mut o.accept_unsafe_violations_in_http_request)),
    ("accept-invalid-http-response", Slot::Flag(|o| &mut o.accept_unsafe_violations_in_http_response)),
    ("accept-unsafe-violations-in-http-request", Slot::Flag(|o| &mut o.accept_unsafe_violations_in_http_request)),
    ("accept-unsafe-violations-in-http-response", Slot::Flag(|o| &mut o.accept_unsafe_violations_in_http_response)),
    ("allbackups", Slot::Flag(|o| &mut o.allbackups)),
    ("checkcache", Slot::Flag(|o| &mut o.checkcache)),
    ("clitcpka", Slot::Flag(|o| &mut o.clitcpka)),
    ("contstats", Slot::Flag(|o| &mut o.contstats)),
    ("disable-h2-upgrade", Slot::Flag(|o| &mut o.disable_h2_upgrade)),
    ("h1-case-adjust-bogus-client", Slot::Flag(|o| &mut o.h1_case_adjust_bogus_client)),
    ("h1-case-adjust-bogus-server", Slot::Flag(|o| &mut o.h1_case_adjust_bogus_server)),
    ("http-buffer-request", Slot::Flag(|o| &mut o.http_buffer_request)),
    ("http-drop-request-trailers", Slot::Flag(|o| &mut o.http_drop_request_trailers)),
    ("http-drop-response-trailers", Slot::Flag(|o| &mut o.http_drop_response_trailers)),
    ("http-ignore-probes", Slot::Flag(|o| &mut o.http_ignore_probes)),
    ("http-no-delay", Slot::Flag(|o| &mut o.http_no_delay)),
    ("http-pretend-keepalive", Slot::Flag(|o| &mut o.http_pretend_keepalive)),
    ("http-use-proxy-header", Slot::Flag(|o| &mut o.http_use_proxy_header)),
    ("idle-close-on-response", Slot::Flag(|o| &mut o.idle_close_on_response)),
    ("independent-streams", Slot::Flag(|o| &mut o.independent_streams)),
    ("independant-streams", Slot::Flag(|o| &mut o.independent_streams)),
    ("log-health-checks", Slot::Flag(|o| &mut o.log_health_checks)),
    ("nolinger", Slot::Flag(|o| &mut o.nolinger)),
    ("persist", Slot::Flag(|o| &mut o.persist)),
    ("prefer-last-server", Slot::Flag(|o| &mut o.prefer_last_server)),
    ("socket-stats", Slot::Flag(|o| &mut o.socket_stats)),
    ("splice-auto", Slot::Tri(|o| &mut o.splice_auto)),
    ("splice-request", Slot::Tri(|o| &mut o.splice_request)),
    ("splice-response", Slot::Tri(|o| &mut o.splice_response)),
    ("srvtcpka", Slot::Flag(|o| &mut o.srvtcpka)),
    ("tcp-smart-accept", Slot::Tri(|o| &mut o.tcp_smart_accept)),
    ("tcp-smart-connect", Slot::Tri(|o| &mut o.tcp_smart_connect)),
    ("transparent", Slot::Flag(|o| &mut o.transparent)),
    ("http_proxy", Slot::Flag(|o| &mut o.transparent)),
];

fn switch_on(_: &mut Context, draft: &mut Draft, args: &mut Args) {
    let label = args.label();
    if let Some(name) = label.strip_prefix("option ") {
        set(&mut draft.proxy.options, name, Some(true));
    }
}

/// Sets a switch, or gives it its default back.
fn set(options: &mut Options, name: &str, value: Option<bool>) -> bool {
    let Some((_, slot)) = SLOTS.iter().find(|(known, _)| *known == name) else {
        return false;
    };
    match slot {
        Slot::Flag(field) => *field(options) = value.unwrap_or(false),
        Slot::Tri(field) => *field(options) = value,
    }
    true
}

#[rustfmt::skip]
pub const SWITCHES: &[Row<Draft>] = &[
    proxy_row("option abortonclose", "", "DFLB", Full, "give up requests whose client left", switch_on),
    proxy_row("option accept-unsafe-violations-in-http-request", "", "DFL", Partial("versions of several digits, other protocol names and HTTP/0.9 stay refused"), "let through requests that break the rules", switch_on),
    proxy_row("option accept-unsafe-violations-in-http-response", "", "DLB", Partial("versions of several digits and other protocol names stay refused"), "let through responses that break the rules", switch_on),
    proxy_row("option allbackups", "", "DLB", Full, "use all backup servers at once", switch_on),
    proxy_row("option checkcache", "", "DLB", Planned, "refuse cacheable responses that set cookies", switch_on),
    proxy_row("option clitcpka", "", "DFL", Full, "TCP keep-alive towards clients", switch_on),
    proxy_row("option contstats", "", "DFL", Ignored("counters are always up to date"), "update counters while a transfer runs", switch_on),
    proxy_row("option disable-h2-upgrade", "", "DFL", Ignored("connections are never upgraded"), "no HTTP/2 by preface on clear connections", switch_on),
    proxy_row("option h1-case-adjust-bogus-client", "", "DFL", Full, "header case of h1-case-adjust towards clients", switch_on),
    proxy_row("option h1-case-adjust-bogus-server", "", "DLB", Full, "header case of h1-case-adjust towards servers", switch_on),
    proxy_row("option http-buffer-request", "", "DFLB", Full, "wait for the body before rules run", switch_on),
    proxy_row("option http-drop-request-trailers", "", "DLB", Planned, "remove trailers of requests", switch_on),
    proxy_row("option http-drop-response-trailers", "", "DFL", Planned, "remove trailers of responses", switch_on),
    proxy_row("option http-ignore-probes", "", "DFL", Full, "say nothing of connections without a request", switch_on),
    proxy_row("option http-no-delay", "", "DFLB", Ignored("every segment is sent at once"), "send small segments at once", switch_on),
    proxy_row("option http-pretend-keepalive", "", "DLB", Full, "announce keep-alive to servers that are closed", switch_on),
    proxy_row("option http-use-proxy-header", "", "DFL", Full, "take Proxy-Connection for Connection", switch_on),
    proxy_row("option idle-close-on-response", "", "DFL", Planned, "on soft stop, close idle connections after a response", switch_on),
    proxy_row("option independent-streams", "", "DFLB", Planned, "timeouts of each direction by itself", switch_on),
    proxy_row("option log-health-checks", "", "DLB", Full, "log every check that changes", switch_on),
    proxy_row("option nolinger", "", "DFLB", Full, "close with a reset", switch_on),
    proxy_row("option persist", "", "DLB", Full, "keep to a server that is down", switch_on),
    proxy_row("option prefer-last-server", "", "DLB", Full, "keep to the server of the last request", switch_on),
    proxy_row("option socket-stats", "", "DFL", Ignored("every socket is counted"), "statistics of each socket", switch_on),
    proxy_row("option splice-auto", "", "DFLB", Ignored("big transfers are always spliced"), "splice in the kernel when it pays", switch_on),
    proxy_row("option splice-request", "", "DFLB", Ignored("big transfers are always spliced"), "splice requests in the kernel", switch_on),
    proxy_row("option splice-response", "", "DFLB", Ignored("big transfers are always spliced"), "splice responses in the kernel", switch_on),
    proxy_row("option srvtcpka", "", "DLB", Full, "TCP keep-alive towards servers", switch_on),
    proxy_row("option tcp-smart-accept", "", "DFL", Harmless, "save an ACK on accept", switch_on),
    proxy_row("option tcp-smart-connect", "", "DLB", Harmless, "save an ACK on connect", switch_on),
    proxy_row("option transparent", "", "DLB", Planned, "connect to the address the client meant", switch_on),
];

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("option forwarded", "[proto] [host|host-expr <e>] [by|by-expr <e>] [by_port...] [for|for-expr <e>] ...", "DLB", Full, "add a Forwarded header (RFC 7239)", forwarded),
    proxy_row("option forwardfor", "[except <net>] [header <name>] [if-none]", "DFLB", Full, "add X-Forwarded-For", forwardfor),
    proxy_row("option http-keep-alive", "", "DFLB", Full, "keep connections on both sides", |_, d, _| d.proxy.options.http_connection = HttpConnection::KeepAlive),
    proxy_row("option http-restrict-req-hdr-names", "preserve|delete|reject", "DFLB", Full, "header names with odd characters", restrict_names),
    proxy_row("option http-server-close", "", "DFLB", Full, "close the server's side after each response", |_, d, _| d.proxy.options.http_connection = HttpConnection::ServerClose),
    proxy_row("option httpclose", "", "DFLB", Full, "close after each response", |_, d, _| d.proxy.options.http_connection = HttpConnection::Close),
    proxy_row("option originalto", "[except <net>] [header <name>]", "DFLB", Full, "add X-Original-To", originalto),
    lax_end(lax_number(proxy_row("option redispatch", "[<interval>]", "DLB", Full, "retry on another server", redispatch))),
    proxy_row("option tcpka", "", "DFLB", Full, "TCP keep-alive on both sides", |_, d, _| {
        d.proxy.options.clitcpka = true;
        d.proxy.options.srvtcpka = true;
    }),
    proxy_row("option use-small-buffers", "[queue|l7-retries|check]*", "DLB", Harmless, "small buffers while requests wait", |cx, d, a| {
        while !a.is_empty() {
            let Some(word) = a.one_of(cx, &["queue", "l7-retries", "check"]) else { return };
            d.proxy.options.use_small_buffers.push(word);
        }
    }),
];

/// `no option X` and `default option X`. False: the line is none of these.
pub fn negated(cx: &mut Context, draft: &mut Draft, args: &mut Args, off: bool) -> bool {
    if args.peek_str() != "option" {
        return false;
    }
    let span = args.span();
    args.next();
    let Some(word) = args.required(cx, "an option") else {
        return true;
    };
    let name = word.as_str();
    let options = &mut draft.proxy.options;
    let logging = &mut draft.proxy.logging;
    match name {
        "httpclose" | "forceclose" | "http-server-close" | "http-keep-alive" if !off => {
            let message = format!("negation/default is not supported for option '{name}'.");
            cx.alert(word.span(), "bad-negation", message);
            return true;
        }
        "redispatch" => options.redispatch = off.then_some(0),
        "http-keep-alive" => options.http_connection = HttpConnection::KeepAlive,
        "http-server-close" if options.http_connection == HttpConnection::ServerClose => {
            options.http_connection = HttpConnection::KeepAlive;
        }
        "httpclose" | "forceclose" if options.http_connection == HttpConnection::Close => {
            options.http_connection = HttpConnection::KeepAlive;
        }
        "http-server-close" | "httpclose" | "forceclose" => {}
        "http-tunnel" | "http-use-htx" => {
            let old = format!("option {name}");
            cx.translated(span, &old, "nothing: remove the line", "2.2");
        }
        "forwarded" => options.forwarded = None,
        "dontlognull" => logging.dontlognull = false,
        "dontlog-normal" => logging.dontlog_normal = false,
        "log-separate-errors" => logging.log_separate_errors = false,
        "logasap" => logging.logasap = false,
        "use-small-buffers" => options.use_small_buffers.clear(),
        _ if set(options, name, off.then_some(false)) => {}
        _ => {
            let known = SWITCHES
                .iter()
                .chain(ROWS)
                .any(|r| r.info.name == format!("option {name}"));
            let message = if known {
                format!("negation/default is not supported for option '{name}'.")
            } else {
                format!("unknown option '{name}'.")
            };
            cx.alert(word.span(), "bad-negation", message);
            return true;
        }
    }
    warn_wrong_side(cx, draft, name, span);
    args.finish(cx);
    true
}

/// Warns of a negated option for a side that the proxy lacks.
fn warn_wrong_side(cx: &mut Context, draft: &Draft, name: &str, span: crate::diagnostic::Span) {
    let full = format!("option {name}");
    let Some(row) = SWITCHES.iter().find(|row| row.info.name == full) else {
        return;
    };
    let bit = match draft.proxy.kind {
        _ if draft.is_defaults => Sections::DEFAULTS,
        crate::model::ProxyKind::Frontend => Sections::FRONTEND,
        crate::model::ProxyKind::Listen => Sections::LISTEN,
        crate::model::ProxyKind::Backend => Sections::BACKEND,
    };
    if !row.sections.contains(bit) {
        let side = if draft.proxy.kind.has_frontend() {
            "backend"
        } else {
            "frontend"
        };
        let message = format!(
            "'{name}' ignored because {} has no {side} capability.",
            draft.described()
        );
        cx.warn(span, "wrong-section", message);
    }
}

/// `ADDRESS[/BITS]`.
fn network(cx: &mut Context, args: &mut Args) -> Option<Network> {
    let word = args.required(cx, "a network")?;
    let parsed = address::network(&word.text);
    if parsed.is_none() {
        args.unexpected(cx, word, "a network such as 127.0.0.0/8");
    }
    parsed
}

fn forwardfor(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut option = Forwardfor {
        except: None,
        header: "X-Forwarded-For".to_owned(),
        if_none: false,
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "except" => option.except = network(cx, args),
            "header" => option.header = args.text(cx, "a header name").unwrap_or_default(),
            "if-none" => option.if_none = true,
            _ => args.unexpected(cx, word, "'except', 'header' or 'if-none'"),
        }
    }
    draft.proxy.options.forwardfor = Some(option);
}

fn originalto(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut option = Originalto {
        except: None,
        header: "X-Original-To".to_owned(),
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "except" => option.except = network(cx, args),
            "header" => option.header = args.text(cx, "a header name").unwrap_or_default(),
            _ => args.unexpected(cx, word, "'except' or 'header'"),
        }
    }
    draft.proxy.options.originalto = Some(option);
}

fn forwarded(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut option = Forwarded::default();
    if args.is_empty() {
        option.proto = true;
        option.r#for = Some(ForwardedValue::Default);
    }
    while let Some(word) = args.next() {
        let (name, has_expr) = match word.text.strip_suffix("-expr") {
            Some(name) => (name, true),
            None => (word.as_str(), false),
        };
        let value = if has_expr {
            forwarded_expr(cx, args)
        } else {
            Some(ForwardedValue::Default)
        };
        match name {
            "proto" if !has_expr => option.proto = true,
            "host" => option.host = value,
            "by" => option.by = value,
            "by_port" => option.by_port = value,
            "for" => option.r#for = value,
            "for_port" => option.for_port = value,
            _ => args.unexpected(
                cx,
                word,
                "'proto', 'host', 'by', 'by_port', 'for' or 'for_port'",
            ),
        }
    }
    draft.proxy.options.forwarded = Some(option);
}

fn forwarded_expr(cx: &mut Context, args: &mut Args) -> Option<ForwardedValue> {
    let word = args.required(cx, "a sample expression")?;
    match sample::parse(cx, &word.text, word.span()) {
        Ok(parsed) => Some(ForwardedValue::Expr(parsed.expr)),
        Err(fault) => {
            fault.report(cx, "'option forwarded' : ");
            None
        }
    }
}

fn restrict_names(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "'preserve', 'delete' or 'reject'") else {
        return;
    };
    draft.proxy.options.http_restrict_req_hdr_names = Some(match word.as_str() {
        "preserve" => RestrictNames::Preserve,
        "delete" => RestrictNames::Delete,
        "reject" => RestrictNames::Reject,
        _ => return args.unexpected(cx, word, "'preserve', 'delete' or 'reject'"),
    });
}

fn redispatch(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let interval = if args.is_empty() {
        Some(-1)
    } else {
        args.number(cx)
    };
    draft.proxy.options.redispatch = interval;
}
