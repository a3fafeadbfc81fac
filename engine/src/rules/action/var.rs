//! `set-var`, `set-var-fmt`, `unset-var`.

use cfgparse::model::rule::Action;

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{CompileError, Compiler, Cx, Expr, Value, VarCondition, VarRef};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct SetVar {
    var: VarRef,
    only: Box<[VarCondition]>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Expr(Expr),
    Format(Format),
}

impl Source {
    fn value(&self, cx: &Cx<'_>) -> Option<Value<'static>> {
        match self {
            Source::Expr(expr) => expr.eval(cx).value().map(Value::into_owned),
            Source::Format(format) => {
                let mut text = Vec::new();
                format.render(cx, Purpose::Raw, &mut text);
                Some(Value::text(text))
            }
        }
    }
}

impl Act for SetVar {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let cx = txn.cx();
        let value = self.source.value(&cx);
        // Without a value the variable stays as it is.
        let value = value.filter(|new| {
            self.only.is_empty() || {
                let (var, old) = (self.var, cx.var(self.var));
                let mut only = self.only.iter();
                only.all(|only| only.allows(var.scope, old.as_ref(), new))
            }
        });
        txn.apply_effects();
        if value.is_some() {
            txn.set_var(self.var, value);
        }
        Flow::Next
    }
}

#[derive(Debug)]
struct UnsetVar(VarRef);

impl Act for UnsetVar {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        txn.set_var(self.0, None);
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (name, conditions, source) = match action {
        Action::SetVar {
            name,
            conditions,
            expr,
        } => (
            name,
            &conditions[..],
            Source::Expr(Expr::compile(expr, compiler)?),
        ),
        Action::SetVarFormat {
            name,
            conditions,
            format,
        } => (
            name,
            &conditions[..],
            Source::Format(Format::compile(format, compiler)?),
        ),
        Action::UnsetVar { name } => return Ok(Box::new(UnsetVar(intern(name, compiler)?))),
        _ => return Err(compiler.error("not a variable action", "report this")),
    };
    let var = intern(name, compiler)?;
    let only = conditions
        .iter()
        .map(|word| VarCondition::compile(word, compiler))
        .collect::<Result<_, _>>()?;
    Ok(Box::new(SetVar { var, only, source }))
}

fn intern(name: &str, compiler: &mut Compiler<'_>) -> Result<VarRef, CompileError> {
    compiler
        .vars
        .intern(name)
        .map_err(|message| compiler.error(message, "write a name such as txn.my_name"))
}
