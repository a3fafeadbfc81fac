//! `defaults`, `frontend`, `listen` and `backend` sections.

pub mod balance;
pub mod basic;
pub mod capture;
pub mod check;
pub mod check_rules;
pub mod draft;
pub mod errors;
pub mod log;
pub mod old;
pub mod options;
pub mod persist;
pub mod route;
pub mod rules;
pub mod servers;
pub mod stats;
pub mod stick_table;

use std::sync::LazyLock;

use super::keyword::{Row, Table};
use crate::args::Args;
use crate::ast::{Line, Section};
use crate::context::{Context, Owner, ReferenceKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::condition::is_predefined;
use crate::model::proxy::ProxyKind;
use crate::registry::{Info, Sections};
use draft::Draft;

/// Every proxy keyword.
const TABLES: &[&[Row<Draft>]] = &[
    balance::ROWS,
    basic::ROWS,
    basic::TIMEOUTS,
    capture::ROWS,
    check::ROWS,
    check_rules::ROWS,
    errors::ROWS,
    log::ROWS,
    options::SWITCHES,
    options::ROWS,
    persist::ROWS,
    route::ROWS,
    rules::ROWS,
    servers::ROWS,
    stats::ROWS,
];

static TABLE: LazyLock<Table<Draft>> = LazyLock::new(|| Table::new(TABLES));

/// Rows for the documents, with where each may stand.
pub fn infos() -> impl Iterator<Item = (&'static Info, Sections)> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .map(|row| (&row.info, row.sections))
}

/// Drafts of the `defaults` sections read so far.
#[derive(Default)]
pub struct DefaultsList {
    drafts: Vec<Draft>,
}

impl DefaultsList {
    fn named(&self, name: &str) -> Option<&Draft> {
        self.drafts
            .iter()
            .rev()
            .find(|draft| draft.proxy.name == name)
    }
}

/// Reads a `defaults` section.
pub fn defaults(cx: &mut Context, list: &mut DefaultsList, section: &Section) {
    let mut draft = begin(cx, list, section, true);
    draft.is_defaults = true;
    if let Some(earlier) = list
        .named(&draft.proxy.name)
        .filter(|d| !d.proxy.name.is_empty())
    {
        let place = cx.locate(earlier.span.at);
        cx.warn(
            section.header.span(),
            "duplicate-name",
            format!(
                "defaults section '{}' has the same name as another one declared at {place}; the last one is used from here on.",
                draft.proxy.name
            ),
        );
    }
    for line in &section.lines {
        statement(cx, &mut draft, line);
    }
    list.drafts.push(draft);
}

/// Reads a `frontend`, `listen` or `backend` section.
pub fn proxy(cx: &mut Context, list: &DefaultsList, section: &Section) -> Draft {
    let mut draft = begin(cx, list, section, false);
    cx.owner = Owner {
        name: draft.proxy.name.clone(),
        has_frontend: draft.proxy.kind.has_frontend(),
        has_backend: draft.proxy.kind.has_backend(),
    };
    let references = cx.references.len();
    for line in &section.lines {
        statement(cx, &mut draft, line);
    }
    own_references(cx, &draft, references);
    if draft.proxy.kind.has_frontend() {
        cx.references.extend(draft.default_backend.clone());
    }
    cx.owner = Owner::default();
    draft
}

/// Names that stand for something of the section itself, among the references from `first` on.
fn own_references(cx: &mut Context, draft: &Draft, first: usize) {
    for reference in cx.references.split_off(first) {
        let name = reference.name.trim_start_matches('!');
        let (found, what) = match reference.kind {
            ReferenceKind::Acl => (
                draft.scope.acl(name).is_some() || is_predefined(name),
                "ACL",
            ),
            ReferenceKind::BandwidthLimit => (
                draft.proxy.filters.iter().any(|filter| {
                    filter.name.starts_with("bwlim-")
                        && filter.args.first().is_some_and(|n| n == name)
                }),
                "bwlim filter",
            ),
            _ => {
                cx.references.push(reference);
                continue;
            }
        };
        if !found {
            let message = format!("{} : unable to find {what} '{name}'.", draft.described());
            cx.report(
                Diagnostic::new(
                    Severity::Alert,
                    "unknown-name",
                    Some(reference.span),
                    message,
                )
                .remedy(format!("declare the {what} '{name}' in this section")),
            );
        }
    }
}

/// The header: name, `from`, and what is inherited.
fn begin(cx: &mut Context, list: &DefaultsList, section: &Section, is_defaults: bool) -> Draft {
    let header = &section.header;
    let span = header.span();
    let mut args = Args::new(header, 1);
    let kind = match section.kind() {
        "frontend" => ProxyKind::Frontend,
        "backend" => ProxyKind::Backend,
        _ => ProxyKind::Listen,
    };
    let mut name = String::new();
    if args.peek_str() != "from" || !is_defaults {
        if let Some(word) = args.next() {
            name.clone_from(&word.text);
            check_name(cx, word, section.kind());
        } else if !is_defaults {
            let message = format!(
                "'{}' expects an <id> argument and optionally supports 'from' <defaults>.",
                section.kind()
            );
            cx.alert(span, "missing-argument", message);
        }
    }
    let from = if args.accept("from") {
        args.required(cx, "a defaults section")
    } else {
        None
    };
    let mut draft = inherit(cx, list, from, is_defaults, &name, section);
    draft.proxy.name = name;
    draft.proxy.kind = kind;
    draft.proxy.at = span.at;
    draft.span = span;
    if !is_defaults && kind == ProxyKind::Backend && !args.is_empty() {
        let message = "what follows a backend's name is ignored.";
        cx.warn(args.here(), "extra-argument", message);
        args.rest();
    }
    if !is_defaults && !args.is_empty() {
        old::inline_bind(cx, &mut draft, &mut args);
    }
    if is_defaults {
        // What follows a defaults section's name has always been ignored.
        args.rest();
    }
    draft
}

/// Characters that a name may have (manual, chapter 4); HAProxy takes others since version 3.0.
fn check_name(cx: &mut Context, word: &crate::ast::Word, kind: &str) {
    let bad = word
        .text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "-_.:".contains(*c)));
    if let Some(bad) = bad {
        let message = format!(
            "character '{bad}' should not be in '{kind}' name '{}'.",
            word.text
        );
        let severity = if bad == '\\' {
            Severity::Alert
        } else {
            Severity::Warning
        };
        cx.report(
            Diagnostic::new(severity, "bad-name", Some(word.span()), message)
                .remedy("use letters, digits, '-', '_', '.' and ':'"),
        );
    }
}

fn inherit(
    cx: &mut Context,
    list: &DefaultsList,
    from: Option<&crate::ast::Word>,
    is_defaults: bool,
    name: &str,
    section: &Section,
) -> Draft {
    let fresh = Draft::new(section.header.span());
    let parent = match from {
        Some(word) => {
            let found = list.named(&word.text);
            if found.is_none() {
                let message = format!(
                    "defaults section '{}' not found for {} '{name}'.",
                    word.text,
                    section.kind()
                );
                cx.alert(word.span(), "unknown-defaults", message);
            }
            found
        }
        // A defaults section without `from` begins with nothing.
        None if is_defaults => None,
        None => list.drafts.last(),
    };
    let Some(parent) = parent else { return fresh };
    let mut draft = parent.clone();
    draft.is_defaults = is_defaults;
    draft.check_is_inherited = true;
    draft.span = fresh.span;
    draft
}

/// One line of a proxy.
fn statement(cx: &mut Context, draft: &mut Draft, line: &Line) {
    let mut args = Args::new(line, 0);
    let negation = match args.peek_str() {
        "no" | "default" => args.next(),
        _ => None,
    };
    if let Some(word) = negation {
        if options::negated(cx, draft, &mut args, word.as_str() == "no")
            || log::no_log(cx, draft, &mut args, word.as_str() == "no")
        {
            return;
        }
        let message = format!(
            "negation or default is not supported for '{}'.",
            args.peek_str()
        );
        cx.alert(args.here(), "bad-negation", message);
        return;
    }
    if old::translate(cx, draft, &mut args) {
        return;
    }
    let Some(row) = TABLE.find(&mut args) else {
        TABLE.unknown(cx, &args, &format!("'{}' section", draft.keyword()));
        return;
    };
    args.name_so_far();
    match allowed(cx, draft, row, line) {
        Standing::Here => {
            cx.used(&row.info, args.span());
            (row.parse)(cx, draft, &mut args);
            args.finish(cx);
        }
        Standing::OtherSide => aside(cx, draft, row, &mut args),
        Standing::Nowhere => {}
    }
}

/// Reads a line that has no effect: its arguments must be right nevertheless.
fn aside(cx: &mut Context, draft: &mut Draft, row: &Row<Draft>, args: &mut Args) {
    let mut scratch = Draft::new(draft.span);
    scratch.proxy.kind = draft.proxy.kind;
    scratch.proxy.name.clone_from(&draft.proxy.name);
    // Conditions name the section's ACLs.
    std::mem::swap(&mut scratch.scope, &mut draft.scope);
    let (references, uses) = (cx.references.len(), cx.uses.len());
    (row.parse)(cx, &mut scratch, args);
    args.finish(cx);
    std::mem::swap(&mut scratch.scope, &mut draft.scope);
    cx.references.truncate(references);
    cx.uses.truncate(uses);
}

/// Where a keyword stands, seen from what takes it.
enum Standing {
    Here,
    /// It is for the other side: ignored with a warning.
    OtherSide,
    Nowhere,
}

/// Whether the section takes the keyword.
fn allowed(cx: &mut Context, draft: &Draft, row: &Row<Draft>, line: &Line) -> Standing {
    let name = row.info.name;
    let bit = if draft.is_defaults {
        Sections::DEFAULTS
    } else {
        match draft.proxy.kind {
            ProxyKind::Frontend => Sections::FRONTEND,
            ProxyKind::Listen => Sections::LISTEN,
            ProxyKind::Backend => Sections::BACKEND,
        }
    };
    if row.sections.contains(bit) {
        return Standing::Here;
    }
    let span = line.span();
    if draft.is_defaults {
        let message = format!("'{name}' not allowed in 'defaults' section.");
        cx.alert(span, "wrong-section", message);
        return Standing::Nowhere;
    }
    let side = if draft.proxy.kind == ProxyKind::Frontend {
        "backend"
    } else {
        "frontend"
    };
    let shown = name.strip_prefix("option ").unwrap_or(name);
    let severity = if row.strict {
        Severity::Alert
    } else {
        Severity::Warning
    };
    let verdict = if row.strict { "not allowed" } else { "ignored" };
    let mut diagnostic = Diagnostic::new(
        severity,
        "wrong-section",
        Some(span),
        format!(
            "'{shown}' {verdict} because {} has no {side} capability.",
            draft.described()
        ),
    );
    if name == "maxconn" {
        diagnostic = diagnostic.remedy("Maybe you want 'fullconn' instead ?");
    }
    cx.report(diagnostic);
    if row.strict {
        Standing::Nowhere
    } else {
        Standing::OtherSide
    }
}
