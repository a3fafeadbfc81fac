//! Where a subject's time goes in one case, by the system's own tools.

use crate::compare::{CompareError, LOAD_CPU, SUBJECT_CPU, cases};
use crate::load::{self, Options};
use crate::machine;
use crate::origin::Origin;
use crate::subject::{Kind, Placement, Program};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// Where the time goes in one case: perf's hottest symbols and strace's system calls
#[derive(clap::Args)]
pub struct ProfileArgs {
    /// A case of the comparison, by a part of its name
    #[arg(long, default_value = "64B-x64")]
    case: String,
    #[arg(long, default_value = "target/release/engine")]
    subject: PathBuf,
    /// It is an HAProxy, not the engine
    #[arg(long)]
    haproxy: bool,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Symbols to show
    #[arg(long, default_value_t = 40)]
    lines: usize,
    /// Keep perf's recording here
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// Time for connections to be made before the tools look.
const WARM_UP: Duration = Duration::from_millis(500);

pub fn run(args: &ProfileArgs) -> Result<(), CompareError> {
    let kind = if args.haproxy {
        Kind::HaProxy
    } else {
        Kind::Engine
    };
    let program = Program::find(kind, &args.subject).ok_or(CompareError::NoSubject)?;
    let case = cases::named(std::slice::from_ref(&args.case))?[0];
    machine::raise_descriptor_limit(65_536);
    let origin = Origin::start(Some(LOAD_CPU))?;
    let site = cases::Site::new(case.task)?;
    let placement = Placement::Cpu(SUBJECT_CPU);
    let running = program.start(case.task, &[origin.address], &site.pem, placement)?;
    let processes = running
        .processes()
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(",");

    let stop = Arc::new(AtomicBool::new(false));
    let options = Options {
        warm_up: WARM_UP,
        duration: Duration::from_secs_f64(args.seconds * 2.0 + 60.0),
        tls: site.tls.clone(),
        stop: Some(Arc::clone(&stop)),
        ..case.options(running.address)
    };
    let loading = std::thread::spawn(move || {
        machine::pin(LOAD_CPU)?;
        load::run(&options, &mut ())
    });
    sleep(WARM_UP);
    println!("{} in {}", program.name, case.name);
    let looked = perf(args, &processes).and_then(|()| strace(args, &processes));
    stop.store(true, Ordering::Relaxed);
    let report = loading
        .join()
        .map_err(|_| std::io::Error::other("the load died"))??;
    println!(
        "{} requests in all, {} errors",
        report.requests,
        report.errors()
    );
    Ok(looked?)
}

fn perf(args: &ProfileArgs, processes: &str) -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let recording = args
        .keep
        .clone()
        .unwrap_or_else(|| directory.path().join("perf.data"));
    let recorded = Command::new("perf")
        .args([
            "record",
            "-q",
            "-F",
            "2000",
            "-e",
            "cpu-clock",
            "-p",
            processes,
            "-o",
        ])
        .arg(&recording)
        .args(["--", "sleep", &args.seconds.to_string()])
        .stdout(Stdio::null())
        .status()?;
    if !recorded.success() {
        return Err(std::io::Error::other("perf record failed"));
    }
    for sort in ["dso", "dso,symbol"] {
        let report = Command::new("perf")
            .args([
                "report",
                "--stdio",
                "-q",
                "--no-children",
                "--sort",
                sort,
                "-i",
            ])
            .arg(&recording)
            .stderr(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&report.stdout).into_owned();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.take(args.lines).for_each(|line| println!("{line}"));
        println!();
    }
    Ok(())
}

/// System calls of the subject; the load runs slower meanwhile, so only their proportions count.
fn strace(args: &ProfileArgs, processes: &str) -> std::io::Result<()> {
    let summary = Command::new("timeout")
        .args([
            "--signal=INT",
            &args.seconds.to_string(),
            "strace",
            "-c",
            "-f",
            "-q",
            "-p",
        ])
        .arg(processes)
        .stdin(Stdio::null())
        .output()?;
    print!("{}", String::from_utf8_lossy(&summary.stderr));
    Ok(())
}
