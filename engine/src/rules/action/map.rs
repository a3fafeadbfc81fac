//! `set-map`, `del-map`, `add-acl`, `del-acl`: changes of pattern sets.

use cfgparse::model::expr::MatchMethod;
use cfgparse::model::rule::{Action, PatternOp};

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::pattern::{PatternId, Use};
use crate::sample::{CompileError, Compiler, PatternChange};

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
            text.into()
        };
        let key = render(&self.key);
        let change = match self.op {
            PatternOp::AddAcl => PatternChange::Add { key, value: None },
            PatternOp::SetMap => PatternChange::Add {
                key,
                value: self.value.as_ref().map(render),
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
    let set = match compiler.patterns.find(file) {
        Some(set) => set,
        None => first_use(file, compiler)?,
    };
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

/// A file that nothing before this rule names: later uses are added to its sets.
fn first_use(file: &str, compiler: &mut Compiler<'_>) -> Result<PatternId, CompileError> {
    let map = compiler
        .names
        .map_file(file)
        .map_err(|message| compiler.error(message, "create the file or correct its name"))?;
    let lines = map
        .lines
        .iter()
        .map(|line| (line.key.as_str(), line.value.as_deref()));
    compiler
        .patterns
        .intern(file, Use::of(MatchMethod::Str), lines)
        .map_err(|error| compiler.error(error.message, "correct the file"))
}
