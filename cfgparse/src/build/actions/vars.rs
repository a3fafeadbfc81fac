//! Actions on variables, maps and ACLs.

use super::{ActionContext, ActionRow, HTTP, REQ, RES, TCP, action, at_condition};
use crate::args::Args;
use crate::build::proxy::draft::{log_format, sample_expr};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::expr::sample;
use crate::model::rule::{Action, PatternOp};
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const ROWS: &[ActionRow] = &[
    action("add-acl", "(<file>) <key fmt>", REQ | RES, Full, "add a pattern to an ACL's file", |cx, c, a| pattern(cx, c, a, PatternOp::AddAcl)),
    action("del-acl", "(<file>) <key fmt>", HTTP, Full, "remove a pattern from an ACL's file", |cx, c, a| pattern(cx, c, a, PatternOp::DelAcl)),
    action("del-map", "(<map>) <key fmt>", HTTP, Full, "remove a key from a map", |cx, c, a| pattern(cx, c, a, PatternOp::DelMap)),
    action("set-map", "(<map>) <key fmt> <value fmt>", HTTP, Full, "set a key of a map", |cx, c, a| pattern(cx, c, a, PatternOp::SetMap)),
    action("set-var", "(<name>[,<cond>...]) <expr>", TCP | HTTP, Full, "set a variable", |cx, c, a| {
        let (name, conditions) = variable(cx, c, a)?;
        let expr = sample_expr(cx, a, c.place)?;
        Some(Action::SetVar { name, conditions, expr })
    }),
    action("set-var-fmt", "(<name>[,<cond>...]) <fmt>", TCP | HTTP, Full, "set a variable from a format", |cx, c, a| {
        let (name, conditions) = variable(cx, c, a)?;
        let format = log_format(cx, a, c.place, "a format")?;
        Some(Action::SetVarFormat { name, conditions, format })
    }),
    action("unset-var", "(<name>)", TCP | HTTP, Full, "forget a variable", |cx, c, a| {
        let (name, _) = variable(cx, c, a)?;
        Some(Action::UnsetVar { name })
    }),
];

/// When a variable is set (manual, `set-var`).
const CONDITIONS: &[&str] = &[
    "ifempty",
    "ifexists",
    "ifgt",
    "iflt",
    "ifnotempty",
    "ifnotexists",
    "ifnotset",
    "ifset",
];

/// `scope.name` and the conditions behind it.
fn variable(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<(String, Vec<String>)> {
    let mut parts = c.inside.unwrap_or("").split(',').map(str::trim);
    let name = parts.next().unwrap_or("").to_owned();
    if let Err(message) = sample::variable(&name) {
        cx.alert(args.span(), "bad-variable", message);
        return None;
    }
    let conditions: Vec<String> = parts.map(str::to_owned).collect();
    if let Some(unknown) = conditions
        .iter()
        .find(|condition| !CONDITIONS.contains(&condition.as_str()))
    {
        let message = format!("'{}' : unknown condition '{unknown}'.", args.label());
        let near = closest(unknown, CONDITIONS.iter().copied());
        let mut diagnostic =
            Diagnostic::new(Severity::Alert, "bad-variable", Some(args.span()), message);
        diagnostic.remedy = Some(near.map_or_else(
            || format!("conditions are {}", CONDITIONS.join(", ")),
            |near| format!("did you mean '{near}' maybe ?"),
        ));
        cx.report(diagnostic);
        return None;
    }
    Some((name, conditions))
}

fn pattern(cx: &mut Context, c: &ActionContext, args: &mut Args, op: PatternOp) -> Option<Action> {
    let file = c.inside.unwrap_or("").to_owned();
    if at_condition(args) {
        args.unexpected_end(cx, "a key");
        return None;
    }
    let key = log_format(cx, args, c.place, "a key")?;
    let value = match op {
        PatternOp::SetMap => Some(log_format(cx, args, c.place, "a value")?),
        _ => None,
    };
    Some(Action::Pattern {
        op,
        file,
        key,
        value,
    })
}
