//! Commands on a small configuration: what they answer, say and leave behind.

mod words;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use cfgparse::Severity;

use super::{Process, Surroundings};
use crate::check::Settings;
use crate::control::ops::{Later, Ops};
use crate::control::{Level as CliLevel, Session, Step};
use crate::log::Level;
use crate::mesh::Mesh;
use crate::plan::{Proxy, ServerId};
use crate::probe::Finding;
use crate::sample::Clock;
use crate::server::{CheckStatus, Operational};
use crate::state::{snapshot, testing};
use crate::stats::Object;

const CONFIG: &str = "
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 1s
frontend fe
    bind 127.0.0.1:27280
    default_backend be
listen li
    bind 127.0.0.1:27281
    server a 127.0.0.1:27280 check inter 200ms
backend be
    balance roundrobin
    server s1 127.0.0.1:27281 weight 10
    server s2 127.0.0.1:27280 check inter 200ms weight 20 maxconn 5 maxqueue 3
    server s3 127.0.0.1:27280 backup
    server s4 127.0.0.1:27280 track be/s2
backend fixed
    balance source
    server f1 127.0.0.1:1 weight 10
    server f2 127.0.0.1:1 weight 10
backend slow
    balance roundrobin
    server s 127.0.0.1:1 check slowstart 10s
    server t nowhere.invalid:99 init-addr none
";

/// A thread that only listens to what is said.
struct Quiet {
    now_ms: Cell<u64>,
    printed: RefCell<Vec<String>>,
    logged: RefCell<Vec<(String, Level, String)>>,
}

impl Surroundings for Quiet {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn clock(&self) -> Clock {
        Clock {
            unix_us: 0,
            utc_offset_s: 0,
        }
    }

    fn log(&self, proxy: &Proxy, level: Level, text: &str) {
        let line = (proxy.name.to_string(), level, text.to_owned());
        self.logged.borrow_mut().push(line);
    }

    fn print(&self, severity: Severity, text: &str) {
        let mark = if severity == Severity::Alert {
            "! "
        } else {
            ""
        };
        self.printed.borrow_mut().push(format!("{mark}{text}"));
    }

    fn sleep(&self, _delay_ms: u64) -> Later<()> {
        Box::pin(std::future::ready(()))
    }
}

struct Bench {
    process: Process,
    thread: Rc<Quiet>,
}

impl Bench {
    fn new() -> Self {
        let mesh = Arc::new(Mesh::new(2));
        let built = testing::built_with(CONFIG, Arc::clone(&mesh)).expect("a good configuration");
        let thread = Rc::new(Quiet {
            now_ms: Cell::new(built.runtime.process.started_ms),
            printed: RefCell::default(),
            logged: RefCell::default(),
        });
        let process = Process::new(
            built.runtime,
            mesh,
            thread.clone(),
            Vec::new(),
            built.registry,
            Box::default(),
        );
        Self { process, thread }
    }

    /// The answers to a line, without the empty lines that end them.
    fn say(&mut self, line: &str) -> String {
        let mut session = Session::new(CliLevel::Admin, 10_000);
        session.receive(format!("{line}\n").as_bytes());
        session.end_of_input();
        let mut out = String::new();
        let mut step = session.step(&mut self.process);
        loop {
            step = match step {
                Step::Send(text) => {
                    out.push_str(&text);
                    session.step(&mut self.process)
                }
                Step::Wait(mut later) => {
                    // No core is there whose answer would have to be waited for.
                    self.process.cores_settled(u64::MAX);
                    match later.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                        Poll::Ready(reply) => session.answered(reply),
                        Poll::Pending => panic!("'{line}' waits for more than the cores"),
                    }
                }
                Step::Follow(_) => panic!("there is no ring here"),
                Step::Read | Step::Close => return out.trim_end().to_owned(),
            };
        }
    }

    /// What was printed since the last time.
    fn printed(&self) -> Vec<String> {
        std::mem::take(&mut *self.thread.printed.borrow_mut())
    }

    fn id(&self, backend: &str, server: &str) -> ServerId {
        Ops::server(&self.process, backend, server).expect("a server")
    }

    fn status(&self, backend: &str, server: &str) -> String {
        let snapshot = snapshot::take(&self.process.runtime, self.thread.now_ms.get());
        let proxy = snapshot
            .proxies
            .iter()
            .find(|proxy| proxy.name == backend)
            .expect("a proxy");
        let row = snapshot
            .rows_of(proxy)
            .find(|row| row.name() == server)
            .expect("a row");
        match row.object {
            Object::Server(server) => server.status.clone(),
            Object::Backend(back) => format!("{} {}+{}", back.status, back.active, back.backup),
            Object::Frontend(front) => format!("{} {}", front.status, front.limit),
            Object::Listener(listener) => listener.status.to_owned(),
        }
    }

    /// The servers that new requests go to, as cores are told.
    fn in_use(&self, backend: &str) -> Vec<(u32, bool)> {
        let plan = &self.process.runtime.plan;
        let id = plan.find_backend(backend).expect("a backend");
        let standing = self.process.runtime.standings[id.index()].backend();
        let view = standing.view.as_ref().expect("a view");
        let used = view
            .members()
            .iter()
            .map(|m| (m.id.0, m.state.serves_backend_queue()));
        used.collect()
    }
}

#[test]
fn a_disabled_server_leaves_the_view() {
    let mut bench = Bench::new();
    let first = bench.id("be", "s1").0;
    assert_eq!(
        bench.in_use("be"),
        [
            (first, true),
            (first + 1, true),
            (first + 2, false),
            (first + 3, true)
        ]
    );
    bench.say("disable server be/s1");
    assert_eq!(bench.status("be", "s1"), "MAINT");
    assert_eq!(bench.status("be", "BACKEND"), "UP 2+1");
    assert!(!bench.in_use("be")[0].1);
    bench.say("disable server be/s2");
    assert_eq!(bench.status("be", "s4"), "MAINT (via be/s2)");
    assert_eq!(
        bench
            .in_use("be")
            .iter()
            .map(|used| used.1)
            .collect::<Vec<_>>(),
        [false, false, true, false],
        "the backup takes over"
    );
    bench.say("enable server be/s2");
    assert_eq!(bench.status("be", "s2"), "UP 1/3");
    assert_eq!(bench.status("be", "s4"), "UP 1/3");
    assert!(!bench.in_use("be")[2].1);
}

/// Texts of a live HAProxy 3.5.
#[test]
fn answers() {
    let rows = [
        ("get weight be/s1", "10 (initial 10)"),
        ("set weight be/s1 50%", ""),
        ("get weight be/s1", "5 (initial 10)"),
        ("get weight #4/#1", "5 (initial 10)"),
        (
            "set weight fixed/f1 50%",
            "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.",
        ),
        ("set weight fixed/f1 0%", ""),
        ("set weight fixed/f1 100%", ""),
        (
            "enable health be/s1",
            "Health check was not configured on this server, cannot enable.",
        ),
        ("disable health be/s1", ""),
        (
            "set server be/s2 agent up",
            "agent checks are not enabled on this server.",
        ),
        (
            "enable agent be/s2",
            "Agent was not configured on this server, cannot enable.",
        ),
        (
            "set server be/s4 health down",
            "cannot change health on a tracking server.",
        ),
        ("set maxconn server be/s1 10", ""),
        ("set maxconn global 501", "Value out of range."),
        (
            "set server be/s1 addr 127.0.0.2 port 88",
            "IP changed from '127.0.0.1' to '127.0.0.2', port changed from '27281' to '88' by \
             'stats socket command'",
        ),
        ("set server be/s1 addr 127.0.0.2 port 88", "nothing changed"),
        (
            "set server be/s1 addr 127.0.0.3",
            "IP changed from '127.0.0.2' to '127.0.0.3' by 'stats socket command'",
        ),
        (
            "set server be/s1 fqdn localhost",
            "set server <b>/<s> fqdn failed because no resolution is configured.",
        ),
        (
            "set server be/s1 check-port 77",
            "health checks are not enabled on this server",
        ),
        ("set server be/s2 check-port 77", ""),
        (
            "set server be/s1 name foo",
            "Server must be in maintenance mode to be renamed (set server <b>/<s> state maint).",
        ),
        ("shutdown sessions server be/s1", ""),
        (
            "shutdown session 0x100000002",
            "No such session (use 'show sess').",
        ),
        ("show sess", ""),
        ("disable frontend fe", ""),
        ("disable frontend fe", "All sockets are already disabled."),
        ("shutdown frontend fe", ""),
        (
            "disable frontend fe",
            "Frontend was previously shut down, cannot disable.",
        ),
        (
            "enable frontend fe",
            "Frontend was previously shut down, cannot enable.",
        ),
    ];
    let mut bench = Bench::new();
    for (line, expected) in rows {
        assert_eq!(bench.say(line), expected, "{line}");
    }
}

#[test]
fn limits_change() {
    let mut bench = Bench::new();
    assert_eq!(bench.status("fe", "FRONTEND"), "OPEN 500");
    bench.say("set maxconn frontend fe 50;set maxconn global 100");
    assert_eq!(bench.status("fe", "FRONTEND"), "OPEN 50");
    assert_eq!(bench.process.runtime.process_gate.limit(), 100);
    bench.say("set maxconn global 0");
    assert_eq!(bench.process.runtime.process_gate.limit(), 500);
    let s1 = bench.id("be", "s1");
    bench.say("set maxconn server be/s1 7");
    assert_eq!(bench.process.server(s1).limit(), Some(7));
}

fn failed() -> Finding {
    Finding {
        status: CheckStatus::L4Connection,
        code: 0,
        info: "refused".to_owned(),
    }
}

fn passed() -> Finding {
    Finding {
        status: CheckStatus::L4Ok,
        code: 0,
        info: String::new(),
    }
}

#[test]
fn checks_change_states_and_followers() {
    let mut bench = Bench::new();
    let (s2, settings) = (bench.id("be", "s2"), Settings::default());
    bench.process.found(s2, &settings, &failed(), 1);
    assert_eq!(
        bench.printed(),
        [
            "Server be/s2 is DOWN, reason: Layer4 connection problem, info: \"refused\", check \
             duration: 1ms. 2 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 \
             remaining in queue.",
            "Server be/s4 is DOWN via be/s2. 1 active and 1 backup servers left. 0 sessions \
             active, 0 requeued, 0 remaining in queue.",
        ]
    );
    assert_eq!(
        (bench.status("be", "s2"), bench.status("be", "s4")),
        ("DOWN".into(), "DOWN".into())
    );
    bench.process.found(s2, &settings, &passed(), 1);
    assert_eq!(bench.status("be", "s2"), "DOWN 1/2");
    bench.process.found(s2, &settings, &passed(), 1);
    assert_eq!(
        (bench.status("be", "s2"), bench.status("be", "s4")),
        ("UP".into(), "UP".into())
    );
    assert_eq!(bench.status("be", "BACKEND"), "UP 3+1");
}

#[test]
fn told_checks_are_not_told_twice() {
    let mut bench = Bench::new();
    let settings = Settings {
        log_checks: true,
        ..Settings::default()
    };
    let a = bench.id("li", "a");
    bench.process.found(a, &settings, &failed(), 1);
    let printed = bench.printed();
    assert!(
        printed[0].starts_with("Health check for server li/a failed"),
        "{printed:?}"
    );
    assert!(
        printed[1].starts_with("Server li/a is DOWN. 0 active"),
        "{printed:?}"
    );
    assert_eq!(printed[2], "! proxy 'li' has no server available!");
}

#[test]
fn a_slow_start_takes_its_time() {
    let mut bench = Bench::new();
    let (s, settings) = (bench.id("slow", "s"), Settings::default());
    let begun_ms = bench.thread.now_ms.get();
    for finding in [failed(), passed(), passed()] {
        bench.process.found(s, &settings, &finding, 0);
    }
    assert_eq!(bench.process.server(s).operational(), Operational::Starting);
    bench.thread.now_ms.set(begun_ms + 5_000);
    bench.process.advance_slowstarts();
    assert_eq!(bench.process.server(s).throttle_percent(), 50);
    bench.thread.now_ms.set(begun_ms + 10_000);
    bench.process.advance_slowstarts();
    assert_eq!(bench.process.server(s).operational(), Operational::Running);
}

#[test]
fn an_address_ends_the_wait_for_one() {
    let mut bench = Bench::new();
    assert_eq!(bench.status("slow", "t"), "MAINT (resolution)");
    assert_eq!(
        bench.say("set server slow/t addr 127.0.0.1"),
        "IP changed from '(none)' to '127.0.0.1' by 'stats socket command'"
    );
    assert_eq!(bench.status("slow", "t"), "no check");
}

#[test]
fn answers_wait_for_the_cores() {
    let mut bench = Bench::new();
    assert!(
        Ops::settled(&mut bench.process).is_none(),
        "nothing was changed"
    );
    bench
        .process
        .set_weight(bench.id("be", "s1"), crate::control::NewWeight::Absolute(3))
        .unwrap();
    let mut settled = Ops::settled(&mut bench.process).expect("a change is under way");
    assert!(
        Ops::settled(&mut bench.process).is_none(),
        "each change is waited for once"
    );
    let mut context = Context::from_waker(Waker::noop());
    assert!(settled.as_mut().poll(&mut context).is_pending());
    bench.process.cores_settled(1);
    assert!(settled.as_mut().poll(&mut context).is_ready());
}

#[test]
fn a_soft_stop_is_told_once() {
    let mut bench = Bench::new();
    bench.process.stop_softly();
    bench.process.stop_softly();
    let expected: Vec<String> = ["fe", "li", "be", "fixed", "slow"]
        .map(|name| format!("Proxy {name} stopped (cumulated conns: FE: 0, BE: 0)."))
        .into();
    assert_eq!(bench.printed(), expected);
    assert!(bench.process.snapshot().process.stopping);
    assert_eq!(bench.status("fe", "FRONTEND"), "STOP 500");
}
