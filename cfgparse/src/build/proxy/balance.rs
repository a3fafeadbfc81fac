//! `balance`, `hash-type` and their relatives (manual, 4.2).

use super::draft::Draft;
use crate::args::Args;
use crate::build::keyword::{Row, lax_end, lax_number, proxy_row};
use crate::context::Context;
use crate::expr::sample;
use crate::model::balance::{Algorithm, HashFunction, HashMethod, HashModifier};
use crate::registry::Info;
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("balance", "<algorithm> [<arguments>]", "DLB", Full, "how a server is picked", balance),
    lax_end(lax_number(proxy_row("hash-balance-factor", "<factor>", "DLB", Full, "bound of a server's load, percent of the average", balance_factor))),
    lax_end(proxy_row("hash-preserve-affinity", "always|maxconn|maxqueue", "DLB!", Full, "when a hash keeps to a full server", |cx, d, a| d.proxy.balance.hash_preserve_affinity = a.one_of(cx, &["always", "maxconn", "maxqueue"]))),
    proxy_row("hash-type", "<method> [<function> [<modifier>]]", "DLB", Full, "how a hash finds a server", hash_type),
];

/// One row for each algorithm.
#[rustfmt::skip]
pub const ALGORITHMS: &[Info] = &[
    Info::new("roundrobin", "", Full, "in turn, by weight"),
    Info::new("static-rr", "", Full, "in turn, by the weights of the start"),
    Info::new("leastconn", "", Full, "where the fewest connections are"),
    Info::new("first", "", Full, "the first that has room"),
    Info::new("source", "", Full, "by the client's address"),
    Info::new("random", "[(<draws>)]", Full, "the least loaded of some drawn at random"),
    Info::new("uri", "[len <n>] [depth <n>] [whole] [path-only]", Full, "by the URI"),
    Info::new("url_param", "<name> [check_post [<max>]]", Full, "by a parameter of the URI"),
    Info::new("hdr", "(<name>) [use_domain_only]", Full, "by a header"),
    Info::new("rdp-cookie", "[(<name>)]", Full, "by the RDP cookie"),
    Info::new("hash", "<expr>", Full, "by an expression"),
    Info::new("log-hash", "<converters>", Full, "by a log line"),
    Info::new("sticky", "", Full, "log lines keep to a server"),
];

fn balance(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.next() else {
        // HAProxy takes a lone `balance` for roundrobin.
        draft.proxy.balance.algorithm = Some(Algorithm::Roundrobin);
        return;
    };
    let text = word.as_str();
    let (name, inside) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(')'))),
        None => (text, None),
    };
    if let Some(info) = ALGORITHMS.iter().find(|info| info.name == name) {
        cx.used(info, word.span());
    }
    let algorithm = match (name, inside) {
        ("roundrobin", None) => Algorithm::Roundrobin,
        ("static-rr", None) => Algorithm::StaticRr,
        ("leastconn", None) => Algorithm::Leastconn,
        ("first", None) => Algorithm::First,
        ("source", None) => Algorithm::Source,
        ("sticky", None) => Algorithm::Sticky,
        ("uri", None) => uri(cx, args),
        ("url_param", None) => url_param(cx, args),
        ("hdr", Some(name)) if !name.is_empty() => Algorithm::Hdr {
            name: name.to_owned(),
            use_domain_only: args.accept("use_domain_only"),
        },
        ("random", inside) => {
            let draws = inside.map_or(Some(2), |draws| {
                draws.parse().ok().filter(|draws| *draws > 0)
            });
            let Some(draws) = draws else {
                return args.unexpected(cx, word, "a number of draws such as random(2)");
            };
            Algorithm::Random { draws }
        }
        ("rdp-cookie", name) => Algorithm::RdpCookie {
            name: name.map(str::to_owned),
        },
        ("hash", None) => match hash(cx, args) {
            Some(expr) => Algorithm::Hash(expr),
            None => return,
        },
        ("log-hash", None) => match log_hash(cx, args) {
            Some(expr) => Algorithm::LogHash(expr),
            None => return,
        },
        _ => {
            let near = crate::diagnostic::closest(name, ALGORITHMS.iter().map(|info| info.name));
            let hint = near.map_or(String::new(), |near| {
                format!(" Did you mean '{near}' maybe ?")
            });
            let message = format!(
                "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hash', 'hdr(name)', 'rdp-cookie(name)', 'log-hash' and 'sticky' options.{hint}"
            );
            cx.alert(word.span(), "unexpected-argument", message);
            args.rest();
            return;
        }
    };
    draft.proxy.balance.algorithm = Some(algorithm);
}

fn balance_factor(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let span = args.here();
    draft.proxy.balance.hash_balance_factor = args.number(cx);
    if let Some(1..=100) = draft.proxy.balance.hash_balance_factor {
        let message = "'hash-balance-factor' must be 0 or greater than 100.";
        cx.alert(span, "out-of-range", message);
    }
}

fn uri(cx: &mut Context, args: &mut Args) -> Algorithm {
    let (mut len, mut depth, mut whole, mut path_only) = (None, None, false, false);
    while let Some(word) = args.next() {
        match word.as_str() {
            "len" => len = args.number(cx),
            "depth" => depth = args.number(cx),
            "whole" => whole = true,
            "path-only" => path_only = true,
            _ => args.unexpected(cx, word, "'len', 'depth', 'whole' or 'path-only'"),
        }
    }
    Algorithm::Uri {
        len,
        depth,
        whole,
        path_only,
    }
}

fn url_param(cx: &mut Context, args: &mut Args) -> Algorithm {
    let name = args.text(cx, "an URL parameter name").unwrap_or_default();
    let mut check_post = None;
    if args.accept("check_post") {
        check_post = Some(if args.is_empty() {
            48
        } else {
            args.number(cx).unwrap_or(48)
        });
    }
    Algorithm::UrlParam { name, check_post }
}

fn hash(cx: &mut Context, args: &mut Args) -> Option<crate::model::expr::SampleExpr> {
    let word = args.required(cx, "a sample expression")?;
    match sample::parse(cx, &word.text, word.span()) {
        Ok(parsed) if parsed.available & Where::BeUseServer.bit() == 0 => {
            let message = format!(
                "'balance hash' : fetch method '{}' needs data that is not available in '{}'.",
                parsed.expr.fetch.name,
                Where::BeUseServer.words()
            );
            cx.alert(word.span(), "never-available", message);
            None
        }
        Ok(parsed) => Some(parsed.expr),
        Err(fault) => {
            fault.report(cx, "'balance hash' : ");
            None
        }
    }
}

/// Converters of a log line: an expression whose fetch stands for the line.
fn log_hash(cx: &mut Context, args: &mut Args) -> Option<crate::model::expr::SampleExpr> {
    let word = args.required(cx, "a list of converters")?;
    match sample::parse(cx, &format!("str(),{}", word.text), word.span()) {
        Ok(parsed) => Some(parsed.expr),
        Err(fault) => {
            fault.report(cx, "'balance log-hash' : ");
            None
        }
    }
}

fn hash_type(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "'consistent' or 'map-based'") else {
        return;
    };
    let hash = &mut draft.proxy.balance.hash_type;
    hash.method = match word.as_str() {
        "consistent" => HashMethod::Consistent,
        "map-based" => HashMethod::MapBased,
        "avalanche" => {
            cx.alert(
                word.span(),
                "old-spelling",
                "experimental feature 'hash-type avalanche' is not supported anymore, please use 'hash-type map-based sdbm avalanche' instead.",
            );
            return;
        }
        _ => return args.unexpected(cx, word, "'consistent' or 'map-based'"),
    };
    hash.function = HashFunction::Sdbm;
    hash.modifier = (hash.method == HashMethod::Consistent).then_some(HashModifier::Avalanche);
    let Some(word) = args.next() else { return };
    hash.function = match word.as_str() {
        "sdbm" => HashFunction::Sdbm,
        "djb2" => HashFunction::Djb2,
        "wt6" => HashFunction::Wt6,
        "crc32" => HashFunction::Crc32,
        "none" => HashFunction::None,
        _ => return args.unexpected(cx, word, "'sdbm', 'djb2', 'crc32', 'none' or 'wt6'"),
    };
    hash.modifier = None;
    let Some(word) = args.next() else { return };
    match word.as_str() {
        "avalanche" => hash.modifier = Some(HashModifier::Avalanche),
        _ => args.unexpected(cx, word, "'avalanche'"),
    }
}
