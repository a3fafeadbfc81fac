//! What is told about a configuration or a keyword without running anything.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use cfgparse::model::Model;
use cfgparse::registry::catalog;
use cfgparse::{Severity, migrate as migration};
use engine::boot::{self, BootError};

use crate::load::{self, Judged, Request};
use crate::report::Report;
use crate::serve;

/// `engine check`: the verdict of `-c`, or of the language alone.
pub fn check(files: &[PathBuf], language_only: bool, json: bool) -> ExitCode {
    let Some(judged) = judge(files, language_only) else {
        return ExitCode::FAILURE;
    };
    let runs = match &judged.loaded.model {
        Some(model) if !language_only => boot::check(model),
        _ => Ok(Vec::new()),
    };
    let valid = judged.loaded.model.is_some() && runs.is_ok();
    if json {
        println!("{:#}", as_json(&judged, &runs, valid));
    } else {
        let report = Report::new(false, std::io::stderr().is_terminal());
        report.judged(&judged);
        if let Some(model) = &judged.loaded.model {
            say_all(model, &report, &runs);
        }
        println!("{}", if valid { "valid" } else { "not valid" });
    }
    if valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

type Runs = Result<Vec<BootError>, Vec<BootError>>;

fn say_all(model: &Model, report: &Report, runs: &Runs) {
    let (severity, errors) = graded(runs);
    for error in errors {
        serve::say(model, report, severity, error);
    }
}

fn graded(runs: &Runs) -> (Severity, &[BootError]) {
    match runs {
        Ok(warnings) => (Severity::Warning, warnings),
        Err(errors) => (Severity::Alert, errors),
    }
}

fn as_json(judged: &Judged, runs: &Runs, valid: bool) -> serde_json::Value {
    let files = judged.files();
    let mut findings: Vec<serde_json::Value> = judged
        .loaded
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.to_json(files))
        .collect();
    let (severity, errors) = graded(runs);
    findings.extend(errors.iter().map(|error| finding(error, severity, files)));
    serde_json::json!({ "valid": valid, "files": files, "findings": findings })
}

/// What only the machine shows: an address that can't be resolved, a certificate without its key.
fn finding(error: &BootError, severity: Severity, files: &[String]) -> serde_json::Value {
    let mut finding = serde_json::json!({
        "severity": severity,
        "code": "cannot-run",
        "message": error.to_string(),
    });
    if let BootError::Configuration {
        at,
        message,
        remedy,
    } = error
    {
        finding["file"] = serde_json::json!(files.get(at.file as usize));
        finding["line"] = at.line.into();
        finding["column"] = at.column.into();
        finding["message"] = message.clone().into();
        finding["remedy"] = remedy.clone().into();
    }
    finding
}

/// `engine migrate`: the keywords in use, by how far they work.
pub fn migrate(files: &[PathBuf], json: bool) -> ExitCode {
    let Some(judged) = judge(files, false) else {
        return ExitCode::FAILURE;
    };
    if json {
        println!("{:#}", migration::json(&judged.loaded));
    } else {
        print!("{}", migration::text(&judged.loaded));
    }
    ExitCode::SUCCESS
}

fn judge(files: &[PathBuf], language_only: bool) -> Option<Judged> {
    let request = Request {
        files: files.to_vec(),
        language_only,
        ..Request::default()
    };
    match load::judge(&request) {
        Ok(judged) => Some(judged),
        Err(message) => {
            eprintln!("engine: {message}");
            None
        }
    }
}

/// `engine explain`: the rows of a keyword; 1 if there are none.
pub fn explain(keyword: &str) -> ExitCode {
    let entries = catalog::explain(keyword);
    for entry in &entries {
        print!("{}", entry.text());
    }
    if !entries.is_empty() {
        return ExitCode::SUCCESS;
    }
    match catalog::near(keyword) {
        Some(near) => eprintln!("engine: no keyword '{keyword}'; did you mean '{near}'?"),
        None => eprintln!("engine: no keyword '{keyword}'"),
    }
    ExitCode::FAILURE
}
