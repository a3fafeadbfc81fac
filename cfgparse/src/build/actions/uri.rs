//! Actions on the request line.

use super::header::regex_and_format;
use super::{ActionContext, ActionRow, REQ, action, at_condition};
use crate::args::Args;
use crate::build::proxy::draft::log_format;
use crate::context::Context;
use crate::model::expr::LogFormat;
use crate::model::rule::Action;
use crate::registry::prelude::*;

fn format(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<LogFormat> {
    if at_condition(args) {
        args.unexpected_end(cx, "exactly 1 argument <format>");
        return None;
    }
    log_format(cx, args, c.place, "exactly 1 argument <format>")
}

#[rustfmt::skip]
pub const ROWS: &[ActionRow] = &[
    action("normalize-uri", "<normalizer> [full|strict]", REQ, Full, "write the URI in one of several normal forms", normalize),
    action("replace-path", "<regex> <fmt>", REQ, Full, "edit the path", |cx, c, a| {
        let (regex, replacement) = regex_and_format(cx, c, a)?;
        Some(Action::ReplacePath { regex, replacement })
    }),
    action("replace-pathq", "<regex> <fmt>", REQ, Full, "edit path and query string", |cx, c, a| {
        let (regex, replacement) = regex_and_format(cx, c, a)?;
        Some(Action::ReplacePathq { regex, replacement })
    }),
    action("replace-uri", "<regex> <fmt>", REQ, Full, "edit the URI", |cx, c, a| {
        let (regex, replacement) = regex_and_format(cx, c, a)?;
        Some(Action::ReplaceUri { regex, replacement })
    }),
    action("set-method", "<fmt>", REQ, Full, "set the method", |cx, c, a| format(cx, c, a).map(Action::SetMethod)),
    action("set-path", "<fmt>", REQ, Full, "set the path", |cx, c, a| format(cx, c, a).map(Action::SetPath)),
    action("set-pathq", "<fmt>", REQ, Full, "set path and query string", |cx, c, a| format(cx, c, a).map(Action::SetPathq)),
    action("set-query", "<fmt>", REQ, Full, "set the query string", |cx, c, a| format(cx, c, a).map(Action::SetQuery)),
    action("set-uri", "<fmt>", REQ, Full, "set the URI", |cx, c, a| format(cx, c, a).map(Action::SetUri)),
];

const NORMALIZERS: &[&str] = &[
    "fragment-encode",
    "fragment-strip",
    "path-merge-slashes",
    "path-strip-dot",
    "path-strip-dotdot",
    "percent-decode-unreserved",
    "percent-to-uppercase",
    "query-sort-by-name",
];

fn normalize(cx: &mut Context, _: &ActionContext, args: &mut Args) -> Option<Action> {
    let word = args.required(cx, "a normalizer")?;
    if !NORMALIZERS.contains(&word.as_str()) {
        args.unexpected(cx, word, &format!("one of {}", NORMALIZERS.join(", ")));
        return None;
    }
    let mut full = false;
    let mut strict = false;
    while !at_condition(args) {
        let option = args.next()?;
        match (word.as_str(), option.as_str()) {
            ("path-strip-dotdot", "full") => full = true,
            ("percent-decode-unreserved" | "percent-to-uppercase", "strict") => strict = true,
            _ => {
                args.unexpected(
                    cx,
                    option,
                    "'full' or 'strict' where the normalizer takes it",
                );
                return None;
            }
        }
    }
    Some(Action::NormalizeUri {
        normalizer: word.text.clone(),
        full,
        strict,
    })
}
