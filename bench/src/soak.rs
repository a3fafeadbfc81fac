//! Mixed load for a long time while servers die and return.

use crate::compare::LOAD_CPU;
use crate::load::{self, Exchange, Failure, LoadError, Options, Report, Reuse};
use crate::machine::{self, Descriptors};
use crate::subject::{Kind, Placement, Program, Running, SubjectError, Task, free_address};
use serde::Serialize;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Mixed load while servers are killed and restarted; verifies every answer
#[derive(clap::Args)]
pub struct SoakArgs {
    /// The proxy's binary
    #[arg(long, default_value = "target/release/engine")]
    subject: PathBuf,
    /// It is an HAProxy, not the engine
    #[arg(long)]
    haproxy: bool,
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    #[arg(long, default_value_t = 2)]
    cores: usize,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds between two deaths of a server; it stays dead for half of that
    #[arg(long, default_value_t = 4.0)]
    period: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum SoakError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("report: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no such program: {0}")]
    NoSubject(PathBuf),
    #[error("the load's thread died")]
    LoadDied,
    #[error("soak failed: {0}")]
    Failed(String),
}

const SERVERS: usize = 3;
/// What one connection may lose to one death: the request in flight.
const LOST_PER_DEATH: u64 = 1;
/// Growth of resident memory between the first and the last quarter that needs no explanation.
const GROWTH_FACTOR: f64 = 1.2;
const GROWTH_SLACK_BYTES: u64 = 16 << 20;
/// Sockets above those of the start that may remain, and how long the rest may take.
const SOCKET_SLACK: usize = 8;
const SOCKET_PATIENCE: Duration = Duration::from_secs(90);
/// Pipes for splicing that may be kept for later use.
const POOLED_MAX: usize = 256;

/// What has been seen, as printed.
#[derive(Serialize)]
struct Findings {
    deaths: u64,
    descriptors_before: Descriptors,
    descriptors_after: Descriptors,
    resident_first_quarter: u64,
    resident_last_quarter: u64,
    survived: bool,
    load: Report,
}

pub fn run(args: &SoakArgs) -> Result<(), SoakError> {
    machine::raise_descriptor_limit(65_536);
    let kind = if args.haproxy {
        Kind::HaProxy
    } else {
        Kind::Engine
    };
    let program =
        Program::find(kind, &args.subject).ok_or(SoakError::NoSubject(args.subject.clone()))?;
    let mut servers = (0..SERVERS)
        .map(|_| Server::start())
        .collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let placement = Placement::Anywhere { cores: args.cores };
    let mut subject = program.start(Task::Http, &addresses, "", placement)?;
    let processes = subject.processes();
    let descriptors_before = machine::descriptors(&processes);

    let stop = Arc::new(AtomicBool::new(false));
    let options = options(args, subject.address, Arc::clone(&stop));
    let end = Instant::now() + options.duration;
    let loading = std::thread::spawn(move || load::run(&options, &mut ()));
    let mut resident = Vec::new();
    let mut deaths = 0;
    while Instant::now() < end && subject.is_alive() && !loading.is_finished() {
        let half = Duration::from_secs_f64(args.period / 2.0);
        let victim = deaths as usize % SERVERS;
        servers[victim].kill();
        deaths += 1;
        sleep(half);
        servers[victim].restart()?;
        sleep(half);
        resident.push(machine::resident_bytes(&processes));
    }
    if !subject.is_alive() {
        stop.store(true, Ordering::Relaxed);
    }
    let report = loading.join().map_err(|_| SoakError::LoadDied)??;
    let findings = Findings {
        deaths,
        descriptors_before,
        descriptors_after: settled_descriptors(&processes, descriptors_before.sockets),
        resident_first_quarter: peak(&resident[..resident.len().div_ceil(4)]),
        resident_last_quarter: peak(&resident[resident.len() * 3 / 4..]),
        survived: subject.is_alive(),
        load: report,
    };
    println!("{}", serde_json::to_string_pretty(&findings)?);
    let faults = findings.faults(args.connections as u64);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(SoakError::Failed(faults.join("; ")))
    }
}

fn options(args: &SoakArgs, target: SocketAddr, stop: Arc<AtomicBool>) -> Options {
    let kinds = [
        ("/0", 0),
        ("/64", 0),
        ("/1024", 0),
        ("/65536", 0),
        ("/1048576", 0),
        ("/chunked/5000", 0),
        ("/chunked/200000", 0),
        ("/eof/3000", 0),
        ("/delay/20/100", 0),
        ("/64", 10_000),
        ("/10", 300_000),
    ];
    let mix = kinds.map(|(path, upload)| Exchange {
        path: path.to_owned(),
        upload,
    });
    Options {
        mix: mix.to_vec(),
        duration: Duration::from_secs_f64(args.minutes * 60.0),
        reuse: Reuse::Mixed { close_one_in: 20 },
        tagged: true,
        stop: Some(stop),
        ..Options::new(target, args.connections, "/")
    }
}

fn peak(samples: &[u64]) -> u64 {
    samples.iter().copied().max().unwrap_or(0)
}

/// Waits for connections to be closed; returns what is left.
fn settled_descriptors(processes: &[u32], sockets_before: usize) -> Descriptors {
    let begun = Instant::now();
    loop {
        let now = machine::descriptors(processes);
        if now.sockets <= sockets_before + SOCKET_SLACK || begun.elapsed() > SOCKET_PATIENCE {
            return now;
        }
        sleep(Duration::from_millis(200));
    }
}

impl Findings {
    fn faults(&self, connections: u64) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |wrong: bool, what: String| {
            if wrong {
                faults.push(what);
            }
        };
        check(!self.survived, "the subject died".to_owned());
        check(
            self.load.requests == 0,
            "no request was answered".to_owned(),
        );
        use Failure::{Corrupted, Crossed, CutOff, Junk, NoAnswer, Stalled};
        for failure in [Crossed, Corrupted, Junk, Stalled] {
            let count = self.load.failures_of(failure);
            check(count > 0, format!("{failure:?}: {count}"));
        }
        let odd = self
            .load
            .statuses
            .iter()
            .filter(|(s, _)| !matches!(s, 200 | 502 | 503 | 504));
        odd.for_each(|(status, count)| check(true, format!("status {status}: {count}")));
        let lost = self.load.failures_of(CutOff) + self.load.failures_of(NoAnswer);
        let allowed = self.deaths * connections * LOST_PER_DEATH;
        check(
            lost > allowed,
            format!("{lost} answers lost, at most {allowed} explained"),
        );
        let limit =
            (self.resident_first_quarter as f64 * GROWTH_FACTOR) as u64 + GROWTH_SLACK_BYTES;
        let grown = self.resident_last_quarter;
        check(
            grown > limit,
            format!("{grown} bytes resident, at most {limit} expected"),
        );
        let (base, left) = (self.descriptors_before, self.descriptors_after);
        let many =
            left.sockets > base.sockets + SOCKET_SLACK || left.others > base.others + POOLED_MAX;
        check(many, format!("{left:?} are left, {base:?} at the start"));
        faults
    }
}

/// An origin that can be killed.
struct Server {
    address: SocketAddr,
    process: Running,
}

impl Server {
    fn start() -> Result<Server, SubjectError> {
        let address = free_address()?;
        Ok(Server {
            address,
            process: spawn(address)?,
        })
    }

    fn kill(&mut self) {
        self.process.kill();
    }

    fn restart(&mut self) -> Result<(), SubjectError> {
        self.process = spawn(self.address)?;
        Ok(())
    }
}

fn spawn(address: SocketAddr) -> Result<Running, SubjectError> {
    Running::origin(address, &["--listen", &address.to_string()], Some(LOAD_CPU))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        let mut load = Report::new();
        load.answered(200, 1, Duration::from_millis(1));
        load.answered(503, 1, Duration::from_millis(1));
        load.failed(Failure::CutOff);
        Findings {
            deaths: 1,
            descriptors_before: Descriptors {
                sockets: 5,
                others: 5,
            },
            descriptors_after: Descriptors {
                sockets: 6,
                others: 30,
            },
            resident_first_quarter: 50 << 20,
            resident_last_quarter: 60 << 20,
            survived: true,
            load,
        }
    }

    #[test]
    fn what_deaths_explain_is_no_fault() {
        assert_eq!(findings().faults(1), Vec::<String>::new());
    }

    #[test]
    fn everything_else_is() {
        let count = |change: fn(&mut Findings)| {
            let mut findings = findings();
            change(&mut findings);
            findings.faults(1).len()
        };
        assert_eq!(count(|f| f.load.failed(Failure::Crossed)), 1);
        assert_eq!(count(|f| f.load.failed(Failure::NoAnswer)), 1);
        assert_eq!(count(|f| f.load.answered(422, 0, Duration::ZERO)), 1);
        assert_eq!(count(|f| f.survived = false), 1);
        assert_eq!(count(|f| f.descriptors_after.sockets = 100), 1);
        assert_eq!(count(|f| f.resident_last_quarter = 200 << 20), 1);
        assert_eq!(count(|f| f.load = Report::new()), 1);
    }
}
