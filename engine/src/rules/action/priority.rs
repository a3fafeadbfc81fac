//! `set-priority-class`, `set-priority-offset`: the request's place in queues.

use cfgparse::model::rule::Action;

use crate::rules::ruleset::Kind;
use crate::rules::txn::{Overrides, Txn};
use crate::sample::{Compiler, Expr};

use super::{Act, Compiled, Flow};

/// Classes reach from minus this to this (manual, 4.4 `set-priority-class`).
const CLASS_MAX: i64 = 2047;
/// Offsets reach from minus this to this, milliseconds (manual, 4.4 `set-priority-offset`).
const OFFSET_MAX_MS: i64 = 524_287;

#[derive(Debug)]
struct SetPriority {
    expr: Expr,
    max: i64,
    place: fn(&mut Overrides) -> &mut i32,
}

impl Act for SetPriority {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let value = self.expr.eval(&txn.cx()).value();
        let number = value.and_then(|value| value.as_int());
        txn.apply_effects();
        if let Some(number) = number {
            *(self.place)(txn.overrides) = number.clamp(-self.max, self.max) as i32;
        }
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (expr, max, place): (_, _, fn(&mut Overrides) -> &mut i32) = match action {
        Action::SetPriorityClass(expr) => (expr, CLASS_MAX, |all| &mut all.priority_class),
        Action::SetPriorityOffset(expr) => (expr, OFFSET_MAX_MS, |all| &mut all.priority_offset_ms),
        _ => return Err(compiler.error("not a priority action", "report this")),
    };
    let expr = Expr::compile(expr, compiler)?;
    Ok(Box::new(SetPriority { expr, max, place }))
}
