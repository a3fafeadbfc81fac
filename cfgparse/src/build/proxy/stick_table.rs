//! Stick tables (manual, 11.1).

use crate::args::Args;
use crate::context::{Context, Reference, ReferenceKind};
use crate::model::persist::{KeyType, StickTable, StoreField};
use crate::quantity::{self, TimeUnit};

/// Elements of `gpc(N)`, `gpt(N)` and `gpc_rate(N,P)` at most.
pub const ARRAY_ELEMENTS_MAX: u32 = 100;

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
                table.size = args.size(cx).unwrap_or(0);
                has_size = table.size > 0;
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
            "srvkey" => table.srvkey_addr = args.one_of(cx, &["name", "addr"]).as_deref() == Some("addr"),
            "write-to" => {
                let Some(word) = args.required(cx, "a table") else { break };
                cx.references.push(Reference { kind: ReferenceKind::Table, name: word.text.clone(), span: word.span() });
                table.write_to = Some(word.text.clone());
            }
            "brates-factor" => table.brates_factor = args.number_in(cx, 1, 1024).map(|n| n as u32),
            _ => args.unexpected(
                cx,
                word,
                "'type', 'size', 'expire', 'nopurge', 'store', 'peers', 'srvkey', 'write-to', 'recv-only' or 'brates-factor'",
            ),
        }
    }
    exclusive(cx, args, &table);
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
            args.number_in(cx, 1, i64::from(u16::MAX))
                .map_or(default, |len| len as u32)
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
        if field
            .length
            .is_some_and(|length| !(1..=ARRAY_ELEMENTS_MAX).contains(&length))
        {
            let message = format!(
                "stick-table: array size is out of allowed range (1-{ARRAY_ELEMENTS_MAX}) for store option '{name}'."
            );
            cx.alert(word.span(), "bad-value", message);
        }
        if table.store.iter().any(|known| known.name == field.name) {
            let message = format!("stick-table: store option '{name}' already enabled, ignored.");
            cx.warn(word.span(), "duplicate-name", message);
            continue;
        }
        table.store.push(field);
    }
}

/// Arrays stand for the figures that are older than they are (manual, 11.1).
fn exclusive(cx: &mut Context, args: &Args, table: &StickTable) {
    let stores = |name: &str| table.store.iter().any(|field| field.name == name);
    for (array, names, olds) in [
        ("gpc", "gpc[0/1]", &["gpc0", "gpc1"][..]),
        ("gpc_rate", "gpc[0/1]_rate", &["gpc0_rate", "gpc1_rate"][..]),
        ("gpt", "gpt0", &["gpt0"][..]),
    ] {
        if stores(array) && olds.iter().any(|old| stores(old)) {
            let message = format!(
                "stick-table: simultaneous usage of '{array}' and '{names}' in a same table is not permitted as '{array}' overrides '{names}'."
            );
            cx.alert(args.span(), "exclusive", message);
        }
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
