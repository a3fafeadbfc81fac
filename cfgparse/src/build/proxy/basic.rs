//! Mode, limits, timeouts, names (manual, 4.2).

use super::draft::Draft;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, lax_number, proxy_row};
use crate::context::Context;
use crate::model::proxy::{HttpReuse, Mode, RetryOn};
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    lax_number(proxy_row("backlog", "<conns>", "DFL", Full, "connections that wait in the kernel", |cx, d, a| d.proxy.backlog = a.number(cx))),
    lax_end(proxy_row("be-unpublished", "", "LB!", Planned, "backend that rules don't route to", |_, _, _| {})),
    lax_end(proxy_row("clitcpka-cnt", "<count>", "DFL", Full, "keep-alive probes until a client is dead", |cx, d, a| d.proxy.options.clitcpka_settings.count = a.number(cx))),
    lax_end(proxy_row("clitcpka-idle", "<time>", "DFL", Full, "idle time until the first probe", |cx, d, a| d.proxy.options.clitcpka_settings.idle_s = a.seconds(cx))),
    lax_end(proxy_row("clitcpka-intvl", "<time>", "DFL", Full, "time between two probes", |cx, d, a| d.proxy.options.clitcpka_settings.interval_s = a.seconds(cx))),
    proxy_row("description", "<text>", "FLB", Full, "shown on the statistics page", |cx, d, a| {
        if a.is_empty() { a.required(cx, "a string argument"); }
        d.proxy.description = Some(joined(a));
    }),
    proxy_row("disabled", "", "DFLB", Full, "neither listens nor is reachable", |_, d, _| d.proxy.disabled = true),
    proxy_row("enabled", "", "DFLB", Full, "takes back 'disabled'", |_, d, _| d.proxy.disabled = false),
    lax_number(proxy_row("fullconn", "<conns>", "DLB", Full, "connections at which minconn reaches maxconn", |cx, d, a| d.proxy.fullconn = a.number(cx))),
    lax_end(proxy_row("guid", "<string>", "FLB", Harmless, "unique id", guid)),
    proxy_row("http-reuse", "never|safe|aggressive|always", "DLB", Full, "when idle server connections are shared", http_reuse),
    lax_end(proxy_row("http-send-name-header", "<name>", "DLB", Full, "header that tells a server its name", |cx, d, a| d.proxy.http_send_name_header = a.text(cx, "a header string"))),
    proxy_row("id", "<value>", "FLB", Full, "id in statistics", |cx, d, a| d.proxy.id = a.number_in(cx, 1, i64::from(i32::MAX)).map(|n| n as u32)),
    lax_end(proxy_row("load-server-state-from-file", "global|local|none", "DLB", Full, "take server states from a file at start", load_state)),
    lax_end(proxy_row("max-keep-alive-queue", "<value>", "DLB", Planned, "queue length beyond which keep-alive is given up", |cx, d, a| d.proxy.max_keep_alive_queue = a.number_in(cx, -1, i64::from(i32::MAX)).map(|n| n as i32))),
    lax_end(lax_number(proxy_row("max-session-srv-conns", "<nb>", "DFL", Harmless, "idle server connections of a session", |cx, d, a| d.proxy.max_session_srv_conns = a.number(cx)))),
    lax_number(proxy_row("maxconn", "<conns>", "DFL", Full, "connections at the same time", |cx, d, a| d.proxy.maxconn = a.number(cx))),
    proxy_row("mode", "tcp|http|log|spop|haterm", "DFLB", Full, "protocol", mode),
    lax_end(proxy_row("rate-limit sessions", "<rate>", "DFL", Planned, "new sessions a second", |cx, d, a| d.proxy.rate_limit_sessions = a.number(cx))),
    lax_number(proxy_row("retries", "<value>", "DLB", Full, "attempts after the first", |cx, d, a| d.proxy.retries = a.number(cx))),
    proxy_row("retry-on", "<events>", "DLB!", Full, "what is tried again", retry_on),
    proxy_row("server-state-file-name", "[use-backend-name|<file>]", "DLB", Full, "file of server states", |_, d, a| d.proxy.server_state_file_name = a.next().map(|w| w.text.clone())),
    proxy_row("source", "<addr>[:<port>] [usesrc ...] [interface <name>]", "DLB", Full, "address to connect from", |cx, d, a| d.proxy.source = crate::build::server_source::parse(cx, a)),
    lax_end(proxy_row("srvtcpka-cnt", "<count>", "DLB", Full, "keep-alive probes until a server is dead", |cx, d, a| d.proxy.options.srvtcpka_settings.count = a.number(cx))),
    lax_end(proxy_row("srvtcpka-idle", "<time>", "DLB", Full, "idle time until the first probe", |cx, d, a| d.proxy.options.srvtcpka_settings.idle_s = a.seconds(cx))),
    lax_end(proxy_row("srvtcpka-intvl", "<time>", "DLB", Full, "time between two probes", |cx, d, a| d.proxy.options.srvtcpka_settings.interval_s = a.seconds(cx))),
];

#[rustfmt::skip]
pub const TIMEOUTS: &[Row<Draft>] = &[
    proxy_row("timeout check", "<time>", "DLB", Full, "time to read a check's answer", |cx, d, a| d.proxy.timeouts.check = a.time(cx)),
    proxy_row("timeout client", "<time>", "DFL", Full, "silence of the client", |cx, d, a| d.proxy.timeouts.client = a.time(cx)),
    proxy_row("timeout client-fin", "<time>", "DFL", Full, "silence of a half-closed client", |cx, d, a| d.proxy.timeouts.client_fin = a.time(cx)),
    proxy_row("timeout client-hs", "<time>", "DFL", Full, "time of the client's TLS handshake", |cx, d, a| d.proxy.timeouts.client_hs = a.time(cx)),
    proxy_row("timeout connect", "<time>", "DLB", Full, "time to connect to a server", |cx, d, a| d.proxy.timeouts.connect = a.time(cx)),
    proxy_row("timeout http-keep-alive", "<time>", "DFLB", Full, "wait for the next request", |cx, d, a| d.proxy.timeouts.http_keep_alive = a.time(cx)),
    proxy_row("timeout http-request", "<time>", "DFLB", Full, "time to receive a whole request head", |cx, d, a| d.proxy.timeouts.http_request = a.time(cx)),
    proxy_row("timeout queue", "<time>", "DLB", Full, "wait for a free server", |cx, d, a| d.proxy.timeouts.queue = a.time(cx)),
    proxy_row("timeout server", "<time>", "DLB", Full, "silence of the server", |cx, d, a| d.proxy.timeouts.server = a.time(cx)),
    proxy_row("timeout server-fin", "<time>", "DLB", Full, "silence of a half-closed server", |cx, d, a| d.proxy.timeouts.server_fin = a.time(cx)),
    proxy_row("timeout tarpit", "<time>", "DFLB", Full, "delay of a tarpit's answer", |cx, d, a| d.proxy.timeouts.tarpit = a.time(cx)),
    proxy_row("timeout tunnel", "<time>", "DLB", Full, "silence of both sides of a tunnel", |cx, d, a| d.proxy.timeouts.tunnel = a.time(cx)),
];

/// The words that are left, with single spaces.
pub fn joined(args: &mut Args) -> String {
    args.rest()
        .iter()
        .map(|word| word.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn mode(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "'http', 'tcp', 'log' or 'spop'") else {
        return;
    };
    draft.proxy.mode = match word.as_str() {
        "http" => Mode::Http,
        "tcp" => Mode::Tcp,
        "log" | "spop" if !draft.is_defaults && !draft.proxy.kind.has_backend() => {
            let message = format!(
                "mode {} is only applicable on proxies with backend capability.",
                word.text
            );
            cx.alert(word.span(), "wrong-section", message);
            return;
        }
        "log" => Mode::Log,
        "spop" => Mode::Spop,
        "haterm" => {
            cx.not_yet(word.span(), "mode haterm");
            Mode::Http
        }
        "health" => {
            let message = "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead.";
            cx.alert(word.span(), "old-spelling", message);
            return;
        }
        other => {
            let near =
                crate::diagnostic::closest(other, ["http", "tcp", "log", "spop"].into_iter());
            let hint = near.map_or(String::new(), |near| {
                format!(" did you mean '{near}' maybe ?")
            });
            cx.alert(
                word.span(),
                "unexpected-argument",
                format!("unknown proxy mode '{other}'.{hint}"),
            );
            return;
        }
    };
    if draft.proxy.mode == Mode::Spop {
        static SPOP_MODE: crate::registry::Info = crate::registry::Info {
            name: "mode spop",
            syntax: "",
            status: Planned,
            doc: "backends of SPOE agents",
        };
        cx.used(&SPOP_MODE, word.span());
    }
}

fn guid(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "a unique id") else {
        return;
    };
    let bad = |c: &char| !(c.is_ascii_alphanumeric() || "-_.:".contains(*c));
    if let Some(bad) = word.text.chars().find(bad) {
        let message = format!("'guid': invalid character '{bad}'");
        return cx.alert(word.span(), "bad-name", message);
    }
    draft.proxy.guid = Some(word.text.clone());
}

fn http_reuse(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "'never', 'safe', 'aggressive' or 'always'") else {
        return;
    };
    draft.proxy.http_reuse = match word.as_str() {
        "never" => HttpReuse::Never,
        "safe" => HttpReuse::Safe,
        "aggressive" => HttpReuse::Aggressive,
        "always" => HttpReuse::Always,
        _ => return args.unexpected(cx, word, "'never', 'safe', 'aggressive' or 'always'"),
    };
}

fn load_state(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "'global', 'local' or 'none'") else {
        return;
    };
    if !matches!(word.as_str(), "global" | "local" | "none") {
        return args.unexpected(cx, word, "'global', 'local' or 'none'");
    }
    draft.proxy.load_server_state_from_file = Some(word.text.clone());
}

fn retry_on(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let wanted = "'none', 'conn-failure', 'empty-response', 'junk-response', 'response-timeout', \
                  '0rtt-rejected', 'all-retryable-errors' or a status code";
    if args.is_empty() {
        args.required(cx, wanted);
    }
    draft.proxy.retry_on.clear();
    while let Some(word) = args.next() {
        let event = match word.as_str() {
            "none" => RetryOn::None,
            "conn-failure" => RetryOn::ConnFailure,
            "empty-response" => RetryOn::EmptyResponse,
            "junk-response" => RetryOn::JunkResponse,
            "response-timeout" => RetryOn::ResponseTimeout,
            "0rtt-rejected" => RetryOn::ZeroRttRejected,
            "all-retryable-errors" => RetryOn::AllRetryableErrors,
            "401" | "403" | "404" | "408" | "421" | "422" | "425" | "429" | "500" | "501"
            | "502" | "503" | "504" => RetryOn::Status(word.text.parse().unwrap_or(0)),
            _ => {
                args.unexpected(cx, word, wanted);
                continue;
            }
        };
        draft.proxy.retry_on.push(event);
    }
}
