//! Rules and expressions, given what they may see of a stream.

use std::cell::OnceCell;

use super::world::CoreWorld;
use super::{Client, Exchange, Local, Stream};
use crate::mux::h1::{Extent, Preview};
use crate::rules::{Condition, Ruleset, Txn, Verdict};
use crate::sample::{Cx, Data, Effects};
use crate::state::Generation;

/// What a ruleset may see.
#[derive(Clone, Copy, Debug)]
pub enum Sees<'a> {
    /// A connection, and bytes that are no message.
    Bytes(Contents<'a>),
    /// The request, and what has been seen of its body.
    Request,
    /// The same for a content rule of `mode http`, until its inspection is over.
    Inspected { is_over: bool },
    /// Both messages.
    Response,
}

/// The bytes that a content rule of `mode tcp` looks at.
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
    pub fn evaluate(&mut self, rules: &Ruleset, from: usize, sees: Sees<'_>) -> Verdict {
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
        )
    }
}

/// What has been seen of a body, for those who ask.
fn seen(body: &Preview) -> Data<'_> {
    Data {
        bytes: body.bytes(),
        complete: body.extent() != Extent::Part,
        last_chance: false,
        is_inspected: false,
    }
}

fn with_cx<R>(
    local: &Local,
    generation: &Generation,
    client: &Client,
    exchange: &Exchange,
    evaluate: impl FnOnce(&Cx<'_>) -> R,
) -> R {
    let world = CoreWorld {
        local,
        generation,
        client: &client.link,
        server: exchange.server_socket.as_ref(),
        marks: &exchange.marks,
        patterns: OnceCell::new(),
    };
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
        request_data: match &received {
            Some(bytes) => Data {
                bytes,
                complete: false,
                last_chance: true,
                is_inspected: false,
            },
            None => seen(&exchange.request_body),
        },
        response_data: seen(&exchange.response_body),
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
pub fn evaluate(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
    exchange: &mut Exchange,
    rules: &Ruleset,
    from: usize,
    sees: Sees<'_>,
) -> Verdict {
    let world = CoreWorld {
        local,
        generation,
        client: &client.link,
        server: exchange.server_socket.as_ref(),
        marks: &exchange.marks,
        patterns: OnceCell::new(),
    };
    let mut scratch = local.take_scratch();
    let contents = match sees {
        Sees::Bytes(contents) => contents,
        Sees::Request | Sees::Response => Contents {
            request: seen(&exchange.request_body),
            response: seen(&exchange.response_body),
        },
        Sees::Inspected { is_over } => Contents {
            request: Data {
                last_chance: is_over,
                is_inspected: true,
                ..seen(&exchange.request_body)
            },
            response: Data::default(),
        },
    };
    let mut txn = Txn {
        session: &client.facts,
        stream: &mut exchange.facts,
        request: Some(&mut exchange.request).filter(|_| !matches!(sees, Sees::Bytes(_))),
        response: Some(&mut exchange.response).filter(|_| matches!(sees, Sees::Response)),
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
