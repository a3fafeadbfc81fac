//! `sc-inc-gpc0`, `sc-add-gpc`, `sc-set-gpt` and their relatives: figures of a tracked key.

use cfgparse::model::rule::{CounterChange, CounterValue};

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, Expr, increase};
use crate::table::{Data, Slot};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Change {
    counter: usize,
    slot: Slot,
    /// Added to the figure; otherwise it replaces it.
    adds: bool,
    value: Amount,
}

#[derive(Debug)]
enum Amount {
    Constant(u32),
    Expr(Expr),
}

impl Act for Change {
    /// Whatever is missing, the counter, the figure or the value, nothing happens then (manual, 4.4).
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let now_ms = txn.world.now_ms();
        {
            let cx = txn.cx();
            let value = match &self.value {
                Amount::Constant(value) => Some(*value),
                Amount::Expr(expr) => expr
                    .eval(&cx)
                    .value()
                    .and_then(|value| value.as_int())
                    .and_then(|value| u32::try_from(value).ok()),
            };
            if let (Some(tracked), Some(value)) = (cx.tracked(self.counter), value) {
                let (table, entry) = (&tracked.table, &tracked.entry);
                table.touch(entry, now_ms);
                if self.adds {
                    increase(table, entry, self.slot, u64::from(value), now_ms);
                } else {
                    table.set(entry, self.slot, u64::from(value), now_ms);
                }
            }
        }
        txn.apply_effects();
        Flow::Next
    }
}

pub fn compile(counter: u32, change: &CounterChange, compiler: &mut Compiler<'_>) -> Compiled {
    let element = |data, index: u32| Slot {
        data,
        index: index as usize,
    };
    let one = CounterValue::Constant(1);
    let (slot, adds, value) = match change {
        CounterChange::AddGpc(index, value) => (element(Data::Gpc, *index), true, value),
        CounterChange::IncGpc0 => (Slot::of(Data::Gpc0), true, &one),
        CounterChange::IncGpc1 => (Slot::of(Data::Gpc1), true, &one),
        CounterChange::SetGpt(index, value) => (element(Data::Gpt, *index), false, value),
        CounterChange::SetGpt0(value) => (Slot::of(Data::Gpt0), false, value),
    };
    let most = compiler.names.stick_counters();
    if counter >= most {
        return Err(compiler.error(
            format!("counter {counter} is not there: there are {most}"),
            "raise 'tune.stick-counters', or use a lower number",
        ));
    }
    let value = match value {
        CounterValue::Constant(value) => Amount::Constant(*value),
        CounterValue::Expr(expr) => Amount::Expr(Expr::compile(expr, compiler)?),
    };
    Ok(Box::new(Change {
        counter: counter as usize,
        slot,
        adds,
        value,
    }))
}
