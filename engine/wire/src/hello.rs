//! The TLS ClientHello as seen without taking part in the handshake (RFC 8446 section 4.1.2).

use thiserror::Error;

/// Longest ClientHello looked at, in bytes with its record headers: one HAProxy buffer.
pub const HELLO_BYTES_MAX: usize = 16_384;

/// Extension types (IANA "TLS ExtensionType Values").
pub mod extension {
    /// Server name indication (RFC 6066).
    pub const SERVER_NAME: u16 = 0;
    /// Supported groups (RFC 8446 section 4.2.7).
    pub const SUPPORTED_GROUPS: u16 = 10;
    /// EC point formats (RFC 8422).
    pub const EC_POINT_FORMATS: u16 = 11;
    /// Signature algorithms (RFC 8446 section 4.2.3).
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    /// Application-layer protocol negotiation (RFC 7301).
    pub const ALPN: u16 = 16;
    /// Session ticket (RFC 5077).
    pub const SESSION_TICKET: u16 = 35;
    /// Supported versions (RFC 8446 section 4.2.1).
    pub const SUPPORTED_VERSIONS: u16 = 43;
    /// Key share (RFC 8446 section 4.2.8).
    pub const KEY_SHARE: u16 = 51;
}

/// Why the bytes are no ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HelloError {
    /// Not a handshake record of TLS 1.x or SSL 3.0.
    #[error("no TLS handshake record")]
    Record,
    /// A handshake message, but not a ClientHello.
    #[error("no ClientHello")]
    Message,
    /// Lengths inside contradict each other.
    #[error("malformed ClientHello")]
    Malformed,
    /// Larger than [`HELLO_BYTES_MAX`].
    #[error("ClientHello too large")]
    TooLarge,
}

/// A complete ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// Version of the record layer: 0x0301 for TLS 1.0, usually that.
    pub record_version: u16,
    /// `legacy_version`: 0x0303 for TLS 1.2 and later.
    pub legacy_version: u16,
    /// The session id, up to 32 bytes.
    pub session_id: &'a [u8],
    /// Cipher suites, two bytes each.
    pub ciphers: &'a [u8],
    extensions: &'a [u8],
}

/// The type of the handshake message at the front of `input`: 1 is a ClientHello, 2 a ServerHello.
///
/// `None` as long as its byte is not there, or if this is no handshake record.
pub fn handshake_type(input: &[u8]) -> Option<u8> {
    record(input)
        .ok()
        .flatten()
        .and_then(|record| record.payload.first().copied())
}

/// Parses the ClientHello at the front of `input`; `None` as long as it is incomplete.
///
/// One that was split over several records is joined in `scratch`.
pub fn parse<'a>(
    input: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Result<Option<ClientHello<'a>>, HelloError> {
    let Some(first) = record(input)? else {
        return Ok(None);
    };
    if let Some(wanted) = message_len(first.payload)?
        && let Some(message) = first.payload.get(..wanted)
    {
        return body(first.version, message).map(Some);
    }
    scratch.clear();
    scratch.extend_from_slice(first.payload);
    let mut rest = first.rest;
    loop {
        if let Some(wanted) = message_len(scratch)?
            && scratch.len() >= wanted
        {
            return body(first.version, &scratch[..wanted]).map(Some);
        }
        match record(rest)? {
            Some(next) if !next.payload.is_empty() => {
                scratch.extend_from_slice(next.payload);
                rest = next.rest;
            }
            _ => return Ok(None),
        }
    }
}

impl<'a> ClientHello<'a> {
    /// All extensions in order: type and content.
    pub fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = self.extensions;
        std::iter::from_fn(move || {
            let (kind, after) = split_u16(rest)?;
            let (content, after) = split_vec16(after)?;
            rest = after;
            Some((kind, content))
        })
    }

    /// The content of the first extension of type `kind`.
    pub fn extension(&self, kind: u16) -> Option<&'a [u8]> {
        self.extensions()
            .find(|(found, _)| *found == kind)
            .map(|(_, content)| content)
    }

    /// The host name of the server name extension (RFC 6066 section 3).
    pub fn server_name(&self) -> Option<&'a [u8]> {
        let (mut list, _) = split_vec16(self.extension(extension::SERVER_NAME)?)?;
        loop {
            let (&kind, after) = list.split_first()?;
            let (name, after) = split_vec16(after)?;
            if kind == 0 {
                return Some(name);
            }
            list = after;
        }
    }

    /// The protocols offered by ALPN, most wanted first (RFC 7301 section 3.1).
    pub fn alpn(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let list = self.extension(extension::ALPN).and_then(split_vec16);
        let mut rest = list.map_or(&[][..], |(list, _)| list);
        std::iter::from_fn(move || {
            let (protocol, after) = split_vec8(rest)?;
            rest = after;
            Some(protocol)
        })
    }

    /// The highest version the client offers; GREASE values (RFC 8701) aside.
    pub fn version(&self) -> u16 {
        let offered = self
            .extension(extension::SUPPORTED_VERSIONS)
            .and_then(split_vec8);
        let Some((list, _)) = offered else {
            return self.legacy_version;
        };
        list.chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .filter(|version| version & 0x0f0f != 0x0a0a)
            .max()
            .unwrap_or(self.legacy_version)
    }
}

/// The record at the front of the input.
struct Record<'a> {
    version: u16,
    /// As far as it is there.
    payload: &'a [u8],
    /// What follows the record.
    rest: &'a [u8],
}

fn record(input: &[u8]) -> Result<Option<Record<'_>>, HelloError> {
    if input.first().is_some_and(|&kind| kind != 22)
        || input.get(1).is_some_and(|&major| major != 3)
    {
        return Err(HelloError::Record);
    }
    let Some((&[_, major, minor, high, low], rest)) = input.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length == 0 {
        return Err(HelloError::Record);
    }
    if length > HELLO_BYTES_MAX {
        return Err(HelloError::TooLarge);
    }
    let (payload, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Ok(Some(Record {
        version: u16::from_be_bytes([major, minor]),
        payload,
        rest,
    }))
}

/// Length of the handshake message with its header, once that header is there.
fn message_len(payload: &[u8]) -> Result<Option<usize>, HelloError> {
    if payload.first().is_some_and(|&kind| kind != 1) {
        return Err(HelloError::Message);
    }
    let Some(&[_, a, b, c]) = payload.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
    if length > HELLO_BYTES_MAX {
        Err(HelloError::TooLarge)
    } else {
        Ok(Some(length))
    }
}

/// Version, random, session id, ciphers, compression methods, extensions.
fn body(record_version: u16, message: &[u8]) -> Result<ClientHello<'_>, HelloError> {
    fields(record_version, &message[4..]).ok_or(HelloError::Malformed)
}

fn fields(record_version: u16, body: &[u8]) -> Option<ClientHello<'_>> {
    let (legacy_version, rest) = split_u16(body)?;
    let rest = rest.get(32..)?;
    let (session_id, rest) = split_vec8(rest)?;
    let (ciphers, rest) = split_vec16(rest)?;
    let (_, rest) = split_vec8(rest)?;
    // SSL 3.0 and early TLS clients may send no extensions at all.
    let extensions = if rest.is_empty() {
        rest
    } else {
        split_vec16(rest)?.0
    };
    (session_id.len() <= 32 && ciphers.len() % 2 == 0).then_some(ClientHello {
        record_version,
        legacy_version,
        session_id,
        ciphers,
        extensions,
    })
}

fn split_u16(input: &[u8]) -> Option<(u16, &[u8])> {
    let (&pair, rest) = input.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(pair), rest))
}

fn split_vec16(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = split_u16(input)?;
    rest.split_at_checked(usize::from(length))
}

fn split_vec8(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = input.split_first()?;
    rest.split_at_checked(usize::from(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vec16(content: &[u8]) -> Vec<u8> {
        let mut out = (content.len() as u16).to_be_bytes().to_vec();
        out.extend_from_slice(content);
        out
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [kind.to_be_bytes().to_vec(), vec16(content)].concat()
    }

    /// A ClientHello message, without records.
    fn message() -> Vec<u8> {
        let name = [&[0][..], &vec16(b"www.example.org")].concat();
        let extensions = [
            extension(0x1a1a, b""),
            extension(extension::SERVER_NAME, &vec16(&name)),
            extension(extension::ALPN, &vec16(b"\x02h2\x08http/1.1")),
            extension(extension::SUPPORTED_VERSIONS, &[6, 0x7a, 0x7a, 3, 4, 3, 3]),
        ]
        .concat();
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[4, 1, 2, 3, 4]);
        body.extend(vec16(&[0x13, 0x01, 0x13, 0x02]));
        body.extend_from_slice(&[1, 0]);
        body.extend(vec16(&extensions));
        let mut message = vec![1, 0];
        message.extend(vec16(&body));
        message
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        message
            .chunks(size)
            .flat_map(|part| [vec![22, 3, 1], vec16(part)].concat())
            .collect()
    }

    #[test]
    fn all_parts_are_found() {
        let input = records(&message(), 16_000);
        let mut scratch = Vec::new();
        let hello = parse(&input, &mut scratch).unwrap().unwrap();
        assert_eq!(hello.server_name(), Some(&b"www.example.org"[..]));
        assert_eq!(hello.alpn().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
        assert_eq!(
            (hello.record_version, hello.legacy_version),
            (0x0301, 0x0303)
        );
        assert_eq!(hello.version(), 0x0304);
        assert_eq!(hello.session_id, [1, 2, 3, 4]);
        assert_eq!(hello.ciphers, [0x13, 0x01, 0x13, 0x02]);
        assert_eq!(hello.extensions().count(), 4);
        assert_eq!(handshake_type(&input), Some(1));
    }

    #[test]
    fn every_prefix_waits_and_every_fragmentation_is_joined() {
        for size in [1, 3, 4, 50, 16_000] {
            let input = records(&message(), size);
            let mut scratch = Vec::new();
            for end in 0..input.len() {
                assert_eq!(parse(&input[..end], &mut scratch), Ok(None), "{size} {end}");
            }
            let hello = parse(&input, &mut scratch).unwrap().unwrap();
            assert_eq!(hello.server_name(), Some(&b"www.example.org"[..]));
        }
    }

    #[test]
    fn what_is_no_hello_is_told_at_once() {
        let refuses = |input: &[u8], error| {
            assert_eq!(parse(input, &mut Vec::new()), Err(error), "{input:?}");
        };
        refuses(b"G", HelloError::Record);
        refuses(b"\x16\x02", HelloError::Record);
        refuses(b"\x16\x03\x01\x00\x00", HelloError::Record);
        refuses(b"\x16\x03\x01\x00\x04\x02", HelloError::Message);
        refuses(b"\x16\x03\x01\xff\xff", HelloError::TooLarge);
        refuses(
            b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
            HelloError::TooLarge,
        );
        refuses(
            b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03",
            HelloError::Malformed,
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut input in proptest::collection::vec(any::<u8>(), 0..200)) {
            input.splice(0..0, [22, 3, 1, 0, 190, 1, 0, 0, 180]);
            let mut scratch = Vec::new();
            if let Ok(Some(hello)) = parse(&input, &mut scratch) {
                let _ = (hello.server_name(), hello.alpn().count(), hello.version());
            }
        }

        #[test]
        fn a_changed_byte_never_panics(at in 0usize..200, byte: u8) {
            let mut input = records(&message(), 16_000);
            let at = at % input.len();
            input[at] = byte;
            let mut scratch = Vec::new();
            if let Ok(Some(hello)) = parse(&input, &mut scratch) {
                let _ = (hello.server_name(), hello.alpn().count(), hello.version());
            }
        }
    }
}
