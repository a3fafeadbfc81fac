//! Variables of the process get their first values (manual, 3.1 `set-var`).

use std::cell::Cell;

use super::Runtime;
use crate::log::Purpose;
use crate::plan::{ListenerId, ProxyId, ServerId, StartSource, StartValue};
use crate::rules::Overrides;
use crate::sample::pattern::{CorePatterns, PatternView};
use crate::sample::{
    Captures, Clock, Cx, Data, Effect, Effects, SessionFacts, StreamFacts, StreamVars, Value,
    VarStore, World,
};

/// The process before it has a core.
struct Start<'r> {
    runtime: &'r Runtime,
    patterns: CorePatterns,
}

impl World for Start<'_> {
    fn proxy_name(&self, proxy: ProxyId) -> &str {
        &self.runtime.plan.proxy(proxy).name
    }

    fn server_name(&self, server: ServerId) -> &str {
        &self.runtime.plan.server(server).name
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn host_name(&self) -> &str {
        &self.runtime.plan.process.host_name
    }

    fn proc_var(&self, slot: u32) -> Option<Value<'static>> {
        self.runtime.proc_vars.now(slot)
    }

    fn patterns(&self) -> PatternView<'_> {
        PatternView {
            live: &self.runtime.patterns,
            core: &self.patterns,
        }
    }
}

/// Evaluates what `global` says, in order: a later line may read what an earlier one set.
pub fn set(runtime: &Runtime, values: &[StartValue]) {
    let world = Start {
        runtime,
        patterns: CorePatterns::default(),
    };
    let session = SessionFacts::new(ProxyId(0), ListenerId(0));
    let stream = StreamFacts::default();
    let (captures, session_vars) = (Captures::default(), VarStore::default());
    let vars = StreamVars::default();
    let overrides = Overrides::default();
    let random = Cell::new(reactor::process::monotonic_ms() | 1);
    for StartValue { var, source } in values {
        let mut effects = Effects::default();
        let cx = Cx {
            session: &session,
            stream: &stream,
            request: None,
            response: None,
            request_data: Data::default(),
            response_data: Data::default(),
            captures: &captures,
            session_vars: &session_vars,
            vars: &vars,
            overrides: &overrides,
            effects: &effects,
            world: &world,
            clock: Clock {
                unix_us: runtime.process.started_unix_s * 1_000_000,
                utc_offset_s: reactor::process::utc_offset_s(),
            },
            random: &random,
        };
        let value = match source {
            StartSource::Expr(expr) => expr.eval(&cx).value().map(Value::into_owned),
            StartSource::Format(format) => {
                let mut text = Vec::new();
                format.render(&cx, Purpose::Raw, &mut text);
                Some(Value::text(text))
            }
        };
        for effect in effects.take() {
            if let Effect::Var(var, value) = effect {
                runtime.proc_vars.set(var.slot, value);
            }
        }
        runtime.proc_vars.set(var.slot, value);
    }
}
