//! What is said about a configuration, in HAProxy's plain form, drawn, or as data.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::bytes;
use crate::model::Place;

/// Every kind of finding; each is shown by a configuration in `tests/cfg`.
#[rustfmt::skip]
pub const CODES: &[&str] = &[
    "bad-address",
    "bad-cast",
    "bad-ciphers",
    "bad-condition",
    "bad-expression",
    "bad-format",
    "bad-name",
    "bad-negation",
    "bad-pattern",
    "bad-regex",
    "bad-value",
    "bad-variable",
    "bad-word",
    "bound-twice",
    "duplicate-name",
    "exclusive",
    "extra-argument",
    "incompatible-mode",
    "incomplete-condition",
    "lone-directive",
    "message",
    "method-overwritten",
    "missing-argument",
    "missing-content-type",
    "missing-line-feed",
    "missing-method",
    "missing-timeouts",
    "needs-http",
    "never-available",
    "never-matches",
    "no-bind",
    "no-certificate",
    "no-check",
    "no-check-port",
    "no-effect",
    "no-local-peer",
    "no-pattern",
    "not-supported-yet",
    "old-spelling",
    "out-of-range",
    "partial",
    "predefined-acl",
    "refused",
    "regex-not-supported",
    "status-not-handled",
    "two-bodies",
    "missing-content-type",
    "ignored-content-type",
    "two-methods",
    "unexpected-argument",
    "unknown-acl",
    "unknown-action",
    "unknown-converter",
    "unknown-defaults",
    "unknown-directive",
    "unknown-fetch",
    "unknown-filter",
    "unknown-flag",
    "unknown-group",
    "unknown-keyword",
    "unknown-method",
    "unknown-name",
    "unknown-section",
    "unknown-service",
    "unknown-user",
    "unreachable-rule",
    "unreadable-file",
    "unterminated-block",
    "wrong-order",
    "wrong-section",
];

/// How grave a diagnostic is. An alert means that the configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Shown with `-dD` only.
    Diag,
    Notice,
    Warning,
    Alert,
}

/// The words that a diagnostic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    pub at: Place,
    /// In characters; 0 where no word can be underlined.
    pub len: u32,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// `None`: the configuration as a whole.
    pub span: Option<Span>,
    /// What is wrong, in HAProxy's words where it has them.
    pub message: String,
    /// Why it is wrong, where the message does not say it.
    pub cause: Option<String>,
    /// What to write instead.
    pub remedy: Option<String>,
    /// Stable name of this kind of finding, such as `unknown-keyword`.
    pub code: &'static str,
    /// The message follows `config : ` without a file and line.
    pub global: bool,
}

impl Diagnostic {
    /// A finding about the words at `span`.
    pub fn new(
        severity: Severity,
        code: &'static str,
        span: Option<Span>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            span,
            message: message.into(),
            cause: None,
            remedy: None,
            code,
            global: false,
        }
    }

    /// With the reason behind the message.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// With what to write instead.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// About a whole section: its line is known to editors and left out of the plain form.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// It tells what does not work here, not what is wrong with the text.
    pub fn is_about_support(&self) -> bool {
        matches!(self.code, "not-supported-yet" | "refused" | "partial")
    }

    /// One line of HAProxy's form: `[ALERT]    (123) : config : parsing [lb.cfg:4] : ...`.
    pub fn render_plain(&self, files: &[String], pid: u32) -> String {
        let tag = match self.severity {
            Severity::Diag => "[DIAG]     ",
            Severity::Notice => "[NOTICE]   ",
            Severity::Warning => "[WARNING]  ",
            Severity::Alert => "[ALERT]    ",
        };
        let mut out = format!("{tag}({pid}) : config : ");
        if let (Some(span), false) = (self.span, self.global) {
            let _ = write!(
                out,
                "parsing [{}:{}] : ",
                name(files, span.at),
                span.at.line
            );
        }
        out.push_str(&self.message);
        if let Some(remedy) = &self.remedy
            && !self.message.contains(remedy.as_str())
        {
            let _ = write!(out, " ({remedy})");
        }
        bytes::shown(&out).into_owned()
    }

    /// The drawn form: the line with the words underlined, the cause and the remedy.
    pub fn render_drawn(&self, files: &[String], texts: &[String], colour: bool) -> String {
        let level = match self.severity {
            Severity::Diag => Level::NOTE.with_name("diag"),
            Severity::Notice => Level::NOTE.with_name("notice"),
            Severity::Warning => Level::WARNING,
            Severity::Alert => Level::ERROR.with_name("alert"),
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()).id(self.code));
        if let Some(span) = self.span {
            let (line, range) = Self::underlined(span, texts);
            group = group.element(
                Snippet::source(line)
                    .line_start(span.at.line.max(1) as usize)
                    .path(name(files, span.at))
                    .annotation(AnnotationKind::Primary.span(range)),
            );
        }
        if let Some(cause) = &self.cause {
            group = group.element(Level::NOTE.message(cause.as_str()));
        }
        if let Some(remedy) = &self.remedy {
            group = group.element(Level::HELP.message(remedy.as_str()));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        bytes::shown(&renderer.render(&[group])).into_owned()
    }

    /// The line of `span` and the bytes of it that are underlined.
    fn underlined(span: Span, texts: &[String]) -> (&str, std::ops::Range<usize>) {
        let text = texts.get(span.at.file as usize).map_or("", String::as_str);
        let line = text
            .lines()
            .nth(span.at.line.saturating_sub(1) as usize)
            .unwrap_or("");
        let byte = |column: usize| {
            line.char_indices()
                .nth(column)
                .map_or(line.len(), |(index, _)| index)
        };
        let first = span.at.column.saturating_sub(1) as usize;
        let range = byte(first)..byte(first + span.len.max(1) as usize);
        (line, range)
    }

    /// For editors and CI.
    pub fn to_json(&self, files: &[String]) -> serde_json::Value {
        let at = self.span.map(|span| span.at);
        serde_json::json!({
            "severity": self.severity,
            "code": self.code,
            "file": at.map(|at| name(files, at)),
            "line": at.map(|at| at.line),
            "column": at.map(|at| at.column),
            "length": self.span.map(|span| span.len),
            "message": self.message,
            "cause": self.cause,
            "remedy": self.remedy,
        })
    }
}

fn name(files: &[String], at: Place) -> &str {
    files.get(at.file as usize).map_or("", String::as_str)
}

/// Findings that are kept of one configuration: nobody reads more, and hostile texts have millions.
pub const MAX_FINDINGS: usize = 1_000;

/// Collects findings in the order in which they are made.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// Findings beyond [`MAX_FINDINGS`].
    dropped: usize,
    any_alert: bool,
}

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.any_alert |= diagnostic.severity == Severity::Alert;
        if self.found.len() < MAX_FINDINGS {
            self.found.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether the configuration is refused so far.
    pub fn any_alert(&self) -> bool {
        self.any_alert
    }

    /// Those that were kept, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// All that were kept, and a last one that counts the others.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        if self.dropped > 0 {
            let severity = if self.any_alert {
                Severity::Alert
            } else {
                Severity::Warning
            };
            let message = format!("{} more findings are not shown.", self.dropped);
            self.found
                .push(Diagnostic::new(severity, "message", None, message));
        }
        self.found
    }
}

/// The candidate closest to `word`, if one is close enough to be meant (edit distance, as HAProxy does).
pub fn closest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    candidates
        // Each character that one has more is an edit.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= limit * 4)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Diagnostic {
        let at = Place {
            file: 0,
            line: 2,
            column: 3,
        };
        let span = Some(Span { at, len: 4 });
        Diagnostic::new(
            Severity::Alert,
            "unknown-keyword",
            span,
            "unknown keyword 'bnid'",
        )
        .remedy("did you mean 'bind' ?")
    }

    #[test]
    fn plain_form_is_what_existing_tools_grep_for() {
        let line = finding().render_plain(&["lb.cfg".to_owned()], 7);
        assert_eq!(
            line,
            "[ALERT]    (7) : config : parsing [lb.cfg:2] : unknown keyword 'bnid' (did you mean 'bind' ?)"
        );
    }

    #[test]
    fn drawn_form_underlines_the_word() {
        let texts = ["frontend f\n  bnid :80\n".to_owned()];
        let drawn = finding().render_drawn(&["lb.cfg".to_owned()], &texts, false);
        assert!(drawn.contains("lb.cfg:2:3"), "{drawn}");
        assert!(drawn.contains("^^^^"), "{drawn}");
        assert!(drawn.contains("did you mean 'bind' ?"), "{drawn}");
    }

    #[test]
    fn closest_needs_likeness() {
        let words = ["server", "bind", "mode"];
        assert_eq!(closest("sevrer", words.into_iter()), Some("server"));
        assert_eq!(closest("xyz", words.into_iter()), None);
    }
}
