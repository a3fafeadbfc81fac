//! Runs checks: one task a server on the control thread's core.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use cfgparse::model::server::{Addr, ServerCheck as Line};
use reactor::net::{ConnectOptions, stream_socket_from};
use reactor::{Core, Event, Timer};
use socket2::SockAddr;

use super::connection::{Broken, Connection, Received};
use super::external::{self, Program};
use super::schedule::{self, Settings};
use crate::plan::{Endpoint, ServerCheck};
use crate::probe::{
    Asking, ConnectStep, Finding, Probe, Prologue, Style, Subject, Todo, errno_text,
};
use crate::server::{CheckStatus, Health, ServerState};
use crate::tls::{TlsError, TlsSession};

/// What checks need from their surroundings.
pub trait World {
    /// Where to connect for a step; `None` while the address is unknown. See [`address`].
    fn address(&self, watched: &Watched, step: &ConnectStep) -> Option<SockAddr>;
    /// Our end of connections to a server (manual, `source`).
    fn source(&self) -> ConnectOptions<'_> {
        ConnectOptions::default()
    }
    /// The server's `socks4`.
    fn socks4(&self, watched: &Watched) -> Option<SocketAddr>;
    /// A client session for a step with TLS.
    fn tls(&self, watched: &Watched, step: &ConnectStep) -> Result<TlsSession, TlsError>;
    /// What expressions see of the process.
    fn asking(&self) -> Asking<'_>;
    /// The program of an external check.
    fn program(&self, watched: &Watched) -> Program;
    /// The value of `x-haproxy-server-state` (manual 4.2, `http-check send-state`).
    fn state_header(&self, watched: &Watched) -> String;
    /// A check is over: judge it, tell the cores, log it.
    fn found(&self, watched: &Watched, finding: &Finding, duration_ms: u64);
    /// For `spread-checks`.
    fn random(&self) -> u64;
}

/// A server under watch.
pub struct Watched {
    pub server: Arc<ServerState>,
    pub subject: Subject,
    pub check: ServerCheck,
    pub settings: Settings,
    /// `spread-checks`, in percent.
    pub spread_percent: u32,
    enabled: Cell<bool>,
    stopped: Cell<bool>,
    due_in_ms: Cell<Option<u64>>,
    nudge: Event,
}

impl Watched {
    pub fn new(
        core: &Core,
        (server, subject): (Arc<ServerState>, Subject),
        check: ServerCheck,
        settings: Settings,
        spread_percent: u32,
    ) -> Rc<Self> {
        Rc::new(Self {
            server,
            subject,
            check,
            settings,
            spread_percent,
            enabled: Cell::new(true),
            stopped: Cell::new(false),
            due_in_ms: Cell::new(None),
            nudge: core.event(),
        })
    }

    /// `enable health`, `disable health`: a disabled check keeps its last result.
    pub fn enable(&self, yes: bool) {
        self.enabled.set(yes);
    }

    pub fn is_enabled(&self) -> bool {
        self.enabled.get()
    }

    /// Ends the watch: its task goes away, a check in progress is dropped.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.nudge.notify();
    }

    /// The next check comes after `fastinter` at the latest: errors were observed.
    pub fn hasten(&self) {
        let fast_ms = self.settings.fastinter_ms.unwrap_or(self.settings.inter_ms);
        self.due_in_ms.set(Some(fast_ms));
        self.nudge.notify();
    }

    fn health(&self) -> Health {
        self.server
            .health()
            .unwrap_or_else(|| Health::barely_up(self.settings.rise, self.settings.fall))
    }
}

/// Checks a server until it is stopped; the first check comes after `first_delay_ms`.
pub async fn watch(core: Core, watched: Rc<Watched>, world: Rc<dyn World>, first_delay_ms: u64) {
    let timer = core.timer();
    let mut checked = false;
    timer.set_after(first_delay_ms);
    loop {
        if !pause(&watched, &timer).await {
            return;
        }
        if watched.enabled.get() && !watched.server.admin().in_maint() {
            watched.server.check_report().in_progress = true;
            let begun_ms = core.now_ms();
            let finding = {
                let run = run_once(&core, &watched, &*world);
                let Some(finding) = unless_stopped(&watched, run).await else {
                    return;
                };
                finding
            };
            watched.server.check_report().in_progress = false;
            world.found(&watched, &finding, core.now_ms() - begun_ms);
            checked = true;
        }
        let delay_ms = schedule::delay_ms(&watched.settings, watched.health(), checked);
        timer.set_after(schedule::spread_ms(
            delay_ms,
            watched.spread_percent,
            world.random(),
        ));
    }
}

/// Waits until the timer expires; false if the watch was stopped.
async fn pause(watched: &Watched, timer: &Timer) -> bool {
    loop {
        if watched.stopped.get() {
            return false;
        }
        if let Some(delay_ms) = watched.due_in_ms.take() {
            timer.set_after(delay_ms);
        }
        let mut nudged = pin!(watched.nudge.wait());
        let expired = poll_fn(|context| {
            if timer.poll_expired(context).is_ready() {
                return Poll::Ready(true);
            }
            nudged.as_mut().poll(context).map(|()| false)
        })
        .await;
        if expired && !watched.stopped.get() {
            return true;
        }
    }
}

/// Runs to the end, or to the end of the watch.
async fn unless_stopped<T>(watched: &Watched, run: impl Future<Output = T>) -> Option<T> {
    let mut run = pin!(run);
    loop {
        let mut nudged = pin!(watched.nudge.wait());
        let done = poll_fn(|context| match run.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => nudged.as_mut().poll(context).map(|()| None),
        })
        .await;
        if done.is_some() || watched.stopped.get() {
            return done;
        }
    }
}

/// One check from connection to finding.
async fn run_once(core: &Core, watched: &Watched, world: &dyn World) -> Finding {
    let (connect_ms, check_ms) = schedule::timeouts(&watched.settings);
    if watched.check.rules.style == Style::External {
        let program = world.program(watched);
        return external::run(core, program, check_ms.unwrap_or(connect_ms)).await;
    }
    let timer = core.timer();
    timer.set_after(connect_ms);
    let rules = &watched.check.rules;
    let mut probe = Probe::new(
        Arc::clone(rules),
        watched.check.connection.clone(),
        watched.subject,
        rules.sends_state().then(|| world.state_header(watched)),
    );
    let mut connection: Option<Connection> = None;
    let mut is_first = true;
    loop {
        match (probe.todo(world.asking()), &mut connection) {
            (Todo::Done(finding), connection) => {
                if let Some(connection) = connection.as_ref().filter(|_| !probe.closes_in_order()) {
                    connection.abort();
                }
                return finding;
            }
            (Todo::Connect(step), _) => {
                // The old connection is closed before the new one is opened.
                drop(connection.take());
                // Without `timeout check` one deadline covers everything.
                if check_ms.is_some() && !is_first {
                    timer.set_after(connect_ms);
                }
                match open(core, watched, world, &step, &timer).await {
                    Ok(open) => {
                        let (local, peer) = open.ends();
                        probe.connected(local, peer);
                        connection = Some(open);
                    }
                    Err(failure) => return failure.finding(&probe),
                }
                if let Some(check_ms) = check_ms {
                    timer.set_after(check_ms);
                }
                is_first = false;
            }
            (Todo::Send(bytes), Some(connection)) => {
                match within(&timer, connection.send(&bytes)).await {
                    Some(Ok(())) => {}
                    Some(Err(broken)) => return Failure::from(broken).finding(&probe),
                    None => return probe.timed_out(false),
                }
            }
            (Todo::Receive, Some(connection)) => match within(&timer, connection.receive()).await {
                Some(Ok(Received::Bytes(bytes))) => probe.received(&bytes),
                Some(Ok(Received::Ended)) => probe.ended(),
                Some(Err(broken)) => return Failure::from(broken).finding(&probe),
                None => return probe.timed_out(false),
            },
            (Todo::Send(_) | Todo::Receive, None) => {
                debug_assert!(false, "a ruleset begins with a connection");
                return probe.failed(&io::Error::from(io::ErrorKind::NotConnected));
            }
        }
    }
}

/// Why a step did not come about.
pub(super) enum Failure {
    Io(io::Error),
    Tls(String),
    Timeout { in_handshake: bool },
    Refused(&'static str),
    NoAddress,
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => Self::Io(error),
            Broken::Tls(error) => Self::Tls(format!("SSL handshake failure ({error})")),
            Broken::ClosedInHandshake => Self::Tls(broken.to_string()),
        }
    }
}

impl Failure {
    /// In words, for whoever has no steps to name.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Io(error) => errno_text(error),
            Self::Tls(reason) => reason.clone(),
            Self::Refused(reason) => (*reason).to_owned(),
            Self::Timeout { .. } | Self::NoAddress => String::new(),
        }
    }

    fn finding(&self, probe: &Probe) -> Finding {
        match self {
            Self::Io(error) => probe.failed(error),
            Self::Tls(reason) => probe.tls_failed(reason),
            Self::Refused(reason) => probe.refused(reason),
            Self::Timeout { in_handshake } => probe.timed_out(*in_handshake),
            Self::NoAddress => Finding {
                status: CheckStatus::SocketError,
                code: 0,
                info: "the server's address is not known yet".to_owned(),
            },
        }
    }
}

async fn open(
    core: &Core,
    watched: &Watched,
    world: &dyn World,
    step: &ConnectStep,
    timer: &Timer,
) -> Result<Connection, Failure> {
    let server = world.address(watched, step).ok_or(Failure::NoAddress)?;
    let proxy = world.socks4(watched).filter(|_| step.via_socks4);
    let address = proxy.map_or_else(|| server.clone(), Into::into);
    let socket = stream_socket_from(&address, &world.source()).map_err(Failure::Io)?;
    let late = |in_handshake| Failure::Timeout { in_handshake };
    let sock = match within(timer, core.connect(socket, &address)).await {
        Some(Ok(sock)) => sock,
        Some(Err(error)) => return Err(Failure::Io(error)),
        None => return Err(late(false)),
    };
    let mut connection = Connection::new(sock);
    if proxy.is_some() {
        let tunnel = connection.tunnel(&server);
        let granted = within(timer, tunnel).await.ok_or(late(false))??;
        if !granted {
            return Err(Failure::Refused(
                "SOCKS4 Proxy deny the request during handshake",
            ));
        }
    }
    if step.prologue != Prologue::None {
        let (local, peer) = connection.ends();
        let mut prologue = Vec::new();
        step.prologue.write(local, peer, &mut prologue);
        connection.send(&prologue).await?;
    }
    if step.tls {
        let session = world.tls(watched, step).map_err(Broken::from)?;
        within(timer, connection.handshake(session))
            .await
            .ok_or(late(true))??;
    }
    Ok(connection)
}

/// The future's result, or `None` if the timer expired first.
pub(super) async fn within<T>(timer: &Timer, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => timer.poll_expired(context).map(|()| None),
    })
    .await
}

/// Where a step connects to: its own `addr` and `port`, else the server line's for checks, else
/// the server's. `None` if there is no port to be had.
pub fn address(endpoint: &Endpoint, check: &Line, step: &ConnectStep) -> Option<SockAddr> {
    let check_ip = match check.addr {
        Some(Addr::Ip(ip)) => Some(ip),
        _ => None,
    };
    let (server_ip, server_port) = match endpoint {
        Endpoint::Tcp(address) => (Some(address.ip()), Some(address.port())),
        Endpoint::TcpOffset(ip, _) => (Some(*ip), None),
        Endpoint::Unix(path) => return SockAddr::unix(path).ok(),
        Endpoint::Abstract(name) => return SockAddr::unix(format!("\0{name}")).ok(),
        Endpoint::Unresolved => (None, None),
    };
    let ip = step.address.or(check_ip).or(server_ip)?;
    let port = step.port.or(check.port).or(server_port)?;
    Some(SocketAddr::new(ip, port).into())
}
