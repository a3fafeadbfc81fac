//! The control thread: admin sockets, checks, the second's tick, and the end of the process.

use std::cell::RefCell;
use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use cfgparse::Severity;
use cfgparse::model::SocketLevel;
use cfgparse::model::global::Global;
use reactor::{Core, Mailbox, Timer};

use super::level::Level;
use super::ops::{Later, SocketFacts};
use super::process::{Process, Surroundings};
use super::resolvers::Resolvers;
use super::serve::{Terms, serve};
use super::{checks, gauges};
use crate::forward;
use crate::log::Level as LogLevel;
use crate::logger::{Line, Logger, Outlets};
use crate::mesh::{Mesh, ToControl};
use crate::plan::Proxy;
use crate::rt;
use crate::sample::Clock;
use crate::server::{Registry, Wake};
use crate::state::Runtime;
use crate::stream::Asked;

/// Prints a message where the operator sees it.
pub type Notify = Box<dyn Fn(Severity, &str) + Send>;

/// A `stats socket` that listens.
pub struct AdminSocket {
    pub socket: OwnedFd,
    /// As configured.
    pub name: String,
    pub level: SocketLevel,
}

/// What the control thread is given to start with.
pub struct ControlSeed {
    pub runtime: Arc<Runtime>,
    pub mesh: Arc<Mesh>,
    pub outlets: Arc<Outlets>,
    pub admin: Vec<AdminSocket>,
    pub registry: Registry,
    pub global: Box<Global>,
    pub utc_offset_s: i32,
    pub notify: Notify,
}

/// How often slow starts, rates and limits in time are looked at.
const TICK_MS: u64 = 1_000;

/// Runs the control thread until the process ends.
pub async fn run(core: Core, seed: ControlSeed) {
    let (mailbox, post) = core.mailbox();
    let logger = match Logger::new(&core, &seed.outlets) {
        Ok(logger) => Rc::new(logger),
        Err(error) => {
            (seed.notify)(Severity::Alert, &error.to_string());
            seed.mesh.broadcast(|| crate::mesh::ToShard::Stop);
            return;
        }
    };
    let thread = Rc::new(Thread {
        core: core.clone(),
        runtime: Arc::clone(&seed.runtime),
        logger: Rc::clone(&logger),
        utc_offset_s: seed.utc_offset_s,
        notify: seed.notify,
    });
    let surroundings: Rc<dyn Surroundings> = thread.clone();
    let sockets = seed.admin.iter().map(facts).collect();
    let process = Process::new(
        Arc::clone(&seed.runtime),
        Arc::clone(&seed.mesh),
        Rc::clone(&surroundings),
        sockets,
        seed.registry,
        seed.global,
    );
    let process = Rc::new(RefCell::new(process));
    let resolvers = Resolvers::new(&core, &seed.runtime);
    process.borrow_mut().resolved_by(Rc::clone(&resolvers));
    rt::spawn(async move { logger.run().await });
    for socket in seed.admin {
        listen(&core, &process, socket, &thread);
    }
    seed.mesh.join_control(post);
    forward::drain_rings(&core, &seed.runtime);
    let spread_percent = seed.runtime.plan.process.spread_checks_percent;
    let checks = checks::start(
        &core,
        &process,
        &surroundings,
        spread_percent,
        core.now_us(),
    );
    resolvers.start(&core, &process);
    let uptime_ms = core
        .now_ms()
        .saturating_sub(seed.runtime.process.started_ms);
    seed.runtime
        .process
        .boot_time_ms
        .store(uptime_ms, Ordering::Relaxed);
    Control {
        core,
        mailbox,
        process,
        thread,
        mesh: seed.mesh,
        checks,
        resolvers,
        drained: 0,
        deadline_ms: None,
    }
    .obey()
    .await;
}

/// The thread's main loop.
struct Control {
    core: Core,
    mailbox: Mailbox<ToControl>,
    process: Rc<RefCell<Process>>,
    thread: Rc<Thread>,
    mesh: Arc<Mesh>,
    checks: Rc<checks::Checks>,
    resolvers: Rc<Resolvers>,
    /// Cores that have ended their last connection.
    drained: usize,
    /// When a soft stop becomes a hard one.
    deadline_ms: Option<u64>,
}

impl Control {
    async fn obey(mut self) {
        let timer = self.core.timer();
        let mut gauges = gauges::Gauges::default();
        timer.set_after(TICK_MS);
        loop {
            match next(&self.mailbox, &timer).await {
                Some(ToControl::Settled(number)) => self.process.borrow().cores_settled(number),
                Some(ToControl::Drained { .. }) => {
                    self.drained += 1;
                    if self.drained >= self.mesh.cores() {
                        break;
                    }
                }
                Some(ToControl::SoftStop) => self.stop_softly(),
                Some(ToControl::Stop) => break,
                Some(ToControl::Asked(asked)) => self.grant(asked),
                Some(ToControl::Watch(server)) => self.checks.watch_added(server),
                Some(ToControl::Dump) => self.process.borrow().dump(),
                None => {
                    timer.set_after(TICK_MS);
                    self.process.borrow_mut().advance_slowstarts();
                    self.process.borrow().forget_expired();
                    gauges.take(&self.thread.runtime, self.core.now_ms());
                    if self
                        .deadline_ms
                        .is_some_and(|deadline| self.core.now_ms() >= deadline)
                    {
                        let text = "soft-stop running for too long, performing a hard-stop.";
                        self.thread.print(Severity::Warning, text);
                        break;
                    }
                }
            }
            // Tasks that were woken here run before the core sleeps again.
            self.core.mark_runnable();
        }
        self.process.borrow().stop();
        self.thread.logger.flush();
    }

    /// Does what a stream asked for, and wakes it when that is in effect everywhere.
    fn grant(&self, asked: Asked) {
        match asked {
            Asked::Resolve(question) => {
                let mesh = Arc::clone(&self.mesh);
                self.resolvers.look_up(question, move |question| {
                    Wake::wake(&*mesh, question.token);
                });
            }
            Asked::Observed(server) => self.process.borrow_mut().observed(server),
            Asked::Change(order) => {
                let changed = self.process.borrow_mut().carry_out(&order);
                let mesh = Arc::clone(&self.mesh);
                rt::spawn(async move {
                    changed.await;
                    Wake::wake(&*mesh, order.token);
                });
            }
        }
    }

    fn stop_softly(&mut self) {
        self.process.borrow_mut().stop_softly();
        let limit_ms = self.thread.runtime.plan.process.hard_stop_after_ms;
        self.deadline_ms = limit_ms.map(|ms| self.core.now_ms() + u64::from(ms));
    }
}

/// The next message, or `None` when the tick is due.
async fn next(mailbox: &Mailbox<ToControl>, timer: &Timer) -> Option<ToControl> {
    poll_fn(|context| {
        // Control holds a post itself through the mesh, so the mailbox never ends.
        if let Poll::Ready(message) = mailbox.poll_recv(context) {
            return Poll::Ready(message);
        }
        timer.poll_expired(context).map(|()| None)
    })
    .await
}

fn facts(socket: &AdminSocket) -> SocketFacts {
    SocketFacts {
        name: socket.name.clone(),
        level: level(socket.level),
    }
}

fn level(level: SocketLevel) -> Level {
    match level {
        SocketLevel::User => Level::User,
        SocketLevel::Operator => Level::Operator,
        SocketLevel::Admin => Level::Admin,
    }
}

fn listen(core: &Core, process: &Rc<RefCell<Process>>, socket: AdminSocket, thread: &Rc<Thread>) {
    let terms = Terms {
        level: level(socket.level),
        timeout_ms: thread.runtime.plan.process.stats_timeout_ms,
        ops: process.clone(),
    };
    let (core, thread) = (core.clone(), Rc::clone(thread));
    let listener = core.listener(socket.socket);
    rt::spawn(async move {
        let error = serve(core, listener, terms).await;
        let text = format!("admin socket {} is closed: {error}", socket.name);
        thread.print(Severity::Alert, &text);
    });
}

/// The thread as the process sees it.
struct Thread {
    core: Core,
    runtime: Arc<Runtime>,
    logger: Rc<Logger>,
    utc_offset_s: i32,
    notify: Notify,
}

impl Surroundings for Thread {
    fn now_ms(&self) -> u64 {
        self.core.now_ms()
    }

    fn clock(&self) -> Clock {
        Clock {
            unix_us: self.core.wall().as_micros() as u64,
            utc_offset_s: self.utc_offset_s,
        }
    }

    fn log(&self, proxy: &Proxy, level: LogLevel, text: &str) {
        let process = &self.runtime.plan.process;
        let line = Line {
            level,
            clock: self.clock(),
            tag: proxy.log.tag.as_deref().unwrap_or(&process.log_tag),
            host: process.log_host.as_deref(),
            structured: None,
        };
        self.logger
            .write(&proxy.log.targets, &line, text.as_bytes());
    }

    fn print(&self, severity: Severity, text: &str) {
        (self.notify)(severity, text);
    }

    fn sleep(&self, delay_ms: u64) -> Later<()> {
        let timer = self.core.timer();
        Box::pin(async move {
            timer.set_after(delay_ms);
            timer.expired().await;
        })
    }
}
