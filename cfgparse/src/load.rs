//! From text to a model, with all findings.

use crate::ast::Ast;
use crate::build;
use crate::condition::Facts;
use crate::context::{Context, Use};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::Model;
use crate::read;
use crate::source::{Environment, FileAccess, Source};

/// How a configuration is judged.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    pub facts: Facts,
    /// Judge the text alone, as if every registered keyword worked.
    pub language_only: bool,
    /// Understand keywords that HAProxy removed, with a warning; otherwise refuse them as HAProxy does.
    pub translate_removed: bool,
    /// Also give findings of [`Severity::Diag`] (`-dD`).
    pub diag: bool,
}

/// What came out.
#[derive(Debug)]
pub struct Loaded {
    /// `None` where any finding is an alert.
    pub model: Option<Model>,
    /// As found: line by line, then what holds between sections.
    pub diagnostics: Vec<Diagnostic>,
    pub ast: Ast,
    /// Every registered keyword in use, in the order of the text.
    pub uses: Vec<Use>,
}

impl Loaded {
    /// The gravest finding.
    pub fn severity(&self) -> Option<Severity> {
        self.diagnostics.iter().map(|d| d.severity).max()
    }
}

/// Loads a configuration. Never stops at the first fault.
pub fn load(
    sources: &[Source],
    environment: &Environment,
    files: &dyn FileAccess,
    options: &LoadOptions,
) -> Loaded {
    let mut diagnostics = Diagnostics::default();
    let (ast, environment) = read::read(sources, environment, options, &mut diagnostics);
    let mut cx = Context::new(diagnostics, files, options, &ast.files, &environment);
    let model = build::model(&ast, &mut cx);
    let model = (!cx.diagnostics.any_alert()).then_some(model);
    let uses = cx.uses;
    let mut diagnostics = cx.diagnostics.into_vec();
    if !options.diag {
        diagnostics.retain(|d| d.severity != Severity::Diag);
    }
    // Faults of the text come first: HAProxy's first message is about one of them.
    diagnostics.sort_by_key(Diagnostic::is_about_support);
    Loaded {
        model,
        diagnostics,
        ast,
        uses,
    }
}
