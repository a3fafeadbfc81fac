//! `log` lines and formats (manual, 4.2 and 8).

use super::draft::{Draft, log_format};
use crate::address;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::{Context, Reference, ReferenceKind};
use crate::diagnostic::closest;
use crate::model::log::{Format, LogAddr, LogFraming, LogLevel, LogSample, LogTarget};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("error-log-format", "<fmt>", "DFL", Full, "line for streams that end in an error", |cx, d, a| d.proxy.logging.error_format = log_format(cx, a, Where::Log, "a log format")),
    proxy_row("log", "global | <target> [len <n>] [format <f>] [sample <r>:<n>] <facility> [<level> [<minlevel>]]", "DFLB", Full, "where log lines go", log),
    proxy_row("log-format", "<fmt>", "DFLB", Full, "line of each stream", format),
    proxy_row("log-format-sd", "<fmt>", "DFLB", Full, "structured data of RFC 5424", |cx, d, a| {
        ignored_in_backend(cx, d, a, "log-format-sd");
        d.proxy.logging.format_sd = log_format(cx, a, Where::Log, "a log format");
    }),
    lax_end(proxy_row("log-steps", "<steps>", "DFL", Full, "when lines are written", |cx, d, a| {
        steps(cx, d, a);
    })),
    lax_end(proxy_row("log-tag", "<string>", "DFLB", Full, "program's name in log lines", |cx, d, a| d.proxy.logging.tag = a.text(cx, "a tag"))),
    proxy_row("option dontlog-normal", "", "DFL", Full, "no line for streams without a fault", |_, d, _| d.proxy.logging.dontlog_normal = true),
    proxy_row("option dontlognull", "", "DFL", Full, "no line for connections without data", |_, d, _| d.proxy.logging.dontlognull = true),
    proxy_row("option httplog", "[clf]", "DFLB", Full, "the HTTP log line", |cx, d, a| {
        ignored_in_backend(cx, d, a, "option httplog");
        d.proxy.logging.format = if a.accept("clf") { Format::HttpClf } else { Format::Http };
    }),
    lax_end(proxy_row("option httpslog", "", "DFLB", Full, "the HTTPS log line", |cx, d, a| {
        ignored_in_backend(cx, d, a, "option httpslog");
        d.proxy.logging.format = Format::Https;
    })),
    proxy_row("option jsonlog", "", "DFL", Full, "the line of httplog or tcplog as one JSON object (not in HAProxy)", |_, d, _| d.proxy.logging.format = Format::Json),
    proxy_row("option log-separate-errors", "", "DFL", Full, "raise the level of lines about errors", |_, d, _| d.proxy.logging.log_separate_errors = true),
    proxy_row("option logasap", "", "DFL", Full, "write the line when the response begins", |_, d, _| d.proxy.logging.logasap = true),
    proxy_row("option tcplog", "[clf]", "DFLB", Full, "the TCP log line", |cx, d, a| {
        ignored_in_backend(cx, d, a, "option tcplog");
        d.proxy.logging.format = if a.accept("clf") { Format::TcpClf } else { Format::Tcp };
    }),
    proxy_row("unique-id-format", "<fmt>", "DFLB", Full, "how ids of requests are made", |cx, d, a| d.proxy.logging.unique_id_format = log_format(cx, a, Where::UniqueId, "a format")),
    lax_end(proxy_row("unique-id-header", "<name>", "DFLB", Full, "header that carries the id", |cx, d, a| d.proxy.logging.unique_id_header = a.text(cx, "a header name"))),
];

/// Steps at which a line can be written (manual, 4.2 `log-steps`).
const STEPS: &[&str] = &["accept", "request", "connect", "response", "close", "all"];

fn steps(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.next() else { return };
    let steps: Vec<String> = word.text.split(',').map(str::to_owned).collect();
    if let Some(unknown) = steps.iter().find(|step| !STEPS.contains(&step.as_str())) {
        let message = format!(
            "invalid log step name ({unknown}). Expected values are: {}.",
            STEPS.join(", ")
        );
        cx.alert(word.span(), "unexpected-argument", message);
    }
    draft.proxy.logging.steps = steps;
}

fn ignored_in_backend(cx: &mut Context, draft: &Draft, args: &Args, what: &str) {
    if !draft.is_defaults && !draft.proxy.kind.has_frontend() {
        let message = format!(
            "{} : '{what}' directive is ignored in backends.",
            draft.described()
        );
        cx.warn(args.span(), "wrong-section", message);
    }
}

fn format(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    ignored_in_backend(cx, draft, args, "log-format");
    if let Some(format) = log_format(cx, args, Where::Log, "an argument") {
        draft.proxy.logging.format = Format::Custom(format);
    }
}

/// `no log`: forgets what was inherited.
pub fn no_log(cx: &mut Context, draft: &mut Draft, args: &mut Args, off: bool) -> bool {
    if args.peek_str() != "log" || !off {
        return false;
    }
    args.next();
    args.finish(cx);
    draft.proxy.logging.targets.clear();
    draft.log_global = false;
    true
}

fn log(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    if args.accept("global") {
        draft.log_global = true;
        return;
    }
    if let Some(target) = target(cx, args) {
        draft.proxy.logging.targets.push(target);
    }
}

/// Facilities by number (RFC 5424, 6.2.1).
const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2",
    "ftp", "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

const LEVELS: &[(&str, LogLevel)] = &[
    ("emerg", LogLevel::Emerg),
    ("alert", LogLevel::Alert),
    ("crit", LogLevel::Crit),
    ("err", LogLevel::Err),
    ("warning", LogLevel::Warning),
    ("notice", LogLevel::Notice),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

/// The level of this name.
pub fn level_of(word: &str) -> Option<LogLevel> {
    LEVELS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, level)| *level)
}

/// Everything behind `log` but `global`.
pub fn target(cx: &mut Context, args: &mut Args) -> Option<LogTarget> {
    let word = args.required(
        cx,
        "either <address[:port]> and <facility> or 'global' as arguments",
    )?;
    let address = match address::log(&cx.address(&word.text)) {
        Ok(address) => address,
        Err(error) => {
            cx.alert(word.span(), "bad-address", format!("'log' : {error}"));
            return None;
        }
    };
    let reference = match &address {
        LogAddr::Ring(name) => Some((ReferenceKind::Ring, name)),
        LogAddr::Backend(name) => Some((ReferenceKind::Backend, name)),
        _ => None,
    };
    if let Some((kind, name)) = reference {
        cx.references.push(Reference {
            kind,
            name: name.clone(),
            span: word.span(),
        });
    }
    let mut target = LogTarget {
        address,
        len: None,
        framing: LogFraming::Default,
        sample: None,
        profile: None,
        facility: 0,
        level: LogLevel::Debug,
        min_level: LogLevel::Emerg,
        at: word.at,
    };
    // In this order only, as HAProxy takes them.
    if args.accept("len") {
        target.len = args.number_in(cx, 80, 65_535).map(|n| n as u32);
    }
    if args.accept("format") {
        target.framing = framing(cx, args)?;
    }
    if args.accept("sample") {
        target.sample = Some(sample(cx, args)?);
    }
    if args.accept("profile") {
        let word = args.required(cx, "a log-profile's name")?;
        cx.references.push(Reference {
            kind: ReferenceKind::LogProfile,
            name: word.text.clone(),
            span: word.span(),
        });
        target.profile = Some(word.text.clone());
    }
    let word = args.required(cx, "a log facility")?;
    let Some(facility) = FACILITIES.iter().position(|name| *name == word.text) else {
        let near = closest(&word.text, FACILITIES.iter().copied());
        let hint = near.map_or(String::new(), |near| {
            format!("; did you mean '{near}' maybe ?")
        });
        cx.alert(
            word.span(),
            "unexpected-argument",
            format!("log : unknown log facility '{}'{hint}", word.text),
        );
        args.rest();
        return None;
    };
    target.facility = facility as u8;
    if let Some(level) = level(cx, args)? {
        target.level = level;
    }
    if let Some(level) = level(cx, args)? {
        target.min_level = level;
    }
    Some(target)
}

/// An optional level; `None` means that a wrong one was reported.
#[expect(clippy::option_option, reason = "outer: reported, inner: left out")]
fn level(cx: &mut Context, args: &mut Args) -> Option<Option<LogLevel>> {
    let Some(word) = args.next() else {
        return Some(None);
    };
    let level = level_of(&word.text);
    if level.is_none() {
        let message = format!("log : unknown optional log level '{}'", word.text);
        cx.alert(word.span(), "unexpected-argument", message);
        args.rest();
        return None;
    }
    Some(level)
}

/// `format`'s argument.
pub fn framing(cx: &mut Context, args: &mut Args) -> Option<LogFraming> {
    let word = args.required(cx, "a log format")?;
    Some(match word.as_str() {
        "local" => LogFraming::Local,
        "rfc3164" => LogFraming::Rfc3164,
        "rfc5424" => LogFraming::Rfc5424,
        "priority" => LogFraming::Priority,
        "short" => LogFraming::Short,
        "timed" => LogFraming::Timed,
        "iso" => LogFraming::Iso,
        "raw" => LogFraming::Raw,
        _ => {
            args.unexpected(
                cx,
                word,
                "local, rfc3164, rfc5424, priority, short, timed, iso or raw",
            );
            return None;
        }
    })
}

/// `RANGES:SIZE`.
fn sample(cx: &mut Context, args: &mut Args) -> Option<LogSample> {
    let word = args.required(cx, "<ranges>:<sample_size>")?;
    let parse = || {
        let (ranges, size) = word.text.rsplit_once(':')?;
        let size: u32 = size.parse().ok()?;
        let mut list = Vec::new();
        for range in ranges.split(',') {
            let (low, high) = range.split_once('-').unwrap_or((range, range));
            let (low, high) = (low.parse().ok()?, high.parse().ok()?);
            if low == 0 || high < low || high > size {
                return None;
            }
            list.push((low, high));
        }
        Some(LogSample { ranges: list, size })
    };
    let sample = parse();
    if sample.is_none() {
        args.unexpected(cx, word, "<ranges>:<sample_size> such as 1-2,5:10");
    }
    sample
}
