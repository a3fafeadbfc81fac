//! What the machine gives: CPUs, descriptors, a ring.

use std::net::IpAddr;

use cfgparse::model::global::CpuMap;
use cfgparse::model::{Global, Model};
use reactor::process::{self, Resource};
use reactor::{Core, CoreConfig};

use super::BootError;
use crate::limits::{CORES_MAX, DESCRIPTORS_PER_CONNECTION, DESCRIPTORS_RESERVED};
use crate::plan::Machine;

/// Descriptors asked for where the configuration says nothing, as far as the hard limit allows.
const DESCRIPTORS_WANTED: u64 = 1 << 20;

/// How many cores run: `--cores`, else `nbthread`, else all that affinity and cpuset allow.
pub fn cores(asked: Option<usize>, global: &Global) -> usize {
    asked
        .or(global.nbthread.map(|threads| threads as usize))
        .unwrap_or_else(|| allowed_cpus().len())
        .clamp(1, CORES_MAX)
}

fn allowed_cpus() -> Vec<usize> {
    let ids = core_affinity::get_core_ids().unwrap_or_default();
    let mut cpus: Vec<usize> = ids.into_iter().map(|core| core.id).collect();
    cpus.sort_unstable();
    cpus
}

/// The CPUs of each core: `cpu-map` where it names them, else one allowed CPU each, else any.
pub fn placement(cores: usize, global: &Global) -> Vec<Vec<usize>> {
    let allowed = allowed_cpus();
    (0..cores)
        .map(|core| {
            let mapped = mapped_cpus(core as u32 + 1, &global.cpu_map);
            if !mapped.is_empty() {
                return mapped;
            }
            // More cores than CPUs: pinning would only stack them on the first ones.
            if cores > allowed.len() {
                Vec::new()
            } else {
                vec![allowed[core]]
            }
        })
        .collect()
}

/// What `cpu-map` says of a thread counted from 1; the last line that names it counts.
fn mapped_cpus(thread: u32, maps: &[CpuMap]) -> Vec<usize> {
    let mut cpus = Vec::new();
    for map in maps {
        let Some(position) = map.threads.iter().position(|&known| known == thread) else {
            continue;
        };
        cpus = if map.auto {
            map.cpus
                .get(position)
                .map(|&cpu| cpu as usize)
                .into_iter()
                .collect()
        } else {
            map.cpus.iter().map(|&cpu| cpu as usize).collect()
        };
    }
    cpus
}

/// Raises the limits and tells how many connections they allow.
pub fn prepare(model: &Model) -> Result<Machine, BootError> {
    let global = &model.global;
    let needed = global
        .maxconn
        .map(|maxconn| u64::from(maxconn) * DESCRIPTORS_PER_CONNECTION + DESCRIPTORS_RESERVED);
    let wanted = global.ulimit_n.or(needed).unwrap_or(DESCRIPTORS_WANTED);
    let limit =
        process::raise_limit(Resource::OpenFiles, wanted).map_err(|source| BootError::System {
            what: "raise the limit of descriptors",
            source,
        })?;
    // Rings are charged to this limit; where it cannot be raised, the ring itself will say so.
    let _ = process::raise_limit(Resource::LockedMemory, u64::MAX);
    let hard = global.fd_hard_limit.unwrap_or(DESCRIPTORS_WANTED);
    let descriptors = limit.soft.unwrap_or(DESCRIPTORS_WANTED).min(hard);
    let usable = descriptors.saturating_sub(DESCRIPTORS_RESERVED) / DESCRIPTORS_PER_CONNECTION;
    Ok(Machine {
        host_name: host_name(),
        connections_max: u32::try_from(usable).unwrap_or(u32::MAX).max(1),
        descriptors,
        name_servers: name_servers(),
    })
}

/// The name servers of `/etc/resolv.conf`; none where it cannot be read.
fn name_servers() -> Vec<IpAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    parse_resolv_conf(&text)
}

/// `nameserver ADDRESS` lines (resolv.conf(5)).
fn parse_resolv_conf(text: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok())?
    };
    text.lines().filter_map(address).collect()
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// Makes a ring and drops it: says in words why the machine gives none.
pub fn probe() -> Result<(), BootError> {
    Core::new(&CoreConfig::default())
        .map(drop)
        .map_err(BootError::Ring)
}

/// Seconds that local time is ahead of UTC, asked of the C library once.
pub fn utc_offset_s() -> i32 {
    process::utc_offset_s()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cfgparse::model::Place;

    fn map(auto: bool, threads: &[u32], cpus: &[u32]) -> CpuMap {
        let (threads, cpus) = (threads.to_vec(), cpus.to_vec());
        CpuMap {
            auto,
            group: 1,
            threads,
            cpus,
            at: Place::default(),
        }
    }

    /// Manual, `cpu-map`: `auto:` pairs, otherwise all threads share all CPUs; the last line wins.
    #[test]
    fn cpu_map_lines() {
        let maps = [
            map(true, &[1, 2, 3], &[4, 5, 6]),
            map(false, &[3, 4], &[0, 1]),
        ];
        assert_eq!(mapped_cpus(1, &maps), [4]);
        assert_eq!(mapped_cpus(2, &maps), [5]);
        assert_eq!(mapped_cpus(3, &maps), [0, 1]);
        assert!(mapped_cpus(5, &maps).is_empty());
    }

    #[test]
    fn name_servers_of_the_system() {
        let text = "# nameserver 1.1.1.1\nsearch lan\nnameserver 10.0.0.1\n nameserver\tfd00::1\n\
                    nameserver\nnameserver fe80::1%eth0\nnameservers 10.0.0.2\n";
        let expected: Vec<IpAddr> = ["10.0.0.1", "fd00::1"].map(|ip| ip.parse().unwrap()).into();
        assert_eq!(parse_resolv_conf(text), expected);
    }
}
