//! Actions without arguments to evaluate: those that direct the flow, and switches.

use cfgparse::model::rule::Action;

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::Verdict;

use super::{Act, Flow};

#[derive(Debug)]
struct Stop(Verdict);

impl Act for Stop {
    fn run(&self, _: &mut Txn<'_>, _: Kind) -> Flow {
        Flow::Stop(self.0.clone())
    }
}

#[derive(Debug)]
struct StrictMode(bool);

impl Act for StrictMode {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        txn.overrides.lenient = !self.0;
        Flow::Next
    }
}

#[derive(Debug)]
struct ExpectProxy;

impl Act for ExpectProxy {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        txn.overrides.expects_proxy = true;
        Flow::Next
    }
}

#[derive(Debug)]
struct DisableL7Retry;

impl Act for DisableL7Retry {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        txn.overrides.no_l7_retry = true;
        Flow::Next
    }
}

pub fn compile(action: &Action) -> Box<dyn Act> {
    Box::new(Stop(match action {
        Action::StrictMode(on) => return Box::new(StrictMode(*on)),
        Action::ExpectProxy => return Box::new(ExpectProxy),
        Action::DisableL7Retry => return Box::new(DisableL7Retry),
        Action::Reject => Verdict::Reject,
        Action::SilentDrop => Verdict::SilentDrop,
        Action::UseService(name) => Verdict::UseService(name.as_str().into()),
        _ => Verdict::Accept,
    }))
}
