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

/// Appends a version 2 header (section 2.2); `write` adds its records, and with `crc` the checksum
/// follows them.
///
/// Returns `false` and appends nothing if the records exceed the header's 65,535 bytes.
#[must_use]
pub fn write_v2(
    command: Command,
    addresses: &Addresses,
    write: impl FnOnce(&mut TlvWriter<'_>),
    crc: bool,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.extend_from_slice(SIGNATURE);
    out.push(match command {
        Command::Local => 0x20,
        Command::Proxy => 0x21,
    });
    write_addresses(command, addresses, out);
    let mut tlvs = TlvWriter { out, valid: true };
    write(&mut tlvs);
    let mut valid = tlvs.valid;
    if crc {
        TlvWriter { out, valid }.push(kind::CRC32C, &[0; 4]);
    }
    match u16::try_from(out.len() - start - 16) {
        Ok(length) => out[start + 14..start + 16].copy_from_slice(&length.to_be_bytes()),
        Err(_) => valid = false,
    }
    if !valid {
        out.truncate(start);
        return false;
    }
    if crc {
        let sum = crc32c(&[&out[start..]]);
        let at = out.len() - 4;
        out[at..].copy_from_slice(&sum.to_be_bytes());
    }
    true
}

/// Family byte, room for the length, addresses.
fn write_addresses(command: Command, addresses: &Addresses, out: &mut Vec<u8>) {
    match (command, addresses) {
        (
            Command::Proxy,
            Addresses::Inet {
                source,
                destination,
            },
        ) => {
            let (from, to) = one_family(*source, *destination);
            out.extend_from_slice(&[if from.is_ipv4() { 0x11 } else { 0x21 }, 0, 0]);
            for ip in [from, to] {
                match ip {
                    IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
                    IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
                }
            }
            out.extend_from_slice(&source.port().to_be_bytes());
            out.extend_from_slice(&destination.port().to_be_bytes());
        }
        (Command::Proxy, Addresses::Unix) => {
            out.extend_from_slice(&[0x31, 0, 0]);
            out.extend_from_slice(&[0; 216]);
        }
        _ => out.extend_from_slice(&[0, 0, 0]),
    }
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

    /// Adds the SSL record (section 2.2.6) with the records that `write` puts inside.
    pub fn push_ssl(&mut self, client: u8, verify: u32, write: impl FnOnce(&mut TlvWriter<'_>)) {
        let start = self.out.len();
        self.out.extend_from_slice(&[kind::SSL, 0, 0, client]);
        self.out.extend_from_slice(&verify.to_be_bytes());
        let mut inner = TlvWriter {
            out: self.out,
            valid: self.valid,
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
