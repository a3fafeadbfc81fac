//! What `global` sets variables of the process to.

use cfgparse::model::global::{Global, GlobalVarValue};

use super::Context;
use crate::log::Format;
use crate::sample::{Compiler, Expr, Point, VarRef};

/// A variable of the process and its first value.
#[derive(Debug)]
pub struct StartValue {
    pub var: VarRef,
    pub source: StartSource,
}

/// Where that comes from.
#[derive(Debug)]
pub enum StartSource {
    Expr(Expr),
    Format(Format),
}

pub(super) fn compile(
    global: &Global,
    context: &mut Context<'_>,
    compiler: &mut Compiler<'_>,
) -> Vec<StartValue> {
    let mut values = Vec::with_capacity(global.set_vars.len());
    compiler.point = Point::Internal;
    for set in &global.set_vars {
        compiler.at = set.at;
        let source = match &set.value {
            GlobalVarValue::Expr(expr) => Expr::compile(expr, compiler).map(StartSource::Expr),
            GlobalVarValue::Format(format) => {
                Format::compile(format, compiler).map(StartSource::Format)
            }
        };
        let var = compiler
            .vars
            .intern(&set.name)
            .map_err(|message| compiler.error(message, "write a name such as proc.my_name"));
        if let (Some(source), Some(var)) = (context.note(source), context.note(var)) {
            values.push(StartValue { var, source });
        }
    }
    values
}
