//! `set-var`, `set-var-fmt`, `unset-var`.

use cfgparse::model::rule::Action;

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{CompileError, Compiler, Cx, Expr, Value, VarRef};

use super::{Act, Compiled, Flow};

/// What must be true of the old or the new value (manual, `set-var`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    Existing,
    Missing,
    Empty,
    NotEmpty,
    NewSet,
    NewNotSet,
    Greater,
    Less,
}

impl Only {
    fn parse(word: &str) -> Option<Only> {
        Some(match word {
            "ifexists" => Only::Existing,
            "ifnotexists" => Only::Missing,
            "ifempty" => Only::Empty,
            "ifnotempty" => Only::NotEmpty,
            "ifset" => Only::NewSet,
            "ifnotset" => Only::NewNotSet,
            "ifgt" => Only::Greater,
            "iflt" => Only::Less,
            _ => return None,
        })
    }

    fn allows(self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) -> bool {
        let is_empty = |v: &Value<'_>| v.bytes().is_some_and(<[u8]>::is_empty);
        let ordered = |greater: bool| {
            let numbers = old.and_then(Value::as_int).zip(new.and_then(Value::as_int));
            numbers.is_none_or(|(old, new)| if greater { old > new } else { old < new })
        };
        match self {
            Only::Existing => old.is_some(),
            Only::Missing => old.is_none(),
            Only::Empty => old.is_none_or(is_empty),
            Only::NotEmpty => old.is_some_and(|v| !is_empty(v)),
            Only::NewSet => new.is_some(),
            Only::NewNotSet => new.is_none(),
            Only::Greater => ordered(true),
            Only::Less => ordered(false),
        }
    }
}

#[derive(Debug)]
struct SetVar {
    var: VarRef,
    only: Box<[Only]>,
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
        let allowed = self.only.is_empty() || {
            let old = cx.var(self.var);
            let new = value.as_ref();
            self.only.iter().all(|only| only.allows(old.as_ref(), new))
        };
        txn.apply_effects();
        // Without a value the variable stays as it is.
        if allowed && value.is_some() {
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
        .map(|word| {
            Only::parse(word).ok_or_else(|| {
                compiler.error(
                    format!("unknown condition '{word}' of set-var"),
                    "write ifexists, ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt or iflt",
                )
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Box::new(SetVar { var, only, source }))
}

fn intern(name: &str, compiler: &mut Compiler<'_>) -> Result<VarRef, CompileError> {
    compiler
        .vars
        .intern(name)
        .map_err(|message| compiler.error(message, "write a name such as txn.my_name"))
}
