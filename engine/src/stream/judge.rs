//! Rules and expressions, given what they may see of a stream.

use super::world::CoreWorld;
use super::{Client, Exchange, Local, Stream};
use crate::rules::{Condition, Ruleset, Txn, Verdict};
use crate::sample::{Cx, Data, Effects};
use crate::state::Generation;

/// Which messages a ruleset may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    Connection,
    Request,
    Response,
}

/// The bytes that a content rule looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contents<'a> {
    pub request: Data<'a>,
    pub response: Data<'a>,
}

impl Stream<'_> {
    /// Evaluates an expression, a condition or a format.
    pub fn with_cx<R>(&self, evaluate: impl FnOnce(&Cx<'_>) -> R) -> R {
        with_cx(
            self.local,
            self.generation,
            self.client,
            self.exchange,
            evaluate,
        )
    }

    /// Whether a condition holds now; no condition always does.
    pub fn holds(&self, condition: Option<&Condition>) -> bool {
        condition.is_none_or(|condition| self.with_cx(|cx| condition.is_true(cx)))
    }

    /// Runs a ruleset from its rule number `from`.
    pub fn evaluate(
        &mut self,
        rules: &Ruleset,
        from: usize,
        sees: Sees,
        contents: Contents<'_>,
    ) -> Verdict {
        if rules.is_empty() {
            return Verdict::Continue;
        }
        evaluate(
            self.local,
            self.generation,
            self.client,
            self.exchange,
            rules,
            from,
            sees,
            contents,
        )
    }
}

fn with_cx<R>(
    local: &Local,
    generation: &Generation,
    client: &Client,
    exchange: &Exchange,
    evaluate: impl FnOnce(&Cx<'_>) -> R,
) -> R {
    let world = CoreWorld { local, generation };
    let effects = Effects::default();
    let has = |head: &wire::Head| !head.method().is_empty() || head.status() != 0;
    // Without a head the bytes themselves are the request (mode tcp).
    let received = Some(&client.link)
        .filter(|_| !has(&exchange.request))
        .and_then(crate::mux::Link::linearize);
    evaluate(&Cx {
        session: &client.facts,
        stream: &exchange.facts,
        request: Some(&exchange.request).filter(|head| has(head)),
        response: Some(&exchange.response).filter(|head| has(head)),
        request_data: Data {
            bytes: received.as_deref().unwrap_or(&[]),
            complete: false,
            last_chance: true,
        },
        response_data: Data::default(),
        captures: &exchange.captures,
        session_vars: &client.vars,
        vars: &exchange.vars,
        overrides: &exchange.overrides,
        effects: &effects,
        world: &world,
        clock: local.clock(),
        random: &local.random,
    })
}

/// Runs a ruleset on a connection or a stream.
#[expect(
    clippy::too_many_arguments,
    reason = "the parts of a stream, and of one evaluation"
)]
pub fn evaluate(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
    exchange: &mut Exchange,
    rules: &Ruleset,
    from: usize,
    sees: Sees,
    contents: Contents<'_>,
) -> Verdict {
    let world = CoreWorld { local, generation };
    let mut scratch = local.take_scratch();
    let mut txn = Txn {
        session: &client.facts,
        stream: &mut exchange.facts,
        request: Some(&mut exchange.request).filter(|_| sees != Sees::Connection),
        response: Some(&mut exchange.response).filter(|_| sees == Sees::Response),
        request_data: contents.request,
        response_data: contents.response,
        captures: &mut exchange.captures,
        session_vars: &mut client.vars,
        vars: &mut exchange.vars,
        overrides: &mut exchange.overrides,
        world: &world,
        clock: local.clock(),
        random: &local.random,
        effects: Effects::default(),
        scratch: &mut scratch,
    };
    let verdict = rules.evaluate(from, &mut txn);
    local.keep_scratch(scratch);
    verdict
}
