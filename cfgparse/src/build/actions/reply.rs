//! Actions that answer: deny, tarpit, return; and `http-error`, which shares their arguments.

use super::{ActionRow, QUIC, REQ, RES, TCP, action, at_condition, redirect};
use crate::args::Args;
use crate::build::proxy::draft::log_format;
use crate::bytes;
use crate::context::{Context, Reference, ReferenceKind};
use crate::expr::format;
use crate::model::rule::{Action, Reply, ReplyBody};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[ActionRow] = &[
    action("accept", "", QUIC | TCP, Full, "stop these rules and go on", |_, _, _| Some(Action::Accept)),
    action("allow", "", super::HTTP, Full, "stop these rules and go on", |_, _, _| Some(Action::Accept)),
    action("auth", "[realm <realm>]", REQ, Full, "ask for a user and password", |cx, _, a| {
        let realm = if a.accept("realm") { Some(a.text(cx, "a realm")?) } else { None };
        Some(Action::Auth { realm })
    }),
    action("deny", "[status <status>] [content-type <type>] [body] [hdr <name> <fmt>]*", REQ | RES, Full, "answer and stop", |cx, c, a| {
        let least = if a.peek_str() == "deny_status" { 200 } else { 400 };
        reply(cx, a, c.place, &[(least.min(200), 599)]).map(Action::Deny)
    }),
    action("redirect", "location|prefix|scheme <to> [code <code>] <option>", REQ | RES, Full, "answer with a redirect", |cx, c, a| redirect::parse(cx, a, c.place).map(Action::Redirect)),
    action("reject", "", QUIC | TCP | REQ, Full, "close without an answer", |_, _, _| Some(Action::Reject)),
    action("return", "[status <status>] [content-type <type>] [body] [hdr <name> <fmt>]*", REQ | RES, Full, "answer from here", |cx, c, a| reply(cx, a, c.place, &[(200, 599)]).map(Action::Return)),
    action("tarpit", "[status <status>] [content-type <type>] [body] [hdr <name> <fmt>]*", REQ, Full, "answer after timeout tarpit", |cx, c, a| reply(cx, a, c.place, &[(200, 599)]).map(Action::Tarpit)),
];

/// The arguments that answers share, up to the condition.
pub fn reply(
    cx: &mut Context,
    args: &mut Args,
    place: Where,
    statuses: &[(i64, i64)],
) -> Option<Reply> {
    let mut reply = Reply::default();
    let mut by_page = false;
    while !at_condition(args) {
        let word = args.next()?;
        by_page |= word.text == "deny_status";
        match word.as_str() {
            "status" | "deny_status" => {
                let (low, high) = statuses.first().copied().unwrap_or((200, 599));
                let value = args.required(cx, "a status code")?;
                let status = value
                    .text
                    .parse::<i64>()
                    .ok()
                    .filter(|s| (low..=high).contains(s));
                let Some(status) = status else {
                    let message = format!(
                        "'{}' : '{}' expects a status code between {low} and {high} (got '{}').",
                        args.label(),
                        word.text,
                        value.text
                    );
                    cx.alert(value.span(), "bad-value", message);
                    return None;
                };
                reply.status = Some(status as u16);
            }
            "content-type" => reply.content_type = Some(args.text(cx, "a content type")?),
            "hdr" => {
                let name = args.text(cx, "a header name")?;
                reply
                    .headers
                    .push((name, log_format(cx, args, place, "a header value")?));
            }
            "default-errorfiles" => {
                set_body(cx, args, &mut reply, ReplyBody::DefaultErrorFiles);
            }
            _ => {
                let body = body(cx, args, word, place)?;
                set_body(cx, args, &mut reply, body);
            }
        }
    }
    // The older word for a status asks for the page of that status.
    let is_plain = reply.body == ReplyBody::Default && reply.headers.is_empty();
    if by_page && is_plain && reply.content_type.is_none() {
        reply.body = ReplyBody::DefaultErrorFiles;
    }
    check_content_type(cx, args, &reply)?;
    Some(reply)
}

/// A content needs its type, and a type its content (manual, `http-request return`).
fn check_content_type(cx: &mut Context, args: &Args, reply: &Reply) -> Option<()> {
    let has_content = match &reply.body {
        ReplyBody::Raw(bytes) => !bytes.is_empty(),
        ReplyBody::Format(_) => true,
        _ => false,
    };
    match &reply.content_type {
        None if has_content => {
            let message = format!(
                "'{}' : a content type must be defined when non-empty payload is configured.",
                args.label()
            );
            cx.alert(args.span(), "missing-content-type", message);
            None
        }
        Some(kind) if !has_content => {
            let message = format!(
                "'{}' : content-type '{kind}' ignored by the http reply because neither errorfile nor payload defined.",
                args.label()
            );
            cx.warn(args.span(), "ignored-content-type", message);
            Some(())
        }
        _ => Some(()),
    }
}

fn set_body(cx: &mut Context, args: &Args, reply: &mut Reply, body: ReplyBody) {
    if reply.body != ReplyBody::Default {
        let message = format!(
            "'{}' : only one of 'default-errorfiles', 'errorfile', 'errorfiles', 'file', 'lf-file', 'string' and 'lf-string' may be given.",
            args.label()
        );
        cx.alert(args.span(), "two-bodies", message);
    }
    reply.body = body;
}

fn body(
    cx: &mut Context,
    args: &mut Args,
    word: &crate::ast::Word,
    place: Where,
) -> Option<ReplyBody> {
    let kind = word.as_str();
    if !matches!(
        kind,
        "errorfile" | "errorfiles" | "file" | "string" | "lf-file" | "lf-string"
    ) {
        let message = format!(
            "'{}' expects 'status', 'content-type', 'errorfile', 'errorfiles', 'file', 'lf-file', 'string', 'lf-string', 'hdr' or a condition but got '{kind}'.",
            args.label()
        );
        cx.alert(word.span(), "unexpected-argument", message);
        return None;
    }
    let value = args.required(cx, "an argument")?;
    let formatted =
        |cx: &mut Context, text: &str| match format::parse(cx, text, value.span(), place) {
            Ok(format) => Some(ReplyBody::Format(format)),
            Err(fault) => {
                fault.report(cx, &format!("'{kind}' : "));
                None
            }
        };
    match kind {
        "string" => Some(ReplyBody::Raw(bytes::raw(&value.text).into_owned())),
        "lf-string" => formatted(cx, &value.text),
        "file" => cx.file(&value.text, value.span()).map(ReplyBody::Raw),
        "lf-file" => {
            let bytes = cx.file(&value.text, value.span())?;
            formatted(cx, &bytes::text(bytes))
        }
        "errorfile" => {
            let message = cx.file(&value.text, value.span())?;
            Some(ReplyBody::ErrorFile {
                path: value.text.clone(),
                message,
            })
        }
        _ => {
            let name = value.text.clone();
            cx.references.push(Reference {
                kind: ReferenceKind::HttpErrors,
                name: name.clone(),
                span: value.span(),
            });
            Some(ReplyBody::ErrorFiles(name))
        }
    }
}
