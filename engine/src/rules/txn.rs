//! What rules may change: a struct of mutable references to one stream's parts.

use std::cell::Cell;

use wire::Head;

use crate::log::Level;
use crate::sample::{
    Captures, Clock, Cx, Data, Effect, Effects, ProxyTimeout, Scope, SessionFacts, StreamFacts,
    StreamVars, Value, VarRef, VarStore, World,
};

/// The stream's parts that rules read and change.
pub struct Txn<'t> {
    pub session: &'t SessionFacts,
    pub stream: &'t mut StreamFacts,
    pub request: Option<&'t mut Head>,
    pub response: Option<&'t mut Head>,
    pub request_data: Data<'t>,
    pub response_data: Data<'t>,
    pub captures: &'t mut Captures,
    pub session_vars: &'t mut VarStore,
    pub vars: &'t mut StreamVars,
    pub overrides: &'t mut Overrides,
    pub world: &'t dyn World,
    pub clock: Clock,
    pub random: &'t Cell<u64>,
    /// Writes of the expression at hand; empty between two expressions.
    pub effects: Effects,
    /// A buffer that rules render into; its memory is kept by the caller.
    pub scratch: &'t mut Vec<u8>,
}

/// What rules changed about how the stream is handled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `set-log-level`
    pub log_level: Option<LogLevel>,
    /// `set-timeout`, milliseconds; 0 means none.
    pub client_timeout_ms: Option<u32>,
    pub server_timeout_ms: Option<u32>,
    pub tunnel_timeout_ms: Option<u32>,
    pub connect_timeout_ms: Option<u32>,
    pub queue_timeout_ms: Option<u32>,
    pub tarpit_timeout_ms: Option<u32>,
    /// `set-priority-class`
    pub priority_class: i32,
    /// `set-priority-offset`
    pub priority_offset_ms: i32,
    /// `set-bc-tos`
    pub server_tos: Option<u8>,
    /// `set-bc-mark`
    pub server_mark: Option<u32>,
    /// `disable-l7-retry`: what was sent is not sent again.
    pub no_l7_retry: bool,
    /// `strict-mode off`: failed rewrites are skipped.
    pub lenient: bool,
    /// `expect-proxy layer4`: a PROXY protocol header comes first on this connection.
    pub expects_proxy: bool,
    /// The field of a 103 response that is not sent yet (`early-hint`).
    pub hint: Option<(Box<[u8]>, Vec<u8>)>,
    /// Rewrites that failed.
    pub failed_rewrites: u32,
}

/// The level of a stream's log line as a rule set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// No line at all.
    Silent,
    At(Level),
}

impl Overrides {
    /// Another backend has timeouts of its own.
    pub fn forget_server_side(&mut self) {
        self.connect_timeout_ms = None;
        self.queue_timeout_ms = None;
        self.server_timeout_ms = None;
        self.tunnel_timeout_ms = None;
    }

    /// A timeout as `set-timeout` left it.
    pub fn timeout_ms(&self, which: ProxyTimeout) -> Option<u32> {
        match which {
            ProxyTimeout::Client => self.client_timeout_ms,
            ProxyTimeout::Connect => self.connect_timeout_ms,
            ProxyTimeout::Server => self.server_timeout_ms,
            ProxyTimeout::Queue => self.queue_timeout_ms,
            ProxyTimeout::Tarpit => self.tarpit_timeout_ms,
            ProxyTimeout::Tunnel => self.tunnel_timeout_ms,
        }
    }
}

impl<'t> Txn<'t> {
    /// What expressions see of this.
    pub fn cx(&self) -> Cx<'_> {
        Cx {
            session: self.session,
            stream: self.stream,
            request: self.request.as_deref(),
            response: self.response.as_deref(),
            request_data: self.request_data,
            response_data: self.response_data,
            captures: self.captures,
            session_vars: self.session_vars,
            vars: self.vars,
            overrides: self.overrides,
            effects: &self.effects,
            world: self.world,
            clock: self.clock,
            random: self.random,
        }
    }

    /// Sets or unsets a variable.
    pub fn set_var(&mut self, var: VarRef, value: Option<Value<'static>>) {
        let store = match var.scope {
            Scope::Proc => return self.world.set_proc_var(var.slot, value),
            Scope::Sess => &mut *self.session_vars,
            Scope::Txn => &mut self.vars.txn,
            Scope::Req => &mut self.vars.req,
            Scope::Res => &mut self.vars.res,
            Scope::Check | Scope::Parent => return,
        };
        match value {
            Some(value) => store.set(var.slot, value),
            None => store.unset(var.slot),
        }
    }

    /// Stores what expressions wrote while they were evaluated.
    pub fn apply_effects(&mut self) {
        if self.effects.is_empty() {
            return;
        }
        for effect in self.effects.take() {
            match effect {
                Effect::Var(var, value) => self.set_var(var, value),
                Effect::CaptureRequest(slot, text) => self.captures.request.set(slot, &text),
                Effect::CaptureResponse(slot, text) => self.captures.response.set(slot, &text),
            }
        }
    }

    /// Lends the scratch buffer, empty, to `fill`, then gives its text to `use_it`.
    pub(super) fn with_scratch<R>(
        &mut self,
        fill: impl FnOnce(&Cx<'_>, &mut Vec<u8>),
        use_it: impl FnOnce(&mut Txn<'t>, &mut Vec<u8>) -> R,
    ) -> R {
        let mut scratch = std::mem::take(self.scratch);
        scratch.clear();
        fill(&self.cx(), &mut scratch);
        self.apply_effects();
        let result = use_it(self, &mut scratch);
        *self.scratch = scratch;
        result
    }
}
