//! Checks by a program (manual 4.2, `external-check command`), run beside the control thread.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use cfgparse::model::{BindAddr, Mode};
use reactor::{Core, Mailbox};

use crate::plan::{Endpoint, Plan, Proxy, Server};
use crate::probe::{Finding, errno_text};
use crate::server::CheckStatus;

/// A program with all that it is told.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub command: String,
    pub arguments: Vec<String>,
    /// Variables of its environment.
    pub environment: Vec<(&'static str, String)>,
    /// `preserve-env`: they are added to ours.
    pub keeps_environment: bool,
}

/// The code of a program that cannot be started, as HAProxy gives it.
const NOT_STARTED: u32 = 255;

/// The first address that the proxy listens on, and its port (manual 4.2, `external-check
/// command`); neither for a backend.
pub fn of_proxy(plan: &Plan, proxy: &Proxy) -> (Option<String>, Option<String>) {
    let listeners = proxy.frontend.iter().flat_map(|side| &side.listeners);
    for &listener in listeners {
        match &plan.listener(listener).address {
            BindAddr::Tcp(ip, port) => {
                return (Some(ip.to_string()), Some(port.to_string()));
            }
            BindAddr::Unix(path) => return (Some(path.clone()), None),
            _ => {}
        }
    }
    (None, None)
}

/// A server's address and port as words.
pub fn of_server(endpoint: &Endpoint) -> (String, Option<String>) {
    match endpoint {
        Endpoint::Tcp(address) => (address.ip().to_string(), Some(address.port().to_string())),
        Endpoint::TcpOffset(ip, offset) => (ip.to_string(), Some(offset.to_string())),
        Endpoint::Unix(path) | Endpoint::Abstract(path) => (path.clone(), None),
        Endpoint::Unresolved => (String::new(), None),
    }
}

/// What the server speaks.
pub fn protocol(proxy: &Proxy, server: &Server) -> &'static str {
    match (server.line.proto.as_deref(), proxy.mode) {
        (Some("h2"), _) => "h2",
        (_, Mode::Http) => "h1",
        _ => "tcp",
    }
}

/// Runs a program and waits for its end, at most so long. A thread of its own starts it and reaps
/// it, so that no other task of this core waits.
pub async fn run(core: &Core, program: Program, timeout_ms: u64) -> Finding {
    let (mailbox, post): (Mailbox<Finding>, _) = core.mailbox();
    let begun = thread::Builder::new()
        .name("external-check".to_owned())
        .spawn(move || {
            // Nobody listens any more where the check was stopped.
            let _ = post.send(execute(&program, Duration::from_millis(timeout_ms)));
        });
    if let Err(error) = begun {
        return broken(&error);
    }
    let lost = || broken(&io::Error::from_raw_os_error(libc::ECHILD));
    mailbox.recv().await.unwrap_or_else(lost)
}

fn execute(program: &Program, timeout: Duration) -> Finding {
    let mut command = Command::new(&program.command);
    if !program.keeps_environment {
        command.env_clear();
    }
    let environment = program.environment.iter();
    command
        .args(&program.arguments)
        .envs(environment.map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Finding {
                info: errno_text(&error),
                ..finding(CheckStatus::ProcessError, NOT_STARTED)
            };
        }
    };
    match reactor::process::child_ends_within(child.id(), timeout) {
        Ok(true) => {}
        Ok(false) => {
            let _ = child.kill();
            let _ = child.wait();
            return finding(CheckStatus::ProcessTimeout, 0);
        }
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return broken(&error);
        }
    }
    match child.wait() {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(0), _) => finding(CheckStatus::ProcessOk, 0),
            (Some(code), _) => finding(CheckStatus::ProcessError, code.unsigned_abs()),
            // As a shell counts them.
            (None, signal) => finding(
                CheckStatus::ProcessError,
                128 + signal.unwrap_or(0).unsigned_abs(),
            ),
        },
        Err(error) => broken(&error),
    }
}

fn finding(status: CheckStatus, code: u32) -> Finding {
    Finding {
        status,
        code,
        info: String::new(),
    }
}

fn broken(error: &io::Error) -> Finding {
    Finding {
        status: CheckStatus::SocketError,
        code: 0,
        info: errno_text(error),
    }
}
