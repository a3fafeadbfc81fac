//! `set-timeout`, `set-retries`.

use cfgparse::model::expr::SampleExpr;
use cfgparse::model::rule::{SettableTimeout, TimeoutValue};

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{CompileError, Compiler, Expr};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct SetTimeout {
    which: SettableTimeout,
    value: Source,
}

#[derive(Debug)]
enum Source {
    Constant(u32),
    Expr(Expr),
}

impl Act for SetTimeout {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let ms = match &self.value {
            Source::Constant(ms) => Some(*ms),
            Source::Expr(expr) => number(expr, txn),
        };
        let Some(ms) = ms else {
            return Flow::Next;
        };
        let target = match self.which {
            SettableTimeout::Client => &mut txn.overrides.client_timeout_ms,
            SettableTimeout::Server => &mut txn.overrides.server_timeout_ms,
            SettableTimeout::Tunnel => &mut txn.overrides.tunnel_timeout_ms,
            SettableTimeout::Connect => &mut txn.overrides.connect_timeout_ms,
            SettableTimeout::Queue => &mut txn.overrides.queue_timeout_ms,
            SettableTimeout::Tarpit => &mut txn.overrides.tarpit_timeout_ms,
        };
        *target = Some(ms);
        Flow::Next
    }
}

#[derive(Debug)]
struct SetRetries(Expr);

impl Act for SetRetries {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        if let Some(retries) = number(&self.0, txn) {
            txn.stream.retries_max = Some(retries);
        }
        Flow::Next
    }
}

#[derive(Debug)]
struct Pause(Source);

impl Act for Pause {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let ms = match &self.0 {
            Source::Constant(ms) => Some(*ms),
            Source::Expr(expr) => number(expr, txn),
        };
        ms.map_or(Flow::Next, |ms| Flow::Pause { ms })
    }
}

pub fn compile_pause(time: &TimeoutValue, compiler: &mut Compiler<'_>) -> Compiled {
    Ok(Box::new(Pause(source(time, compiler)?)))
}

fn source(value: &TimeoutValue, compiler: &mut Compiler<'_>) -> Result<Source, CompileError> {
    Ok(match value {
        TimeoutValue::Constant(ms) => Source::Constant(*ms),
        TimeoutValue::Expr(expr) => Source::Expr(Expr::compile(expr, compiler)?),
    })
}

fn number(expr: &Expr, txn: &mut Txn<'_>) -> Option<u32> {
    let value = expr
        .eval(&txn.cx())
        .value()
        .and_then(|value| value.as_int());
    txn.apply_effects();
    u32::try_from(value?).ok()
}

pub fn compile(
    which: SettableTimeout,
    value: &TimeoutValue,
    compiler: &mut Compiler<'_>,
) -> Compiled {
    let value = source(value, compiler)?;
    Ok(Box::new(SetTimeout { which, value }))
}

pub fn compile_retries(expr: &SampleExpr, compiler: &mut Compiler<'_>) -> Compiled {
    Ok(Box::new(SetRetries(Expr::compile(expr, compiler)?)))
}
