//! `ring`, `log-forward`, `log-profile` (manual, 8.3.5, 12.5, 12.6).

use std::sync::LazyLock;

use super::access::lines;
use super::name;
use super::network::{reader, server_line};
use crate::args::Args;
use crate::ast::Section;
use crate::build::bind;
use crate::build::keyword::{Row, Table, row};
use crate::build::proxy::draft::log_format;
use crate::build::proxy::log as proxy_log;
use crate::context::Context;
use crate::model::section::{LogForward, LogHost, LogProfile, LogStep, Ring};
use crate::registry::Info;
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
const RING: &[Row<Ring>] = &[
    row("backing-file", "<path>", Harmless, "file behind the ring", |cx, r, a| r.backing_file = a.text(cx, "a path")),
    row("description", "<text>", Full, "shown by 'show events'", |_, r, a| r.description = Some(crate::build::proxy::basic::joined(a))),
    row("format", "<format>", Full, "form of the lines", |cx, r, a| if let Some(f) = proxy_log::framing(cx, a) { r.format = f; }),
    row("maxlen", "<length>", Full, "bytes of a line", |cx, r, a| r.maxlen = a.number(cx)),
    row("server", "<name> <address> [param*]", Full, "where lines are sent", |cx, r, a| {
        if let Some(server) = server_line(cx, a, true) { r.servers.push(server); }
    }),
    row("size", "<size>", Full, "bytes of the ring", |cx, r, a| r.size = a.size(cx)),
    row("timeout connect", "<time>", Full, "time to connect", |cx, r, a| r.timeout_connect_ms = a.time(cx)),
    row("timeout server", "<time>", Full, "silence of a server", |cx, r, a| r.timeout_server_ms = a.time(cx)),
];

#[rustfmt::skip]
const LOG_FORWARD: &[Row<LogForward>] = &[
    row("backlog", "<conns>", Full, "connections that wait", |cx, l, a| l.backlog = a.number(cx)),
    row("bind", "<addr> [param*]", Full, "where lines come in over TCP", |cx, l, a| {
        if let Some(bind) = bind::parse(cx, a, "bind", "log-forward") { l.binds.push(bind); }
        a.rest();
    }),
    row("dgram-bind", "<addr> [param*]", Full, "where lines come in over UDP", |cx, l, a| {
        if let Some(bind) = bind::parse(cx, a, "dgram-bind", "log-forward") { l.dgram_binds.push(bind); }
        a.rest();
    }),
    row("log", "global | <target> ... <facility>", Full, "where lines go", |cx, l, a| {
        if a.accept("global") { l.log_global = true; return; }
        match proxy_log::target(cx, a) {
            Some(target) => l.logs.push(target),
            None => { a.rest(); }
        }
    }),
    row("maxconn", "<conns>", Full, "connections", |cx, l, a| l.maxconn = a.number(cx)),
    row("option assume-rfc6587-ntf", "", Full, "lines end in a line feed", |_, l, _| l.lines_only = true),
    row("option dont-parse-log", "", Full, "pass lines on unread", |_, l, _| l.unparsed = true),
    row("option host", "replace|fill|keep|append", Full, "host field", |cx, l, a| {
        let Some(word) = a.required(cx, "'replace', 'fill', 'keep' or 'append'") else { return };
        l.host = match word.as_str() {
            "replace" => LogHost::Replace,
            "fill" => LogHost::Fill,
            "keep" => LogHost::Keep,
            "append" => LogHost::Append,
            _ => return a.unexpected(cx, word, "'replace', 'fill', 'keep' or 'append'"),
        };
    }),
    row("timeout client", "<time>", Full, "silence of a client", |cx, l, a| l.timeout_client_ms = a.time(cx)),
];

#[rustfmt::skip]
const LOG_PROFILE: &[Row<LogProfile>] = &[
    row("log-tag", "<string>", Full, "program's name in log lines", |cx, p, a| p.tag = a.text(cx, "a tag")),
    row("on", "<step> [drop] [format <fmt>] [sd <fmt>]", Full, "line of a step", on),
];

/// Steps at which a line can be written (manual, 8.3.5, and 4.4 `do-log`).
pub const STEPS: &[&str] = &[
    "accept",
    "request",
    "connect",
    "response",
    "close",
    "error",
    "any",
    "quic-init",
    "tcp-req-conn",
    "tcp-req-sess",
    "tcp-req-cont",
    "tcp-res-cont",
    "http-req",
    "http-res",
    "http-after-res",
];

fn on(cx: &mut Context, profile: &mut LogProfile, args: &mut Args) {
    let Some(word) = args.required(cx, "a log step") else {
        return;
    };
    if !STEPS.contains(&word.as_str()) {
        return args.unexpected(cx, word, &STEPS.join(", "));
    }
    let mut step = LogStep::default();
    while let Some(next) = args.next() {
        match next.as_str() {
            "drop" => step.drop = true,
            "format" => step.format = log_format(cx, args, Where::Log, "a log format"),
            "sd" => step.format_sd = log_format(cx, args, Where::Log, "a log format"),
            _ => args.unexpected(cx, next, "'drop', 'format' or 'sd'"),
        }
    }
    profile.steps.retain(|(known, _)| *known != word.text);
    profile.steps.push((word.text.clone(), step));
}

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = (&'static str, &'static Info)> {
    RING.iter()
        .map(|row| ("ring", &row.info))
        .chain(LOG_FORWARD.iter().map(|row| ("log-forward", &row.info)))
        .chain(LOG_PROFILE.iter().map(|row| ("log-profile", &row.info)))
}

reader!(
    /// Reads a `ring` section.
    ring, Ring, RING
);
reader!(
    /// Reads a `log-forward` section.
    log_forward, LogForward, LOG_FORWARD
);
reader!(
    /// Reads a `log-profile` section.
    log_profile, LogProfile, LOG_PROFILE
);
