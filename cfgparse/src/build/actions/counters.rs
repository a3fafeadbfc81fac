//! Actions on the counters of stick tables (manual, 4.4, `track-sc0`, `sc-inc-gpc` and relatives).

use super::{ActionContext, ActionRow, CNT, CON, HTTP, REQ, RES, SES, TCP, action};
use crate::args::Args;
use crate::build::proxy::draft::sample_expr;
use crate::build::proxy::stick_table::ARRAY_ELEMENTS_MAX;
use crate::context::{Context, Reference, ReferenceKind};
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
    let counter = digits.parse().unwrap_or(u32::MAX);
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
    if number.is_none() {
        wrong(cx, args, "(<sc-id>), a number");
    }
    number
}

/// `(<idx>,<sc-id>)`
fn indexed(cx: &mut Context, c: &ActionContext, args: &Args) -> Option<(u32, u32)> {
    let numbers = c.inside.and_then(|inside| {
        let (index, counter) = inside.split_once(',')?;
        let index = index.trim().parse::<u32>().ok()?;
        let is_element = index < ARRAY_ELEMENTS_MAX;
        is_element.then_some((index, counter.trim().parse().ok()?))
    });
    if numbers.is_none() {
        wrong(
            cx,
            args,
            "(<idx>,<sc-id>), an index from 0 to 99 and a number",
        );
    }
    numbers
}

fn wrong(cx: &mut Context, args: &Args, wanted: &str) {
    let message = format!("'{}' expects {wanted} behind its name.", args.label());
    cx.alert(args.here(), "bad-value", message);
}

fn value(cx: &mut Context, c: &ActionContext, args: &mut Args) -> Option<CounterValue> {
    let is_number = args.peek_str().starts_with(|c: char| c.is_ascii_digit());
    if is_number {
        let number = args.number_in(cx, 0, i64::from(u32::MAX))?;
        return Some(CounterValue::Constant(number as u32));
    }
    sample_expr(cx, args, c.place).map(CounterValue::Expr)
}
