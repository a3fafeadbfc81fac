//! The process under test.

use super::{PATIENCE, admin, wait_until};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;

/// A running proxy; dropping it kills the process.
pub struct Proxy {
    directory: TempDir,
    child: Child,
}

/// Only one process is started at a time, so that no other inherits a handed-over socket.
static STARTING: Mutex<()> = Mutex::new(());

/// The binary under test: the engine, or any that is to show that the scenarios are right.
pub fn program() -> PathBuf {
    let other = std::env::var_os("ENGINE_UNDER_TEST");
    other.map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_engine")),
        PathBuf::from,
    )
}

impl Proxy {
    /// Starts with this configuration, plus an admin socket, and waits until it is ready.
    #[track_caller]
    pub fn start(cores: usize, config: &(impl AsRef<[u8]> + ?Sized)) -> Proxy {
        Proxy::start_with(cores, config, &[], &[])
    }

    /// The same with inherited listening sockets, each named by an environment variable, and with
    /// more arguments.
    #[track_caller]
    pub fn start_with(
        cores: usize,
        config: &(impl AsRef<[u8]> + ?Sized),
        sockets: &[(&str, &TcpListener)],
        arguments: &[&str],
    ) -> Proxy {
        Proxy::start_program(&program(), cores, config, sockets, arguments)
    }

    /// The same with a program of the caller's choice.
    #[track_caller]
    pub fn start_program(
        program: &Path,
        cores: usize,
        config: &(impl AsRef<[u8]> + ?Sized),
        sockets: &[(&str, &TcpListener)],
        arguments: &[&str],
    ) -> Proxy {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("admin.sock");
        let head = format!(
            "global\n    nbthread {cores}\n    stats socket {} level admin\n    stats timeout 30s\n",
            socket.display()
        );
        let path = directory.path().join("proxy.cfg");
        let text = [head.as_bytes(), config.as_ref(), b"\n"].concat();
        fs::write(&path, text).expect("the configuration");
        let output = File::create(directory.path().join("output")).expect("a file");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg("-f")
            .arg(&path)
            .stdin(Stdio::null());
        command
            .stdout(output.try_clone().expect("a handle"))
            .stderr(output);
        let child = spawn(command, sockets);
        let mut proxy = Proxy { directory, child };
        wait_until("the proxy is ready", || {
            if let Ok(Some(status)) = proxy.child.try_wait() {
                panic!("the proxy ended with {status}:\n{}", proxy.output());
            }
            admin::ask(&socket, "show info").is_ok_and(|answer| answer.contains("Uptime_sec"))
        });
        proxy
    }

    /// What one command on the admin socket answers, without the closing empty line.
    #[track_caller]
    pub fn admin(&self, command: &str) -> String {
        let answer = admin::ask(&self.admin_socket(), command).expect("an answer");
        answer.trim_end_matches('\n').to_owned()
    }

    pub fn admin_socket(&self) -> PathBuf {
        self.directory().join("admin.sock")
    }

    /// A field of `show stat`, by the header line's name.
    #[track_caller]
    pub fn stat(&self, proxy: &str, service: &str, field: &str) -> String {
        let csv = self.admin("show stat");
        let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().expect("a header line");
        let column = names
            .iter()
            .position(|name| name.trim_start_matches("# ") == field);
        let column = column.expect("a column of that name");
        let row = lines.find(|row| row[0] == proxy && row[1] == service);
        row.unwrap_or_else(|| panic!("no row {proxy}/{service} in {csv}"))[column].to_owned()
    }

    /// Its temporary directory, which the configuration may refer to.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn output(&self) -> String {
        fs::read_to_string(self.directory().join("output")).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process id");
        kill_process(pid, signal).expect("a living process");
    }

    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the proxy has ended", || {
            status = self.child.try_wait().expect("a child");
            status.is_some()
        });
        status.expect("just seen")
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a living process");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("VmRSS");
        line.split_whitespace()
            .next()
            .and_then(|kb| kb.parse::<usize>().ok())
            .expect("kB")
            * 1024
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("what the proxy printed:\n{}", self.output());
        }
    }
}

fn spawn(mut command: Command, sockets: &[(&str, &TcpListener)]) -> Child {
    let _one_at_a_time = STARTING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let inherit = |flags: FdFlags| {
        for (_, socket) in sockets {
            fcntl_setfd(socket, flags).expect("a flag");
        }
    };
    for (name, socket) in sockets {
        command.env(name, socket.as_raw_fd().to_string());
    }
    inherit(FdFlags::empty());
    let child = command.spawn().expect("the program under test");
    inherit(FdFlags::CLOEXEC);
    child
}

/// Runs the program to its end, with these arguments; kills it when that takes too long.
pub fn run(arguments: &[&str]) -> (ExitStatus, String) {
    let mut output = tempfile::tempfile().expect("a file");
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null());
    command.stdout(output.try_clone().expect("a handle"));
    command.stderr(output.try_clone().expect("a handle"));
    let mut child = spawn(command, &[]);
    let begun = std::time::Instant::now();
    let status = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => child.kill().expect("a kill"),
            None => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    };
    let mut text = String::new();
    use std::io::{Read, Seek};
    output.rewind().expect("the beginning");
    output.read_to_string(&mut text).expect("text");
    (status, text)
}
