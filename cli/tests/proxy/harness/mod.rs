//! What every scenario needs: the proxy's process, servers, clients, ports, certificates.

mod admin;
mod client;
mod dns;
mod message;
mod namespace;
mod origin;
mod port;
mod proxy;
mod syslog;
mod tls;

pub use client::{Client, get};
pub use dns::{NameServer, Says};
pub use message::{Expect, Message};
pub use namespace::{Namespace, is_installed};
pub use origin::{Origin, Peer, ok};
pub use port::Port;
pub use proxy::{Proxy, program, run};
pub use syslog::Syslog;
pub use tls::Certificate;

use std::time::{Duration, Instant};

/// Numbers of cores that each scenario runs on.
pub const CORES: [usize; 2] = [1, 2];

/// How long anything may take before the scenario has failed. No scenario asserts that
/// something is faster than this.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Timeouts for configurations in which none is meant to strike.
pub const LONG_TIMEOUTS: &str = "
    timeout connect 10s
    timeout client 30s
    timeout server 30s";

/// Waits until something holds; fails the scenario when it does not in time.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
