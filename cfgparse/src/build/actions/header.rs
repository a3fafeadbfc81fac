//! Actions on header fields.

use super::{ActionContext, ActionRow, HTTP, REQ, RES, action, at_condition};
use crate::args::Args;
use crate::build::proxy::draft::log_format;
use crate::context::Context;
use crate::expr::sample::regex_fault;
use crate::model::expr::LogFormat;
use crate::model::rule::{Action, HeaderMatch};
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const ROWS: &[ActionRow] = &[
    action("add-header", "<name> <fmt>", HTTP, Full, "add a header field", |cx, c, a| {
        let (name, value) = name_and_format(cx, c, a)?;
        Some(Action::AddHeader { name, value })
    }),
    action("add-headers-bin", "<expr> [prefix <str>]", HTTP, Planned, "add header fields from binary data", super::misc::known),
    action("del-header", "<name> [-m str|beg|end|sub|reg]", HTTP, Full, "remove header fields", del_header),
    action("del-headers-bin", "<expr> [-m <meth>]", HTTP, Planned, "remove header fields named by binary data", super::misc::known),
    action("early-hint", "<name> <fmt>", REQ, Full, "send a 103 response", |cx, c, a| {
        let (name, value) = name_and_format(cx, c, a)?;
        Some(Action::EarlyHint { name, value })
    }),
    action("replace-header", "<name> <regex> <fmt>", HTTP, Full, "edit a header field as a whole", |cx, c, a| {
        let (name, regex, replacement) = name_regex_format(cx, c, a)?;
        Some(Action::ReplaceHeader { name, regex, replacement })
    }),
    action("replace-value", "<name> <regex> <fmt>", HTTP, Full, "edit each comma-separated value of a header field", |cx, c, a| {
        let (name, regex, replacement) = name_regex_format(cx, c, a)?;
        Some(Action::ReplaceValue { name, regex, replacement })
    }),
    action("set-header", "<name> <fmt>", HTTP, Full, "set a header field", |cx, c, a| {
        let (name, value) = name_and_format(cx, c, a)?;
        Some(Action::SetHeader { name, value })
    }),
    action("set-headers-bin", "<expr> [prefix <str>]", HTTP, Planned, "set header fields from binary data", super::misc::known),
    action("set-status", "<status> [reason <str>]", RES | super::AFT, Full, "set the status", set_status),
];

fn name_and_format(
    cx: &mut Context,
    c: &ActionContext,
    args: &mut Args,
) -> Option<(String, LogFormat)> {
    let name = args.text(cx, "exactly 2 arguments")?;
    if at_condition(args) {
        args.unexpected_end(cx, "exactly 2 arguments");
        return None;
    }
    Some((name, log_format(cx, args, c.place, "a format")?))
}

fn name_regex_format(
    cx: &mut Context,
    c: &ActionContext,
    args: &mut Args,
) -> Option<(String, String, LogFormat)> {
    let name = args.text(cx, "exactly 3 arguments")?;
    let (regex, format) = regex_and_format(cx, c, args)?;
    Some((name, regex, format))
}

/// A regular expression and what takes the place of its match.
pub(super) fn regex_and_format(
    cx: &mut Context,
    c: &ActionContext,
    args: &mut Args,
) -> Option<(String, LogFormat)> {
    let word = args.required(cx, "a regular expression")?;
    if let Err(fault) = regex_fault(cx, &word.text, false, word.span()) {
        fault.report(cx, &format!("'{}' : ", args.label()));
        return None;
    }
    Some((
        word.text.clone(),
        log_format(cx, args, c.place, "a format")?,
    ))
}

fn del_header(cx: &mut Context, _: &ActionContext, args: &mut Args) -> Option<Action> {
    let name = args.text(cx, "a header name")?;
    let mut method = HeaderMatch::Str;
    if args.accept("-m") {
        let word = args.required(cx, "'str', 'beg', 'end', 'sub' or 'reg'")?;
        method = match word.as_str() {
            "str" => HeaderMatch::Str,
            "beg" => HeaderMatch::Beg,
            "end" => HeaderMatch::End,
            "sub" => HeaderMatch::Sub,
            "reg" => HeaderMatch::Reg,
            _ => {
                args.unexpected(cx, word, "'str', 'beg', 'end', 'sub' or 'reg'");
                return None;
            }
        };
    }
    Some(Action::DelHeader { name, method })
}

fn set_status(cx: &mut Context, _: &ActionContext, args: &mut Args) -> Option<Action> {
    let status = args.number_in(cx, 100, 999)? as u16;
    let reason = if args.accept("reason") {
        args.text(cx, "a reason")
    } else {
        None
    };
    Some(Action::SetStatus { status, reason })
}
