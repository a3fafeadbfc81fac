//! `stats ...` lines of proxies (manual, 4.2).

use super::draft::Draft;
use super::rules;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::Context;
use crate::model::stats::StatsUser;
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("stats admin", "if|unless <condition>", "FLB", Full, "who may change servers on the page", admin),
    lax_end(proxy_row("stats auth", "<user>:<passwd>", "DFLB", Full, "who may see the page", auth)),
    lax_end(proxy_row("stats enable", "", "DFLB", Full, "the page, with defaults", |_, d, _| enable(d))),
    lax_end(proxy_row("stats hide-version", "", "DFLB", Full, "don't show the version", |_, d, _| { enable(d); d.proxy.stats.hide_version = true; })),
    proxy_row("stats http-request", "allow|deny|auth [realm <r>] [if|unless <condition>]", "FLB", Full, "rules of the page", |cx, d, a| {
        enable(d);
        rules::stats_rule(cx, d, a);
    }),
    lax_end(proxy_row("stats realm", "<realm>", "DFLB", Full, "what the password is asked for", |cx, d, a| { enable(d); d.proxy.stats.realm = a.text(cx, "a realm"); })),
    lax_end(proxy_row("stats refresh", "<delay>", "DFLB", Full, "seconds between reloads", |cx, d, a| { enable(d); d.proxy.stats.refresh_s = a.seconds(cx); })),
    lax_end(proxy_row("stats scope", "<name>|.", "DFLB", Full, "proxies that are shown", |cx, d, a| {
        enable(d);
        if let Some(name) = a.text(cx, "a proxy's name") {
            d.proxy.stats.scope.push(name);
        }
    })),
    proxy_row("stats show-desc", "[<desc>]", "DFLB", Full, "show a description", |_, d, a| {
        enable(d);
        let text = super::basic::joined(a);
        d.proxy.stats.show_desc = Some(Some(text).filter(|t| !t.is_empty()));
    }),
    lax_end(proxy_row("stats show-legends", "", "DFLB", Full, "show more in tooltips", |_, d, _| { enable(d); d.proxy.stats.show_legends = true; })),
    lax_end(proxy_row("stats show-modules", "", "DFLB", Harmless, "show counters of modules", |_, d, _| { enable(d); d.proxy.stats.show_modules = true; })),
    lax_end(proxy_row("stats show-node", "[<name>]", "DFLB", Full, "show this machine's name", |_, d, a| { enable(d); d.proxy.stats.show_node = Some(a.next().map(|w| w.text.clone())); })),
    lax_end(proxy_row("stats show-version", "", "DFLB", Full, "show the version", |_, d, _| { enable(d); d.proxy.stats.hide_version = false; })),
    lax_end(proxy_row("stats uri", "<prefix>", "DFLB", Full, "where the page is", |cx, d, a| { enable(d); d.proxy.stats.uri = a.text(cx, "a prefix"); })),
];

/// Any of these lines enables the page.
fn enable(draft: &mut Draft) {
    draft.proxy.stats.enabled = true;
    draft.proxy.stats.at = draft.span.at;
}

fn auth(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    enable(draft);
    let Some(word) = args.required(cx, "a user:password account") else {
        return;
    };
    let (user, password) = word.text.split_once(':').unwrap_or((&word.text, ""));
    draft.proxy.stats.auth.push(StatsUser {
        user: user.to_owned(),
        password: password.to_owned(),
    });
}

fn admin(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    enable(draft);
    let place = draft.request_place();
    if let Some(condition) = draft.needed_condition(cx, args, place, "stats admin") {
        draft.proxy.stats.admin.push(condition);
    }
}
