//! `set-fc-tos`, `set-fc-mark` and their older names.

use cfgparse::model::rule::{Action, NumberValue};

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, Expr, PacketMark};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct MarkPackets {
    make: fn(u32) -> PacketMark,
    value: Source,
}

#[derive(Debug)]
enum Source {
    Constant(u32),
    Expr(Expr),
}

impl Act for MarkPackets {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let number = match &self.value {
            Source::Constant(number) => Some(*number),
            Source::Expr(expr) => {
                let value = expr.eval(&txn.cx()).value();
                let number = value.and_then(|value| value.as_int());
                txn.apply_effects();
                number.map(|number| number as u32)
            }
        };
        if let Some(number) = number {
            // Without the right to it packets stay unmarked, as in HAProxy.
            txn.world.mark_packets((self.make)(number));
        }
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (make, value): (fn(u32) -> PacketMark, _) = match action {
        Action::SetFcTos(value) => (|number| PacketMark::Tos(number as u8), value),
        Action::SetFcMark(value) => (PacketMark::Mark, value),
        _ => return Err(compiler.error("not a packet action", "report this")),
    };
    let value = match value {
        NumberValue::Constant(number) => Source::Constant(*number),
        NumberValue::Expr(expr) => Source::Expr(Expr::compile(expr, compiler)?),
    };
    Ok(Box::new(MarkPackets { make, value }))
}
