//! A subject's process, ended with its owner.

use super::config::{self, Task, Wiring};
use super::{Kind, Program};
use crate::machine;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    #[error("{name} did not start: {said}")]
    NotStarted { name: String, said: String },
    #[error("cannot make the certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A running subject; dropping it ends the process.
pub struct Running {
    pub name: String,
    pub address: SocketAddr,
    child: Child,
    directory: TempDir,
}

/// Where a subject runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// One thread of work, pinned to this CPU with everything else of the process.
    Cpu(usize),
    /// So many threads of work, placed as the subject likes.
    Anywhere { cores: usize },
}

impl Placement {
    fn cores(self) -> usize {
        match self {
            Placement::Cpu(_) => 1,
            Placement::Anywhere { cores } => cores,
        }
    }

    fn cpu(self) -> Option<usize> {
        match self {
            Placement::Cpu(cpu) => Some(cpu),
            Placement::Anywhere { .. } => None,
        }
    }
}

const START_PATIENCE: Duration = Duration::from_secs(5);
const STOP_PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

impl Program {
    /// Starts the program for a task and waits until it listens.
    pub fn start(
        &self,
        task: Task,
        servers: &[SocketAddr],
        pem: &str,
        placement: Placement,
    ) -> Result<Running, SubjectError> {
        let directory = tempfile::tempdir()?;
        let path = directory.path();
        let listen = free_address()?;
        fs::write(path.join("site.pem"), pem)?;
        let pem = path.join("site.pem");
        let cores = placement.cores();
        let wiring = Wiring {
            listen,
            servers,
            pem: &pem,
            directory: path,
            cores,
        };
        config::write_files(self.kind, task, path)?;
        fs::write(path.join("config"), config::text(self.kind, task, wiring))?;
        let child = self.spawn(&directory, placement)?;
        let mut running = Running {
            name: self.name.clone(),
            address: listen,
            child,
            directory,
        };
        running.await_start()?;
        Ok(running)
    }

    fn spawn(&self, directory: &TempDir, placement: Placement) -> io::Result<Child> {
        let config = directory.path().join("config");
        let output = File::create(directory.path().join("output"))?;
        let mut command = Command::new(&self.path);
        match self.kind {
            Kind::Engine => {
                let cores = placement.cores().to_string();
                command.args(["--cores", &cores, "-f"]).arg(config)
            }
            Kind::HaProxy => command.arg("-f").arg(config),
            Kind::Nginx => command.arg("-c").arg(config),
        };
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        spawn_on(placement.cpu(), command)
    }
}

/// Starts a command on one CPU: a child inherits the placement of the thread that starts it.
fn spawn_on(cpu: Option<usize>, mut command: Command) -> io::Result<Child> {
    let start = move || {
        cpu.map_or(Ok(()), machine::pin)?;
        command.spawn()
    };
    std::thread::spawn(start)
        .join()
        .map_err(|_| io::Error::other("the starter died"))?
}

impl Running {
    /// This program's own origin in a process of its own, giving fixed answers.
    pub fn responder(bytes: u64, cpu: usize) -> Result<Running, SubjectError> {
        let address = free_address()?;
        let listen = address.to_string();
        let bytes = bytes.to_string();
        Running::origin(
            address,
            &["--listen", &listen, "--fixed", &bytes],
            Some(cpu),
        )
    }

    /// This program's own origin in a process of its own, with these arguments.
    pub fn origin(
        address: SocketAddr,
        args: &[&str],
        cpu: Option<usize>,
    ) -> Result<Running, SubjectError> {
        let directory = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        let output = File::create(directory.path().join("output"))?;
        command.arg("origin").args(args).stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let child = spawn_on(cpu, command)?;
        let mut running = Running {
            name: "origin".into(),
            address,
            child,
            directory,
        };
        running.await_start()?;
        Ok(running)
    }

    /// Ends the process at once, without a goodbye.
    pub fn kill(&mut self) {
        // Fails only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn processes(&self) -> Vec<u32> {
        machine::family(self.child.id())
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn await_start(&mut self) -> Result<(), SubjectError> {
        let begun = Instant::now();
        while self.is_alive() && begun.elapsed() < START_PATIENCE {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            sleep(POLL);
        }
        let said = fs::read_to_string(self.directory.path().join("output"))?;
        Err(SubjectError::NotStarted {
            name: self.name.clone(),
            said,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(pid) = Pid::from_raw(self.child.id() as i32) else {
            return;
        };
        // Either call fails only when the process is gone already.
        let _ = kill_process(pid, Signal::TERM);
        let begun = Instant::now();
        while self.is_alive() && begun.elapsed() < STOP_PATIENCE {
            sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that was free a moment ago.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
