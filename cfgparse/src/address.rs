//! Addresses as written: families, ports, ranges, offsets (manual, 2.9).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use crate::model::bind::BindAddr;
use crate::model::log::LogAddr;
use crate::model::server::{Addr, AddressFamily, Port};

/// Sockets that one `bind` address may unroll to.
pub const MAX_RANGE: usize = 65_536;

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("invalid character '{character}' in port number '{port}' in '{text}'")]
    BadPort {
        character: char,
        port: String,
        text: String,
    },
    #[error("missing port number: '{0}'")]
    MissingPort(String),
    #[error("invalid port '{0}'")]
    PortOutOfRange(String),
    #[error("port range '{0}' is not permitted here")]
    RangeNotPermitted(String),
    #[error("port offset '{0}' is not permitted here")]
    OffsetNotPermitted(String),
    #[error("invalid address: '{host}' in '{text}'")]
    BadHost { host: String, text: String },
    #[error("file descriptor '{0}' is not a valid integer in '{1}'")]
    BadFd(String, String),
    #[error("missing address")]
    Empty,
    #[error("unsupported address family or protocol in '{0}'")]
    Unsupported(String),
}

/// How sockets of an address behave, where a prefix says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Transport {
    /// `dgram+`, `udp@`, `quic4@`.
    pub datagram: bool,
    /// `stream+`, `tcp@`.
    pub stream: bool,
    pub quic: bool,
}

/// An address without regard to where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub host: Host,
    pub port: Ports,
    pub transport: Transport,
}

/// The host part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// `*`, or nothing before the port.
    Any(Option<AddressFamily>),
    Ip(IpAddr),
    Name(String, Option<AddressFamily>),
    Unix(String),
    Abns(String),
    Fd(i32),
    Sockpair(i32),
    ReverseHttp(String),
}

/// The port part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    None,
    One(u16),
    Range(u16, u16),
    /// `+N`, `-N`.
    Offset(i32),
}

/// Parses any address.
pub fn endpoint(text: &str) -> Result<Endpoint, AddressError> {
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    let mut transport = Transport::default();
    let mut rest = text;
    for (prefix, set) in [
        (
            "stream+",
            Transport {
                stream: true,
                ..transport
            },
        ),
        (
            "dgram+",
            Transport {
                datagram: true,
                ..transport
            },
        ),
        (
            "quic+",
            Transport {
                datagram: true,
                quic: true,
                ..transport
            },
        ),
    ] {
        if let Some(after) = rest.strip_prefix(prefix) {
            transport = set;
            rest = after;
        }
    }
    let (family, inside) = match rest.split_once('@') {
        Some((family, inside)) if is_family(family) => (family, inside),
        _ => ("", rest),
    };
    if let Some(host) = portless(family, inside, text)? {
        transport.stream |= family == "uxst";
        return Ok(Endpoint {
            host,
            port: Ports::None,
            transport,
        });
    }
    let (family, protocol) = family_of(family);
    let transport = if protocol == Transport::default() {
        transport
    } else {
        protocol
    };
    if family.is_none() && inside.starts_with('/') {
        return Ok(Endpoint {
            host: Host::Unix(inside.to_owned()),
            port: Ports::None,
            transport,
        });
    }
    let (host, port) = split_port(inside);
    let host = self::host(host, family, text)?;
    let port = port.map_or(Ok(Ports::None), |port| ports(port, text))?;
    Ok(Endpoint {
        host,
        port,
        transport,
    })
}

const FAMILIES: &[&str] = &[
    "abns", "abnsz", "fd", "ip", "ipv4", "ipv6", "mptcp", "mptcp4", "mptcp6", "quic4", "quic6",
    "rhttp", "sockpair", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", "uxdg", "uxst",
];

fn is_family(word: &str) -> bool {
    FAMILIES.contains(&word)
}

/// Families whose addresses have no port.
fn portless(family: &str, inside: &str, text: &str) -> Result<Option<Host>, AddressError> {
    let fd = || {
        inside
            .parse::<i32>()
            .map_err(|_| AddressError::BadFd(inside.to_owned(), text.to_owned()))
    };
    Ok(Some(match family {
        "unix" | "uxdg" | "uxst" => Host::Unix(inside.to_owned()),
        "abns" | "abnsz" => Host::Abns(inside.to_owned()),
        "fd" => Host::Fd(fd()?),
        "sockpair" => Host::Sockpair(fd()?),
        "rhttp" => Host::ReverseHttp(inside.to_owned()),
        _ => return Ok(None),
    }))
}

fn family_of(word: &str) -> (Option<AddressFamily>, Transport) {
    let family = match word.as_bytes().last() {
        Some(b'4') => Some(AddressFamily::Ipv4),
        Some(b'6') => Some(AddressFamily::Ipv6),
        _ => None,
    };
    let transport = match word.trim_end_matches(['4', '6']) {
        "tcp" | "mptcp" => Transport {
            stream: true,
            ..Transport::default()
        },
        "udp" => Transport {
            datagram: true,
            ..Transport::default()
        },
        "quic" => Transport {
            datagram: true,
            quic: true,
            ..Transport::default()
        },
        _ => Transport::default(),
    };
    (family, transport)
}

/// The port stands behind the last colon that no bracket encloses.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let from = text.rfind(']').unwrap_or(0);
    match text[from..].rfind(':') {
        Some(at) => (&text[..from + at], Some(&text[from + at + 1..])),
        None => (text, None),
    }
}

fn host(text: &str, family: Option<AddressFamily>, whole: &str) -> Result<Host, AddressError> {
    let bare = text
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .unwrap_or(text);
    if bare.is_empty() || bare == "*" {
        return Ok(Host::Any(family));
    }
    let wrong = || AddressError::BadHost {
        host: text.to_owned(),
        text: whole.to_owned(),
    };
    if let Ok(ip) = bare.parse::<IpAddr>() {
        let fits = match family {
            Some(AddressFamily::Ipv4) => ip.is_ipv4(),
            Some(AddressFamily::Ipv6) => ip.is_ipv6(),
            None => true,
        };
        return if fits { Ok(Host::Ip(ip)) } else { Err(wrong()) };
    }
    // Four numbers that are no address are no name either: nothing resolves them.
    let numeric =
        bare.split('.').count() == 4 && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_name = !numeric
        && bare
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if is_name {
        Ok(Host::Name(bare.to_owned(), family))
    } else {
        Err(wrong())
    }
}

fn ports(text: &str, whole: &str) -> Result<Ports, AddressError> {
    if text.is_empty() {
        return Ok(Ports::None);
    }
    let number = |part: &str| -> Result<i32, AddressError> {
        if let Some(character) = part.chars().find(|c| !c.is_ascii_digit()) {
            return Err(AddressError::BadPort {
                character,
                port: part.to_owned(),
                text: whole.to_owned(),
            });
        }
        let value = part.parse::<i32>().ok().filter(|value| *value <= 65_535);
        value.ok_or_else(|| AddressError::PortOutOfRange(part.to_owned()))
    };
    if let Some(offset) = text.strip_prefix('+') {
        return Ok(Ports::Offset(number(offset)?));
    }
    if let Some(offset) = text.strip_prefix('-') {
        return Ok(Ports::Offset(-number(offset)?));
    }
    match text.split_once('-') {
        None => Ok(Ports::One(number(text)? as u16)),
        Some((low, high)) => {
            let (low, high) = (number(low)?, number(high)?);
            if low == 0 || high < low {
                return Err(AddressError::PortOutOfRange(text.to_owned()));
            }
            Ok(Ports::Range(low as u16, high as u16))
        }
    }
}

fn any(family: Option<AddressFamily>) -> IpAddr {
    match family {
        Some(AddressFamily::Ipv6) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

/// The addresses of a `bind` line: a comma list, port ranges unrolled.
pub fn bind(text: &str, port_needed: bool) -> Result<Vec<BindAddr>, AddressError> {
    let mut addresses = Vec::new();
    for part in text.split(',') {
        let endpoint = endpoint(part)?;
        let ip = match endpoint.host {
            Host::Any(family) => any(family),
            Host::Ip(ip) => ip,
            Host::Name(host, _) => {
                let Ports::One(port @ 1..) = endpoint.port else {
                    return Err(AddressError::MissingPort(part.to_owned()));
                };
                addresses.push(BindAddr::Name(host, port));
                continue;
            }
            Host::Unix(path) => {
                addresses.push(BindAddr::Unix(path));
                continue;
            }
            Host::Abns(name) => {
                addresses.push(BindAddr::Abns(name));
                continue;
            }
            Host::Fd(fd) => {
                addresses.push(BindAddr::Fd(fd));
                continue;
            }
            Host::Sockpair(fd) => {
                addresses.push(BindAddr::Sockpair(fd));
                continue;
            }
            Host::ReverseHttp(name) => {
                addresses.push(BindAddr::ReverseHttp(name));
                continue;
            }
        };
        let (low, high) = match endpoint.port {
            Ports::One(0) => return Err(AddressError::PortOutOfRange("0".to_owned())),
            Ports::One(port) => (port, port),
            Ports::Range(low, high) => (low, high),
            Ports::None if !port_needed => (0, 0),
            Ports::None => return Err(AddressError::MissingPort(part.to_owned())),
            Ports::Offset(_) => return Err(AddressError::OffsetNotPermitted(part.to_owned())),
        };
        let make: fn(IpAddr, u16) -> BindAddr = if endpoint.transport.datagram {
            BindAddr::Udp
        } else {
            BindAddr::Tcp
        };
        addresses.extend((low..=high).map(|port| make(ip, port)));
        if addresses.len() > MAX_RANGE {
            return Err(AddressError::PortOutOfRange(part.to_owned()));
        }
    }
    Ok(addresses)
}

/// The address of a `server` line.
pub fn server(text: &str) -> Result<(Addr, Port), AddressError> {
    let endpoint = endpoint(text)?;
    let addr = match endpoint.host {
        Host::Any(family) => Addr::Ip(any(family)),
        Host::Ip(ip) => Addr::Ip(ip),
        Host::Name(host, family) => Addr::Name { host, family },
        Host::Unix(path) => return Ok((Addr::Unix(path), Port::None)),
        Host::Abns(name) => return Ok((Addr::Abns(name), Port::None)),
        Host::Fd(fd) => return Ok((Addr::Fd(fd), Port::None)),
        Host::Sockpair(fd) => return Ok((Addr::Sockpair(fd), Port::None)),
        Host::ReverseHttp(_) => return Ok((Addr::ReverseHttp, Port::None)),
    };
    let port = match endpoint.port {
        Ports::None | Ports::One(0) => Port::Offset(0),
        Ports::One(port) => Port::Fixed(port),
        Ports::Offset(offset) => Port::Offset(offset),
        Ports::Range(..) => return Err(AddressError::RangeNotPermitted(text.to_owned())),
    };
    Ok((addr, port))
}

/// The address of a `log` line.
pub fn log(text: &str) -> Result<LogAddr, AddressError> {
    match text {
        "stdout" => return Ok(LogAddr::Fd(1)),
        "stderr" => return Ok(LogAddr::Fd(2)),
        _ => {}
    }
    if let Some(name) = text.strip_prefix("ring@") {
        return Ok(LogAddr::Ring(name.to_owned()));
    }
    if let Some(name) = text.strip_prefix("backend@") {
        return Ok(LogAddr::Backend(name.to_owned()));
    }
    let endpoint = endpoint(text)?;
    let port = match endpoint.port {
        Ports::One(port) => port,
        Ports::None => 514,
        Ports::Range(..) => return Err(AddressError::RangeNotPermitted(text.to_owned())),
        Ports::Offset(_) => return Err(AddressError::OffsetNotPermitted(text.to_owned())),
    };
    let stream = endpoint.transport.stream;
    Ok(match endpoint.host {
        Host::Any(family) if stream => LogAddr::Stream(Addr::Ip(any(family)), port),
        Host::Ip(ip) if stream => LogAddr::Stream(Addr::Ip(ip), port),
        Host::Name(host, family) if stream => LogAddr::Stream(Addr::Name { host, family }, port),
        Host::Unix(path) if stream => LogAddr::Stream(Addr::Unix(path), 0),
        Host::Any(family) => LogAddr::Udp(any(family), port),
        Host::Ip(ip) => LogAddr::Udp(ip, port),
        Host::Name(host, _) => LogAddr::UdpName(host, port),
        Host::Unix(path) => LogAddr::Unix(path),
        Host::Abns(name) => LogAddr::Abns(name),
        Host::Fd(fd) => LogAddr::Fd(fd),
        Host::Sockpair(_) | Host::ReverseHttp(_) => {
            return Err(AddressError::Unsupported(text.to_owned()));
        }
    })
}

/// `ADDRESS[/BITS]`, or a mask behind the slash.
pub fn network(text: &str) -> Option<crate::model::section::Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let ip: std::net::IpAddr = address.parse().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(bits) => match bits.parse::<std::net::Ipv4Addr>() {
            Ok(mask) => u32::from(mask).leading_ones() as u8,
            Err(_) => bits.parse().ok().filter(|bits| *bits <= most)?,
        },
    };
    Some((ip, bits))
}

#[cfg(test)]
mod tests;
