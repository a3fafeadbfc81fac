//! Headers to bytes.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::crc::crc32c;
use super::parse::SIGNATURE;
use super::tlv::kind;
use super::{Addresses, Command};

/// Appends a version 1 line (section 2.1).
///
/// Ends of different families are both told as IPv6; what is not IP is `UNKNOWN`.
pub fn write_v1(addresses: &Addresses, out: &mut Vec<u8>) {
    let Addresses::Inet {
        source,
        destination,
    } = addresses
    else {
        out.extend_from_slice(b"PROXY UNKNOWN\r\n");
        return;
    };
    let (from, to) = one_family(*source, *destination);
    let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from_port, to_port) = (source.port(), destination.port());
    // Writing to a Vec cannot fail.
    let _ = write!(out, "PROXY {family} {from} {to} {from_port} {to_port}\r\n");
}

/// Appends a version 2 header (section 2.2); `write` adds its records.
///
/// Addresses that are not IP cannot be told: the header is a local one then, as HAProxy's. Returns
/// `false` and appends nothing if the records exceed the header's 65,535 bytes.
#[must_use]
pub fn write_v2(
    command: Command,
    addresses: &Addresses,
    write: impl FnOnce(&mut TlvWriter<'_>),
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.extend_from_slice(SIGNATURE);
    match (command, addresses) {
        (
            Command::Proxy,
            Addresses::Inet {
                source,
                destination,
            },
        ) => write_ends(*source, *destination, out),
        _ => out.extend_from_slice(&[0x20, 0, 0, 0]),
    }
    let mut tlvs = TlvWriter {
        out,
        valid: true,
        crc_at: None,
    };
    write(&mut tlvs);
    let (valid, crc_at) = (tlvs.valid, tlvs.crc_at);
    let Some(length) = u16::try_from(out.len() - start - 16).ok().filter(|_| valid) else {
        out.truncate(start);
        return false;
    };
    out[start + 14..start + 16].copy_from_slice(&length.to_be_bytes());
    if let Some(at) = crc_at {
        let sum = crc32c(&[&out[start..]]);
        out[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    }
    true
}

/// Command and family, room for the length, both ends.
fn write_ends(source: SocketAddr, destination: SocketAddr, out: &mut Vec<u8>) {
    let (from, to) = one_family(source, destination);
    let family = if from.is_ipv4() { 0x11 } else { 0x21 };
    out.extend_from_slice(&[0x21, family, 0, 0]);
    for ip in [from, to] {
        match ip {
            IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
        }
    }
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
}

fn one_family(source: SocketAddr, destination: SocketAddr) -> (IpAddr, IpAddr) {
    let mapped = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => IpAddr::V6(ip.to_ipv6_mapped()),
        IpAddr::V6(_) => ip,
    };
    let (from, to) = (source.ip(), destination.ip());
    if from.is_ipv4() == to.is_ipv4() {
        (from, to)
    } else {
        (mapped(from), mapped(to))
    }
}

/// Adds records to a header that is being written.
pub struct TlvWriter<'a> {
    out: &'a mut Vec<u8>,
    valid: bool,
    /// Where the checksum stands, which is known when all else is.
    crc_at: Option<usize>,
}

impl TlvWriter<'_> {
    /// Adds one record of at most 65,535 bytes; a longer one spoils the header.
    pub fn push(&mut self, kind: u8, value: &[u8]) {
        let Ok(length) = u16::try_from(value.len()) else {
            self.valid = false;
            return;
        };
        self.out.push(kind);
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(value);
    }

    /// Adds the checksum of the whole header (section 2.2.4).
    pub fn push_crc32c(&mut self) {
        self.push(kind::CRC32C, &[0; 4]);
        self.crc_at = Some(self.out.len() - 4);
    }

    /// Adds the SSL record (section 2.2.6) with the records that `write` puts inside.
    pub fn push_ssl(&mut self, client: u8, verify: u32, write: impl FnOnce(&mut TlvWriter<'_>)) {
        let start = self.out.len();
        self.out.extend_from_slice(&[kind::SSL, 0, 0, client]);
        self.out.extend_from_slice(&verify.to_be_bytes());
        let mut inner = TlvWriter {
            out: self.out,
            valid: self.valid,
            crc_at: None,
        };
        write(&mut inner);
        self.valid = inner.valid;
        match u16::try_from(self.out.len() - start - 3) {
            Ok(length) => {
                self.out[start + 1..start + 3].copy_from_slice(&length.to_be_bytes());
            }
            Err(_) => self.valid = false,
        }
    }
}
