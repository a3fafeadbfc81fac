//! `early-hint`: a field of a 103 response (RFC 8297).

use cfgparse::model::expr::LogFormat;

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::Compiler;

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct EarlyHint {
    name: Box<[u8]>,
    value: Format,
}

impl Act for EarlyHint {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let mut value = Vec::new();
        self.value.render(&txn.cx(), Purpose::Http, &mut value);
        txn.apply_effects();
        txn.overrides.hint = Some((self.name.clone(), value));
        Flow::Hint
    }
}

pub fn compile(name: &str, value: &LogFormat, compiler: &mut Compiler<'_>) -> Compiled {
    Ok(Box::new(EarlyHint {
        name: name.to_ascii_lowercase().into_bytes().into(),
        value: Format::compile(value, compiler)?,
    }))
}
