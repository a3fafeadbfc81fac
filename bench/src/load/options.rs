//! What load to produce.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// One kind of request of the mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub path: String,
    /// Bytes of request body; 0 makes it a GET, more a POST.
    pub upload: u64,
}

/// When requests start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each connection sends its next request when the last answer is complete.
    Closed,
    /// Requests start at fixed times, whether or not earlier ones are answered; latency counts
    /// from that time, also while the request waits for a free connection (no coordinated
    /// omission).
    Open { per_second: f64 },
}

/// How long connections live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    KeepAlive,
    /// One connection a request, closed by the server.
    Close,
    /// One request in so many asks for the close.
    Mixed {
        close_one_in: u64,
    },
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Loopback only.
    pub target: SocketAddr,
    pub connections: usize,
    /// Requests are drawn from it, in a fixed pseudo-random order.
    pub mix: Vec<Exchange>,
    pub headers: Vec<(String, String)>,
    pub warm_up: Duration,
    pub duration: Duration,
    pub requests_max: Option<u64>,
    pub pace: Pace,
    pub reuse: Reuse,
    /// Each request carries its own `x-tag`, which the answer and its body must repeat.
    pub tagged: bool,
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// An exchange that makes no progress for so long has failed.
    pub stall: Duration,
    /// Ends the run early when set.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Options {
    /// Closed loop, keep-alive, untagged.
    pub fn new(target: SocketAddr, connections: usize, path: &str) -> Options {
        Options {
            target,
            connections,
            mix: vec![Exchange {
                path: path.to_owned(),
                upload: 0,
            }],
            headers: Vec::new(),
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(1),
            requests_max: None,
            pace: Pace::Closed,
            reuse: Reuse::KeepAlive,
            tagged: false,
            tls: None,
            stall: Duration::from_secs(30),
            stop: None,
        }
    }
}
