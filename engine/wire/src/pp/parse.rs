//! Headers from bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::crc::crc32c;
use super::tlv::{SslInfo, Tlvs, kind};
use super::{Addresses, Command, ProxyError};

/// Longest version 2 header accepted, in bytes: one HAProxy buffer.
pub const HEADER_BYTES_MAX: usize = 16_384;

/// Longest version 1 line with its end, in bytes (section 2.1).
const LINE_BYTES_MAX: usize = 107;

pub(super) const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED_BYTES: usize = 16;

/// A complete header; the records borrow from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Whose connection it is.
    pub command: Command,
    /// The relayed connection's ends.
    pub addresses: Addresses,
    /// The records of version 2.
    pub tlvs: Tlvs<'a>,
    /// Bytes of the input that belong to the header.
    pub length: usize,
}

impl<'a> Header<'a> {
    /// The TLS facts, if told.
    pub fn ssl(&self) -> Option<SslInfo<'a>> {
        SslInfo::parse(self.tlvs.value(kind::SSL)?)
    }
}

/// Parses the header at the front of `input`; `None` as long as it may still become one.
///
/// The first byte that cannot belong to a header refuses it.
pub fn parse(input: &[u8]) -> Result<Option<Header<'_>>, ProxyError> {
    match input.first() {
        None => Ok(None),
        Some(b'P') => parse_v1(input),
        Some(_) => parse_v2(input),
    }
}

fn parse_v1(input: &[u8]) -> Result<Option<Header<'_>>, ProxyError> {
    const WORD: &[u8] = b"PROXY ";
    let known = input.len().min(WORD.len());
    if input[..known] != WORD[..known] {
        return Err(ProxyError::Signature);
    }
    let window = &input[..input.len().min(LINE_BYTES_MAX)];
    let Some(end) = memchr::memchr(b'\n', window) else {
        return if window.len() == LINE_BYTES_MAX {
            Err(ProxyError::Line)
        } else {
            Ok(None)
        };
    };
    let line = window[..end].strip_suffix(b"\r").ok_or(ProxyError::Line)?;
    let text = std::str::from_utf8(&line[WORD.len()..]).map_err(|_| ProxyError::Line)?;
    let addresses = addresses_v1(text).ok_or(ProxyError::Line)?;
    Ok(Some(Header {
        command: Command::Proxy,
        addresses,
        tlvs: Tlvs::new(&[]),
        length: end + 1,
    }))
}

/// `TCP4|TCP6 source destination source-port destination-port`, single spaces, or `UNKNOWN ...`.
fn addresses_v1(text: &str) -> Option<Addresses> {
    let mut parts = text.split(' ');
    let family = parts.next()?;
    if family == "UNKNOWN" {
        return Some(Addresses::Unspecified);
    }
    let ip = |part: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => part.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => part.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (source, destination) = (ip(parts.next()?)?, ip(parts.next()?)?);
    let (source_port, destination_port) = (port(parts.next()?)?, port(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    Some(Addresses::Inet {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

/// Digits only, no sign.
fn port(text: &str) -> Option<u16> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn parse_v2(input: &[u8]) -> Result<Option<Header<'_>>, ProxyError> {
    let known = input.len().min(SIGNATURE.len());
    if input[..known] != SIGNATURE[..known] {
        return Err(ProxyError::Signature);
    }
    let Some(&[version_command, family, high, low]) = input
        .get(SIGNATURE.len()..)
        .and_then(|rest| rest.first_chunk::<4>())
    else {
        return Ok(None);
    };
    let command = match version_command {
        0x20 => Command::Local,
        0x21 => Command::Proxy,
        _ => return Err(ProxyError::Version),
    };
    let length = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if length > HEADER_BYTES_MAX {
        return Err(ProxyError::Length);
    }
    let Some(payload) = input.get(FIXED_BYTES..length) else {
        return Ok(None);
    };
    let (addresses, rest) = match command {
        Command::Local => (Addresses::Unspecified, skip_addresses(family, payload)),
        Command::Proxy => addresses_v2(family, payload).ok_or(ProxyError::Length)?,
    };
    let tlvs = Tlvs::new(rest);
    // A health check may announce any length and fill it with nothing.
    if command == Command::Proxy && !tlvs.are_valid() {
        return Err(ProxyError::Tlv);
    }
    check_crc(&input[..length], rest, tlvs.clone())?;
    Ok(Some(Header {
        command,
        addresses,
        tlvs,
        length,
    }))
}

fn addresses_v2(family: u8, payload: &[u8]) -> Option<(Addresses, &[u8])> {
    let be16 = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
    match family >> 4 {
        1 => {
            let (part, rest) = payload.split_first_chunk::<12>()?;
            let ip = |at: usize| Ipv4Addr::new(part[at], part[at + 1], part[at + 2], part[at + 3]);
            let source = SocketAddr::from((ip(0), be16(&part[8..])));
            let destination = SocketAddr::from((ip(4), be16(&part[10..])));
            Some((
                Addresses::Inet {
                    source,
                    destination,
                },
                rest,
            ))
        }
        2 => {
            let (part, rest) = payload.split_first_chunk::<36>()?;
            let ip = |at: usize| {
                let mut octets = [0; 16];
                octets.copy_from_slice(&part[at..at + 16]);
                Ipv6Addr::from(octets)
            };
            let source = SocketAddr::from((ip(0), be16(&part[32..])));
            let destination = SocketAddr::from((ip(16), be16(&part[34..])));
            Some((
                Addresses::Inet {
                    source,
                    destination,
                },
                rest,
            ))
        }
        3 => Some((Addresses::Unix, payload.split_at_checked(216)?.1)),
        _ => Some((Addresses::Unspecified, payload)),
    }
}

fn skip_addresses(family: u8, payload: &[u8]) -> &[u8] {
    let length = match family >> 4 {
        1 => 12,
        2 => 36,
        3 => 216,
        _ => 0,
    };
    payload.get(length..).unwrap_or(&[])
}

/// The checksum is of the whole header with zeros in its own place (section 2.2.4).
fn check_crc(header: &[u8], tlv_bytes: &[u8], tlvs: Tlvs<'_>) -> Result<(), ProxyError> {
    let mut at = header.len() - tlv_bytes.len();
    for tlv in tlvs {
        let value_at = at + 3;
        if tlv.kind == kind::CRC32C {
            let told: [u8; 4] = tlv.value.try_into().map_err(|_| ProxyError::Checksum)?;
            let sum = crc32c(&[&header[..value_at], &[0; 4], &header[value_at + 4..]]);
            if sum != u32::from_be_bytes(told) {
                return Err(ProxyError::Checksum);
            }
        }
        at = value_at + tlv.value.len();
    }
    Ok(())
}
