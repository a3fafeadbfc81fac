//! A loaded configuration is put to the test, or to work.

use std::process::ExitCode;

use cfgparse::Severity;
use cfgparse::model::Model;
use engine::boot::{self, BootError, Ended, Options};

use crate::args::Args;
use crate::report::{Report, line};

/// `-c`: the same verdict as a start would give.
pub fn check(args: &Args, model: &Model, report: &Report) -> ExitCode {
    match boot::check(model) {
        Ok(warnings) => {
            for warning in &warnings {
                say(model, report, Severity::Warning, warning);
            }
            if refuses_warnings(args, model, report) {
                return ExitCode::FAILURE;
            }
            if args.verbose && !args.quiet {
                println!("Configuration file is valid");
            }
            ExitCode::SUCCESS
        }
        Err(errors) => refuse(model, report, &errors),
    }
}

/// Runs until the process is told to end.
pub fn run(args: &Args, model: &Model, report: &Report) -> ExitCode {
    match boot::check(model) {
        Ok(warnings) => {
            for warning in &warnings {
                say(model, report, Severity::Warning, warning);
            }
        }
        Err(errors) => return refuse(model, report, &errors),
    }
    if refuses_warnings(args, model, report) {
        return ExitCode::FAILURE;
    }
    let foreground = args.debug || args.foreground || args.worker;
    let options = Options {
        cores: args.cores.map(usize::from),
        daemon: (args.daemon || model.global.daemon) && !foreground,
        pid_file: args.pid_file.clone(),
        notify_systemd: args.notify,
        finish: args.finish.clone(),
        terminate: args.terminate.clone(),
    };
    let quiet = args.quiet || model.global.quiet;
    let notify = Box::new(move |severity, text: &str| {
        if !quiet {
            eprintln!("{}", line(severity, text));
        }
    });
    match boot::run(model, &options, notify) {
        Ok(Ended::Softly | Ended::Detached) => ExitCode::SUCCESS,
        Err(errors) => refuse(model, report, &errors),
    }
}

/// `-dW` and `zero-warning` (manual, 3.1).
fn refuses_warnings(args: &Args, model: &Model, report: &Report) -> bool {
    let refuses = (args.zero_warning || model.global.zero_warning) && report.has_warned();
    if refuses {
        report.say(
            Severity::Alert,
            "Some warnings were found and 'zero-warning' is set. Aborting.",
        );
    }
    refuses
}

fn refuse(model: &Model, report: &Report, errors: &[BootError]) -> ExitCode {
    for error in errors {
        say(model, report, Severity::Alert, error);
    }
    if errors
        .iter()
        .any(|error| matches!(error, BootError::Configuration { .. }))
    {
        report.say(
            Severity::Alert,
            "config : Fatal errors found in configuration.",
        );
    }
    ExitCode::FAILURE
}

/// What a start, or its rehearsal, has to say, with the place in the configuration.
pub fn say(model: &Model, report: &Report, severity: Severity, error: &BootError) {
    let text = match error {
        BootError::Configuration {
            at,
            message,
            remedy,
        } => {
            let file = model.files.get(at.file as usize).map_or("", String::as_str);
            format!(
                "config : parsing [{file}:{}] : {message} ({remedy})",
                at.line
            )
        }
        error => error.to_string(),
    };
    report.say(severity, &text);
}
