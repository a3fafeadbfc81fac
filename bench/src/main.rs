//! Load generator, origin server and comparisons with other proxies.

#![forbid(unsafe_code)]

mod commands;
mod compare;
mod floor;
mod framing;
mod http1;
mod load;
mod machine;
mod origin;
mod pattern;
mod profile;
mod ready;
mod slowloris;
mod soak;
mod subject;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures the engine beside other proxies
#[derive(Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Origin(commands::OriginArgs),
    Load(commands::LoadArgs),
    Compare(compare::CompareArgs),
    Floor(floor::FloorArgs),
    Profile(profile::ProfileArgs),
    Slowloris(slowloris::SlowlorisArgs),
    Soak(soak::SoakArgs),
    Http1(http1::Http1Args),
}

fn main() -> ExitCode {
    let done: Result<(), Box<dyn std::error::Error>> = match Cli::parse().command {
        Command::Origin(args) => commands::origin(&args).map_err(Into::into),
        Command::Load(args) => commands::load(&args),
        Command::Compare(args) => compare::run(&args).map_err(Into::into),
        Command::Floor(args) => floor::run(&args).map_err(Into::into),
        Command::Profile(args) => profile::run(&args).map_err(Into::into),
        Command::Slowloris(args) => slowloris::run(&args).map_err(Into::into),
        Command::Soak(args) => soak::run(&args).map_err(Into::into),
        Command::Http1(args) => http1::run(&args).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
