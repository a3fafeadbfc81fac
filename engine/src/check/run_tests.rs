//! Checks over real sockets on a core of their own.

use std::cell::{Cell, RefCell};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use reactor::{CoreConfig, Event};
use socket2::SockAddr;

use super::external::Program;
use super::run::{Watched, World, watch};
use super::{Settings, judge, prepare};
use crate::plan::{ProxyId, ServerCheck, ServerId};
use crate::probe::{self, Asking, ConnectStep, Finding, Ruleset, Subject};
use crate::rt;
use crate::sample::testing::Process;
use crate::sample::{Clock, Compiler};
use crate::server::{CheckStatus, Registry, ServerSettings, ServerState, Token, Wake};
use crate::tls::{TlsError, TlsSession};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self, _: Token) {}
}

/// Collects so many findings, then says so.
struct Collector {
    address: SocketAddr,
    wanted: usize,
    findings: RefCell<Vec<(Finding, u64)>>,
    done: Event,
    is_judging: Cell<bool>,
    process: Process,
    random: Cell<u64>,
}

impl World for Collector {
    fn address(&self, _: &Watched, _: &ConnectStep) -> Option<SockAddr> {
        Some(self.address.into())
    }

    fn socks4(&self, _: &Watched) -> Option<SocketAddr> {
        None
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            world: &self.process,
            clock: Clock::default(),
            random: &self.random,
        }
    }

    fn program(&self, _: &Watched) -> Program {
        Program {
            command: "/bin/sh".to_owned(),
            arguments: vec!["-c".to_owned(), "exit $CODE".to_owned()],
            environment: vec![("CODE", "3".to_owned())],
            keeps_environment: false,
        }
    }

    fn tls(&self, _: &Watched, _: &ConnectStep) -> Result<TlsSession, TlsError> {
        Err(TlsError::Protocol("no TLS in this test".to_owned()))
    }

    fn state_header(&self, _: &Watched) -> String {
        "UP".to_owned()
    }

    fn found(&self, watched: &Watched, finding: &Finding, duration_ms: u64) {
        if self.is_judging.get() {
            judge(&watched.server, &watched.settings, finding, duration_ms, 0);
        }
        let mut findings = self.findings.borrow_mut();
        findings.push((finding.clone(), duration_ms));
        if findings.len() >= self.wanted {
            watched.stop();
            self.done.notify();
        }
    }

    fn random(&self) -> u64 {
        0
    }
}

fn server() -> Arc<ServerState> {
    Registry::new(1, Arc::new(NoWake))
        .server("be", "s1", &ServerSettings::default())
        .0
}

fn quick() -> Settings {
    Settings {
        inter_ms: 100,
        ..Settings::default()
    }
}

/// The first `wanted` findings for a server at `address`.
fn findings(
    address: SocketAddr,
    check: fn() -> ServerCheck,
    settings: Settings,
    wanted: usize,
    server: Arc<ServerState>,
) -> Vec<(Finding, u64)> {
    let running = rt::launch(
        &[],
        "checks",
        &CoreConfig::default(),
        move |core| async move {
            let subject = Subject {
                backend: ProxyId(0),
                server: ServerId(0),
            };
            let watched = Watched::new(&core, (server, subject), check(), settings, 0);
            let world = Rc::new(Collector {
                address,
                wanted,
                findings: RefCell::default(),
                done: core.event(),
                is_judging: Cell::new(true),
                process: Process::default(),
                random: Cell::new(1),
            });
            rt::spawn(watch(core, watched, world.clone(), 0));
            world.done.wait().await;
            world.findings.take()
        },
    );
    match running.map(rt::Running::join) {
        Ok(Ok(findings)) => findings,
        _ => panic!("the core did not run"),
    }
}

/// A server that answers each connection with `answer`, or holds it in silence.
fn origin(answer: Option<&'static [u8]>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut request = [0; 1024];
            match answer {
                Some(bytes) => {
                    let _ = stream.read(&mut request);
                    let _ = stream.write_all(bytes);
                }
                None => held.push(stream),
            }
        }
    });
    address
}

fn check_of(rules: Ruleset) -> ServerCheck {
    ServerCheck {
        rules: Arc::new(rules),
        connection: ConnectStep::default(),
    }
}

fn connect_only() -> ServerCheck {
    check_of(Ruleset::connect())
}

fn http() -> ServerCheck {
    let check = cfgparse::model::check::Check {
        kind: cfgparse::model::check::CheckKind::Http(cfgparse::model::check::HttpCheck::default()),
        ..cfgparse::model::check::Check::default()
    };
    let names = Process::default();
    let rules = probe::ruleset(&check, &mut Compiler::new(&names));
    check_of(rules.expect("a plain http check compiles"))
}

fn by_program() -> ServerCheck {
    check_of(Ruleset::external())
}

#[test]
fn a_program_is_run_with_its_environment_and_reaped() {
    let found = findings(origin(None), by_program, quick(), 2, server());
    for (finding, _) in &found {
        let seen = (finding.status, finding.code);
        assert_eq!(seen, (CheckStatus::ProcessError, 3));
    }
}

#[test]
fn a_listening_server_is_up_and_rises_to_full_health() {
    let server = server();
    prepare(&server, &quick(), true);
    let found = findings(origin(None), connect_only, quick(), 2, Arc::clone(&server));
    assert!(
        found
            .iter()
            .all(|(finding, _)| finding.status == CheckStatus::L4Ok),
        "{found:?}"
    );
    assert_eq!(server.health().map(|health| health.counter), Some(4));
}

#[test]
fn a_refused_connection_brings_a_fresh_server_down() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("its address");
    drop(free);
    let server = server();
    prepare(&server, &quick(), true);
    let found = findings(address, connect_only, quick(), 1, Arc::clone(&server));
    assert_eq!(found[0].0.status, CheckStatus::L4Connection);
    assert_eq!(
        found[0].0.info,
        "ECONNREFUSED returned by OS (Connection refused)"
    );
    assert!(!server.operational().is_up());
}

#[test]
fn http_answers_are_judged() {
    let good = origin(Some(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let found = findings(good, http, quick(), 1, server());
    assert_eq!(
        (found[0].0.status, found[0].0.code),
        (CheckStatus::L7Ok, 204)
    );
    let bad = origin(Some(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
    let found = findings(bad, http, quick(), 1, server());
    assert_eq!(
        (found[0].0.status, found[0].0.code),
        (CheckStatus::L7Status, 503)
    );
    assert_eq!(found[0].0.info, "Busy");
}

#[test]
fn silence_times_out_after_inter_or_timeout_check() {
    let found = findings(origin(None), http, quick(), 1, server());
    let (finding, took_ms) = &found[0];
    assert_eq!(finding.status, CheckStatus::L7Timeout);
    assert!(*took_ms >= 99, "{took_ms}");
    let settings = Settings {
        inter_ms: 60_000,
        check_timeout_ms: Some(50),
        ..quick()
    };
    let found = findings(origin(None), http, settings, 1, server());
    assert_eq!(found[0].0.status, CheckStatus::L7Timeout);
    assert!((49..30_000).contains(&found[0].1));
}
