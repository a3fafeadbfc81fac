//! `set-map`, `del-map`, `add-acl`, `del-acl`: changes of pattern sets.

use cfgparse::model::rule::{Action, PatternOp};

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::pattern::PatternId;
use crate::sample::{Compiler, PatternChange};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Change {
    set: PatternId,
    op: PatternOp,
    key: Format,
    value: Option<Format>,
}

impl Act for Change {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let cx = txn.cx();
        let render = |format: &Format| {
            let mut text = Vec::new();
            format.render(&cx, Purpose::Raw, &mut text);
            text
        };
        let key = String::from_utf8_lossy(&render(&self.key)).into();
        let change = match self.op {
            PatternOp::AddAcl => PatternChange::Set { key, value: None },
            PatternOp::SetMap => PatternChange::Set {
                key,
                value: self.value.as_ref().map(|value| render(value).into()),
            },
            PatternOp::DelAcl | PatternOp::DelMap => PatternChange::Remove { key },
        };
        txn.apply_effects();
        txn.world.change_patterns(self.set, change);
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let Action::Pattern {
        op,
        file,
        key,
        value,
    } = action
    else {
        return Err(compiler.error("not a pattern action", "report this"));
    };
    let set = compiler
        .patterns
        .writer(file)
        .map_err(|error| compiler.error(error.message, "correct the file's name"))?;
    Ok(Box::new(Change {
        set,
        op: *op,
        key: Format::compile(key, compiler)?,
        value: value
            .as_ref()
            .map(|v| Format::compile(v, compiler))
            .transpose()?,
    }))
}
