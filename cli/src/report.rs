//! Messages on standard error, in HAProxy's form.

use std::cell::Cell;

use cfgparse::{Diagnostic, Severity};

use crate::load::Judged;

/// Prints messages and remembers whether there were warnings.
pub struct Report {
    quiet: bool,
    drawn: bool,
    warned: Cell<bool>,
}

impl Report {
    /// `quiet`: nothing is printed, and the exit code tells alone (management guide, 3, `-q`).
    /// `drawn`: a person looks at it; otherwise tools do, which know HAProxy's lines.
    pub fn new(quiet: bool, drawn: bool) -> Self {
        Self {
            quiet,
            drawn,
            warned: Cell::new(false),
        }
    }

    /// Whether anything deserved a warning.
    pub fn has_warned(&self) -> bool {
        self.warned.get()
    }

    /// One finding about the configuration.
    fn diagnostic(&self, diagnostic: &Diagnostic, files: &[String], texts: &[String]) {
        if diagnostic.severity == Severity::Warning {
            self.warned.set(true);
        }
        if self.quiet {
            return;
        }
        if self.drawn {
            eprintln!("{}\n", diagnostic.render_drawn(files, texts, true));
        } else {
            eprintln!("{}", diagnostic.render_plain(files, std::process::id()));
        }
    }

    /// Everything that was found while a configuration was read.
    pub fn judged(&self, judged: &Judged) {
        for diagnostic in &judged.loaded.diagnostics {
            self.diagnostic(diagnostic, judged.files(), &judged.texts);
        }
    }

    /// A message about the process.
    pub fn say(&self, severity: Severity, text: &str) {
        if severity == Severity::Warning {
            self.warned.set(true);
        }
        if !self.quiet {
            eprintln!("{}", line(severity, text));
        }
    }
}

/// One line of HAProxy's form.
pub fn line(severity: Severity, text: &str) -> String {
    let tag = match severity {
        Severity::Diag => "[DIAG]     ",
        Severity::Notice => "[NOTICE]   ",
        Severity::Warning => "[WARNING]  ",
        Severity::Alert => "[ALERT]    ",
    };
    format!("{tag}({}) : {text}", std::process::id())
}
