//! Actions: one file each, compiled from the model's [`Action`].

mod address;
mod auth;
mod body;
mod cache;
mod capture;
mod counter;
mod do_log;
mod flow;
mod header;
mod hint;
mod log_level;
mod map;
mod mark;
mod normalize;
mod priority;
mod redirect;
mod replace;
mod reply;
mod resolve;
mod status;
mod timeout;
mod track;
mod uri;
mod var;

pub use reply::CompiledReply;

use cfgparse::model::rule::Action;

use crate::sample::{CompileError, Compiler};

use super::ruleset::Kind;
use super::txn::Txn;
use super::verdict::{Lookup, Verdict};

/// A compiled action.
pub trait Act: std::fmt::Debug + Send + Sync {
    /// Does it.
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow;
}

/// How evaluation goes on behind an action.
#[derive(Debug)]
pub enum Flow {
    /// With the next rule.
    Next,
    /// With this rule again, when the body is buffered.
    WaitForBody {
        time_ms: u32,
        at_least_bytes: Option<u64>,
    },
    /// With the next rule, after a while.
    Pause { ms: u32 },
    /// With the next rule, when the client has been told.
    Hint,
    /// With this rule again when more bytes have come, where the ruleset waits for them.
    NotYet,
    /// With this rule again, when the name is looked up: the answer is in the stream's facts.
    Resolve(Box<Lookup>),
    /// Not at all.
    Stop(Verdict),
}

impl Flow {
    /// A rewrite failed: fatal in strict mode (manual, `strict-mode`).
    pub fn rewrite_failed(txn: &mut Txn<'_>) -> Flow {
        txn.overrides.failed_rewrites += 1;
        if txn.overrides.lenient {
            Flow::Next
        } else {
            Flow::Stop(Verdict::InternalError)
        }
    }
}

type Compiled = Result<Box<dyn Act>, CompileError>;

/// Compiles `action` for a ruleset of `kind`.
pub fn compile(action: &Action, kind: Kind, compiler: &mut Compiler<'_>) -> Compiled {
    match action {
        Action::Accept
        | Action::Reject
        | Action::SilentDrop
        | Action::StrictMode(_)
        | Action::DisableL7Retry
        | Action::UseService(_)
        | Action::ExpectProxy => Ok(flow::compile(action)),
        Action::Deny(_) | Action::Tarpit(_) | Action::Return(_) => {
            reply::compile(action, kind, compiler)
        }
        Action::Redirect(redirect) => redirect::compile(redirect, kind, compiler),
        Action::Auth { realm } => Ok(auth::compile(realm.as_deref())),
        Action::AddHeader { .. } | Action::SetHeader { .. } | Action::DelHeader { .. } => {
            header::compile(action, compiler)
        }
        Action::ReplaceHeader { .. } | Action::ReplaceValue { .. } => {
            replace::compile(action, compiler)
        }
        Action::SetMethod(_)
        | Action::SetPath(_)
        | Action::SetPathq(_)
        | Action::SetQuery(_)
        | Action::SetUri(_)
        | Action::ReplacePath { .. }
        | Action::ReplacePathq { .. }
        | Action::ReplaceUri { .. } => uri::compile(action, compiler),
        Action::NormalizeUri { .. } => normalize::compile(action, compiler),
        Action::SetStatus { status, reason } => Ok(status::compile(*status, reason.as_deref())),
        Action::SetVar { .. } | Action::SetVarFormat { .. } | Action::UnsetVar { .. } => {
            var::compile(action, compiler)
        }
        Action::CacheUse(_) | Action::CacheStore(_) => cache::compile(action, compiler),
        Action::DoResolve { .. } => resolve::compile(action, compiler),
        Action::Capture { expr, slot } => capture::compile(expr, *slot, kind, compiler),
        Action::SetSrc(_) | Action::SetSrcPort(_) | Action::SetDst(_) | Action::SetDstPort(_) => {
            address::compile(action, compiler)
        }
        Action::DoLog { .. } => do_log::compile(action, compiler),
        Action::SetLogLevel(level) => log_level::compile(*level, compiler),
        Action::SetTimeout { which, value } => timeout::compile(*which, value, compiler),
        Action::Pause(time) => timeout::compile_pause(time, compiler),
        Action::EarlyHint { name, value } => hint::compile(name, value, compiler),
        Action::SetFcTos(_) | Action::SetFcMark(_) | Action::SetBcTos(_) | Action::SetBcMark(_) => {
            mark::compile(action, compiler)
        }
        Action::SetPriorityClass(_) | Action::SetPriorityOffset(_) => {
            priority::compile(action, compiler)
        }
        Action::SetRetries(expr) => timeout::compile_retries(expr, compiler),
        Action::Pattern { .. } => map::compile(action, compiler),
        Action::WaitForBody {
            time_ms,
            at_least_bytes,
        } => Ok(body::compile(*time_ms, *at_least_bytes)),
        Action::Track {
            counter,
            key,
            table,
        } => track::compile(*counter, key, table.as_deref(), compiler),
        Action::Counter { counter, change } => counter::compile(*counter, change, compiler),
        Action::Known { name, .. } => Err(compiler.error(
            format!("'{} {name}' is not supported yet", kind.words()),
            "remove this rule until it is",
        )),
    }
}
