//! What idle keep-alive connections cost.

use super::cases::Case;
use super::{CaseResult, CompareError, Figures, SUBJECT_CPU, SubjectResult};
use crate::machine;
use crate::origin::Origin;
use crate::subject::{Placement, Program, Running};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time after the last request before the CPU is watched, and how long it is.
const SETTLE: Duration = Duration::from_secs(1);
const WATCH: Duration = Duration::from_secs(4);

/// Measures the subjects one after the other. `resident_mb` is that of all connections;
/// `cpu_us_per_request` is the idle process's CPU time per second.
pub fn measure(
    case: &Case,
    connections: usize,
    programs: &[Program],
    origin: &Origin,
) -> CaseResult {
    let mut subjects = Vec::new();
    for program in programs.iter().filter(|program| program.can(case.task)) {
        let started = program.start(
            case.task,
            &[origin.address],
            "",
            Placement::Cpu(SUBJECT_CPU),
        );
        let measured = started.map_err(CompareError::from).and_then(|running| {
            let idle = Idle::measure(&running, connections)?;
            idle.print(&program.name, connections);
            Ok(idle.figures())
        });
        let (rounds, failure) = match measured {
            Ok(figures) => (vec![figures], None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let median = super::medians(&rounds);
        subjects.push(SubjectResult {
            name: program.name.clone(),
            median,
            rounds,
            failure,
        });
    }
    CaseResult {
        case: case.name,
        subjects,
    }
}

struct Idle {
    empty_bytes: u64,
    full_bytes: u64,
    cpu_us_per_second: f64,
}

impl Idle {
    fn measure(running: &Running, connections: usize) -> io::Result<Idle> {
        let processes = running.processes();
        // The first exchange makes the subject allocate what it needs once.
        let first = exchange(running)?;
        let empty_bytes = machine::resident_bytes(&processes);
        let clients = (1..connections)
            .map(|_| exchange(running))
            .collect::<io::Result<Vec<_>>>()?;
        sleep(SETTLE);
        let full_bytes = machine::resident_bytes(&processes);
        let (begun, before) = (Instant::now(), machine::cpu_time_ns(&processes));
        sleep(WATCH);
        let used_us = (machine::cpu_time_ns(&processes) - before) as f64 / 1e3;
        let cpu_us_per_second = used_us / begun.elapsed().as_secs_f64();
        drop((first, clients));
        Ok(Idle {
            empty_bytes,
            full_bytes,
            cpu_us_per_second,
        })
    }

    fn figures(&self) -> Figures {
        Figures {
            cpu_us_per_request: self.cpu_us_per_second,
            resident_mb: self.full_bytes as f64 / 1e6,
            ..Figures::default()
        }
    }

    fn print(&self, name: &str, connections: usize) {
        let grown = self.full_bytes.saturating_sub(self.empty_bytes);
        println!(
            "{name:<20} {connections} idle connections: {} bytes each, {:.1} MB resident \
             ({:.1} MB before), {:.3} % of a CPU",
            grown / connections as u64,
            self.full_bytes as f64 / 1e6,
            self.empty_bytes as f64 / 1e6,
            self.cpu_us_per_second / 1e4,
        );
    }
}

/// One request and its answer on a new connection, which stays open.
fn exchange(running: &Running) -> io::Result<TcpStream> {
    let mut client = TcpStream::connect(running.address)?;
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    client.write_all(b"GET /64 HTTP/1.1\r\nhost: bench.test\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = client.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..n]);
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
        if n == 0 || head.is_some_and(|end| answer.len() >= end + 4 + 64) {
            break;
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(io::Error::other(
            String::from_utf8_lossy(&answer).into_owned(),
        ));
    }
    Ok(client)
}
