//! Cookies and stick tables (manual, 4.2 and 11).

use super::draft::{Draft, Reported};
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::context::{Context, Reference, ReferenceKind};
use crate::expr::sample;
use crate::model::persist::{
    Cookie, CookieMode, KeyType, StickKind, StickRule, StickTable, StoreField,
};
use crate::quantity::{self, TimeUnit};
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

/// Everything behind `stick-table` or a `table NAME` of a `peers` section.
pub fn stick_table(cx: &mut Context, args: &mut Args) -> StickTable {
    let mut table = StickTable {
        at: args.span().at,
        ..StickTable::default()
    };
    let (mut has_type, mut has_size) = (false, false);
    while let Some(word) = args.next() {
        match word.as_str() {
            "type" => {
                has_type = true;
                if let Some(key) = key_type(cx, args) {
                    table.key = key;
                }
            }
            "size" => {
                has_size = true;
                table.size = args.size(cx).unwrap_or(0);
            }
            "expire" => table.expire_ms = args.time(cx),
            "nopurge" => table.nopurge = true,
            "recv-only" => table.recv_only = true,
            "store" => {
                if let Some(word) = args.required(cx, "a data type") {
                    store(cx, &mut table, word, args);
                }
            }
            "peers" => {
                let Some(word) = args.required(cx, "a peers section") else { break };
                cx.references.push(Reference { kind: ReferenceKind::Peers, name: word.text.clone(), span: word.span() });
                table.peers = Some(word.text.clone());
            }
            "srvkey" => table.srvkey_addr = args.text(cx, "'addr' or 'name'").as_deref() == Some("addr"),
            "write-to" => table.write_to = args.text(cx, "a table"),
            "brates-factor" => table.brates_factor = args.number(cx),
            _ => args.unexpected(
                cx,
                word,
                "'type', 'size', 'expire', 'nopurge', 'store', 'peers', 'srvkey', 'write-to', 'recv-only' or 'brates-factor'",
            ),
        }
    }
    for (there, what) in [(has_type, "type"), (has_size, "size")] {
        if !there {
            cx.alert(
                args.span(),
                "missing-argument",
                format!("stick-table: missing {what}."),
            );
        }
    }
    table
}

fn key_type(cx: &mut Context, args: &mut Args) -> Option<KeyType> {
    let word = args.required(cx, "a key type")?;
    let len = |cx: &mut Context, args: &mut Args, keyword: &str, default: u32| {
        if args.accept("len") || (keyword == "string" && args.accept("length")) {
            args.number(cx).unwrap_or(default)
        } else {
            default
        }
    };
    Some(match word.as_str() {
        // The two are the same (manual, 11.1).
        "ip" | "ipv4" => KeyType::Ip,
        "ipv6" => KeyType::Ipv6,
        "integer" => KeyType::Integer,
        "string" => KeyType::String {
            len: len(cx, args, "string", 31),
        },
        "binary" => KeyType::Binary {
            len: len(cx, args, "binary", 32),
        },
        _ => {
            args.unexpected(
                cx,
                word,
                "'ip', 'ipv4', 'ipv6', 'integer', 'string' or 'binary'",
            );
            return None;
        }
    })
}

/// Data that a table can store, and whether each has a period (manual, 11.1).
const STORE: &[(&str, bool)] = &[
    ("bytes_in_cnt", false),
    ("bytes_in_rate", true),
    ("bytes_out_cnt", false),
    ("bytes_out_rate", true),
    ("conn_cnt", false),
    ("conn_cur", false),
    ("conn_rate", true),
    ("glitch_cnt", false),
    ("glitch_rate", true),
    ("gpc", false),
    ("gpc0", false),
    ("gpc0_rate", true),
    ("gpc1", false),
    ("gpc1_rate", true),
    ("gpc_rate", true),
    ("gpt", false),
    ("gpt0", false),
    ("http_err_cnt", false),
    ("http_err_rate", true),
    ("http_fail_cnt", false),
    ("http_fail_rate", true),
    ("http_req_cnt", false),
    ("http_req_rate", true),
    ("server_id", false),
    ("server_key", false),
    ("sess_cnt", false),
    ("sess_rate", true),
];

fn store(cx: &mut Context, table: &mut StickTable, word: &crate::ast::Word, args: &Args) {
    for item in split_outside_parentheses(&word.text) {
        let (name, inside) = match item.split_once('(') {
            Some((name, rest)) => (name, Some(rest.trim_end_matches(')'))),
            None => (item, None),
        };
        let Some((_, has_period)) = STORE.iter().find(|(known, _)| *known == name) else {
            let near = crate::diagnostic::closest(name, STORE.iter().map(|(known, _)| *known));
            let hint = near.map_or(String::new(), |near| {
                format!("; did you mean '{near}' maybe ?")
            });
            cx.alert(
                word.span(),
                "unexpected-argument",
                format!("stick-table: unknown data type '{name}'{hint}"),
            );
            continue;
        };
        let mut field = StoreField {
            name: name.to_owned(),
            period_ms: None,
            length: None,
        };
        let mut inside = inside.into_iter().flat_map(|inside| inside.split(','));
        let is_array = matches!(name, "gpc" | "gpt" | "gpc_rate");
        let length = if is_array { inside.next() } else { None };
        field.length = length.and_then(|length| length.trim().parse().ok());
        let period = if *has_period { inside.next() } else { None };
        field.period_ms =
            period.and_then(|period| quantity::time_ms(period.trim(), TimeUnit::Milliseconds).ok());
        if *has_period && field.period_ms.is_none() || is_array && field.length.is_none() {
            args.unexpected(cx, word, &format!("an argument of '{name}' in parentheses"));
        }
        table.store.push(field);
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..index]);
                from = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts.retain(|part| !part.is_empty());
    parts
}
