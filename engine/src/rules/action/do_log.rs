//! `do-log`: a log line now (manual, 4.4).

use cfgparse::model::rule::Action;

use crate::log::{Cause, Phase, Profile};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, LogOrigin, Point};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct DoLog(Option<Profile>);

impl Act for DoLog {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        let origin = match kind {
            Kind::TcpRequestConnection => LogOrigin::TcpRequestConnection,
            Kind::TcpRequestSession => LogOrigin::TcpRequestSession,
            Kind::TcpRequestContent => LogOrigin::TcpRequestContent,
            Kind::TcpResponseContent => LogOrigin::TcpResponseContent,
            Kind::HttpRequest => LogOrigin::HttpRequest,
            Kind::HttpResponse => LogOrigin::HttpResponse,
            Kind::HttpAfterResponse => LogOrigin::HttpAfterResponse,
        };
        let facts = &mut *txn.stream;
        let kept = (facts.status, facts.termination, facts.timers);
        facts.log_origin = origin;
        facts.timers = txn.world.timers();
        match kind {
            // There is no stream yet.
            Kind::TcpRequestConnection | Kind::TcpRequestSession => {
                facts.status = 0;
                facts.timers.total_ms = 0;
                facts.termination.end(Cause::Proxy, Phase::Request);
            }
            Kind::TcpRequestContent | Kind::HttpRequest => facts.timers.request_ms = -1,
            Kind::TcpResponseContent => {}
            Kind::HttpResponse | Kind::HttpAfterResponse => {
                let status = txn.response.as_ref().map(|head| i32::from(head.status()));
                facts.status = status.unwrap_or(facts.status);
            }
        }
        txn.world.write_log(&txn.cx(), origin, self.0.as_ref());
        let facts = &mut *txn.stream;
        (facts.status, facts.termination, facts.timers) = kept;
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let Action::DoLog {
        profile: Some(name),
    } = action
    else {
        return Ok(Box::new(DoLog(None)));
    };
    let Some(section) = compiler.names.log_profile(name) else {
        return Err(compiler.error(
            format!("do-log action: profile '{name}' is invalid."),
            "name a log-profile section",
        ));
    };
    let point = std::mem::replace(&mut compiler.point, Point::Log);
    let profile = Profile::compile(&section, compiler);
    compiler.point = point;
    Ok(Box::new(DoLog(Some(profile?))))
}
