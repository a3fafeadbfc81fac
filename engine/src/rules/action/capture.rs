//! `capture`: keeps a sample for the log.

use cfgparse::model::expr::SampleExpr;
use cfgparse::model::rule::CaptureSlot;

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, Expr};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Capture {
    expr: Expr,
    slot: usize,
    /// What the slot holds at most, in bytes.
    len: usize,
}

impl Act for Capture {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        let mut scratch = std::mem::take(txn.scratch);
        scratch.clear();
        let found = match self.expr.eval(&txn.cx()).value() {
            Some(value) => {
                value.write_text(&mut scratch);
                true
            }
            None => false,
        };
        txn.apply_effects();
        if found {
            scratch.truncate(self.len);
            let store = if kind.is_response() {
                &mut txn.captures.response
            } else {
                &mut txn.captures.request
            };
            store.set(self.slot, &scratch);
        }
        *txn.scratch = scratch;
        Flow::Next
    }
}

pub fn compile(
    expr: &SampleExpr,
    slot: CaptureSlot,
    kind: Kind,
    compiler: &mut Compiler<'_>,
) -> Compiled {
    let expr = Expr::compile(expr, compiler)?;
    let slots = if kind.is_response() {
        &mut compiler.captures.response
    } else {
        &mut compiler.captures.request
    };
    let (slot, len) = match slot {
        CaptureSlot::Len(len) => {
            slots.push(len);
            (slots.len() - 1, len)
        }
        CaptureSlot::Id(id) => match slots.get(id as usize) {
            Some(len) => (id as usize, *len),
            None => {
                return Err(compiler.error(
                    format!("unable to find capture id '{id}'"),
                    "declare the slot with 'declare capture request len <length>'",
                ));
            }
        },
    };
    Ok(Box::new(Capture {
        expr,
        slot,
        len: len as usize,
    }))
}
