//! `set-log-level`.

use crate::log::Level;
use crate::rules::ruleset::Kind;
use crate::rules::txn::{LogLevel, Txn};
use crate::sample::Compiler;

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct SetLogLevel(LogLevel);

impl Act for SetLogLevel {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        txn.overrides.log_level = Some(self.0);
        Flow::Next
    }
}

/// `None` is `silent`.
pub fn compile(level: Option<u8>, compiler: &Compiler<'_>) -> Compiled {
    let level = match level {
        None => LogLevel::Silent,
        Some(number) => LogLevel::At(Level::from_number(number).ok_or_else(|| {
            compiler.error(
                "unknown log level",
                "write emerg, alert, crit, err, warning, notice, info, debug or silent",
            )
        })?),
    };
    Ok(Box::new(SetLogLevel(level)))
}
