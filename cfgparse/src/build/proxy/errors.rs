//! Error answers: `errorfile`, `errorloc`, `errorfiles`, `http-error` (manual, 4.2).

use super::draft::Draft;
use crate::args::Args;
use crate::build::actions::reply;
use crate::build::keyword::{Row, proxy_row};
use crate::context::{Context, Reference, ReferenceKind};
use crate::model::section::{ErrorFile, ErrorReply, HttpError};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("errorfile", "<code> <file>", "DFLB", Full, "file that answers a status", |cx, d, a| {
        if let Some(file) = errorfile(cx, a) {
            d.proxy.http_errors.push(HttpError { code: file.code, at: file.at, reply: ErrorReply::File(file) });
        }
    }),
    proxy_row("errorfiles", "<name> [<code> ...]", "DFLB", Full, "http-errors section that answers", errorfiles),
    proxy_row("errorloc", "<code> <url>", "DFLB", Full, "redirect that answers a status", |cx, d, a| location(cx, d, a, 302)),
    proxy_row("errorloc302", "<code> <url>", "DFLB", Full, "redirect that answers a status", |cx, d, a| location(cx, d, a, 302)),
    proxy_row("errorloc303", "<code> <url>", "DFLB", Full, "redirect, to be fetched with GET", |cx, d, a| location(cx, d, a, 303)),
    proxy_row("http-error", "status <code> [content-type <type>] [body] [hdr <name> <fmt>]*", "DFLB", Full, "answer for a status", http_error),
];

/// Statuses that HAProxy answers itself (manual, `errorfile`).
pub const CODES: &[u16] = &[
    200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502,
    503, 504,
];

fn code(cx: &mut Context, args: &mut Args) -> Option<u16> {
    let word = args.required(cx, "<status_code> and <file> as arguments")?;
    let code = word
        .text
        .parse::<u16>()
        .ok()
        .filter(|code| (200..=599).contains(code));
    let Some(code) = code else {
        args.unexpected(cx, word, "a status code between 200 and 599");
        return None;
    };
    if !CODES.contains(&code) {
        let known: Vec<String> = CODES.iter().map(u16::to_string).collect();
        let message = format!(
            "'{}' : status code '{code}' not handled by default customization.",
            args.label()
        );
        cx.report(
            crate::diagnostic::Diagnostic::new(
                crate::diagnostic::Severity::Warning,
                "status-not-handled",
                Some(word.span()),
                message,
            )
            .remedy(format!("handled are {}", known.join(", "))),
        );
    }
    Some(code)
}

/// `<code> <file>`, the file read. HAProxy refuses a file that is too big for a buffer.
pub fn errorfile(cx: &mut Context, args: &mut Args) -> Option<ErrorFile> {
    let at = args.span().at;
    let code = code(cx, args);
    let word = args.required(cx, "<status_code> and <file> as arguments")?;
    let message = if word.text == "/dev/null" {
        Vec::new()
    } else {
        cx.file(&word.text, word.span())?
    };
    Some(ErrorFile {
        code: code?,
        path: word.text.clone(),
        message,
        at,
    })
}

fn errorfiles(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let Some(word) = args.required(cx, "a name") else {
        return;
    };
    let name = word.text.clone();
    cx.references.push(Reference {
        kind: ReferenceKind::HttpErrors,
        name: name.clone(),
        span: word.span(),
    });
    let mut codes = Vec::new();
    while !args.is_empty() {
        let Some(code) = code(cx, args) else { break };
        codes.push(code);
    }
    if codes.is_empty() {
        codes.extend_from_slice(CODES);
    }
    let reply = ErrorReply::Files(name);
    draft
        .proxy
        .http_errors
        .extend(codes.into_iter().map(|code| HttpError {
            code,
            reply: reply.clone(),
            at,
        }));
}

fn location(cx: &mut Context, draft: &mut Draft, args: &mut Args, status: u16) {
    let at = args.span().at;
    let code = code(cx, args);
    let Some(url) = args.text(cx, "<status_code> and <url> as arguments") else {
        return;
    };
    let Some(code) = code else { return };
    draft.proxy.http_errors.push(HttpError {
        code,
        reply: ErrorReply::Location { status, url },
        at,
    });
}

fn http_error(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let Some(reply) = reply::reply(cx, args, Where::ErrorReply, &[(200, 599)]) else {
        args.rest();
        return;
    };
    let Some(code) = reply.status else {
        cx.alert(
            args.span(),
            "missing-argument",
            "'http-error' : missing status code.",
        );
        return;
    };
    draft.proxy.http_errors.push(HttpError {
        code,
        reply: ErrorReply::Reply(reply),
        at,
    });
}
