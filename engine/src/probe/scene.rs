//! What expressions in checks see: the server's names, what it said, and variables of the check.

use std::cell::Cell;
use std::net::SocketAddr;

use wire::Head;

use crate::log::{Format, Purpose};
use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::rules::Overrides;
use crate::sample::{
    Captures, Clock, Cx, Data, Effect, Effects, Expr, Scope, SessionFacts, StreamFacts, StreamVars,
    Value, VarCondition, VarRef, VarStore, World,
};

use super::ruleset::{VarSource, VarStep};

/// Whom a check is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub backend: ProxyId,
    pub server: ServerId,
}

/// The process that expressions are evaluated in.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub world: &'a dyn World,
    pub clock: Clock,
    pub random: &'a Cell<u64>,
}

/// What the server said so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Heard<'a> {
    pub response: Option<&'a Head>,
    /// The bytes of its answer, or of the answer's body.
    pub data: Data<'a>,
}

/// A check's own scene; it lives as long as one check.
#[derive(Debug)]
pub(super) struct Scene {
    session: SessionFacts,
    stream: StreamFacts,
    session_vars: VarStore,
    vars: StreamVars,
}

impl Scene {
    pub fn new(subject: Subject) -> Self {
        Self {
            session: SessionFacts::new(subject.backend, ListenerId(0)),
            stream: StreamFacts {
                backend: Some(subject.backend),
                server: Some(subject.server),
                ..StreamFacts::default()
            },
            session_vars: VarStore::default(),
            vars: StreamVars::default(),
        }
    }

    pub fn connected(&mut self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        (self.stream.server_side_src, self.stream.server_side_dst) = (local, peer);
    }

    /// The text of a format.
    pub fn text(&mut self, format: &Format, heard: Heard<'_>, asking: Asking<'_>) -> Vec<u8> {
        match format.constant() {
            Some(text) => text.to_vec(),
            None => self.eval(heard, asking, |cx| {
                let mut text = Vec::new();
                format.render(cx, Purpose::Raw, &mut text);
                text
            }),
        }
    }

    /// The number that an expression gives; 0 without one.
    pub fn number(&mut self, expr: &Expr, heard: Heard<'_>, asking: Asking<'_>) -> i64 {
        self.eval(heard, asking, |cx| {
            let value = expr.eval(cx).value()?;
            match value.cast(crate::sample::Type::Sint)? {
                Value::Sint(number) => Some(number),
                _ => None,
            }
        })
        .unwrap_or(0)
    }

    /// `set-var` and its relatives.
    pub fn set(&mut self, step: &VarStep, heard: Heard<'_>, asking: Asking<'_>) {
        let value = self.eval(heard, asking, |cx| {
            let value = match &step.source {
                VarSource::Nothing => return Some(None),
                VarSource::Expr(expr) => expr.eval(cx).value().map(Value::into_owned),
                VarSource::Format(format) => {
                    let mut text = Vec::new();
                    format.render(cx, Purpose::Raw, &mut text);
                    Some(Value::text(text))
                }
            };
            // Without a value the variable stays as it is.
            let value = value?;
            let old = cx.var(step.var);
            let scope = step.var.scope;
            let is_allowed = |only: &VarCondition| only.allows(scope, old.as_ref(), &value);
            step.only.iter().all(is_allowed).then_some(Some(value))
        });
        if let Some(value) = value {
            self.store(step.var, value, asking);
        }
    }

    fn store(&mut self, var: VarRef, value: Option<Value<'static>>, asking: Asking<'_>) {
        let store = match var.scope {
            Scope::Proc => return asking.world.set_proc_var(var.slot, value),
            Scope::Sess => &mut self.session_vars,
            Scope::Check => &mut self.vars.check,
            Scope::Txn | Scope::Req | Scope::Res | Scope::Parent => return,
        };
        match value {
            Some(value) => store.set(var.slot, value),
            None => store.unset(var.slot),
        }
    }

    fn eval<R>(
        &mut self,
        heard: Heard<'_>,
        asking: Asking<'_>,
        evaluate: impl FnOnce(&Cx<'_>) -> R,
    ) -> R {
        if self.session.accepted_us == 0 {
            self.session.accepted_us = asking.clock.unix_us;
            self.stream.request_us = asking.clock.unix_us;
        }
        let mut effects = Effects::default();
        let (captures, overrides) = (Captures::default(), Overrides::default());
        let result = evaluate(&Cx {
            session: &self.session,
            stream: &self.stream,
            request: None,
            response: heard.response,
            request_data: Data::default(),
            response_data: heard.data,
            captures: &captures,
            session_vars: &self.session_vars,
            vars: &self.vars,
            overrides: &overrides,
            effects: &effects,
            world: asking.world,
            clock: asking.clock,
            random: asking.random,
        });
        for effect in effects.take() {
            if let Effect::Var(var, value) = effect {
                self.store(var, value, asking);
            }
        }
        result
    }
}

/// A number that a text writes in pairs of hexadecimal digits.
pub(super) fn bytes_of_hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}
