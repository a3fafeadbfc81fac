//! Rulesets: `http-request`, `http-response`, `http-after-response`, `tcp-request`, `tcp-response`.

use super::draft::{Draft, Reported};
use crate::args::Args;
use crate::build::actions::{self, Ruleset};
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::Context;
use crate::model::rule::{Action, Reply, Rule};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("http-after-response", "<action> <options> [if|unless <condition>]", "DFLB", Full, "rules on every response, ours included", |cx, d, a| rule(cx, d, a, Ruleset::HttpAfterResponse)),
    proxy_row("http-request", "<action> <options> [if|unless <condition>]", "DFLB", Full, "rules on requests", |cx, d, a| rule(cx, d, a, Ruleset::HttpRequest)),
    proxy_row("http-response", "<action> <options> [if|unless <condition>]", "DFLB", Full, "rules on responses", |cx, d, a| rule(cx, d, a, Ruleset::HttpResponse)),
    proxy_row("quic-initial", "<action> [if|unless <condition>]", "DFL!", Planned, "rules on QUIC's first packets", |cx, d, a| rule(cx, d, a, Ruleset::QuicInitial)),
    proxy_row("tcp-request connection", "<action> [if|unless <condition>]", "DFL!", Full, "rules on new connections", |cx, d, a| rule(cx, d, a, Ruleset::TcpConnection)),
    proxy_row("tcp-request content", "<action> [if|unless <condition>]", "DFLB", Full, "rules on the first bytes", |cx, d, a| rule(cx, d, a, Ruleset::TcpContent)),
    lax_end(proxy_row("tcp-request inspect-delay", "<time>", "DFLB", Full, "wait for the first bytes", |cx, d, a| {
        if in_named(cx, d, a, "tcp-request inspect-delay") {
            d.proxy.rules.request_inspect_delay_ms = a.time(cx);
        }
    })),
    proxy_row("tcp-request session", "<action> [if|unless <condition>]", "DFL!", Full, "rules on new sessions", |cx, d, a| rule(cx, d, a, Ruleset::TcpSession)),
    proxy_row("tcp-response content", "<action> [if|unless <condition>]", "DLB!", Full, "rules on a response's first bytes", |cx, d, a| rule(cx, d, a, Ruleset::TcpResponse)),
    lax_end(proxy_row("tcp-response inspect-delay", "<time>", "DLB!", Full, "wait for a response's first bytes", |cx, d, a| {
        if in_named(cx, d, a, "tcp-response inspect-delay") {
            d.proxy.rules.response_inspect_delay_ms = a.time(cx);
        }
    })),
];

/// Rules stand in defaults sections only if these have a name.
fn in_named(cx: &mut Context, draft: &Draft, args: &mut Args, what: &str) -> bool {
    let anonymous = draft.is_defaults && draft.proxy.name.is_empty();
    if anonymous {
        let message = format!("'{what}' not allowed in anonymous 'defaults' section.");
        cx.alert(args.span(), "wrong-section", message);
        args.rest();
    }
    !anonymous
}

fn place(draft: &Draft, set: Ruleset) -> Where {
    let [frontend, backend, both] = match set {
        Ruleset::QuicInitial | Ruleset::TcpConnection => return Where::FeTcpConnection,
        Ruleset::TcpSession => return Where::FeTcpSession,
        Ruleset::TcpContent => [
            Where::FeTcpContent,
            Where::BeTcpContent,
            Where::ListenTcpContent,
        ],
        Ruleset::TcpResponse => [
            Where::FeTcpResponse,
            Where::BeTcpResponse,
            Where::ListenTcpResponse,
        ],
        Ruleset::HttpRequest => [
            Where::FeHttpRequest,
            Where::BeHttpRequest,
            Where::ListenHttpRequest,
        ],
        Ruleset::HttpResponse | Ruleset::HttpAfterResponse => [
            Where::FeHttpResponse,
            Where::BeHttpResponse,
            Where::ListenHttpResponse,
        ],
    };
    draft.place_of(frontend, backend, both)
}

fn rule(cx: &mut Context, draft: &mut Draft, args: &mut Args, set: Ruleset) {
    if !in_named(cx, draft, args, set.keyword()) {
        return;
    }
    let at = args.span().at;
    let place = place(draft, set);
    let Some(action) = actions::parse(cx, args, set, place) else {
        return;
    };
    let Ok(condition) = draft.condition(cx, args, place, &args.label()) else {
        args.rest();
        return;
    };
    let rules = &mut draft.proxy.rules;
    let list = match set {
        Ruleset::QuicInitial => &mut rules.quic_initial,
        Ruleset::TcpConnection => &mut rules.tcp_request_connection,
        Ruleset::TcpSession => &mut rules.tcp_request_session,
        Ruleset::TcpContent => &mut rules.tcp_request_content,
        Ruleset::TcpResponse => &mut rules.tcp_response_content,
        Ruleset::HttpRequest => &mut rules.http_request,
        Ruleset::HttpResponse => &mut rules.http_response,
        Ruleset::HttpAfterResponse => &mut rules.http_after_response,
    };
    let unreachable = list.last().is_some_and(|last| {
        last.condition.is_none()
            && matches!(
                last.action,
                Action::Accept | Action::Deny(_) | Action::Reject
            )
    });
    if unreachable {
        let message = format!(
            "a '{}' rule placed after an unconditional one that ends the ruleset will never be evaluated.",
            set.keyword()
        );
        cx.report(crate::diagnostic::Diagnostic::new(
            crate::diagnostic::Severity::Diag,
            "unreachable-rule",
            Some(args.span()),
            message,
        ));
    }
    list.push(Rule {
        action,
        condition,
        at,
    });
}

/// `stats http-request`.
pub fn stats_rule(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let place = draft.request_place();
    let Some(word) = args.required(cx, "'allow', 'deny' or 'auth'") else {
        return;
    };
    let action = match word.as_str() {
        "allow" => Action::Accept,
        "deny" => Action::Deny(Reply::default()),
        "auth" => {
            let realm = if args.accept("realm") {
                args.text(cx, "a realm")
            } else {
                None
            };
            Action::Auth { realm }
        }
        _ => {
            args.unexpected(cx, word, "'allow', 'deny' or 'auth'");
            args.rest();
            return;
        }
    };
    match draft.condition(cx, args, place, "stats http-request") {
        Ok(condition) => draft.proxy.stats.http_request.push(Rule {
            action,
            condition,
            at,
        }),
        Err(Reported) => {
            args.rest();
        }
    }
}
