//! What rules and logs learn from a handshake.

use super::session::TlsInfo;
use crate::sample::TlsFacts;

impl From<TlsInfo> for TlsFacts {
    fn from(info: TlsInfo) -> TlsFacts {
        TlsFacts {
            protocol: info.version.into(),
            cipher: info.cipher.into(),
            cipher_bits: info.cipher_bits,
            sni: info.sni.map(Box::<[u8]>::from).unwrap_or_default(),
            alpn: info.alpn.map(Vec::into_boxed_slice).unwrap_or_default(),
            resumed: info.resumed,
            curve: info.curve.into(),
            own_certificate: info.own_certificate.map(Vec::into_boxed_slice),
            peer_certificate: info.peer_certificate.map(Vec::into_boxed_slice),
            ..TlsFacts::default()
        }
    }
}
