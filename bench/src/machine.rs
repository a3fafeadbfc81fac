//! What the machine says about processes: CPU time, memory, descriptors, placement.

use rustix::process::{Resource, Rlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::{fs, io};

/// Pins the calling thread, and what it starts afterwards, to one CPU.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    Ok(sched_setaffinity(None, &cpus)?)
}

/// Lets this process and its children open as many descriptors as the machine allows.
/// Returns the limit reached.
pub fn raise_descriptor_limit(wanted: u64) -> u64 {
    let now = rustix::process::getrlimit(Resource::Nofile);
    let hard = now.maximum.map_or(wanted, |hard| hard.max(wanted));
    let current = now.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: Some(hard),
    };
    if rustix::process::setrlimit(Resource::Nofile, raised).is_ok() {
        return wanted;
    }
    // Only a privileged process may raise the hard limit.
    let allowed = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    let _ = rustix::process::setrlimit(Resource::Nofile, allowed);
    rustix::process::getrlimit(Resource::Nofile)
        .current
        .unwrap_or(u64::MAX)
}

/// A process and all its descendants.
pub fn family(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = processes()
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut found = vec![root];
    let mut at = 0;
    while let Some(&pid) = found.get(at) {
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == pid)
                .map(|(child, _)| child),
        );
        at += 1;
    }
    found
}

/// Time that all threads of these processes ran, in nanoseconds: `sum_exec_runtime`, which
/// counts kernel work done in their context too.
pub fn cpu_time_ns(pids: &[u32]) -> u64 {
    let threads = pids
        .iter()
        .filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok());
    let lines = threads.flatten().flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    lines.sum()
}

/// Resident memory of these processes, in bytes.
pub fn resident_bytes(pids: &[u32]) -> u64 {
    let kilobytes = pids.iter().filter_map(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    kilobytes.sum::<u64>() * 1024
}

/// Open descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Descriptors {
    pub sockets: usize,
    pub others: usize,
}

/// Open descriptors of these processes.
pub fn descriptors(pids: &[u32]) -> Descriptors {
    let mut count = Descriptors::default();
    let folders = pids
        .iter()
        .filter_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).ok());
    for descriptor in folders.flatten().flatten() {
        let Ok(target) = fs::read_link(descriptor.path()) else {
            continue;
        };
        if target.to_string_lossy().starts_with("socket:") {
            count.sockets += 1;
        } else {
            count.others += 1;
        }
    }
    count
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The parent's id: the second field after the command name, which may itself hold spaces.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio, id};

    #[test]
    fn a_child_belongs_to_the_family_and_has_figures() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let family = family(id());
        assert!(family.contains(&child.id()));
        assert!(cpu_time_ns(&family) > 0);
        assert!(resident_bytes(&[id()]) > 100_000);
        let before = descriptors(&[id()]);
        let _socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(descriptors(&[id()]).sockets > 0 && before.others >= 3);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
