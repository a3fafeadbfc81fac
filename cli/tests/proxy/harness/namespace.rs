//! Network namespaces of a scenario's own, where the machine grants them.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::Once;

use super::wait_until;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace, which lives as long as this.
pub struct Namespace {
    /// Keeps it alive, and ends when its standard input does: at the latest with us.
    keeper: Child,
}

impl Namespace {
    /// A namespace with nothing but loopback; `None`, with a word about it, where this user may not
    /// make one.
    pub fn create() -> Option<Namespace> {
        static TOLD: Once = Once::new();
        let created = create();
        if created.is_none() {
            TOLD.call_once(|| eprintln!("skipped: no right to make network namespaces"));
        }
        created
    }

    /// Runs something inside: sockets and processes that it makes belong there.
    pub fn inside<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        let link = File::open(format!("/proc/{}/ns/net", self.keeper.id()));
        let link = link.expect("the namespace");
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(link.as_fd(), kind).expect("inside");
                run()
            });
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs a program inside, which has to succeed.
    #[track_caller]
    pub fn command(&self, words: &str) {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words);
        let output = self.inside(|| command.output().expect("the program"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {text}");
    }

    /// Joins both by a wire, with these ends and addresses.
    #[track_caller]
    pub fn wire(&self, name: &str, address: &str, other: &Namespace, peer: &str, its: &str) {
        self.command(&format!(
            "ip link add {name} type veth peer name {peer} netns {}",
            other.keeper.id()
        ));
        for (side, name, address) in [(self, name, address), (other, peer, its)] {
            side.command(&format!("ip address add {address} dev {name}"));
            side.command(&format!("ip link set {name} up"));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn create() -> Option<Namespace> {
    let mut command = Command::new("unshare");
    command.args(["--net", "cat"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut keeper = command.stderr(Stdio::null()).spawn().ok()?;
    let link = format!("/proc/{}/ns/net", keeper.id());
    let ours = std::fs::read_link("/proc/self/ns/net").ok()?;
    let mut is_there = false;
    wait_until("the namespace is there or refused", || {
        let has_ended = !matches!(keeper.try_wait(), Ok(None));
        is_there = std::fs::read_link(&link).is_ok_and(|link| link != ours);
        has_ended || is_there
    });
    if !is_there {
        let _ = keeper.wait();
        return None;
    }
    let namespace = Namespace { keeper };
    namespace.command("ip link set lo up");
    Some(namespace)
}

/// Whether a program is installed.
pub fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
