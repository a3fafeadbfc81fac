//! `cache`, `crt-store`, `fcgi-app` and sections that are only known by name (manual, 6, 10, 12).

use std::sync::LazyLock;

use super::access::lines;
use super::name;
use crate::args::Args;
use crate::ast::Section;
use crate::build::keyword::{Row, Table, row};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::model::section::{Cache, CrtStore, FcgiApp};
use crate::registry::Info;
use crate::registry::prelude::*;

#[rustfmt::skip]
const CACHE: &[Row<Cache>] = &[
    row("early-hints", "on|off|only", Partial("off only"), "send 103 responses from the cache", early_hints),
    row("max-age", "<seconds>", Full, "longest life of an object", |cx, c, a| c.max_age_s = a.number(cx)),
    row("max-object-size", "<bytes>", Full, "size of an object", |cx, c, a| c.max_object_size = a.size(cx)),
    row("max-secondary-entries", "<number>", Full, "variants of an object", |cx, c, a| c.max_secondary_entries = a.number(cx)),
    row("process-vary", "on|off", Full, "keep variants by Vary", |cx, c, a| c.process_vary = a.on_off(cx).unwrap_or(false)),
    row("total-max-size", "<megabytes>", Full, "size of the cache", |cx, c, a| c.total_max_size_mb = a.number_in(cx, 1, 4095).map(|n| n as u32)),
];

#[rustfmt::skip]
const CRT_STORE: &[Row<CrtStore>] = &[
    row("crt-base", "<dir>", Ignored("it serves 'load', which is refused"), "folder of certificates", |cx, s, a| s.crt_base = a.text(cx, "a folder")),
    row("key-base", "<dir>", Ignored("it serves 'load', which is refused"), "folder of keys", |cx, s, a| s.key_base = a.text(cx, "a folder")),
    row("load", "crt <file> [param*]", Planned, "a certificate", load),
];

#[rustfmt::skip]
const FCGI_APP: &[Row<FcgiApp>] = &[
    row("acl", "<name> <criterion> ...", Planned, "name a test", other),
    row("docroot", "<path>", Planned, "folder of scripts on the server", |cx, f, a| f.docroot = a.text(cx, "a path")),
    row("index", "<script>", Planned, "script of folders", |cx, f, a| f.index = a.text(cx, "a script")),
    row("log-stderr", "global | <target> ...", Planned, "where errors go", other),
    row("option get-values", "", Planned, "ask the server for its limits", other),
    row("option keep-conn", "", Planned, "keep connections", other),
    row("option max-reqs", "<number>", Planned, "requests at once", other),
    row("option mpxs-conns", "", Planned, "several requests at once", other),
    row("pass-header", "<name> [if|unless <condition>]", Planned, "pass a header on", other),
    row("path-info", "<regex>", Planned, "how a path is cut", |cx, f, a| f.path_info = a.text(cx, "a regular expression")),
    row("set-param", "<name> <fmt> [if|unless <condition>]", Planned, "set a parameter", other),
];

/// Sections whose lines are not read.
#[rustfmt::skip]
pub const NAMES_ONLY: &[Info] = &[
    Info { name: "acme", syntax: "<name>", status: Planned, doc: "certificates from an ACME server" },
    Info { name: "healthcheck", syntax: "<name>", status: Full, doc: "a health check to refer to" },
    Info { name: "program", syntax: "<name>", status: Refused("start the program by the init system"), doc: "a program beside the worker" },
    Info { name: "traces", syntax: "", status: crate::registry::Ignored("there are no trace points"), doc: "debugging traces" },
];

/// Lines of these sections: they are known, and not read further.
#[rustfmt::skip]
const LINES: &[(&str, &[Info])] = &[
    ("acme", ACME),
    ("program", &[
        Info::new("command", "<command> [<argument> ...]", Planned, "what is started"),
        Info::new("group", "<name>", Planned, "group to run as"),
        Info::new("option", "start-on-reload", Planned, "start again on reload"),
        Info::new("user", "<name>", Planned, "user to run as"),
    ]),
    ("traces", &[Info::new("trace", "<source> <argument>...", Ignored("there are no trace points"), "what is traced")]),
];

#[rustfmt::skip]
const ACME: &[Info] = &[
    Info::new("account-key", "<file>", Planned, "key of the account"),
    Info::new("acme-vars", "<string>", Planned, "variables for the challenge"),
    Info::new("bits", "<number>", Planned, "size of RSA keys"),
    Info::new("challenge", "HTTP-01|DNS-01|<type>", Planned, "how a name is proved"),
    Info::new("challenge-ready", "<conditions>", Planned, "when a challenge is ready"),
    Info::new("contact", "<address>", Planned, "who is told"),
    Info::new("curves", "<curve>", Planned, "curve of ECDSA keys"),
    Info::new("directory", "<uri>", Planned, "where the server is"),
    Info::new("dns-delay", "<time>", Planned, "wait before names are asked for"),
    Info::new("dns-timeout", "<time>", Planned, "longest wait for names"),
    Info::new("eab-key-id", "<id>", Planned, "key of an external account"),
    Info::new("eab-mac-alg", "<algorithm>", Planned, "algorithm of that key"),
    Info::new("eab-mac-key", "<key>", Planned, "secret of that key"),
    Info::new("keytype", "RSA|ECDSA", Planned, "kind of keys"),
    Info::new("map", "<map>", Planned, "map of challenges"),
    Info::new("profile", "<name>", Planned, "profile of certificates"),
    Info::new("provider-name", "<name>", Planned, "name for the challenge"),
    Info::new("reuse-key", "on|off", Planned, "keep keys at renewal"),
];

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = (&'static str, &'static Info)> {
    CACHE
        .iter()
        .map(|row| ("cache", &row.info))
        .chain(CRT_STORE.iter().map(|row| ("crt-store", &row.info)))
        .chain(FCGI_APP.iter().map(|row| ("fcgi-app", &row.info)))
        .chain(
            LINES
                .iter()
                .flat_map(|(section, lines)| lines.iter().map(|info| (*section, info))),
        )
}

fn load(cx: &mut Context, store: &mut CrtStore, args: &mut Args) {
    let words = args.rest();
    for pair in words.chunks(2) {
        if let [keyword, path] = pair
            && matches!(keyword.as_str(), "crt" | "key")
        {
            let base = if keyword.text == "key" {
                &store.key_base
            } else {
                &store.crt_base
            };
            let path_text = match base {
                Some(base) if !path.text.starts_with('/') => format!("{base}/{}", path.text),
                _ => path.text.clone(),
            };
            cx.file(&path_text, path.span());
        }
    }
    let pairs = words.chunks(2).map(|pair| {
        let value = pair
            .get(1)
            .map_or_else(String::new, |word| word.text.clone());
        (pair[0].text.clone(), value)
    });
    store.loads.push(pairs.collect());
}

fn other(_: &mut Context, app: &mut FcgiApp, args: &mut Args) {
    let mut words = vec![args.label()];
    words.extend(args.rest().iter().map(|word| word.text.clone()));
    app.other.push(words);
}

/// `early-hints on|off|only [ratio N]`.
fn early_hints(cx: &mut Context, _: &mut Cache, args: &mut Args) {
    let span = args.here();
    let is_on = args.accept("only") || args.on_off(cx) == Some(true);
    if args.accept("ratio") {
        args.number_in(cx, 1, 99);
    }
    if is_on {
        cx.not_yet(span, "early-hints on");
    }
}

/// Reads a `cache` section.
pub fn cache(cx: &mut Context, section: &Section) -> Cache {
    static TABLE: LazyLock<Table<Cache>> = LazyLock::new(|| Table::new(&[CACHE]));
    let mut cache = Cache {
        at: section.header.span().at,
        ..Cache::default()
    };
    cache.name = name(cx, section);
    lines(cx, &TABLE, &mut cache, section);
    cache
}

/// Reads a `crt-store` section; its name may be left out.
pub fn crt_store(cx: &mut Context, section: &Section) -> CrtStore {
    static TABLE: LazyLock<Table<CrtStore>> = LazyLock::new(|| Table::new(&[CRT_STORE]));
    let mut store = CrtStore {
        at: section.header.span().at,
        ..CrtStore::default()
    };
    if let Some(word) = section.header.words.get(1) {
        store.name.clone_from(&word.text);
    }
    lines(cx, &TABLE, &mut store, section);
    store
}

/// Reads an `fcgi-app` section.
pub fn fcgi_app(cx: &mut Context, section: &Section) -> FcgiApp {
    static TABLE: LazyLock<Table<FcgiApp>> = LazyLock::new(|| Table::new(&[FCGI_APP]));
    let mut app = FcgiApp {
        at: section.header.span().at,
        ..FcgiApp::default()
    };
    app.name = name(cx, section);
    lines(cx, &TABLE, &mut app, section);
    app
}

/// Notes a section whose lines are known by their first words only; the section itself is refused.
pub fn name_only(cx: &mut Context, section: &Section) {
    if let Some(info) = NAMES_ONLY.iter().find(|info| info.name == section.kind()) {
        cx.used(info, section.header.span());
    }
    let Some((_, known)) = LINES.iter().find(|(name, _)| *name == section.kind()) else {
        return;
    };
    for line in &section.lines {
        let first = match line.keyword().as_str() {
            "no" if line.words.len() > 1 => &line.words[1],
            _ => line.keyword(),
        };
        if known.iter().any(|info| info.name == first.text) {
            continue;
        }
        let message = format!(
            "unknown keyword '{}' in '{}' section",
            first.text,
            section.kind()
        );
        let near = closest(&first.text, known.iter().map(|info| info.name));
        let mut diagnostic = Diagnostic::new(
            Severity::Alert,
            "unknown-keyword",
            Some(first.span()),
            message,
        );
        diagnostic.remedy = near.map(|near| format!("did you mean '{near}' maybe ?"));
        cx.report(diagnostic);
    }
}
