//! Normal traffic beside thousands of clients that never finish their request's head.

use crate::compare::{CompareError, Figures, LOAD_CPU, SUBJECT_CPU, median, one_round};
use crate::load::{Options, Pace};
use crate::machine;
use crate::origin::Origin;
use crate::subject::{Kind, Placement, Program, Running, Task};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// Latencies of normal traffic without and with clients that send one byte of a head each second
#[derive(clap::Args)]
pub struct SlowlorisArgs {
    /// The engine's binary
    #[arg(long, default_value = "target/release/engine")]
    engine: PathBuf,
    /// An HAProxy binary, repeatable
    #[arg(long, default_value = "/usr/sbin/haproxy")]
    haproxy: Vec<PathBuf>,
    /// Half-open heads
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=8_000))]
    slow: u32,
    /// Normal requests a second, started at fixed times
    #[arg(long, default_value_t = 2_000.0)]
    rate: f64,
    /// Rounds, each without and with the slow clients
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of each measurement; more than the 10 of `timeout http-request` show its effect
    #[arg(long, default_value_t = 12.0)]
    seconds: f64,
}

/// Connections of the normal traffic.
const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
/// Each slow client sends a byte in every so many ticks, a part of them in each.
const TICK: Duration = Duration::from_millis(50);
const TICKS: usize = 20;
/// Longest wait until all slow clients are connected, in ticks.
const GATHER_TICKS: usize = 200;

pub fn run(args: &SlowlorisArgs) -> Result<(), CompareError> {
    let engine = Program::find(Kind::Engine, &args.engine);
    let haproxies = args.haproxy.iter();
    let haproxies = haproxies.filter_map(|path| Program::find(Kind::HaProxy, path));
    let programs: Vec<Program> = engine.into_iter().chain(haproxies).collect();
    if programs.is_empty() {
        return Err(CompareError::NoSubject);
    }
    machine::raise_descriptor_limit(65_536);
    let origin = Origin::start(Some(LOAD_CPU))?;
    machine::pin(LOAD_CPU)?;
    println!(
        "{:<20} {:>6} {:>9} {:>9} {:>9} {:>12} {:>7} {:>8} {:>8}",
        "", "slow", "p50 us", "p99 us", "p99.9 us", "cpu us/req", "errors", "408", "other"
    );
    for program in &programs {
        let placement = Placement::Cpu(SUBJECT_CPU);
        let running = program.start(Task::Http, &[origin.address], "", placement)?;
        measure(&running, args)?;
    }
    Ok(())
}

fn measure(running: &Running, args: &SlowlorisArgs) -> Result<(), CompareError> {
    let options = Options {
        warm_up: WARM_UP,
        duration: Duration::from_secs_f64(args.seconds),
        pace: Pace::Open {
            per_second: args.rate,
        },
        ..Options::new(running.address, CONNECTIONS, "/64")
    };
    let (mut quiet, mut beset) = (Vec::new(), Vec::new());
    let (mut timed_out, mut other) = (0, 0);
    for _ in 0..args.rounds {
        quiet.push(one_round(running, &options)?);
        let crowd = Crowd::gather(running.address, args.slow as usize)?;
        beset.push(one_round(running, &options)?);
        let ends = crowd.disperse();
        timed_out += ends.0;
        other += ends.1;
    }
    print(&running.name, 0, &quiet, (0, 0));
    print(&running.name, args.slow, &beset, (timed_out, other));
    Ok(())
}

fn print(name: &str, slow: u32, rounds: &[Figures], ends: (usize, usize)) {
    let of = |figure: fn(&Figures) -> f64| median(rounds.iter().map(figure).collect());
    let errors: f64 = rounds.iter().map(|figures| figures.errors).sum();
    println!(
        "{name:<20} {slow:>6} {:>9.0} {:>9.0} {:>9.0} {:>12.2} {errors:>7.0} {:>8} {:>8}",
        of(|f| f.p50_us),
        of(|f| f.p99_us),
        of(|f| f.p99_9_us),
        of(|f| f.cpu_us_per_request),
        ends.0,
        ends.1,
    );
}

/// Slow clients on a thread of their own; whoever is sent away comes again.
struct Crowd {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    connected: AtomicUsize,
    /// Clients that were told 408, and those that ended in any other way.
    timed_out: AtomicUsize,
    other: AtomicUsize,
}

impl Crowd {
    /// Returns when all of them hang on to their connections.
    fn gather(target: SocketAddr, count: usize) -> io::Result<Crowd> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().spawn(move || crowd(target, count, &theirs))?;
        for _ in 0..GATHER_TICKS {
            if shared.connected.load(Ordering::Relaxed) >= count {
                return Ok(Crowd { shared, thread });
            }
            sleep(TICK);
        }
        let crowd = Crowd { shared, thread };
        crowd.disperse();
        Err(io::Error::other("the slow clients were not let in"))
    }

    /// How many were told 408, and how many ended otherwise.
    fn disperse(self) -> (usize, usize) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // A thread that died has nothing to say.
        let _ = self.thread.join();
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&self.shared.timed_out), count(&self.shared.other))
    }
}

fn crowd(target: SocketAddr, count: usize, shared: &Shared) {
    let mut clients: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
    let mut tick = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        for client in clients.iter_mut().skip(tick % TICKS).step_by(TICKS) {
            match client {
                None => {
                    *client = begin(target).ok();
                    let begun = usize::from(client.is_some());
                    shared.connected.fetch_add(begun, Ordering::Relaxed);
                }
                Some(stream) => {
                    if let Some(told_408) = ended(stream) {
                        *client = None;
                        let counter = if told_408 {
                            &shared.timed_out
                        } else {
                            &shared.other
                        };
                        counter.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        tick += 1;
        sleep(TICK);
    }
}

fn begin(target: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(target)?;
    stream.write_all(b"GET /64 HTTP/1.1\r\nhost: bench.test\r\nx-slow: ")?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Sends one more byte; `Some` if the connection has ended, true if a 408 came before.
fn ended(stream: &mut TcpStream) -> Option<bool> {
    let mut answer = [0; 512];
    let read = stream.read(&mut answer);
    match read {
        Ok(bytes) => Some(answer[..bytes].starts_with(b"HTTP/1.1 408 ")),
        Err(error) if error.kind() != ErrorKind::WouldBlock => Some(false),
        Err(_) => stream.write_all(b"a").err().map(|_| false),
    }
}
