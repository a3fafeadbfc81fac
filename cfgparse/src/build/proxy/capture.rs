//! Captures, monitoring, compression, filters (manual, 4.2).

use super::draft::Draft;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::Context;
use crate::diagnostic::Span;
use crate::model::proxy::{CaptureLine, Filter, HeaderCapture};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    lax_end(proxy_row("capture cookie", "<name> len <length>", "FL", Full, "keep a cookie for the logs", |cx, d, a| d.proxy.captures.cookie = capture(cx, a))),
    lax_end(proxy_row("capture request header", "<name> len <length>", "FL", Full, "keep a request header for the logs", |cx, d, a| d.proxy.captures.request.extend(capture(cx, a).map(header)))),
    lax_end(proxy_row("capture response header", "<name> len <length>", "FL", Full, "keep a response header for the logs", |cx, d, a| d.proxy.captures.response.extend(capture(cx, a).map(header)))),
    proxy_row("compression algo", "<algorithm> ...", "DFLB", Full, "how responses are compressed", |cx, d, a| d.proxy.compression.algo = algorithms(cx, a)),
    proxy_row("compression algo-req", "<algorithm>", "DFLB", Full, "how requests are compressed", |cx, d, a| d.proxy.compression.algo_req = algorithms(cx, a)),
    proxy_row("compression algo-res", "<algorithm> ...", "DFLB", Full, "how responses are compressed", |cx, d, a| d.proxy.compression.algo = algorithms(cx, a)),
    lax_end(proxy_row("compression direction", "request|response|both", "DFLB", Full, "what is compressed", |cx, d, a| d.proxy.compression.direction = a.one_of(cx, &["request", "response", "both"]))),
    lax_end(proxy_row("compression minsize-req", "<size>", "DFLB", Full, "smallest request compressed", |cx, d, a| d.proxy.compression.minsize_req = a.size(cx))),
    lax_end(proxy_row("compression minsize-res", "<size>", "DFLB", Full, "smallest response compressed", |cx, d, a| d.proxy.compression.minsize_res = a.size(cx))),
    lax_end(proxy_row("compression offload", "", "DFLB", Full, "don't let servers compress", offload)),
    proxy_row("compression type", "<mime type> ...", "DFLB", Full, "what is compressed", |cx, d, a| d.proxy.compression.types.extend(mime_types(cx, a))),
    proxy_row("compression type-req", "<mime type> ...", "DFLB", Full, "which requests are compressed", |cx, d, a| d.proxy.compression.types_req.extend(mime_types(cx, a))),
    proxy_row("compression type-res", "<mime type> ...", "DFLB", Full, "which responses are compressed", |cx, d, a| d.proxy.compression.types.extend(mime_types(cx, a))),
    lax_end(proxy_row("declare capture", "request|response len <length>", "FL!", Full, "make room for a captured value", declare)),
    proxy_row("filter", "<name> [param*]", "FLB", Partial("compression, comp-req, comp-res and cache"), "pass traffic through a filter", filter),
    proxy_row("filter-sequence", "request|response <list>", "FLB", Planned, "order of filters", |cx, _, a| {
        a.one_of(cx, &["request", "response"]);
        a.rest();
    }),
    proxy_row("monitor fail", "if|unless <condition>", "FL", Full, "when monitor-uri reports a failure", |cx, d, a| {
        if let Some(condition) = d.needed_condition(cx, a, Where::FeHttpRequest, "monitor fail") {
            d.proxy.monitor_fail.push(condition);
        }
    }),
    proxy_row("monitor-uri", "<uri>", "DFL", Full, "path that is answered at once", |cx, d, a| d.proxy.monitor_uri = a.text(cx, "a URI")),
    lax_end(proxy_row("email-alert from", "<address>", "DFLB", Planned, "sender of alerts", |cx, d, a| d.proxy.email_alert.from = a.text(cx, "an address"))),
    proxy_row("email-alert level", "<level>", "DFLB", Planned, "least level of alerts", |cx, d, a| d.proxy.email_alert.level = a.one_of(cx, LEVELS)),
    lax_end(proxy_row("email-alert mailers", "<name>", "DFLB", Planned, "who sends alerts", |cx, d, a| d.proxy.email_alert.mailers = a.text(cx, "a mailers section"))),
    lax_end(proxy_row("email-alert myhostname", "<name>", "DFLB", Planned, "name in HELO", |cx, d, a| d.proxy.email_alert.myhostname = a.text(cx, "a name"))),
    lax_end(proxy_row("email-alert to", "<address>", "DFLB", Planned, "receiver of alerts", |cx, d, a| d.proxy.email_alert.to = a.text(cx, "an address"))),
];

/// Levels of syslog.
const LEVELS: &[&str] = &[
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

fn algorithms(cx: &mut Context, args: &mut Args) -> Vec<String> {
    let known = ["identity", "gzip", "deflate", "raw-deflate"];
    let mut algorithms: Vec<String> = args.one_of(cx, &known).into_iter().collect();
    while !args.is_empty() {
        algorithms.extend(args.one_of(cx, &known));
    }
    algorithms
}

fn words(args: &mut Args) -> Vec<String> {
    args.rest().iter().map(|word| word.text.clone()).collect()
}

fn mime_types(cx: &mut Context, args: &mut Args) -> Vec<String> {
    if args.is_empty() {
        args.unexpected_end(cx, "<mime type>");
    }
    words(args)
}

/// `NAME len LENGTH`.
fn capture(cx: &mut Context, args: &mut Args) -> Option<HeaderCapture> {
    let name = args.text(cx, "<name> 'len' <len>")?;
    if !args.accept("len") {
        args.unexpected_end(cx, "<name> 'len' <len>");
        args.rest();
        return None;
    }
    Some(HeaderCapture {
        name,
        len: args.number(cx)?,
    })
}

fn header(capture: HeaderCapture) -> CaptureLine {
    CaptureLine {
        header: Some(capture.name),
        len: capture.len,
    }
}

fn declare(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "'request' or 'response'") else {
        return;
    };
    let response = match word.as_str() {
        "request" => false,
        "response" => true,
        _ => {
            args.unexpected(cx, word, "'request' or 'response'");
            args.rest();
            return;
        }
    };
    if !args.accept("len") {
        args.unexpected_end(cx, "'len' <length>");
        args.rest();
        return;
    }
    if let Some(len) = args.number_in(cx, 1, i64::from(i32::MAX)) {
        let len = len as u32;
        let captures = &mut draft.proxy.captures;
        let side = if response {
            &mut captures.response
        } else {
            &mut captures.request
        };
        side.push(CaptureLine { header: None, len });
    }
}

/// `filter spoe ... config FILE`: the file must be there.
fn spoe_file(cx: &mut Context, args: &Args, span: Span) {
    let words = args.upcoming();
    let at = words.iter().position(|word| word.text == "config");
    match at.and_then(|at| words.get(at + 1)) {
        Some(file) => {
            cx.file(&file.text, file.span());
        }
        None => cx.alert(
            span,
            "missing-argument",
            "'filter' : 'spoe' : missing config file",
        ),
    }
}

/// `compression offload`, which has no effect in `defaults` (manual, `compression offload`).
fn offload(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    if draft.is_defaults {
        let message = "'compression offload' ignored in 'defaults' section.";
        cx.warn(args.span(), "wrong-section", message);
    } else {
        draft.proxy.compression.offload = true;
    }
}

/// Filters that HAProxy has.
pub const FILTERS: &[&str] = &[
    "trace",
    "compression",
    "comp-req",
    "comp-res",
    "cache",
    "spoe",
    "fcgi-app",
    "bwlim-in",
    "bwlim-out",
    "opentracing",
    "opentelemetry",
];

fn filter(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let Some(word) = args.required(cx, "a filter name") else {
        return;
    };
    let from_lua = cx.has_lua && word.text.starts_with("lua.");
    if !from_lua && !FILTERS.contains(&word.as_str()) {
        let near = crate::diagnostic::closest(&word.text, FILTERS.iter().copied());
        let hint = near.map_or(String::new(), |near| {
            format!("; did you mean '{near}' maybe ?")
        });
        let message = format!("'filter' : unknown filter '{}'{hint}", word.text);
        cx.alert(word.span(), "unknown-filter", message);
    }
    if !["compression", "comp-req", "comp-res", "cache"].contains(&word.as_str()) {
        cx.not_yet(word.span(), &format!("filter {}", word.text));
    }
    if word.text == "spoe" {
        spoe_file(cx, args, word.span());
    }
    draft.proxy.filters.push(Filter {
        name: word.text.clone(),
        args: words(args),
        at,
    });
}
