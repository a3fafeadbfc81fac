//! `set-var`, `set-var-fmt`, `unset-var`.

use cfgparse::model::rule::Action;

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{CompileError, Compiler, Cx, Expr, Fetched, Value, VarRef};

use super::{Act, Compiled, Flow};

/// What must be true of the old or the new value (manual, `set-var`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    IfExists,
    IfNotExists,
    IfEmpty,
    IfNotEmpty,
    IfSet,
    IfNotSet,
    IfGreater,
    IfLess,
}

impl Only {
    fn parse(word: &str) -> Option<Only> {
        Some(match word {
            "ifexists" => Only::IfExists,
            "ifnotexists" => Only::IfNotExists,
            "ifempty" => Only::IfEmpty,
            "ifnotempty" => Only::IfNotEmpty,
            "ifset" => Only::IfSet,
            "ifnotset" => Only::IfNotSet,
            "ifgt" => Only::IfGreater,
            "iflt" => Only::IfLess,
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
            Only::IfExists => old.is_some(),
            Only::IfNotExists => old.is_none(),
            Only::IfEmpty => old.is_none_or(is_empty),
            Only::IfNotEmpty => old.is_some_and(|v| !is_empty(v)),
            Only::IfSet => new.is_some(),
            Only::IfNotSet => new.is_none(),
            Only::IfGreater => ordered(true),
            Only::IfLess => ordered(false),
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
    Nothing,
}

impl Source {
    fn value(&self, cx: &Cx<'_>) -> Option<Option<Value<'static>>> {
        match self {
            Source::Nothing => Some(None),
            Source::Expr(expr) => match expr.eval(cx) {
                Fetched::Value(value) => Some(Some(value.into_owned())),
                // Without a value the variable stays as it is.
                Fetched::Absent | Fetched::NotYet => None,
            },
            Source::Format(format) => {
                let mut text = Vec::new();
                format.render(cx, Purpose::Raw, &mut text);
                Some(Some(Value::text(text)))
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
            let new = value.as_ref().and_then(Option::as_ref);
            self.only.iter().all(|only| only.allows(old.as_ref(), new))
        };
        txn.apply_effects();
        if let (Some(value), true) = (value, allowed) {
            txn.set_var(self.var, value);
        }
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
        Action::UnsetVar { name } => (name, &[][..], Source::Nothing),
        _ => return Err(compiler.error("not a variable action", "report this")),
    };
    let var = compiler
        .vars
        .intern(name)
        .map_err(|message| compiler_error(compiler, message))?;
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

fn compiler_error(compiler: &Compiler<'_>, message: String) -> CompileError {
    compiler.error(message, "write a name such as txn.my_name")
}
