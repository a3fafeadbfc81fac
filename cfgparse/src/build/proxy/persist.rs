//! Cookies and stick tables (manual, 4.2 and 11).

use super::draft::{Draft, Reported};
use super::stick_table::stick_table;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::{Context, Reference, ReferenceKind};
use crate::expr::sample;
use crate::model::persist::{Cookie, CookieMode, StickKind, StickRule};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("cookie", "<name> [rewrite|insert|prefix] [indirect] [nocache] ...", "DLB", Full, "keep clients to servers by a cookie", cookie),
    lax_end(proxy_row("dynamic-cookie-key", "<key>", "DLB", Full, "secret of dynamic cookies", |cx, d, a| d.proxy.dynamic_cookie_key = a.text(cx, "a key"))),
    proxy_row("persist rdp-cookie", "[(<name>)]", "DLB", Planned, "keep clients to servers by the RDP cookie", |_, _, a| { a.rest(); }),
    proxy_row("stick match", "<pattern> [table <table>] [if|unless <condition>]", "LB", Full, "look a key up", |cx, d, a| stick(cx, d, a, StickKind::Match)),
    proxy_row("stick on", "<pattern> [table <table>] [if|unless <condition>]", "LB", Full, "look a key up and learn it", |cx, d, a| stick(cx, d, a, StickKind::On)),
    proxy_row("stick store-request", "<pattern> [table <table>] [if|unless <condition>]", "LB", Full, "learn a key of the request", |cx, d, a| stick(cx, d, a, StickKind::StoreRequest)),
    proxy_row("stick store-response", "<pattern> [table <table>] [if|unless <condition>]", "LB", Partial("in 'mode http' only"), "learn a key of the response", |cx, d, a| stick(cx, d, a, StickKind::StoreResponse)),
    proxy_row("stick-table", "type <type> size <size> [expire <time>] [store <data>] ...", "FLB", Full, "memory of keys", |cx, d, a| {
        let mut table = stick_table(cx, a);
        table.name.clone_from(&d.proxy.name);
        if d.proxy.stick_table.is_some() {
            let message = format!("stick-table name '{}' conflicts with a table of the same section.", table.name);
            cx.alert(a.span(), "duplicate-name", message);
        }
        d.proxy.stick_table = Some(table);
    }),
];

fn cookie(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(name) = args.text(cx, "<cookie_name> as argument") else {
        return;
    };
    let mut cookie = Cookie {
        name,
        ..Cookie::default()
    };
    let mut modes = 0;
    while let Some(word) = args.next() {
        match word.as_str() {
            "rewrite" | "insert" | "prefix" => {
                modes += 1;
                cookie.mode = match word.as_str() {
                    "rewrite" => CookieMode::Rewrite,
                    "insert" => CookieMode::Insert,
                    _ => CookieMode::Prefix,
                };
            }
            "indirect" => cookie.indirect = true,
            "nocache" => cookie.nocache = true,
            "postonly" => cookie.postonly = true,
            "preserve" => cookie.preserve = true,
            "httponly" => cookie.httponly = true,
            "secure" => cookie.secure = true,
            "dynamic" => cookie.dynamic = true,
            "domain" => cookie.domains.extend(args.text(cx, "a domain")),
            "attr" => cookie.attrs.extend(args.text(cx, "an attribute")),
            "maxidle" => cookie.maxidle_s = args.seconds(cx),
            "maxlife" => cookie.maxlife_s = args.seconds(cx),
            _ => args.unexpected(
                cx,
                word,
                "'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', 'maxidle', 'dynamic', 'maxlife' or 'attr'",
            ),
        }
    }
    if modes > 1 {
        let message = "cookie 'rewrite', 'insert' and 'prefix' modes are mutually exclusive.";
        cx.alert(args.span(), "exclusive", message);
    }
    if (cookie.maxidle_s.is_some() || cookie.maxlife_s.is_some())
        && cookie.mode != CookieMode::Insert
    {
        let message = "cookie 'maxidle' and 'maxlife' need the 'insert' mode.";
        cx.alert(args.span(), "exclusive", message);
    }
    if cookie.mode == CookieMode::Rewrite && cookie.indirect && modes > 0 {
        let message = "cookie 'rewrite' and 'indirect' modes are incompatible.";
        cx.alert(args.span(), "exclusive", message);
    }
    draft.proxy.cookie = Some(cookie);
}

fn stick(cx: &mut Context, draft: &mut Draft, args: &mut Args, kind: StickKind) {
    let at = args.span().at;
    let place = match kind {
        StickKind::StoreResponse => Where::BeStickStore,
        _ => Where::BeUseServer,
    };
    let Some(word) = args.required(cx, "a fetch method") else {
        return;
    };
    let expr = match sample::parse(cx, &word.text, word.span()) {
        Ok(parsed) => {
            if parsed.available & place.bit() == 0 {
                let message = format!(
                    "'{}' : fetch method '{}' extracts information that is not available for '{}'.",
                    args.label(),
                    parsed.expr.fetch.name,
                    place.words()
                );
                cx.alert(word.span(), "never-available", message);
            }
            parsed.expr
        }
        Err(fault) => {
            fault.report(cx, &format!("'{}' : ", args.label()));
            args.rest();
            return;
        }
    };
    let mut table = draft.proxy.name.clone();
    if args.accept("table") {
        let Some(word) = args.required(cx, "a table") else {
            return;
        };
        table.clone_from(&word.text);
    }
    cx.references.push(Reference {
        kind: ReferenceKind::Table,
        name: table.clone(),
        span: word.span(),
    });
    match draft.condition(cx, args, place, &args.label()) {
        Ok(condition) => {
            draft.proxy.stick_rules.push(StickRule {
                kind,
                expr,
                table,
                condition,
                at,
            });
        }
        Err(Reported) => {
            args.rest();
        }
    }
}
