//! Actions that only direct the flow: accept, reject, silent-drop, strict-mode, use-service, expect-proxy.

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

pub fn compile(action: &Action) -> Box<dyn Act> {
    Box::new(Stop(match action {
        Action::StrictMode(on) => return Box::new(StrictMode(*on)),
        Action::ExpectProxy => return Box::new(ExpectProxy),
        Action::Reject => Verdict::Reject,
        Action::SilentDrop => Verdict::SilentDrop,
        Action::UseService(name) => Verdict::UseService(name.as_str().into()),
        _ => Verdict::Accept,
    }))
}
