//! Evaluation where there is no stream: at the start of the process, and of lines that others log.

use std::cell::Cell;

use super::{
    Captures, Clock, Cx, Data, Effects, SessionFacts, StreamFacts, StreamVars, VarStore, World,
};
use crate::plan::{ListenerId, ProxyId};
use crate::rules::Overrides;

/// A session and a stream of which nothing is known.
pub struct Outside {
    session: SessionFacts,
    stream: StreamFacts,
    captures: Captures,
    session_vars: VarStore,
    vars: StreamVars,
    overrides: Overrides,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            session: SessionFacts::new(ProxyId(0), ListenerId(0)),
            stream: StreamFacts::default(),
            captures: Captures::default(),
            session_vars: VarStore::default(),
            vars: StreamVars::default(),
            overrides: Overrides::default(),
        }
    }
}

impl Outside {
    /// What expressions may see: the process, and the time.
    pub fn cx<'a>(
        &'a self,
        world: &'a dyn World,
        effects: &'a Effects,
        random: &'a Cell<u64>,
        clock: Clock,
    ) -> Cx<'a> {
        Cx {
            session: &self.session,
            stream: &self.stream,
            request: None,
            response: None,
            request_data: Data::default(),
            response_data: Data::default(),
            captures: &self.captures,
            session_vars: &self.session_vars,
            vars: &self.vars,
            overrides: &self.overrides,
            effects,
            world,
            clock,
            random,
        }
    }
}
