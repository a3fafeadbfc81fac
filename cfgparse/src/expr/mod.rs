//! Expressions: fetches with converters, ACLs, conditions, log-format strings.

pub mod acl;
pub mod args;
pub mod condition;
pub mod format;
pub mod pattern;
pub mod regex;
pub mod sample;
pub mod scope;
pub mod values;

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span};

/// Why an expression is none, for the caller to report behind its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: &'static str,
    pub span: Span,
    pub message: String,
    pub remedy: Option<String>,
}

impl Fault {
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            remedy: None,
        }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: Option<String>) -> Self {
        self.remedy = remedy;
        self
    }

    /// Refuses the configuration: `prefix` says what was being parsed.
    pub fn report(self, cx: &mut Context, prefix: &str) {
        let mut diagnostic = Diagnostic::new(
            Severity::Alert,
            self.code,
            Some(self.span),
            format!("{prefix}{}.", self.message.trim_end_matches('.')),
        );
        diagnostic.remedy = self.remedy;
        cx.report(diagnostic);
    }
}
