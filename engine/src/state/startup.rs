//! Variables of the process get their first values (manual, 3.1 `set-var`).

use std::cell::Cell;
use std::sync::Arc;

use super::{ProcessWorld, Runtime};
use crate::log::Purpose;
use crate::plan::{StartSource, StartValue};
use crate::sample::{Clock, Effect, Effects, Outside, Value};

/// Evaluates what `global` says, in order: a later line may read what an earlier one set.
pub fn set(runtime: &Arc<Runtime>, values: &[StartValue]) {
    let world = ProcessWorld::new(Arc::clone(runtime));
    let outside = Outside::default();
    let random = Cell::new(reactor::process::monotonic_ms() | 1);
    for StartValue { var, source } in values {
        let mut effects = Effects::default();
        let clock = Clock {
            unix_us: runtime.process.started_unix_s * 1_000_000,
            utc_offset_s: reactor::process::utc_offset_s(),
        };
        let cx = outside.cx(&world, &effects, &random, clock);
        let value = match source {
            StartSource::Expr(expr) => expr.eval(&cx).value().map(Value::into_owned),
            StartSource::Format(format) => {
                let mut text = Vec::new();
                format.render(&cx, Purpose::Raw, &mut text);
                Some(Value::text(text))
            }
        };
        for effect in effects.take() {
            if let Effect::Var(var, value) = effect {
                runtime.proc_vars.set(var.slot, value);
            }
        }
        runtime.proc_vars.set(var.slot, value);
    }
}
