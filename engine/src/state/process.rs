//! What the kernel knows of this process: its start, its memory, its limits.

use std::fs;

/// Ticks a second in `/proc` (USER_HZ, a constant of the kernel's interface).
const TICKS_PER_SECOND: u64 = 100;
/// Bytes of a page where `/proc` counts in pages; the smallest and usual one.
const PAGE_BYTES: u64 = 4096;

/// The process at one instant; numbers that cannot be read are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Start, in ms of the clock that counts from the machine's start.
    pub started_ms: u64,
    /// Start, in seconds since 1970.
    pub started_at_s: u64,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Soft limit of descriptors.
    pub descriptors: u64,
}

/// Reads them.
pub fn vitals() -> Vitals {
    let read = |name: &str| fs::read_to_string(format!("/proc/{name}")).unwrap_or_default();
    parse(
        &read("self/stat"),
        &read("self/statm"),
        &read("self/limits"),
        &read("stat"),
    )
}

fn parse(stat: &str, statm: &str, limits: &str, machine: &str) -> Vitals {
    // The second field is a name in parentheses, which may contain blanks.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let started_ms = number(after_name.split_whitespace().nth(19)) * 1000 / TICKS_PER_SECOND;
    let boot_s = line(machine, "btime");
    Vitals {
        started_ms,
        started_at_s: if boot_s == 0 {
            0
        } else {
            boot_s + started_ms / 1000
        },
        memory_bytes: number(statm.split_whitespace().nth(1)) * PAGE_BYTES,
        descriptors: line(limits, "Max open files"),
    }
}

/// The first number behind the words that a line begins with.
fn line(text: &str, words: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(words));
    number(rest.and_then(|rest| rest.split_whitespace().next()))
}

fn number(word: Option<&str>) -> u64 {
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 3 0 12345 1000 250 9";
        let limits = "Limit   Soft   Hard   Units\nMax open files            1024   4096   files\n";
        let vitals = parse(
            stat,
            "900 250 10 1 0 99 0",
            limits,
            "cpu 1 2\nbtime 1700000000\n",
        );
        assert_eq!(
            vitals,
            Vitals {
                started_ms: 123_450,
                started_at_s: 1_700_000_123,
                memory_bytes: 1_024_000,
                descriptors: 1024,
            }
        );
        assert_eq!(parse("", "", "", ""), Vitals::default());
    }

    #[test]
    fn this_process_has_vitals() {
        let vitals = vitals();
        assert!(
            vitals.started_ms > 0 && vitals.memory_bytes > 100_000,
            "{vitals:?}"
        );
    }
}
