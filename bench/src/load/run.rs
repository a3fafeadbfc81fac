//! The load's event loop.

use super::connection::{Connection, Outcome, Phase, Request};
use super::options::{Options, Pace, Reuse};
use super::report::{Failure, Report};
use super::transport::Transport;
use crate::ready::{Interest, Readiness, ReadySocket};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{0} is not a loopback address: this tool only loads its own machine")]
    NotLoopback(std::net::SocketAddr),
    #[error("{0}")]
    Useless(&'static str),
    #[error("the load's own machinery: {0}")]
    Io(#[from] io::Error),
}

/// Told when the measured time begins and ends.
pub trait Window {
    fn begin(&mut self);
    fn end(&mut self);
}

impl Window for () {
    fn begin(&mut self) {}
    fn end(&mut self) {}
}

/// Pause before a failed connection is tried again.
const RETRY: Duration = Duration::from_millis(10);
/// Time between two looks for stalled exchanges and at the stop flag.
const PATROL: Duration = Duration::from_millis(100);
/// How long a server may take to close a connection that it announced to close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
const READ_BYTES: usize = 256 * 1024;

/// Produces the load and reports what came back.
pub fn run(options: &Options, window: &mut dyn Window) -> Result<Report, LoadError> {
    if !options.target.ip().is_loopback() {
        return Err(LoadError::NotLoopback(options.target));
    }
    if options.connections == 0 || options.mix.is_empty() {
        return Err(LoadError::Useless(
            "at least one connection and one path are needed",
        ));
    }
    if matches!(options.pace, Pace::Open { per_second } if per_second <= 0.0) {
        return Err(LoadError::Useless("the rate must be above 0"));
    }
    let mut run = Run::new(options)?;
    run.open_all();
    let begin = run.started + options.warm_up;
    let end = begin + options.duration;
    run.until(begin)?;
    run.measuring = true;
    let begun = Instant::now();
    window.begin();
    run.until(end)?;
    run.report.seconds = begun.elapsed().as_secs_f64();
    window.end();
    Ok(run.report)
}

struct Run<'a> {
    options: &'a Options,
    heads: Vec<Vec<u8>>,
    readiness: Readiness,
    slots: Vec<Option<Connection>>,
    idle: Vec<usize>,
    retries: VecDeque<(Instant, usize)>,
    /// Open loop: when the requests that wait for a connection should have started.
    overdue: VecDeque<Instant>,
    started: Instant,
    scheduled: u64,
    sequence: u64,
    random: u64,
    measuring: bool,
    next_patrol: Instant,
    scratch: Vec<u8>,
    report: Report,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options) -> io::Result<Run<'a>> {
        let now = Instant::now();
        Ok(Run {
            options,
            heads: options
                .mix
                .iter()
                .map(|exchange| head(options, exchange))
                .collect(),
            readiness: Readiness::new()?,
            slots: (0..options.connections).map(|_| None).collect(),
            idle: Vec::new(),
            retries: VecDeque::new(),
            overdue: VecDeque::new(),
            started: now,
            scheduled: 0,
            sequence: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            measuring: false,
            next_patrol: now + PATROL,
            scratch: vec![0; READ_BYTES],
            report: Report::new(),
        })
    }

    fn open_all(&mut self) {
        for slot in 0..self.options.connections {
            self.open(slot);
        }
    }

    fn until(&mut self, end: Instant) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            let now = Instant::now();
            if now >= end || self.is_over() {
                return Ok(());
            }
            self.start_due(now);
            self.retry(now);
            if now >= self.next_patrol {
                self.patrol(now);
            }
            let timeout = self
                .next_wake(end)
                .saturating_duration_since(Instant::now());
            self.readiness.wait(timeout, &mut ready)?;
            for &socket in &ready {
                self.run_socket(socket);
            }
        }
    }

    fn is_over(&self) -> bool {
        let stopped = self
            .options
            .stop
            .as_ref()
            .is_some_and(|stop| stop.load(Ordering::Relaxed));
        stopped
            || self
                .options
                .requests_max
                .is_some_and(|max| self.report.requests >= max)
    }

    fn next_wake(&self, end: Instant) -> Instant {
        let retry = self.retries.front().map(|(at, _)| *at);
        let start = self.next_scheduled();
        [retry, start]
            .into_iter()
            .flatten()
            .fold(end.min(self.next_patrol), Instant::min)
    }

    fn next_scheduled(&self) -> Option<Instant> {
        let Pace::Open { per_second } = self.options.pace else {
            return None;
        };
        Some(self.started + Duration::from_secs_f64(self.scheduled as f64 / per_second))
    }

    /// Open loop: starts what is due, on idle connections or, late, when one becomes idle.
    fn start_due(&mut self, now: Instant) {
        while let Some(at) = self.next_scheduled().filter(|at| *at <= now) {
            self.scheduled += 1;
            self.overdue.push_back(at);
        }
        while !self.overdue.is_empty() && !self.idle.is_empty() {
            if let (Some(intended), Some(slot)) = (self.overdue.pop_front(), self.idle.pop()) {
                self.start(slot, intended);
            }
        }
    }

    fn open(&mut self, slot: usize) {
        self.slots[slot] = None;
        self.report.connects += 1;
        let opened = Transport::connect(self.options.target, self.options.tls.as_ref());
        match opened.and_then(|transport| {
            transport.register(&self.readiness, slot as u64)?;
            Ok(transport)
        }) {
            Ok(transport) => self.slots[slot] = Some(Connection::new(transport, Instant::now())),
            Err(_) => self.fail(slot, Failure::Connect),
        }
    }

    fn fail(&mut self, slot: usize, failure: Failure) {
        self.report.failed(failure);
        self.slots[slot] = None;
        self.retries.push_back((Instant::now() + RETRY, slot));
    }

    fn retry(&mut self, now: Instant) {
        while let Some(&(at, slot)) = self.retries.front() {
            if at > now {
                return;
            }
            self.retries.pop_front();
            self.open(slot);
        }
    }

    fn run_socket(&mut self, socket: ReadySocket) {
        let slot = socket.token as usize;
        let Some(connection) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        let waited = connection.waits_for_write;
        let outcome = connection.ready(socket.readable, socket.writable, &mut self.scratch);
        self.settle(slot, outcome, waited);
    }

    /// Acts on an outcome; `waited` tells whether the socket is watched for writing.
    fn settle(&mut self, slot: usize, outcome: Outcome, waited: bool) {
        let Some(connection) = self.slots[slot].as_mut() else {
            return;
        };
        if connection.waits_for_write != waited {
            let interest = if connection.waits_for_write {
                Interest::ReadWrite
            } else {
                Interest::Read
            };
            let watched = connection
                .transport
                .watch(&self.readiness, slot as u64, interest);
            if watched.is_err() {
                return self.fail(slot, Failure::Connect);
            }
        }
        match outcome {
            Outcome::None => {}
            Outcome::Connected => self.free(slot),
            Outcome::Answered => self.answered(slot),
            Outcome::Closed => {
                self.idle.retain(|idle| *idle != slot);
                self.open(slot);
            }
            Outcome::Failed(failure) => self.fail(slot, failure),
        }
    }

    fn answered(&mut self, slot: usize) {
        let Some(connection) = self.slots[slot].as_mut() else {
            return;
        };
        if self.measuring {
            let latency = connection.intended.elapsed();
            let response = &connection.response;
            self.report
                .answered(response.status, response.body_bytes, latency);
        }
        if connection.phase == Phase::Idle {
            self.free(slot);
        }
    }

    /// The connection can take a request.
    fn free(&mut self, slot: usize) {
        match self.options.pace {
            Pace::Closed => self.start(slot, Instant::now()),
            Pace::Open { .. } => match self.overdue.pop_front() {
                Some(intended) => self.start(slot, intended),
                None => self.idle.push(slot),
            },
        }
    }

    fn start(&mut self, slot: usize, intended: Instant) {
        self.sequence += 1;
        let kind = if self.heads.len() == 1 {
            0
        } else {
            self.draw() as usize % self.heads.len()
        };
        let asks_close = match self.options.reuse {
            Reuse::KeepAlive => false,
            Reuse::Close => true,
            Reuse::Mixed { close_one_in } => self.draw().is_multiple_of(close_one_in.max(1)),
        };
        let tag = self.options.tagged.then_some(self.sequence);
        let head = &mut self.heads[kind];
        let bare = head.len();
        if asks_close {
            head.extend_from_slice(b"connection: close\r\n");
        }
        if let Some(tag) = tag {
            head.extend_from_slice(format!("x-tag: {tag:016x}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        let upload = self.options.mix[kind].upload;
        if let Some(connection) = self.slots[slot].as_mut() {
            let request = Request {
                head,
                tag,
                upload,
                intended,
                asks_close,
            };
            let waited = connection.waits_for_write;
            let outcome = connection.start(&request);
            head.truncate(bare);
            // A plain socket was watched for writing until it was connected.
            self.settle(slot, outcome, waited);
        } else {
            head.truncate(bare);
        }
    }

    /// xorshift64*: a fixed sequence, so that runs are alike.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }

    fn patrol(&mut self, now: Instant) {
        self.next_patrol = now + PATROL;
        for slot in 0..self.slots.len() {
            let Some(connection) = &self.slots[slot] else {
                continue;
            };
            let quiet = now.saturating_duration_since(connection.last_progress);
            match connection.phase {
                Phase::Closing if quiet > CLOSE_PATIENCE => self.open(slot),
                Phase::Connecting | Phase::Busy if quiet > self.options.stall => {
                    self.fail(slot, Failure::Stalled);
                }
                _ => {}
            }
        }
    }
}

/// The request head up to, not including, what differs from request to request.
fn head(options: &Options, exchange: &super::Exchange) -> Vec<u8> {
    let method = if exchange.upload > 0 { "POST" } else { "GET" };
    let mut lines = vec![
        format!("{method} {} HTTP/1.1", exchange.path),
        "host: bench.test".to_owned(),
    ];
    let header = |(name, value): &(String, String)| format!("{name}: {value}");
    lines.extend(options.headers.iter().map(header));
    if exchange.upload > 0 {
        lines.push(format!("content-length: {}", exchange.upload));
    }
    lines.push(String::new());
    lines.join("\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Exchange;
    use crate::origin::Origin;

    fn short(origin: &Origin, path: &str) -> Options {
        Options {
            requests_max: Some(500),
            duration: Duration::from_secs(30),
            tagged: true,
            ..Options::new(origin.address, 8, path)
        }
    }

    #[test]
    fn closed_loop_answers_are_complete_and_their_own() {
        let origin = Origin::start(None).unwrap();
        let mix = [
            ("/0", 0),
            ("/70000", 0),
            ("/chunked/9000", 0),
            ("/3", 100_000),
            ("/eof/7", 0),
        ];
        let mix = mix.map(|(path, upload)| Exchange {
            path: path.to_owned(),
            upload,
        });
        let report = run(
            &Options {
                mix: mix.to_vec(),
                ..short(&origin, "/")
            },
            &mut (),
        )
        .unwrap();
        assert!(report.requests >= 500);
        assert_eq!(report.errors(), 0, "{report:?}");
    }

    #[test]
    fn one_connection_a_request() {
        let origin = Origin::start(None).unwrap();
        let options = Options {
            reuse: Reuse::Close,
            ..short(&origin, "/10")
        };
        let report = run(&options, &mut ()).unwrap();
        assert_eq!(report.errors(), 0, "{report:?}");
        assert!(report.connects >= report.requests);
    }

    #[test]
    fn the_open_loop_counts_from_the_intended_time() {
        let origin = Origin::start(None).unwrap();
        let options = Options {
            connections: 1,
            pace: Pace::Open { per_second: 1000.0 },
            requests_max: Some(20),
            ..short(&origin, "/delay/10/1")
        };
        let report = run(&options, &mut ()).unwrap();
        assert_eq!(report.errors(), 0);
        // One connection answers one request per 10 ms; the twentieth was due at 19 ms.
        assert!(
            report.latency_us.max() >= 150_000,
            "{}",
            report.latency_us.max()
        );
    }

    #[test]
    fn a_dead_target_is_reported_and_a_foreign_one_refused() {
        let listener = crate::origin::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let target = listener.local_addr().unwrap();
        drop(listener);
        let options = Options {
            duration: Duration::from_millis(50),
            ..Options::new(target, 2, "/")
        };
        let report = run(&options, &mut ()).unwrap();
        assert!(report.failures_of(Failure::Connect) >= 2 && report.requests == 0);
        let foreign = Options::new("192.0.2.1:80".parse().unwrap(), 1, "/");
        assert!(matches!(
            run(&foreign, &mut ()),
            Err(LoadError::NotLoopback(_))
        ));
    }
}
