//! Side-by-side comparison of proxies: same work, same CPUs, interleaved, medians.

pub mod cases;
mod idle;
mod table;

use crate::load::{self, LoadError, Options, Window};
use crate::machine;
use crate::origin::Origin;
use crate::subject::{Kind, Placement, Program, Running, SubjectError};
use cases::{Case, Site, Work};
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// CPU of the proxies, and CPU of load and origin.
pub const SUBJECT_CPU: usize = 0;
pub const LOAD_CPU: usize = 1;

/// Time before measuring, in which connections are made and caches warm up.
const WARM_UP: Duration = Duration::from_millis(300);

#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("TLS client: {0}")]
    Tls(#[from] rustls::Error),
    #[error("report: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no subject found: give --engine, --haproxy or --nginx paths that exist")]
    NoSubject,
    #[error("no case is called like '{0}'; there are: {1}")]
    NoCase(String, String),
}

/// Side-by-side comparison with other proxies
#[derive(clap::Args)]
pub struct CompareArgs {
    /// The engine's binary
    #[arg(long, default_value = "target/release/engine")]
    engine: PathBuf,
    /// An HAProxy binary, repeatable; ratios refer to the first
    #[arg(long, default_value = "/usr/sbin/haproxy")]
    haproxy: Vec<PathBuf>,
    /// nginx's binary
    #[arg(long, default_value = "/usr/sbin/nginx")]
    nginx: PathBuf,
    /// Only cases whose name contains this, repeatable
    #[arg(long)]
    case: Vec<String>,
    /// Rounds; each measures every subject once
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of measuring per subject and round
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Write all figures here
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One measurement of one subject.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Figures {
    /// Time on a CPU of all the subject's threads, per answer.
    pub cpu_us_per_request: f64,
    pub requests_per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p99_9_us: f64,
    pub resident_mb: f64,
    /// Answers other than 200, and failed exchanges.
    pub errors: f64,
}

/// All rounds of one subject in one case.
#[derive(Debug, Serialize)]
pub struct SubjectResult {
    pub name: String,
    pub median: Figures,
    pub rounds: Vec<Figures>,
    /// Why there are no rounds.
    pub failure: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct CaseResult {
    pub case: &'static str,
    pub subjects: Vec<SubjectResult>,
}

pub fn run(args: &CompareArgs) -> Result<(), CompareError> {
    let programs = programs(args);
    let first_haproxy = programs
        .iter()
        .position(|program| program.kind == Kind::HaProxy);
    if programs.is_empty() {
        return Err(CompareError::NoSubject);
    }
    let cases = cases::named(&args.case)?;
    machine::raise_descriptor_limit(65_536);
    let origin = Origin::start(Some(LOAD_CPU))?;
    machine::pin(LOAD_CPU)?;
    let mut results = Vec::new();
    for case in cases {
        let result = match case.work {
            Work::Load { .. } => measure(case, &programs, &origin, args)?,
            Work::Idle { connections } => idle::measure(case, connections, &programs, &origin),
        };
        table::print(
            &result,
            first_haproxy.map(|index| programs[index].name.as_str()),
        );
        results.push(result);
    }
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&results)?)?;
    }
    Ok(())
}

fn programs(args: &CompareArgs) -> Vec<Program> {
    let engine = Program::find(Kind::Engine, &args.engine);
    let haproxies = args
        .haproxy
        .iter()
        .filter_map(|path| Program::find(Kind::HaProxy, path));
    let nginx = Program::find(Kind::Nginx, &args.nginx);
    engine.into_iter().chain(haproxies).chain(nginx).collect()
}

fn measure(
    case: &Case,
    programs: &[Program],
    origin: &Origin,
    args: &CompareArgs,
) -> Result<CaseResult, CompareError> {
    let site = Site::new(case.task)?;
    let mut contestants: Vec<Contestant> = Vec::new();
    for program in programs.iter().filter(|program| program.can(case.task)) {
        let started = program.start(
            case.task,
            &[origin.address],
            &site.pem,
            Placement::Cpu(SUBJECT_CPU),
        );
        contestants.push(Contestant {
            name: program.name.clone(),
            started,
            rounds: Vec::new(),
        });
    }
    for _ in 0..args.rounds {
        for contestant in &mut contestants {
            let Ok(running) = &contestant.started else {
                continue;
            };
            let options = Options {
                warm_up: WARM_UP,
                duration: Duration::from_secs_f64(args.seconds),
                tls: site.tls.clone(),
                ..case.options(running.address)
            };
            contestant.rounds.push(one_round(running, &options)?);
        }
    }
    let subjects = contestants.into_iter().map(Contestant::result).collect();
    Ok(CaseResult {
        case: case.name,
        subjects,
    })
}

/// A subject that takes part in a case.
struct Contestant {
    name: String,
    started: Result<Running, SubjectError>,
    rounds: Vec<Figures>,
}

impl Contestant {
    fn result(self) -> SubjectResult {
        SubjectResult {
            name: self.name,
            median: medians(&self.rounds),
            rounds: self.rounds,
            failure: self.started.err().map(|error| error.to_string()),
        }
    }
}

/// CPU time of some processes over the measured window.
struct CpuWindow {
    processes: Vec<u32>,
    begin_ns: u64,
    used_ns: u64,
}

impl Window for CpuWindow {
    fn begin(&mut self) {
        self.begin_ns = machine::cpu_time_ns(&self.processes);
    }

    fn end(&mut self) {
        self.used_ns = machine::cpu_time_ns(&self.processes) - self.begin_ns;
    }
}

/// Loads a running subject once and measures it.
pub fn one_round(running: &Running, options: &Options) -> Result<Figures, LoadError> {
    let processes = running.processes();
    let mut window = CpuWindow {
        processes,
        begin_ns: 0,
        used_ns: 0,
    };
    let report = load::run(options, &mut window)?;
    let at = |quantile| report.latency_us.value_at_quantile(quantile) as f64;
    Ok(Figures {
        cpu_us_per_request: window.used_ns as f64 / 1e3 / report.requests.max(1) as f64,
        requests_per_second: report.per_second(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        p99_9_us: at(0.999),
        resident_mb: machine::resident_bytes(&window.processes) as f64 / 1e6,
        errors: report.errors() as f64,
    })
}

fn medians(rounds: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| median(rounds.iter().map(figure).collect());
    Figures {
        cpu_us_per_request: of(|f| f.cpu_us_per_request),
        requests_per_second: of(|f| f.requests_per_second),
        p50_us: of(|f| f.p50_us),
        p99_us: of(|f| f.p99_us),
        p99_9_us: of(|f| f.p99_9_us),
        resident_mb: of(|f| f.resident_mb),
        errors: rounds.iter().map(|f| f.errors).sum(),
    }
}

/// The middle value, or the mean of the two middle ones; 0 of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_none() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }
}
