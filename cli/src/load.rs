//! Configuration files into a model, with everything that is to be said about them.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cfgparse::bytes;
use cfgparse::model::{Model, Place};
use cfgparse::source::{self, Disk, Environment, Source};
use cfgparse::{LoadOptions, Loaded, Severity};

use crate::args::Args;
use crate::report::Report;
use crate::version;

/// A configuration as it was read, with the texts that its findings point into.
pub struct Judged {
    pub loaded: Loaded,
    pub texts: Vec<String>,
}

impl Judged {
    pub fn files(&self) -> &[String] {
        &self.loaded.ast.files
    }
}

/// What to read, and how.
#[derive(Default)]
pub struct Request<'a> {
    pub files: Vec<PathBuf>,
    /// `-L`.
    pub local_peer: Option<&'a str>,
    pub language_only: bool,
    pub diag: bool,
}

/// Reads all files. `Err` says which one can't be read.
pub fn judge(request: &Request) -> Result<Judged, String> {
    let mut sources = Vec::new();
    for path in &request.files {
        sources.extend(read(path)?);
    }
    let options = LoadOptions {
        facts: version::facts(),
        // The language is what HAProxy takes today; a start goes further for old files.
        translate_removed: !request.language_only,
        language_only: request.language_only,
        diag: request.diag,
    };
    let loaded = cfgparse::load(&sources, &environment(request), &Disk, &options);
    let texts = sources.into_iter().map(|source| source.text).collect();
    Ok(Judged { loaded, texts })
}

/// Reads and checks all files; `None` after an alert has been printed.
pub fn model(args: &Args, report: &Report) -> Option<Model> {
    let request = Request {
        files: args.configuration(),
        local_peer: args.local_peer.as_deref(),
        diag: args.shows_diagnostics(),
        ..Request::default()
    };
    let judged = match judge(&request) {
        Ok(judged) => judged,
        Err(message) => {
            report.say(Severity::Alert, &message);
            return None;
        }
    };
    report.judged(&judged);
    let Some(mut model) = judged.loaded.model else {
        for name in &judged.loaded.ast.files {
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

fn read(path: &Path) -> Result<Vec<Source>, String> {
    let name = path.display().to_string();
    source::from_disk(&name)
        .map_err(|error| format!("Cannot open configuration file/directory {name} : {error}"))
}

/// The process's environment with what HAProxy adds to it (manual, 2.3).
fn environment(request: &Request) -> Environment {
    let mut environment: Environment = std::env::vars_os()
        .map(|(name, value)| (bytes::text(name.into_vec()), bytes::text(value.into_vec())))
        .collect();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let peer = request.local_peer.unwrap_or(host.trim());
    environment.set("HAPROXY_LOCALPEER", peer);
    let files: Vec<_> = request
        .files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    environment.set("HAPROXY_CFGFILES", files.join(";"));
    environment
}

/// `-cc`: 0 true, 1 false or empty, 2 not understood.
pub fn condition(text: &str) -> ExitCode {
    let defined = |name: &str| std::env::var_os(name).is_some();
    let variable = |name: &str| Some(bytes::text(std::env::var_os(name)?.into_vec()));
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
