//! `redirect` (manual, 4.4), as an action or a line of its own.

use super::at_condition;
use crate::args::Args;
use crate::build::proxy::draft::log_format;
use crate::context::Context;
use crate::model::rule::{Redirect, RedirectKind};
use crate::registry::sample::Where;

/// Everything behind `redirect`, up to the condition.
pub fn parse(cx: &mut Context, args: &mut Args, place: Where) -> Option<Redirect> {
    let mut target = None;
    let mut code = 302;
    let mut set_cookie = None;
    let mut clear_cookie = None;
    let (mut drop_query, mut append_slash, mut ignore_empty, mut keep_query) =
        (false, false, false, false);
    while !at_condition(args) {
        let word = args.next()?;
        let kind = match word.as_str() {
            "location" => RedirectKind::Location,
            "prefix" => RedirectKind::Prefix,
            "scheme" => RedirectKind::Scheme,
            "code" => {
                let code_word = args.required(cx, "a redirect code")?;
                code = match code_word.as_str() {
                    "301" => 301,
                    "302" => 302,
                    "303" => 303,
                    "307" => 307,
                    "308" => 308,
                    other => {
                        let message = format!("'code': unsupported HTTP code '{other}'.");
                        cx.alert(code_word.span(), "bad-value", message);
                        return None;
                    }
                };
                continue;
            }
            "drop-query" => {
                drop_query = true;
                continue;
            }
            "append-slash" => {
                append_slash = true;
                continue;
            }
            "ignore-empty" => {
                ignore_empty = true;
                continue;
            }
            "keep-query" => {
                keep_query = true;
                continue;
            }
            "set-cookie" | "set-cookie-fmt" => {
                set_cookie = Some(args.text(cx, "a cookie")?);
                continue;
            }
            "clear-cookie" => {
                clear_cookie = Some(args.text(cx, "a cookie")?);
                continue;
            }
            _ => {
                let message = format!(
                    "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', 'drop-query', 'ignore-empty' or 'append-slash' (was '{}').",
                    word.text
                );
                cx.alert(word.span(), "unexpected-argument", message);
                return None;
            }
        };
        if at_condition(args) {
            args.unexpected_end(cx, "a redirection target");
            return None;
        }
        target = Some((kind, log_format(cx, args, place, "a redirection target")?));
    }
    let Some((kind, target)) = target else {
        args.unexpected_end(cx, "a redirection type ('prefix', 'location', or 'scheme')");
        return None;
    };
    Some(Redirect {
        kind,
        target,
        code,
        drop_query,
        append_slash,
        ignore_empty,
        keep_query,
        set_cookie,
        clear_cookie,
    })
}
