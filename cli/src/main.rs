//! The binary `engine`: argv, printing, exit codes.
#![forbid(unsafe_code)]

mod args;
mod demo;
mod inspect;
mod keywords;
mod load;
mod report;
mod serve;
mod version;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use report::Report;

fn main() -> ExitCode {
    let words = match args::normalise(std::env::args()) {
        Ok(words) => words,
        Err(word) => {
            eprintln!("engine: unknown option '{word}'; see engine --help");
            return ExitCode::FAILURE;
        }
    };
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => {
            // Help goes to standard output with success, a mistake to standard error with 1.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    run(&args)
}

fn run(args: &Args) -> ExitCode {
    if args.build_info || args.version || args.brief_version.is_some() {
        version::print(args);
        return ExitCode::SUCCESS;
    }
    if let Some(command) = &args.command {
        return subcommand(command);
    }
    if let Some(condition) = &args.condition {
        return load::condition(condition);
    }
    if args.configuration().is_empty() {
        eprintln!("engine: no configuration; try engine -f FILE, or engine demo");
        return ExitCode::FAILURE;
    }
    if let Some(directory) = &args.directory
        && let Err(error) = std::env::set_current_dir(directory)
    {
        eprintln!(
            "engine: cannot change to '{}': {error}",
            directory.display()
        );
        return ExitCode::FAILURE;
    }
    let report = Report::new(
        args.quiet && !(args.verbose || args.debug),
        std::io::stderr().is_terminal(),
    );
    let Some(model) = load::model(args, &report) else {
        return ExitCode::FAILURE;
    };
    if let Some(classes) = args.dumped_keywords() {
        keywords::dump(classes);
    }
    if args.check {
        serve::check(args, &model, &report)
    } else {
        serve::run(args, &model, &report)
    }
}

fn subcommand(command: &Command) -> ExitCode {
    match command {
        Command::Demo {
            port,
            cores,
            seconds,
        } => demo::run(*port, *cores, *seconds),
        Command::Check {
            language,
            json,
            input,
        } => inspect::check(&input.files(), *language, *json),
        Command::Explain { words } => inspect::explain(&words.join(" ")),
        Command::Migrate { json, input } => inspect::migrate(&input.files(), *json),
    }
}
