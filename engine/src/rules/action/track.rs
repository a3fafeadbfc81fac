//! `track-sc0` and its relatives: a key under which the connection or request is counted.

use cfgparse::model::expr::SampleExpr;

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, Expr, Fetched};
use crate::table::{TableId, Tracked, event};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Track {
    counter: usize,
    key: Expr,
    table: TableId,
}

impl Act for Track {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        // The first key that is found is the one that is tracked (manual, 4.4, `track-sc0`).
        let is_taken = match kind {
            Kind::TcpRequestConnection | Kind::TcpRequestSession => {
                txn.cx().tracked(self.counter).is_some()
            }
            _ => txn.stream.tracked.counter(self.counter).is_some(),
        };
        if is_taken {
            return Flow::Next;
        }
        let now_ms = txn.world.now_ms();
        let tracked = {
            let cx = txn.cx();
            let value = match self.key.eval(&cx) {
                Fetched::NotYet => return Flow::NotYet,
                found => found.value(),
            };
            let table = cx.world.table(self.table);
            table.zip(value).and_then(|(table, value)| {
                let key = table.spec().key.key(value)?;
                table.track(&key, now_ms)
            })
        };
        txn.apply_effects();
        if let Some(tracked) = tracked {
            count_late(&tracked, txn, kind, now_ms);
            txn.stream.tracked.set(self.counter, tracked);
        }
        Flow::Next
    }
}

/// Requests are counted when their heads are complete, responses when theirs are; what is tracked
/// later counts at once.
fn count_late(tracked: &Tracked, txn: &Txn<'_>, kind: Kind, now_ms: u64) {
    if txn.request.is_some() {
        tracked.add(event::REQUEST, now_ms);
    }
    let response = txn.response.as_ref().filter(|_| kind.is_response());
    let Some(status) = response.map(|head| head.status()) else {
        return;
    };
    if txn.world.is_error_status(status) {
        tracked.add(event::ERROR, now_ms);
    }
    if txn.world.is_failure_status(status) {
        tracked.add(event::FAILURE, now_ms);
    }
}

pub fn compile(
    counter: u32,
    key: &SampleExpr,
    table: Option<&str>,
    compiler: &mut Compiler<'_>,
) -> Compiled {
    let most = compiler.names.stick_counters();
    if counter >= most {
        return Err(compiler.error(
            format!("'track-sc{counter}' needs a counter that is not there: there are {most}"),
            "raise 'tune.stick-counters', or use a lower number",
        ));
    }
    let found = match table {
        Some(name) => compiler.names.table(name),
        None => compiler
            .proxy
            .and_then(|proxy| compiler.names.table_of(proxy)),
    };
    let Some((id, kind)) = found else {
        let message = match table {
            Some(name) => format!("unable to find table '{name}' referenced by track-sc{counter}."),
            None => format!("track-sc{counter} needs a stick-table, and the section has none."),
        };
        return Err(compiler.error(message, "add a 'stick-table' line, or name a table"));
    };
    let key = Expr::compile(key, compiler)?;
    if !kind.accepts(key.out()) {
        let name = table.unwrap_or("of this section");
        return Err(compiler.error(
            format!(
                "stick-table '{name}' uses a type incompatible with the 'track-sc{counter}' rule."
            ),
            format!(
                "its keys are of type {}, and '{}' gives {}",
                kind.word(),
                key.text(),
                key.out()
            ),
        ));
    }
    Ok(Box::new(Track {
        counter: counter as usize,
        key,
        table: id,
    }))
}
