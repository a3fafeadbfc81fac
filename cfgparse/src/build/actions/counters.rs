//! Actions on the counters of stick tables (manual, 4.4, `track-sc0`, `sc-inc-gpc` and relatives).

use super::{ActionContext, ActionRow, CNT, CON, HTTP, REQ, RES, SES, TCP, action, at_condition};
use crate::args::Args;
use crate::build::proxy::draft::sample_expr;
use crate::build::proxy::stick_table::ARRAY_ELEMENTS_MAX;
use crate::context::{Context, Reference, ReferenceKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::rule::{Action, CounterChange, CounterValue};
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const ROWS: &[ActionRow] = &[
    action("sc-add-gpc", "(<idx>,<sc-id>) <int>|<expr>", TCP | HTTP, Full, "add to a general counter", |cx, c, a| {
        let (index, counter) = indexed(cx, c, a)?;
        Some(Action::Counter { counter, change: CounterChange::AddGpc(index, value(cx, c, a)?) })
    }),
    action("sc-inc-gpc", "(<idx>,<sc-id>)", TCP | HTTP, Full, "add one to a general counter", |cx, c, a| {
        let (index, counter) = indexed(cx, c, a)?;
        Some(Action::Counter { counter, change: CounterChange::AddGpc(index, CounterValue::Constant(1)) })
    }),
    action("sc-inc-gpc0", "(<sc-id>)", TCP | HTTP, Full, "add one to the first general counter", |cx, c, a| {
        Some(Action::Counter { counter: alone(cx, c, a)?, change: CounterChange::IncGpc0 })
    }),
    action("sc-inc-gpc1", "(<sc-id>)", TCP | HTTP, Full, "add one to the second general counter", |cx, c, a| {
        Some(Action::Counter { counter: alone(cx, c, a)?, change: CounterChange::IncGpc1 })
    }),
    action("sc-set-gpt", "(<idx>,<sc-id>) <int>|<expr>", TCP | HTTP, Full, "set a general tag", |cx, c, a| {
        let (index, counter) = indexed(cx, c, a)?;
        Some(Action::Counter { counter, change: CounterChange::SetGpt(index, value(cx, c, a)?) })
    }),
    action("sc-set-gpt0", "(<sc-id>) <int>|<expr>", TCP | HTTP, Full, "set the first general tag", |cx, c, a| {
        let counter = alone(cx, c, a)?;
        Some(Action::Counter { counter, change: CounterChange::SetGpt0(value(cx, c, a)?) })
    }),
    action("track-sc", "0..N <key> [table <table>]", CON | SES | CNT | REQ | RES, Full, "count under this key", track),
];

fn track(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<Action> {
    let label = args.label();
    let digits = label.rsplit("track-sc").next().unwrap_or("");
    // HAProxy takes no number for the first one.
    let counter = if digits.is_empty() {
        0
    } else {
        digits.parse().unwrap_or(u32::MAX)
    };
    is_there(cx, args, counter)?;
    let key = sample_expr(cx, args, c.place)?;
    let mut table = None;
    if args.accept("table") {
        let word = args.required(cx, "a table")?;
        cx.references.push(Reference {
            kind: ReferenceKind::Table,
            name: word.text.clone(),
            span: word.span(),
        });
        table = Some(word.text.clone());
    } else if !cx.owner.name.is_empty() {
        cx.references.push(Reference {
            kind: ReferenceKind::Table,
            name: cx.owner.name.clone(),
            span: args.line().keyword().span(),
        });
    }
    Some(Action::Track {
        counter,
        key,
        table,
    })
}

/// `(<sc-id>)`
fn alone(cx: &mut Context, c: &ActionContext, args: &Args) -> Option<u32> {
    let number = c.inside.and_then(|inside| inside.trim().parse().ok());
    let Some(number) = number else {
        wrong(cx, args, "(<sc-id>), a number");
        return None;
    };
    is_there(cx, args, number)?;
    Some(number)
}

/// `(<idx>,<sc-id>)`
fn indexed(cx: &mut Context, c: &ActionContext, args: &Args) -> Option<(u32, u32)> {
    let numbers = c.inside.and_then(|inside| {
        let (index, counter) = inside.split_once(',')?;
        let index = index.trim().parse::<u32>().ok()?;
        let is_element = index < ARRAY_ELEMENTS_MAX;
        is_element.then_some((index, counter.trim().parse().ok()?))
    });
    let Some((index, counter)) = numbers else {
        wrong(
            cx,
            args,
            "(<idx>,<sc-id>), an index from 0 to 99 and a number",
        );
        return None;
    };
    is_there(cx, args, counter)?;
    Some((index, counter))
}

/// Whether a stream has that many counters.
fn is_there(cx: &mut Context, args: &Args, counter: u32) -> Option<()> {
    if counter < cx.stick_counters {
        return Some(());
    }
    let message = format!(
        "'{}' : counter {counter} is not there, the highest is {} (tune.stick-counters-1).",
        args.label(),
        cx.stick_counters - 1
    );
    cx.report(
        Diagnostic::new(
            Severity::Alert,
            "out-of-range",
            Some(args.line().span()),
            message,
        )
        .remedy("use a lower number, or raise 'tune.stick-counters' in the global section"),
    );
    None
}

fn wrong(cx: &mut Context, args: &Args, wanted: &str) {
    let message = format!("'{}' expects {wanted} behind its name.", args.label());
    cx.alert(args.here(), "bad-value", message);
}

fn value(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<CounterValue> {
    if at_condition(args) {
        let message = format!("'{}' has no value: 0 is taken", args.label());
        let notice = Diagnostic::new(
            Severity::Notice,
            "missing-argument",
            Some(args.span()),
            message,
        );
        cx.report(notice.remedy("write the value"));
        return Some(CounterValue::Constant(0));
    }
    if args.peek_str().parse::<i64>().is_ok() {
        let number = args.number_in(cx, i64::MIN, i64::MAX)?;
        // As many bits as the counter has, as in HAProxy.
        return Some(CounterValue::Constant(number as u32));
    }
    sample_expr(cx, args, c.place).map(CounterValue::Expr)
}
