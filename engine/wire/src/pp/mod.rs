//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt).

mod crc;
mod parse;
mod tlv;
mod write;

use std::net::SocketAddr;

use thiserror::Error;

pub use parse::{HEADER_BYTES_MAX, Header, parse};
pub use tlv::{SslInfo, Tlv, Tlvs, kind};
pub use write::{TlvWriter, write_v1, write_v2};

/// What the sender tells about the connection (section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The sender speaks for itself, a health check for example: keep the real addresses.
    Local,
    /// The sender relays a connection between the given addresses.
    Proxy,
}

/// The two ends of the relayed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Not told: keep the real addresses.
    Unspecified,
    /// IPv4 or IPv6, both of one family.
    Inet {
        /// The client's address.
        source: SocketAddr,
        /// The address the client connected to.
        destination: SocketAddr,
    },
}

/// Why a header is refused; nothing can be known of the connection then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProxyError {
    /// The first bytes are of neither version.
    #[error("no PROXY protocol signature")]
    Signature,
    /// A version 1 line without its end within 107 bytes, or with malformed parts.
    #[error("malformed PROXY protocol line")]
    Line,
    /// A version 1 line of a protocol that is neither TCP nor unknown.
    #[error("unknown protocol in a PROXY protocol line")]
    Protocol,
    /// A version other than 2, or an unknown command, in a binary header.
    #[error("unknown PROXY protocol version or command")]
    Version,
    /// A binary header of another family than TCP over IPv4 or IPv6.
    #[error("unknown family in a PROXY protocol header")]
    Family,
    /// A binary header longer than the limit, or too short for its addresses.
    #[error("PROXY protocol header of impossible length")]
    Length,
    /// A TLV that ends beyond the header, or that is longer than its type allows.
    #[error("malformed PROXY protocol TLV")]
    Tlv,
    /// The CRC-32C in the header is not that of the header.
    #[error("PROXY protocol checksum mismatch")]
    Checksum,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inet(source: &str, destination: &str) -> Addresses {
        Addresses::Inet {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
        }
    }

    fn v2(addresses: &Addresses, crc: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let fits = write_v2(
            Command::Proxy,
            addresses,
            |tlvs| {
                if crc {
                    tlvs.push_crc32c();
                }
                tlvs.push(kind::AUTHORITY, b"example.org");
                tlvs.push(kind::UNIQUE_ID, b"id-1");
                tlvs.push_ssl(1, 0, |inner| inner.push(kind::SSL_VERSION, b"TLSv1.3"));
            },
            &mut out,
        );
        assert!(fits);
        out
    }

    #[test]
    fn lines_of_section_2_1() {
        for (line, want) in [
            (
                "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
                inet("192.0.2.1:56324", "192.0.2.2:443"),
            ),
            (
                "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
                inet("[2001:db8::1]:1", "[::1]:65535"),
            ),
            ("PROXY UNKNOWN\r\n", Addresses::Unspecified),
            (
                "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
                Addresses::Unspecified,
            ),
        ] {
            let input = format!("{line}GET /");
            let header = parse(input.as_bytes()).unwrap().unwrap();
            assert_eq!(
                (header.addresses, header.length),
                (want, line.len()),
                "{line}"
            );
            for end in 0..line.len() {
                assert_eq!(parse(&line.as_bytes()[..end]), Ok(None), "{line} {end}");
            }
        }
    }

    #[test]
    fn malformed_lines_are_refused() {
        for line in [
            "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
            "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
            "PROXY TCP4 ::1 ::2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(ProxyError::Line), "{line}");
        }
        let other = b"PROXY TCP9 192.0.2.1 192.0.2.2 1 2\r\n";
        assert_eq!(parse(other), Err(ProxyError::Protocol));
        assert_eq!(parse(b"POST / HTTP/1.1"), Err(ProxyError::Signature));
        assert_eq!(parse(b"GET"), Err(ProxyError::Signature));
        let endless = [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat();
        assert_eq!(parse(&endless), Err(ProxyError::Line));
    }

    #[test]
    fn binary_headers_come_back_as_written() {
        for addresses in [
            inet("192.0.2.1:56324", "192.0.2.2:443"),
            inet("[2001:db8::1]:1", "[::1]:65535"),
            Addresses::Unspecified,
        ] {
            for crc in [false, true] {
                let mut input = v2(&addresses, crc);
                let length = input.len();
                input.extend_from_slice(b"GET /");
                let header = parse(&input).unwrap().unwrap();
                // Without addresses to tell, the sender speaks for itself.
                let command = match addresses {
                    Addresses::Unspecified => Command::Local,
                    Addresses::Inet { .. } => Command::Proxy,
                };
                assert_eq!((header.command, header.addresses), (command, addresses));
                assert_eq!(header.length, length);
                assert_eq!(
                    header.tlvs.value(kind::AUTHORITY),
                    Some(&b"example.org"[..])
                );
                assert_eq!(header.tlvs.value(kind::UNIQUE_ID), Some(&b"id-1"[..]));
                let ssl = header.ssl().unwrap();
                assert_eq!((ssl.client, ssl.verify), (1, 0));
                assert_eq!(ssl.tlvs.value(kind::SSL_VERSION), Some(&b"TLSv1.3"[..]));
                for end in 0..length {
                    assert_eq!(parse(&input[..end]), Ok(None), "{end}");
                }
            }
        }
    }

    #[test]
    fn ends_of_two_families_are_both_ipv6() {
        let mut out = Vec::new();
        write_v1(&inet("192.0.2.1:1", "[::1]:2"), &mut out);
        assert_eq!(out, b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n");
        out.clear();
        write_v1(&Addresses::Unspecified, &mut out);
        assert_eq!(out, b"PROXY UNKNOWN\r\n");
    }

    #[test]
    fn local_headers_keep_the_real_addresses() {
        let mut out = Vec::new();
        let addresses = inet("192.0.2.1:1", "192.0.2.2:2");
        assert!(write_v2(Command::Local, &addresses, |_| (), &mut out));
        let header = parse(&out).unwrap().unwrap();
        assert_eq!(
            (header.command, header.addresses),
            (Command::Local, Addresses::Unspecified)
        );
    }

    #[test]
    fn damaged_binary_headers_are_refused() {
        let addresses = inet("192.0.2.1:1", "192.0.2.2:2");
        let good = v2(&addresses, true);
        let with = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            parse(&bad).map(|header| header.is_some())
        };
        assert_eq!(with(4, b'x'), Err(ProxyError::Signature));
        assert_eq!(with(12, 0x11), Err(ProxyError::Version));
        assert_eq!(with(12, 0x22), Err(ProxyError::Version));
        for family in [0x10, 0x12, 0x22, 0x31, 0x51] {
            assert_eq!(with(13, family), Err(ProxyError::Family), "{family:x}");
        }
        assert_eq!(with(14, 0xff), Err(ProxyError::Length));
        assert_eq!(with(15, 4), Err(ProxyError::Length));
        assert_eq!(with(16, 193), Err(ProxyError::Checksum));
        assert_eq!(with(36, 0xff), Err(ProxyError::Tlv));
        let mut out = vec![1];
        let oversized = |tlvs: &mut TlvWriter<'_>| tlvs.push(kind::NOOP, &vec![0; 65_535]);
        assert!(!write_v2(Command::Proxy, &addresses, oversized, &mut out));
        assert_eq!(out, [1], "nothing is appended");
    }

    /// proxy-protocol.txt, sections 2.2.3 and 2.2.5; manual, `fc_pp_tlv`.
    #[test]
    fn records_have_a_longest_value() {
        let addresses = inet("192.0.2.1:1", "192.0.2.2:2");
        for (kind, longest) in [(kind::UNIQUE_ID, 128), (kind::AUTHORITY, 255), (0xe0, 1024)] {
            for (bytes, accepted) in [(longest, true), (longest + 1, false)] {
                let mut out = Vec::new();
                let records = |tlvs: &mut TlvWriter<'_>| tlvs.push(kind, &vec![b'x'; bytes]);
                assert!(write_v2(Command::Proxy, &addresses, records, &mut out));
                let parsed = parse(&out);
                assert_eq!(parsed.is_ok(), accepted, "{kind:x} {bytes}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(rest in proptest::collection::vec(any::<u8>(), 0..80), which: bool) {
            let start: &[u8] = if which { b"\r\n\r\n\0\r\nQUIT\n\x21" } else { b"PROXY TCP4 " };
            let input = [start, &rest].concat();
            if let Ok(Some(header)) = parse(&input) {
                prop_assert!(header.length <= input.len());
                let _ = (header.ssl(), header.tlvs.count());
            }
        }
    }
}
