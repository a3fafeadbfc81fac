//! Where a log line leaves the process.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

use cfgparse::model::log::LogAddr;
use reactor::net::{DatagramBatch, Datagrams};

use crate::limits::LOG_BACKLOG_BYTES;
use crate::plan::Endpoint;
use crate::ring::Ring;

/// A log target that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot open a socket for log target '{target}': {source}")]
    Socket {
        target: String,
        source: std::io::Error,
    },
    #[error("log target '{0}' cannot be resolved; write its address instead")]
    Unresolved(String),
}

/// One target with the lines that wait for it.
pub enum Sink {
    Datagrams {
        socket: Datagrams,
        batch: DatagramBatch,
    },
    File {
        file: File,
        waiting: Vec<u8>,
        lines: usize,
    },
    Ring {
        ring: Arc<Ring>,
        bytes: Vec<u8>,
        /// Of each line in `bytes`.
        ends: Vec<usize>,
    },
    /// A ring that is not there.
    Nowhere,
}

impl Sink {
    pub fn open(address: &LogAddr) -> Result<Self, OpenError> {
        let datagrams = |socket| Self::Datagrams {
            socket,
            batch: DatagramBatch::default(),
        };
        match address {
            LogAddr::Udp(ip, port) => udp(SocketAddr::new(*ip, *port)).map(datagrams),
            LogAddr::UdpName(host, port) => {
                let unresolved = || OpenError::Unresolved(format!("{host}:{port}"));
                let mut found = (host.as_str(), *port)
                    .to_socket_addrs()
                    .map_err(|_| unresolved())?;
                udp(found.next().ok_or_else(unresolved)?).map(datagrams)
            }
            LogAddr::Unix(path) => Ok(datagrams(Datagrams::unix(PathBuf::from(path)))),
            LogAddr::Abns(name) => Ok(datagrams(Datagrams::unix(format!("\0{name}").into()))),
            LogAddr::Fd(number) => {
                let target = || format!("fd@{number}");
                let file =
                    reactor::net::duplicate(*number).map_err(|source| OpenError::Socket {
                        target: target(),
                        source,
                    })?;
                Ok(Self::File {
                    file: file.into(),
                    waiting: Vec::new(),
                    lines: 0,
                })
            }
            LogAddr::Ring(_) | LogAddr::Backend(_) | LogAddr::Stream(..) => Ok(Self::Nowhere),
        }
    }

    /// Lines for a ring.
    pub fn ring(ring: &Arc<Ring>) -> Self {
        Self::Ring {
            ring: Arc::clone(ring),
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Datagrams to a server of logs; nothing where it cannot be reached by them.
    pub fn server(endpoint: &Endpoint) -> Self {
        let socket = match endpoint {
            Endpoint::Tcp(address) => Datagrams::udp(*address).ok(),
            Endpoint::Unix(path) => Some(Datagrams::unix(path.into())),
            Endpoint::Abstract(name) => Some(Datagrams::unix(format!("\0{name}").into())),
            Endpoint::TcpOffset(..) | Endpoint::Unresolved => None,
        };
        socket.map_or(Self::Nowhere, |socket| Self::Datagrams {
            socket,
            batch: DatagramBatch::default(),
        })
    }

    /// Queues one line of at most `bytes_max` bytes.
    pub fn queue(&mut self, bytes_max: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        let cut = |out: &mut Vec<u8>, start: usize| {
            out.truncate(start + bytes_max.saturating_sub(1));
            out.push(b'\n');
        };
        match self {
            Self::Datagrams { batch, .. } => batch.message(|out| {
                let start = out.len();
                fill(out);
                cut(out, start);
            }),
            Self::File { waiting, lines, .. } => {
                let start = waiting.len();
                fill(waiting);
                cut(waiting, start);
                *lines += 1;
            }
            Self::Ring { bytes, ends, .. } => {
                let start = bytes.len();
                fill(bytes);
                // The line feed that others send is part of a line's length.
                bytes.truncate(start + bytes_max.saturating_sub(1));
                ends.push(bytes.len());
            }
            Self::Nowhere => {}
        }
    }

    /// Sends what waits; returns how many lines were dropped.
    pub fn flush(&mut self, now_ms: u64) -> usize {
        match self {
            Self::Datagrams { socket, batch } => {
                if batch.is_empty() {
                    return 0;
                }
                let lines = batch.len();
                lines - socket.send(batch, now_ms)
            }
            Self::File {
                file,
                waiting,
                lines,
            } => {
                let refused = file.write_all(waiting).is_err();
                waiting.clear();
                waiting.shrink_to(LOG_BACKLOG_BYTES);
                let lines = std::mem::take(lines);
                if refused { lines } else { 0 }
            }
            Self::Ring { ring, bytes, ends } => {
                if ends.is_empty() {
                    return 0;
                }
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let dropped =
                    ring.append(starts.zip(ends.iter()).map(|(from, &to)| &bytes[from..to]));
                bytes.clear();
                bytes.shrink_to(LOG_BACKLOG_BYTES);
                ends.clear();
                dropped
            }
            Self::Nowhere => 0,
        }
    }
}

fn udp(address: SocketAddr) -> Result<Datagrams, OpenError> {
    Datagrams::udp(address).map_err(|source| OpenError::Socket {
        target: address.to_string(),
        source,
    })
}
