//! `healthcheck` sections: checks that server lines refer to (manual, 12.9).

use std::sync::LazyLock;

use super::name;
use crate::args::Args;
use crate::ast::{Line, Section, Word};
use crate::build::keyword::Table;
use crate::build::proxy::draft::Draft;
use crate::build::proxy::{check, check_rules};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::model::check::Healthcheck;
use crate::registry::Info;
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const INFOS: &[Info] = &[
    Info::new("http-check", "<step> ...", Full, "line of an HTTP check, as in a backend"),
    Info::new("tcp-check", "<step> ...", Full, "line of a TCP check, as in a backend"),
    Info::new("type", "<type> [<argument> ...]", Full, "kind of check: the option of a backend without the word"),
];

/// What may stand behind `type`.
const TYPES: &[&str] = &[
    "tcp-check",
    "httpchk",
    "ssl-hello-chk",
    "smtpchk",
    "pgsql-check",
    "redis-check",
    "mysql-check",
    "ldap-check",
    "spop-check",
];

static TABLE: LazyLock<Table<Draft>> =
    LazyLock::new(|| Table::new(&[check::ROWS, check_rules::ROWS]));

/// Reads a section.
pub fn healthcheck(cx: &mut Context, section: &Section) -> Healthcheck {
    let name = name(cx, section);
    let mut draft = Draft::new(section.header.span());
    draft.proxy.name.clone_from(&name);
    let mut has_type = false;
    for line in &section.lines {
        match line.keyword().as_str() {
            "type" => {
                has_type = true;
                if let Some(option) = option(cx, line) {
                    statement(cx, &mut draft, &option);
                }
            }
            "http-check" | "tcp-check" => statement(cx, &mut draft, line),
            other => unknown(
                cx,
                line.keyword(),
                &format!("unknown keyword '{other}' in 'healthcheck' section"),
                &["type", "http-check", "tcp-check"],
            ),
        }
    }
    if !has_type {
        let message = format!("healthcheck '{name}' has no 'type'.");
        cx.alert(section.header.span(), "missing-argument", message);
    }
    Healthcheck {
        name,
        check: draft.proxy.check,
        at: section.header.span().at,
    }
}

fn statement(cx: &mut Context, draft: &mut Draft, line: &Line) {
    let mut args = Args::new(line, 0);
    let Some(row) = TABLE.find(&mut args) else {
        TABLE.unknown(cx, &args, "'healthcheck' section");
        return;
    };
    args.name_so_far();
    cx.used(&row.info, line.span());
    (row.parse)(cx, draft, &mut args);
    args.finish(cx);
}

/// `type httpchk ...` is `option httpchk ...`.
fn option(cx: &mut Context, line: &Line) -> Option<Line> {
    let Some(kind) = line.words.get(1) else {
        let message = "'type' expects a kind of health check as argument.";
        cx.alert(line.span(), "missing-argument", message);
        return None;
    };
    if !TYPES.contains(&kind.as_str()) {
        let message = format!("'type' : unknown health check '{}'.", kind.text);
        unknown(cx, kind, &message, TYPES);
        return None;
    }
    let mut words = line.words.clone();
    "option".clone_into(&mut words[0].text);
    Some(Line { words })
}

fn unknown(cx: &mut Context, word: &Word, message: &str, known: &[&str]) {
    let near = closest(word.as_str(), known.iter().copied());
    let mut diagnostic = Diagnostic::new(
        Severity::Alert,
        "unknown-keyword",
        Some(word.span()),
        message.to_owned(),
    );
    diagnostic.remedy = near.map(|near| format!("did you mean '{near}' maybe ?"));
    cx.report(diagnostic);
}
