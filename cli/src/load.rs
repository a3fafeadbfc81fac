//! Configuration files into a model, with everything that is to be said about them.

use std::path::Path;
use std::process::ExitCode;

use cfgparse::model::{Model, Place};
use cfgparse::source::{self, Disk, Environment, Source};
use cfgparse::{LoadOptions, Severity};

use crate::args::Args;
use crate::report::Report;
use crate::version;

/// Reads and checks all files; `None` after an alert has been printed.
pub fn model(args: &Args, report: &Report) -> Option<Model> {
    let mut sources = Vec::new();
    for path in args.files.iter().chain(&args.more_files) {
        sources.extend(read(path, report)?);
    }
    let options = LoadOptions {
        facts: version::facts(),
        translate_removed: true,
        ..LoadOptions::default()
    };
    let loaded = cfgparse::load(&sources, &environment(args), &Disk, &options);
    let files: Vec<String> = loaded.ast.files.clone();
    let texts: Vec<String> = sources.iter().map(|source| source.text.clone()).collect();
    for diagnostic in &loaded.diagnostics {
        report.diagnostic(diagnostic, &files, &texts);
    }
    let Some(mut model) = loaded.model else {
        for name in &files {
            report.say(
                Severity::Alert,
                &format!("config : Error(s) found in configuration file : {name}"),
            );
        }
        report.say(
            Severity::Alert,
            "config : Fatal errors found in configuration.",
        );
        return None;
    };
    if let Some(maxconn) = args.maxconn {
        model.global.maxconn = Some(maxconn);
    }
    if let Some(maxconn) = args.default_maxconn {
        for proxy in &mut model.proxies {
            proxy.maxconn.get_or_insert(maxconn);
        }
    }
    Some(model)
}

fn read(path: &Path, report: &Report) -> Option<Vec<Source>> {
    let name = path.display().to_string();
    match source::from_disk(&name) {
        Ok(sources) => Some(sources),
        Err(error) => {
            report.say(
                Severity::Alert,
                &format!("Cannot open configuration file/directory {name} : {error}"),
            );
            None
        }
    }
}

/// The process's environment with what HAProxy adds to it (manual, 2.3).
fn environment(args: &Args) -> Environment {
    let mut environment: Environment = std::env::vars().collect();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let peer = args
        .local_peer
        .clone()
        .unwrap_or_else(|| host.trim().to_owned());
    environment.set("HAPROXY_LOCALPEER", peer);
    let files: Vec<_> = args
        .files
        .iter()
        .chain(&args.more_files)
        .map(|path| path.display().to_string())
        .collect();
    environment.set("HAPROXY_CFGFILES", files.join(";"));
    environment
}

/// `-cc`: 0 true, 1 false or empty, 2 not understood.
pub fn condition(text: &str) -> ExitCode {
    let defined = |name: &str| std::env::var_os(name).is_some();
    let variable = |name: &str| std::env::var(name).ok();
    // Quotes and variables mean what they mean in a configuration.
    let Ok(words) = cfgparse::lex::words(text, Place::default(), &variable) else {
        eprintln!("unmatched quote or bad escape in condition '{text}'");
        return ExitCode::from(2);
    };
    let words: Vec<_> = words.into_iter().map(|word| word.text).collect();
    match cfgparse::condition::eval(&words.join(" "), &version::facts(), &defined) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
