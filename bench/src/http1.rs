//! Raw requests through a proxy, compared with what HAProxy made of them.

use crate::framing::Body;
use crate::load::{Arrival, Response};
use crate::subject::{Kind, Placement, Program, Running, SubjectError, Task};
use serde::Deserialize;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Raw requests from a file, compared with what HAProxy made of them
#[derive(clap::Args)]
pub struct Http1Args {
    /// JSON lines: raw_latin1, suite, name, haproxy_status, haproxy_conn
    #[arg(long)]
    cases: PathBuf,
    /// The proxy's binary
    #[arg(long, default_value = "target/release/engine")]
    subject: PathBuf,
    /// It is an HAProxy, not the engine
    #[arg(long)]
    haproxy: bool,
    /// An HAProxy to compare with, instead of what the file has recorded
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Print each case that differs
    #[arg(long)]
    verbose: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Http1Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error("cases: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no such program: {0}")]
    NoSubject(PathBuf),
    #[error("{0} requests were forwarded that HAProxy rejects")]
    Forwarded(usize),
}

#[derive(Deserialize)]
struct Case {
    suite: String,
    name: String,
    raw_latin1: String,
    haproxy_status: String,
    haproxy_conn: String,
}

/// What a proxy made of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    /// Statuses of all answers; those of the origin are all 200.
    statuses: Vec<u16>,
    closed: bool,
}

/// Time without a byte after which nothing more is expected.
const QUIET: Duration = Duration::from_millis(150);

pub fn run(args: &Http1Args) -> Result<(), Http1Error> {
    let text = std::fs::read_to_string(&args.cases)?;
    let cases = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Case>, _>>()?;
    let kind = if args.haproxy {
        Kind::HaProxy
    } else {
        Kind::Engine
    };
    let subject = Rig::start(kind, &args.subject)?;
    let reference = args.reference.as_deref();
    let reference = reference
        .map(|path| Rig::start(Kind::HaProxy, path))
        .transpose()?;
    let (mut same, mut forwarded) = (0, 0);
    for case in &cases {
        let expected = match &reference {
            Some(rig) => rig.outcome(case)?.0,
            None => Outcome::recorded(case),
        };
        let (found, reached) = subject.outcome(case)?;
        let rejected = expected
            .statuses
            .first()
            .is_some_and(|s| matches!(s, 400 | 413 | 414 | 422 | 431));
        let passed_on = rejected && reached > 0;
        forwarded += usize::from(passed_on);
        if found == expected && !passed_on {
            same += 1;
        } else if args.verbose || passed_on {
            let mark = if passed_on { "FORWARDED" } else { "differs" };
            println!(
                "{mark}: {} / {}: {found}, HAProxy {expected}",
                case.suite, case.name
            );
            println!("    {:?}", case.raw_latin1);
        }
    }
    let share = same as f64 * 100.0 / cases.len().max(1) as f64;
    println!(
        "http1: {same} of {} cases as HAProxy ({share:.1} %), {forwarded} forwarded that it rejects",
        cases.len()
    );
    if forwarded > 0 {
        Err(Http1Error::Forwarded(forwarded))
    } else {
        Ok(())
    }
}

impl Outcome {
    fn recorded(case: &Case) -> Outcome {
        let statuses = case
            .haproxy_status
            .split(',')
            .filter_map(|text| text.parse().ok());
        let statuses = statuses.map(from_origin).collect();
        Outcome {
            statuses,
            closed: case.haproxy_conn == "closed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.closed { "closed" } else { "open" };
        write!(f, "{:?} {end}", self.statuses)
    }
}

/// Origins answer 501 to methods that they do not know: it was forwarded, as with 200.
fn from_origin(status: u16) -> u16 {
    if status == 501 { 200 } else { status }
}

/// A proxy before an origin that counts what reaches it.
struct Rig {
    running: Running,
    reached: Arc<AtomicUsize>,
}

impl Rig {
    fn start(kind: Kind, path: &std::path::Path) -> Result<Rig, Http1Error> {
        let program = Program::find(kind, path).ok_or(Http1Error::NoSubject(path.to_path_buf()))?;
        let reached = Arc::new(AtomicUsize::new(0));
        let origin = counting_origin(Arc::clone(&reached))?;
        let placement = Placement::Anywhere { cores: 1 };
        let running = program.start(Task::Http, &[origin], "", placement)?;
        Ok(Rig { running, reached })
    }

    /// Sends the case on a connection of its own; also says how many complete requests reached
    /// the origin: a head whose body breaks off was not answered and smuggles nothing.
    fn outcome(&self, case: &Case) -> io::Result<(Outcome, usize)> {
        let before = self.reached.load(Ordering::SeqCst);
        let raw: Vec<u8> = case.raw_latin1.chars().map(|c| c as u8).collect();
        let mut client = TcpStream::connect(self.running.address)?;
        client.set_read_timeout(Some(QUIET))?;
        // A proxy may close before it has read everything.
        let _ = client.write_all(&raw);
        let mut outcome = Outcome {
            statuses: Vec::new(),
            closed: false,
        };
        let mut input = Vec::new();
        let mut buffer = [0; 16_384];
        loop {
            match client.read(&mut buffer) {
                Ok(0) => break outcome.closed = true,
                Ok(n) => input.extend_from_slice(&buffer[..n]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(_) => break outcome.closed = true,
            }
        }
        while !input.is_empty() {
            let mut response = Response::new();
            match response.take(&input) {
                Ok(Arrival::Complete { used }) => {
                    input.drain(..used);
                }
                Ok(Arrival::Partial) | Err(_) => input.clear(),
            }
            outcome.statuses.push(from_origin(response.status));
        }
        Ok((outcome, self.reached.load(Ordering::SeqCst) - before))
    }
}

/// An origin that answers 200 to every complete request and counts them.
fn counting_origin(reached: Arc<AtomicUsize>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // Both threads end with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let reached = Arc::clone(&reached);
            std::thread::spawn(move || answer(stream, &reached));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, reached: &AtomicUsize) -> io::Result<()> {
    let mut input = Vec::new();
    let mut request: Option<Head> = None;
    let mut buffer = [0; 16_384];
    loop {
        if request.is_none() {
            request = Head::take(&mut input);
        }
        if let Some(head) = &mut request {
            let used = head.body.take(&input, |_| {}).map_err(io::Error::other)?;
            input.drain(..used);
            if head.body.is_done() {
                reached.fetch_add(1, Ordering::SeqCst);
                stream.write_all(head.answer)?;
                if head.close {
                    return Ok(());
                }
                request = None;
                continue;
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => input.extend_from_slice(&buffer[..n]),
        }
    }
}

/// A request's head, read with less care than any proxy's: what passes a proxy must not fail here.
struct Head {
    body: Body,
    close: bool,
    answer: &'static [u8],
}

impl Head {
    /// Takes a complete head from the front of `input`.
    fn take(input: &mut Vec<u8>) -> Option<Head> {
        let end = input.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&input[..end]).to_lowercase();
        let mut head = Head {
            body: Body::none(),
            close: text.contains("http/1.0\r\n"),
            answer: b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        };
        if text.starts_with("connect ") {
            head.answer = b"HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n";
        }
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            match (name, value.trim()) {
                ("content-length", length) => {
                    head.body = length.parse().map_or(head.body, Body::Length);
                }
                ("transfer-encoding", _) => head.body = Body::chunked(),
                ("connection", value) => head.close = value.contains("close"),
                _ => {}
            }
        }
        input.drain(..end);
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_outcomes_are_read() {
        let line = r#"{"suite":"s","name":"n","raw_latin1":"x","expected":"e","haproxy_status":"200,501","haproxy_conn":"closed"}"#;
        let case: Case = serde_json::from_str(line).unwrap();
        let expected = Outcome {
            statuses: vec![200, 200],
            closed: true,
        };
        assert_eq!(Outcome::recorded(&case), expected);
        let none: Case = serde_json::from_str(&line.replace("200,501", "-")).unwrap();
        assert_eq!(Outcome::recorded(&none).statuses, Vec::<u16>::new());
    }
}
