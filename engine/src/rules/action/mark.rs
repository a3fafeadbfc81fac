//! `set-fc-tos`, `set-fc-mark` and their older names, `set-bc-tos`, `set-bc-mark`.

use cfgparse::model::rule::{Action, NumberValue};

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, Expr, PacketMark};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct MarkPackets {
    mark: Which,
    value: Source,
}

/// What is marked: packets to the client now, or those of the server connection to come.
#[derive(Clone, Copy, Debug)]
enum Which {
    ClientTos,
    ClientMark,
    ServerTos,
    ServerMark,
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
        let Some(number) = number else {
            return Flow::Next;
        };
        // Without the right to it packets stay unmarked, as in HAProxy.
        match self.mark {
            Which::ClientTos => drop(txn.world.mark_packets(PacketMark::Tos(number as u8))),
            Which::ClientMark => drop(txn.world.mark_packets(PacketMark::Mark(number))),
            Which::ServerTos => txn.overrides.server_tos = Some(number as u8),
            Which::ServerMark => txn.overrides.server_mark = Some(number),
        }
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (mark, value) = match action {
        Action::SetFcTos(value) => (Which::ClientTos, value),
        Action::SetFcMark(value) => (Which::ClientMark, value),
        Action::SetBcTos(value) => (Which::ServerTos, value),
        Action::SetBcMark(value) => (Which::ServerMark, value),
        _ => return Err(compiler.error("not a packet action", "report this")),
    };
    let value = match value {
        NumberValue::Constant(number) => Source::Constant(*number),
        NumberValue::Expr(expr) => Source::Expr(Expr::compile(expr, compiler)?),
    };
    Ok(Box::new(MarkPackets { mark, value }))
}
