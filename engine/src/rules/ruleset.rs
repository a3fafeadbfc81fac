//! Rulesets: rules in order, evaluated until one of them decides.

use std::sync::Arc;

use cfgparse::model::rule;

use crate::sample::{CompileError, Compiler, Point};

use super::action::{self, Act, Flow};
use super::condition::{Condition, Holds};
use super::txn::Txn;
use super::verdict::Verdict;

/// Which ruleset of a proxy (manual, 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    TcpRequestConnection,
    TcpRequestSession,
    TcpRequestContent,
    TcpResponseContent,
    HttpRequest,
    HttpResponse,
    HttpAfterResponse,
}

impl Kind {
    /// Where the rules' expressions are evaluated.
    pub fn point(self) -> Point {
        match self {
            Kind::TcpRequestConnection => Point::Connection,
            Kind::TcpRequestSession => Point::Session,
            Kind::TcpRequestContent => Point::RequestContent,
            Kind::TcpResponseContent => Point::ResponseContent,
            Kind::HttpRequest => Point::HttpRequest,
            Kind::HttpResponse => Point::HttpResponse,
            Kind::HttpAfterResponse => Point::HttpAfterResponse,
        }
    }

    /// Rules that wait for more bytes rather than take an unknown condition as false.
    fn waits(self) -> bool {
        matches!(self, Kind::TcpRequestContent | Kind::TcpResponseContent)
    }

    /// The status of `deny` where none is given.
    pub(super) fn deny_status(self) -> u16 {
        if self.is_response() { 502 } else { 403 }
    }

    /// Whether its rules change the response.
    pub fn is_response(self) -> bool {
        matches!(
            self,
            Kind::TcpResponseContent | Kind::HttpResponse | Kind::HttpAfterResponse
        )
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::TcpRequestConnection => "tcp-request connection",
            Kind::TcpRequestSession => "tcp-request session",
            Kind::TcpRequestContent => "tcp-request content",
            Kind::TcpResponseContent => "tcp-response content",
            Kind::HttpRequest => "http-request",
            Kind::HttpResponse => "http-response",
            Kind::HttpAfterResponse => "http-after-response",
        }
    }
}

/// The compiled rules of one kind of one proxy.
#[derive(Debug)]
pub struct Ruleset {
    kind: Kind,
    rules: Box<[Rule]>,
}

#[derive(Debug)]
struct Rule {
    condition: Option<Condition>,
    action: Box<dyn Act>,
    file: Arc<str>,
    line: u32,
}

impl Ruleset {
    /// Compiles `rules`; every one that is wrong yields an error.
    pub fn compile(
        rules: &[rule::Rule],
        kind: Kind,
        compiler: &mut Compiler<'_>,
    ) -> Result<Ruleset, Vec<CompileError>> {
        let mut errors = Vec::new();
        let mut compiled = Vec::with_capacity(rules.len());
        compiler.point = kind.point();
        for rule in rules {
            compiler.at = rule.at;
            match compile_rule(rule, kind, compiler) {
                Ok(rule) => compiled.push(rule),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Ruleset {
            kind,
            rules: compiled.into_boxed_slice(),
        })
    }

    /// A ruleset without rules.
    pub fn empty(kind: Kind) -> Ruleset {
        Ruleset {
            kind,
            rules: Box::default(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Evaluates from rule number `from` (0 at first, later what a waiting verdict named).
    pub fn evaluate(&self, from: usize, txn: &mut Txn<'_>) -> Verdict {
        for (position, rule) in self.rules.iter().enumerate().skip(from) {
            // A rule that asked and has its answer has passed its condition.
            let is_resumed = position == from && txn.stream.resolved.is_some();
            if let Some(condition) = rule.condition.as_ref().filter(|_| !is_resumed) {
                let holds = condition.holds(&txn.cx());
                txn.apply_effects();
                match holds {
                    Holds::No => continue,
                    Holds::NotYet if self.kind.waits() => return Verdict::Wait { rule: position },
                    Holds::NotYet if !condition.passes_unknown() => continue,
                    Holds::NotYet | Holds::Yes => {}
                }
            }
            match rule.action.run(txn, self.kind) {
                Flow::NotYet if self.kind.waits() => return Verdict::Wait { rule: position },
                Flow::Next | Flow::NotYet => {}
                Flow::WaitForBody {
                    time_ms,
                    at_least_bytes,
                } => {
                    return Verdict::WaitForBody {
                        rule: position,
                        time_ms,
                        at_least_bytes,
                    };
                }
                Flow::Resolve(lookup) => {
                    return Verdict::Resolve {
                        rule: position,
                        lookup,
                    };
                }
                Flow::Pause { ms } => return Verdict::Pause { rule: position, ms },
                Flow::Hint => return Verdict::EarlyHint { rule: position },
                Flow::Stop(verdict) => {
                    txn.stream.last_rule = Some((rule.file.clone(), rule.line));
                    return verdict;
                }
            }
        }
        Verdict::Continue
    }
}

fn compile_rule(
    rule: &rule::Rule,
    kind: Kind,
    compiler: &mut Compiler<'_>,
) -> Result<Rule, CompileError> {
    let action = action::compile(&rule.action, kind, compiler)?;
    compiler.at = rule.at;
    let condition = rule
        .condition
        .as_ref()
        .map(|condition| Condition::compile(condition, compiler))
        .transpose()?;
    Ok(Rule {
        condition,
        action,
        file: compiler.names.file_name(rule.at.file),
        line: rule.at.line,
    })
}
