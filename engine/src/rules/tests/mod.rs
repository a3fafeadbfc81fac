//! Rulesets on whole messages, against what HAProxy 3.5 answers.

mod answers;
mod conditions;
mod effects;
mod rewrites;

use cfgparse::model::Place;
use cfgparse::model::expr::{
    Acl, AclExpr, AclTest, Condition, FormatPart, LogFormat, MatchMethod, Pattern, Term,
};
use cfgparse::model::rule::{
    Action, CaptureSlot, HeaderMatch, Redirect, RedirectKind, Reply, ReplyBody, Rule,
    SettableTimeout, TimeoutValue,
};

use crate::plan::ProxyId;
use crate::sample::testing::{Process, Scene, expr, format};
use crate::sample::{Compiler, Point};

use super::{Answer, AnswerBody, Kind, LogLevel, Ruleset, Verdict};

/// `sample -m method patterns`, with `-i` where the method's word ends in `i`.
fn acl(sample: &str, method: MatchMethod, patterns: &[&str]) -> AclExpr {
    AclExpr {
        sample: expr(sample),
        method,
        ignore_case: false,
        no_dns: false,
        unique_id: None,
        as_map: false,
        patterns: patterns
            .iter()
            .map(|&text| Pattern {
                text: text.to_owned(),
                at: Place::default(),
            })
            .collect(),
        files: Vec::new(),
        at: Place::default(),
    }
}

fn one(test: AclExpr) -> Term {
    Term {
        negated: false,
        test: AclTest::Anonymous(Box::new(test)),
    }
}

fn name(name: &str) -> Term {
    Term {
        negated: name.starts_with('!'),
        test: AclTest::Named(name.trim_start_matches('!').to_owned()),
    }
}

fn when(any_of: Vec<Vec<Term>>) -> Condition {
    Condition {
        negated: false,
        any_of,
        text: String::new(),
    }
}

fn rule(action: Action) -> Rule {
    Rule {
        action,
        condition: None,
        at: Place::default(),
    }
}

fn rule_if(action: Action, condition: Condition) -> Rule {
    Rule {
        condition: Some(condition),
        ..rule(action)
    }
}

fn text(text: &str) -> LogFormat {
    LogFormat {
        parts: vec![FormatPart::Text(text.to_owned())],
        text: text.to_owned(),
        ..LogFormat::default()
    }
}

fn compile(rules: &[Rule], kind: Kind, acls: &[Acl]) -> Ruleset {
    let names = Process::default();
    let mut compiler = Compiler::new(&names);
    compiler.enter(ProxyId(0), acls);
    compiler.captures.request = vec![4];
    Ruleset::compile(rules, kind, &mut compiler).unwrap()
}

fn run(scene: &mut Scene, kind: Kind, rules: &[Rule]) -> Verdict {
    compile(rules, kind, &[]).evaluate(0, &mut scene.txn())
}

fn fields(scene: &Scene) -> Vec<String> {
    let head = scene.request.as_ref().unwrap();
    head.fields()
        .map(|(name, value)| {
            format!(
                "{}: {}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value)
            )
        })
        .collect()
}

fn target(scene: &Scene) -> String {
    let head = scene.request.as_ref().unwrap();
    String::from_utf8_lossy(head.target()).into_owned()
}
