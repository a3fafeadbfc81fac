//! Actions of rules (manual, 4.3 and 4.4): one row each.

mod counters;
mod header;
mod misc;
pub mod redirect;
pub mod reply;
mod uri;
mod vars;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::args::{Args, Lenience};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::model::rule::Action;
use crate::registry::prelude::*;
use crate::registry::sample::Where;
use crate::registry::{Info, Status};

/// A set of rules; each is a bit of [`ActionRow::sets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruleset {
    QuicInitial = 1,
    TcpConnection = 2,
    TcpSession = 4,
    TcpContent = 8,
    TcpResponse = 16,
    HttpRequest = 32,
    HttpResponse = 64,
    HttpAfterResponse = 128,
}

impl Ruleset {
    /// The words that a rule of this set begins with.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::QuicInitial => "quic-initial",
            Self::TcpConnection => "tcp-request connection",
            Self::TcpSession => "tcp-request session",
            Self::TcpContent => "tcp-request content",
            Self::TcpResponse => "tcp-response content",
            Self::HttpRequest => "http-request",
            Self::HttpResponse => "http-response",
            Self::HttpAfterResponse => "http-after-response",
        }
    }
}

/// Columns of the manual's matrix of actions.
pub(super) const QUIC: u8 = Ruleset::QuicInitial as u8;
pub(super) const CON: u8 = Ruleset::TcpConnection as u8;
pub(super) const SES: u8 = Ruleset::TcpSession as u8;
pub(super) const CNT: u8 = Ruleset::TcpContent as u8;
pub(super) const RSP: u8 = Ruleset::TcpResponse as u8;
pub(super) const REQ: u8 = Ruleset::HttpRequest as u8;
pub(super) const RES: u8 = Ruleset::HttpResponse as u8;
pub(super) const AFT: u8 = Ruleset::HttpAfterResponse as u8;
pub(super) const HTTP: u8 = REQ | RES | AFT;
pub(super) const TCP: u8 = CON | SES | CNT | RSP;

/// What an action's parse function knows of its rule.
pub struct ActionContext<'a> {
    pub set: Ruleset,
    /// Where the rule runs.
    pub place: Where,
    /// What stands in parentheses behind the action's name.
    pub inside: Option<&'a str>,
}

/// What parses an action's arguments, up to `if`, `unless` or the end of the line.
pub type ParseAction = fn(&mut Context, &ActionContext, &mut Args) -> Option<Action>;

/// One action.
pub struct ActionRow {
    pub info: Info,
    /// Bits of [`Ruleset`].
    pub sets: u8,
    /// Its name is followed by parentheses.
    pub parentheses: bool,
    parse: ParseAction,
}

pub(super) const fn action(
    name: &'static str,
    syntax: &'static str,
    sets: u8,
    status: Status,
    doc: &'static str,
    parse: ParseAction,
) -> ActionRow {
    let parentheses = !syntax.is_empty() && syntax.as_bytes()[0] == b'(';
    ActionRow {
        info: Info {
            name,
            syntax,
            status,
            doc,
        },
        sets,
        parentheses,
        parse,
    }
}

/// All actions.
pub const TABLES: &[&[ActionRow]] = &[
    header::ROWS,
    misc::ROWS,
    counters::ROWS,
    reply::ROWS,
    uri::ROWS,
    vars::ROWS,
];

static INDEX: LazyLock<HashMap<&str, &ActionRow>> =
    LazyLock::new(|| rows().map(|row| (row.info.name, row)).collect());

/// Every row.
pub fn rows() -> impl Iterator<Item = &'static ActionRow> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// Parses an action of `set`. `None`: it was reported.
pub fn parse(cx: &mut Context, args: &mut Args, set: Ruleset, place: Where) -> Option<Action> {
    let keyword = set.keyword();
    let Some(word) = args.next() else {
        let message = format!("'{keyword}' expects an action.");
        cx.alert(args.here(), "missing-argument", message);
        return None;
    };
    args.name_so_far();
    let text = word.as_str();
    let (name, inside) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')),
        None => (text, None),
    };
    if cx.has_lua && name.starts_with("lua.") {
        cx.used(&LUA, word.span());
        args.begin_row("[<arg> ...]", Lenience::NONE);
        return misc::known(cx, &ActionContext { set, place, inside }, args);
    }
    let row = find(name).filter(|row| row.sets & set as u8 != 0);
    let row = row.filter(|row| row.parentheses || inside.is_none() && !text.contains('('));
    let Some(row) = row else {
        unknown(cx, set, word, name);
        args.rest();
        return None;
    };
    if row.parentheses && inside.is_none() {
        let message = format!(
            "'{keyword} {name}' expects {} behind its name.",
            row.info.syntax
        );
        cx.alert(word.span(), "missing-argument", message);
        args.rest();
        return None;
    }
    cx.used(&row.info, word.span());
    args.begin_row(row.info.syntax, Lenience::NONE);
    let action = (row.parse)(cx, &ActionContext { set, place, inside }, args);
    if action.is_none() {
        args.rest();
    }
    action
}

static LUA: Info = Info {
    name: "lua.*",
    syntax: "",
    status: Planned,
    doc: "actions of Lua programs",
};

/// Actions with a number in their name share a row.
fn find(name: &str) -> Option<&'static ActionRow> {
    let key = match name.strip_prefix("track-sc") {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => "track-sc",
        _ => name,
    };
    INDEX.get(key).copied()
}

fn unknown(cx: &mut Context, set: Ruleset, word: &crate::ast::Word, name: &str) {
    let fitting = || {
        rows()
            .filter(|row| row.sets & set as u8 != 0)
            .map(|row| row.info.name)
    };
    let names: Vec<String> = fitting().map(|name| format!("'{name}'")).collect();
    let message = format!(
        "'{}' expects {}, but got '{}'.",
        set.keyword(),
        names.join(", "),
        word.text
    );
    let mut diagnostic = Diagnostic::new(
        Severity::Alert,
        "unknown-action",
        Some(word.span()),
        message,
    );
    if find(name).is_some_and(|row| row.sets & set as u8 != 0) {
        diagnostic = diagnostic.remedy(format!("write '{name}' without parentheses"));
    } else if let Some(row) = find(name) {
        let places: Vec<&str> = SETS
            .iter()
            .filter(|set| row.sets & **set as u8 != 0)
            .map(|set| set.keyword())
            .collect();
        diagnostic = diagnostic.cause(format!("'{name}' is an action of {}", places.join(", ")));
    } else if let Some(near) = closest(name, fitting()) {
        diagnostic = diagnostic.remedy(format!("did you mean '{near}' maybe ?"));
    }
    cx.report(diagnostic);
}

const SETS: &[Ruleset] = &[
    Ruleset::QuicInitial,
    Ruleset::TcpConnection,
    Ruleset::TcpSession,
    Ruleset::TcpContent,
    Ruleset::TcpResponse,
    Ruleset::HttpRequest,
    Ruleset::HttpResponse,
    Ruleset::HttpAfterResponse,
];

/// The rulesets of `sets`, as the documents list them.
pub fn sets_words(sets: u8) -> String {
    let words: Vec<&str> = SETS
        .iter()
        .filter(|set| sets & **set as u8 != 0)
        .map(|set| set.keyword())
        .collect();
    words.join(", ")
}

/// Whether the next word ends an action's arguments.
pub(super) fn at_condition(args: &Args) -> bool {
    args.is_empty() || matches!(args.peek_str(), "if" | "unless")
}
