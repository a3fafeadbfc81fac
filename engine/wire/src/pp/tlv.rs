//! Type-length-value records of a version 2 header (section 2.2.3).

/// Record types (sections 2.2.3 to 2.2.9).
pub mod kind {
    /// The protocol negotiated by ALPN.
    pub const ALPN: u8 = 0x01;
    /// The host name that the client asked for (SNI).
    pub const AUTHORITY: u8 = 0x02;
    /// CRC-32C of the whole header.
    pub const CRC32C: u8 = 0x03;
    /// Padding.
    pub const NOOP: u8 = 0x04;
    /// An opaque identifier of the connection, 128 bytes at most.
    pub const UNIQUE_ID: u8 = 0x05;
    /// TLS facts, with records of their own inside.
    pub const SSL: u8 = 0x20;
    /// Inside SSL: protocol version as text.
    pub const SSL_VERSION: u8 = 0x21;
    /// Inside SSL: common name of the client's certificate.
    pub const SSL_CN: u8 = 0x22;
    /// Inside SSL: name of the cipher.
    pub const SSL_CIPHER: u8 = 0x23;
    /// Inside SSL: algorithm that signed the frontend's certificate.
    pub const SSL_SIG_ALG: u8 = 0x24;
    /// Inside SSL: key algorithm of the frontend's certificate.
    pub const SSL_KEY_ALG: u8 = 0x25;
    /// Name of the sender's network namespace.
    pub const NETNS: u8 = 0x30;
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// One of [`kind`], or anything else.
    pub kind: u8,
    /// The value.
    pub value: &'a [u8],
}

/// The records of a header in order; stops at a malformed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlvs<'a> {
    rest: &'a [u8],
}

impl<'a> Tlvs<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Tlvs<'a> {
        Tlvs { rest }
    }

    /// Whether all of them are well formed, and none is longer than its type allows.
    pub(super) fn are_valid(&self) -> bool {
        let mut tlvs = self.clone();
        for tlv in tlvs.by_ref() {
            if tlv.value.len() > longest(tlv.kind) {
                return false;
            }
        }
        tlvs.rest.is_empty()
    }

    /// The first value of type `kind`.
    pub fn value(&self, kind: u8) -> Option<&'a [u8]> {
        self.clone()
            .find_map(|tlv| (tlv.kind == kind).then_some(tlv.value))
    }
}

/// Bytes of a value at most: a host name's, that of section 2.2.5, HAProxy's (manual, `fc_pp_tlv`).
fn longest(kind: u8) -> usize {
    match kind {
        kind::AUTHORITY => 255,
        kind::UNIQUE_ID => 128,
        _ => 1024,
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[kind, high, low], rest) = self.rest.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Tlv { kind, value })
    }
}

/// What the SSL record tells (section 2.2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SslInfo<'a> {
    /// Bit 0: over TLS; bit 1: certificate on this connection; bit 2: certificate in this session.
    pub client: u8,
    /// 0 when the client's certificate was verified.
    pub verify: u32,
    /// The records inside.
    pub tlvs: Tlvs<'a>,
}

impl<'a> SslInfo<'a> {
    /// Reads the value of an SSL record.
    pub fn parse(value: &'a [u8]) -> Option<SslInfo<'a>> {
        let (&[client, a, b, c, d], rest) = value.split_first_chunk::<5>()?;
        Some(SslInfo {
            client,
            verify: u32::from_be_bytes([a, b, c, d]),
            tlvs: Tlvs::new(rest),
        })
    }
}
