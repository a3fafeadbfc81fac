//! A proxy, or a `defaults` section, while its lines are read.

use std::collections::HashMap;

use crate::args::Args;
use crate::ast::Word;
use crate::build::server::Params;
use crate::context::{Context, Reference};
use crate::diagnostic::Span;
use crate::expr::scope::Scope;
use crate::expr::{condition, format, sample};
use crate::model::Place;
use crate::model::check::{CheckKind, CheckRule, HttpCheck};
use crate::model::expr::{Condition, LogFormat, SampleExpr};
use crate::model::proxy::Proxy;
use crate::model::server::Server;
use crate::registry::sample::Where;

/// A fault that was reported already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported;

/// What a section has said so far.
#[derive(Clone)]
pub struct Draft {
    pub proxy: Proxy,
    pub scope: Scope,
    /// It is a `defaults` section; named, if its name isn't empty.
    pub is_defaults: bool,
    /// `default-server` lines.
    pub default_server: Params,
    /// `default-server name NAME` lines, for `from srv:NAME`.
    pub named_params: HashMap<String, Params>,
    /// Where each server's name was first given.
    pub server_places: HashMap<String, Place>,
    pub log_global: bool,
    /// The backend that the last `default_backend` names.
    pub default_backend: Option<Reference>,
    /// The check's rules are those of a `defaults` section.
    pub check_is_inherited: bool,
    /// The section's header.
    pub span: Span,
}

impl Draft {
    pub fn new(span: Span) -> Self {
        Self {
            proxy: Proxy {
                at: span.at,
                ..Proxy::default()
            },
            scope: Scope::default(),
            is_defaults: false,
            default_server: Params::default(),
            named_params: HashMap::new(),
            server_places: HashMap::new(),
            log_global: false,
            default_backend: None,
            check_is_inherited: false,
            span,
        }
    }

    /// What `default-server` lines have said: the unnamed one, if it says anything, then the named
    /// ones.
    pub fn default_servers(&self) -> Vec<(String, Server)> {
        let plain = &self.default_server.server;
        let says_something = *plain != Params::default().server;
        let mut found: Vec<_> = self
            .named_params
            .iter()
            .map(|(name, params)| (name.clone(), params.server.clone()))
            .chain(says_something.then(|| (String::new(), plain.clone())))
            .collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }

    /// Adds a line of `http-check` or `tcp-check`. The first of a section takes the place of all
    /// that were inherited, and of the request of an inherited `option httpchk`.
    pub fn add_check_rule(&mut self, rule: CheckRule) {
        self.begin_check();
        self.proxy.check.rules.push(rule);
    }

    /// The section says itself how its servers are checked.
    pub fn begin_check(&mut self) {
        if std::mem::take(&mut self.check_is_inherited) {
            self.proxy.check.rules.clear();
            if let CheckKind::Http(request) = &mut self.proxy.check.kind {
                *request = HttpCheck::default();
            }
        }
    }

    /// `frontend 'x'`, as messages call it.
    pub fn described(&self) -> String {
        if self.is_defaults {
            return "defaults".to_owned();
        }
        let kind = match self.proxy.kind.keyword() {
            "listen" => "proxy",
            kind => kind,
        };
        format!("{kind} '{}'", self.proxy.name)
    }

    /// The section's keyword.
    pub fn keyword(&self) -> &'static str {
        if self.is_defaults {
            "defaults"
        } else {
            self.proxy.kind.keyword()
        }
    }

    /// Where a request-side rule of this proxy runs.
    pub fn request_place(&self) -> Where {
        self.place_of(
            Where::FeHttpRequest,
            Where::BeHttpRequest,
            Where::ListenHttpRequest,
        )
    }

    /// Which of three places applies, by what this proxy is.
    pub fn place_of(&self, frontend: Where, backend: Where, both: Where) -> Where {
        let kind = self.proxy.kind;
        match (kind.has_frontend(), kind.has_backend()) {
            _ if self.is_defaults => backend,
            (true, true) => both,
            (true, false) => frontend,
            _ => backend,
        }
    }

    /// An optional `if`/`unless` at the end of a line. A fault is reported here.
    pub fn condition(
        &self,
        cx: &mut Context,
        args: &mut Args,
        place: Where,
        what: &str,
    ) -> Result<Option<Condition>, Reported> {
        let Some(word) = args.peek() else {
            return Ok(None);
        };
        if !matches!(word.as_str(), "if" | "unless") {
            let message = format!(
                "'{what}' expects either 'if' or 'unless' followed by a condition but found '{}'.",
                word.text
            );
            cx.alert(word.span(), "extra-argument", message);
            return Err(Reported);
        }
        self.condition_of(cx, args.rest(), place, what).map(Some)
    }

    /// A condition that must be there.
    pub fn needed_condition(
        &self,
        cx: &mut Context,
        args: &mut Args,
        place: Where,
        what: &str,
    ) -> Option<Condition> {
        if args.is_empty() {
            let message =
                format!("'{what}' requires either 'if' or 'unless' followed by a condition.");
            cx.alert(args.here(), "missing-argument", message);
            return None;
        }
        self.condition(cx, args, place, what).ok().flatten()
    }

    fn condition_of(
        &self,
        cx: &mut Context,
        words: &[Word],
        place: Where,
        what: &str,
    ) -> Result<Condition, Reported> {
        condition::parse(cx, &self.scope, words, place).map_err(|fault| {
            let prefix = format!("error detected while parsing a '{what}' condition : ");
            fault.report(cx, &prefix);
            Reported
        })
    }
}

/// A log-format string from the next word.
pub fn log_format(
    cx: &mut Context,
    args: &mut Args,
    place: Where,
    what: &str,
) -> Option<LogFormat> {
    let word = args.required(cx, what)?;
    let label = args.label();
    match format::parse(cx, &word.text, word.span(), place) {
        Ok(format) => Some(format),
        Err(fault) => {
            fault.report(cx, &format!("'{label}' : "));
            None
        }
    }
}

/// A sample expression from the next word, which must have data at `place`. HAProxy takes its
/// converters as words of their own, too.
pub fn sample_expr(cx: &mut Context, args: &mut Args, place: Where) -> Option<SampleExpr> {
    let word = args.required(cx, "a sample expression")?;
    let label = args.label();
    let mut text = word.text.clone();
    while let Some(next) = args.peek().filter(|next| sample::is_converter(&next.text)) {
        text.push(',');
        text.push_str(&next.text);
        args.next();
    }
    match sample::parse(cx, &text, word.span()) {
        Ok(parsed) if parsed.available & place.bit() == 0 => {
            let message = format!(
                "'{label}' : fetch method '{}' needs data that is not available in '{}'.",
                parsed.expr.fetch.name,
                place.words()
            );
            cx.alert(word.span(), "never-available", message);
            None
        }
        Ok(parsed) => Some(parsed.expr),
        Err(fault) => {
            fault.report(cx, &format!("'{label}' : "));
            None
        }
    }
}
