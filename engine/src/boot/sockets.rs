//! Listening sockets, bound before privileges are dropped.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use cfgparse::model::bind::BindAddr;
use cfgparse::model::global::UnixBind;
use cfgparse::model::{Bind, Proxy};
use reactor::net::{self, ListenOptions, UnixOptions};
use reactor::process;

use super::BootError;
use crate::plan::{ListenerId, LogInput, Plan};
use crate::shard::LogSocket;

/// Seconds that `defer-accept` waits for data (manual, 5.1).
const DEFER_ACCEPT_S: u32 = 1;
/// Pending fast-open connections (manual, 5.1 `tfo`).
const FASTOPEN_QUEUE: u32 = 1024;
/// Length of the kernel's accept queue where neither `backlog` nor `maxconn` says otherwise.
const BACKLOG: u32 = 4096;

/// The sockets of each core.
pub type PerCore = Vec<Vec<(ListenerId, OwnedFd)>>;

/// Binds every address of a plan once for each core; an inherited or unix socket is shared.
pub fn bind(plan: &Plan, unix_bind: &UnixBind, cores: usize) -> Result<PerCore, Vec<BootError>> {
    let mut per_core: PerCore = (0..cores).map(|_| Vec::new()).collect();
    let mut errors = Vec::new();
    for listener in &plan.listeners {
        let section = &plan.proxy(listener.frontend).section;
        for core_sockets in &mut per_core {
            let socket = open(&listener.address, &listener.bind, Some(section), unix_bind);
            match socket {
                Ok(socket) => core_sockets.push((listener.id, socket)),
                Err(source) => {
                    errors.push(BootError::Bind {
                        frontend: section.name.clone(),
                        address: written(&listener.address),
                        source,
                    });
                    break;
                }
            }
        }
        if let BindAddr::Unix(_) | BindAddr::Abns(_) = listener.address {
            share_last(&mut per_core, &mut errors);
        }
    }
    if errors.is_empty() {
        Ok(per_core)
    } else {
        Err(errors)
    }
}

/// The sockets that log lines come in by, of each core.
pub type LogInputs = Vec<Vec<(LogInput, LogSocket)>>;

/// Binds every address of the `log-forward` sections once for each core; one that cannot be shared
/// belongs to the first.
pub fn bind_logs(
    plan: &Plan,
    unix_bind: &UnixBind,
    cores: usize,
) -> Result<LogInputs, Vec<BootError>> {
    let mut per_core: LogInputs = (0..cores).map(|_| Vec::new()).collect();
    let mut errors = Vec::new();
    for (forward, section) in plan.log_forwards.iter().enumerate() {
        let streams = section.binds.iter().enumerate();
        let streams = streams.flat_map(|(bind, line)| with_addresses(line, bind, true));
        let datagrams = section.datagram_binds.iter();
        let datagrams = datagrams.flat_map(|line| with_addresses(line, 0, false));
        for (address, line, bind, is_stream) in streams.chain(datagrams) {
            let input = LogInput { forward, bind };
            let is_shared = matches!(
                address,
                BindAddr::Tcp(..) | BindAddr::Name(..) | BindAddr::Udp(..)
            );
            let takers = if is_shared { cores } else { 1 };
            for inputs in &mut per_core[..takers] {
                let socket = if is_stream {
                    let line = &Bind {
                        backlog: line.backlog.or(section.backlog),
                        ..Bind::clone(line)
                    };
                    open(address, line, None, unix_bind).map(LogSocket::Stream)
                } else {
                    open_datagram(address, line).map(LogSocket::Datagram)
                };
                match socket {
                    Ok(socket) => inputs.push((input, socket)),
                    Err(source) => errors.push(BootError::Bind {
                        frontend: section.name.to_string(),
                        address: written(address),
                        source,
                    }),
                }
            }
        }
    }
    if errors.is_empty() {
        Ok(per_core)
    } else {
        Err(errors)
    }
}

fn with_addresses(
    line: &Arc<Bind>,
    bind: usize,
    is_stream: bool,
) -> impl Iterator<Item = (&BindAddr, &Arc<Bind>, usize, bool)> {
    let addresses = line.addresses.iter();
    addresses.map(move |address| (address, line, bind, is_stream))
}

/// A socket for datagrams.
fn open_datagram(address: &BindAddr, bind: &Bind) -> io::Result<OwnedFd> {
    match address {
        BindAddr::Name(host, port) => {
            let mut found = (host.as_str(), *port).to_socket_addrs()?;
            let first = found.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
            open_datagram(&BindAddr::Udp(first.ip(), first.port()), bind)
        }
        BindAddr::Tcp(ip, port) | BindAddr::Udp(ip, port) => {
            let options = ListenOptions {
                v6only: ip.is_ipv6().then_some(bind.v6only && !bind.v4v6),
                interface: bind.interface.clone(),
                transparent: bind.transparent,
                ..ListenOptions::default()
            };
            net::bind_udp(SocketAddr::new(*ip, *port), &options)
        }
        BindAddr::Unix(path) => net::bind_unix_datagram(&PathBuf::from(path)),
        BindAddr::Abns(name) => net::bind_unix_datagram(&PathBuf::from(format!("\0{name}"))),
        BindAddr::Fd(number) => net::duplicate(*number),
        BindAddr::Sockpair(_) | BindAddr::ReverseHttp(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// A unix socket cannot be bound by every core: all accept from the last one that was bound.
fn share_last(per_core: &mut PerCore, errors: &mut Vec<BootError>) {
    let Some((_, last)) = per_core.last().and_then(|sockets| sockets.last()) else {
        return;
    };
    let copies: io::Result<Vec<OwnedFd>> = (1..per_core.len()).map(|_| last.try_clone()).collect();
    match copies {
        Ok(copies) => {
            for (sockets, copy) in per_core.iter_mut().zip(copies) {
                if let Some(slot) = sockets.last_mut() {
                    slot.1 = copy;
                }
            }
        }
        Err(source) => errors.push(BootError::System {
            what: "share a listening socket",
            source,
        }),
    }
}

/// Opens one listening socket as its line says.
pub fn open(
    address: &BindAddr,
    bind: &Bind,
    section: Option<&Proxy>,
    unix_bind: &UnixBind,
) -> io::Result<OwnedFd> {
    let backlog = bind
        .backlog
        .or(section.and_then(|section| section.backlog.or(section.maxconn)))
        .unwrap_or(BACKLOG);
    match address {
        BindAddr::Name(host, port) => {
            let mut found = (host.as_str(), *port).to_socket_addrs()?;
            let first = found.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
            let resolved = BindAddr::Tcp(first.ip(), first.port());
            open(&resolved, bind, section, unix_bind)
        }
        BindAddr::Tcp(ip, port) => {
            let v6only = match ip {
                IpAddr::V4(_) => None,
                IpAddr::V6(_) if bind.v4v6 => Some(false),
                IpAddr::V6(_) => Some(bind.v6only),
            };
            let options = ListenOptions {
                backlog,
                reuse_port: true,
                v6only,
                defer_accept_s: bind.defer_accept.then_some(DEFER_ACCEPT_S),
                fastopen: bind.tfo.then_some(FASTOPEN_QUEUE),
                interface: bind.interface.clone(),
                transparent: bind.transparent,
                mss: bind.mss.and_then(|mss| u32::try_from(mss).ok()),
                congestion: bind.cc.clone(),
                user_timeout_ms: bind.tcp_ut_ms,
            };
            net::listen_tcp(SocketAddr::new(*ip, *port), &options)
        }
        BindAddr::Unix(path) => {
            let path = format!("{}{path}", unix_bind.prefix.as_deref().unwrap_or_default());
            net::listen_unix(
                &PathBuf::from(path),
                &unix_options(bind, unix_bind, backlog)?,
            )
        }
        BindAddr::Abns(name) => net::listen_unix(
            &PathBuf::from(format!("\0{name}")),
            &UnixOptions {
                backlog,
                ..UnixOptions::default()
            },
        ),
        BindAddr::Fd(number) => net::adopt_listener(*number).map(|inherited| inherited.fd),
        BindAddr::Udp(..) | BindAddr::Sockpair(_) | BindAddr::ReverseHttp(_) => {
            Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this kind of address is not supported yet",
            ))
        }
    }
}

fn unix_options(bind: &Bind, unix_bind: &UnixBind, backlog: u32) -> io::Result<UnixOptions> {
    let user = bind.user.as_ref().or(unix_bind.user.as_ref());
    let group = bind.group.as_ref().or(unix_bind.group.as_ref());
    let uid = match user {
        Some(name) => process::user_ids(name)?.map(|(uid, _)| uid),
        None => None,
    };
    let gid = match group {
        Some(name) => process::group_id(name)?,
        None => None,
    };
    Ok(UnixOptions {
        backlog,
        mode: bind.mode.or(unix_bind.mode),
        uid: bind.uid.or(uid).or(unix_bind.uid),
        gid: bind.gid.or(gid).or(unix_bind.gid),
    })
}

/// An address as HAProxy's messages show it.
pub fn written(address: &BindAddr) -> String {
    match address {
        BindAddr::Tcp(ip, port) | BindAddr::Udp(ip, port) => {
            SocketAddr::new(*ip, *port).to_string()
        }
        BindAddr::Name(host, port) => format!("{host}:{port}"),
        BindAddr::Unix(path) => path.clone(),
        BindAddr::Abns(name) => format!("abns@{name}"),
        BindAddr::Fd(number) => format!("fd@{number}"),
        BindAddr::Sockpair(number) => format!("sockpair@{number}"),
        BindAddr::ReverseHttp(name) => format!("rhttp@{name}"),
    }
}
