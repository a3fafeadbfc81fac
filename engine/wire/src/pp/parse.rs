//! Headers from bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

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
    let addresses = addresses_v1(text)?;
    Ok(Some(Header {
        command: Command::Proxy,
        addresses,
        tlvs: Tlvs::new(&[]),
        length: end + 1,
    }))
}

/// `TCP4|TCP6 source destination source-port destination-port`, single spaces, or `UNKNOWN ...`.
fn addresses_v1(text: &str) -> Result<Addresses, ProxyError> {
    let (family, rest) = text.split_once(' ').unwrap_or((text, ""));
    let told = match family {
        "UNKNOWN" => return Ok(Addresses::Unspecified),
        "TCP4" => ends_v1::<Ipv4Addr>(rest),
        "TCP6" => ends_v1::<Ipv6Addr>(rest),
        _ => return Err(ProxyError::Protocol),
    };
    told.ok_or(ProxyError::Line)
}

fn ends_v1<Ip: FromStr + Into<IpAddr>>(text: &str) -> Option<Addresses> {
    let mut parts = text.split(' ');
    let mut ip = || parts.next()?.parse::<Ip>().ok().map(Into::into);
    let (source, destination): (IpAddr, IpAddr) = (ip()?, ip()?);
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
        Command::Proxy => addresses_v2(family, payload)?,
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

/// TCP over IPv4 or IPv6, or nothing that is told; all else is refused, as HAProxy does.
fn addresses_v2(family: u8, payload: &[u8]) -> Result<(Addresses, &[u8]), ProxyError> {
    match family {
        0x00 => Ok((Addresses::Unspecified, payload)),
        0x11 => ends_v2::<4>(payload).ok_or(ProxyError::Length),
        0x21 => ends_v2::<16>(payload).ok_or(ProxyError::Length),
        _ => Err(ProxyError::Family),
    }
}

/// Both addresses of `N` bytes, then both ports.
fn ends_v2<const N: usize>(payload: &[u8]) -> Option<(Addresses, &[u8])>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = payload.split_first_chunk::<N>()?;
    let (destination, rest) = rest.split_first_chunk::<N>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let (destination_port, rest) = rest.split_first_chunk::<2>()?;
    let end =
        |ip: &[u8; N], port: &[u8; 2]| SocketAddr::new((*ip).into(), u16::from_be_bytes(*port));
    let addresses = Addresses::Inet {
        source: end(source, source_port),
        destination: end(destination, destination_port),
    };
    Some((addresses, rest))
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
