//! SOCKS4, as a client that asks for a connection (Ying-Da Lee, "SOCKS: A protocol for TCP proxy
//! across firewalls").

use std::net::SocketAddrV4;

/// What a request names as its user.
const USER: &[u8] = b"HAProxy\0";
const VERSION: u8 = 4;
const CONNECT: u8 = 1;
/// The length of a reply.
pub const REPLY_BYTES: usize = 8;
const GRANTED: u8 = 0x5a;

/// A request for a connection to `server`.
pub fn request(server: SocketAddrV4, out: &mut Vec<u8>) {
    out.extend_from_slice(&[VERSION, CONNECT]);
    out.extend_from_slice(&server.port().to_be_bytes());
    out.extend_from_slice(&server.ip().octets());
    out.extend_from_slice(USER);
}

/// Whether the reply grants the connection; `None` while it is not complete. Nothing may follow it
/// before the client speaks.
pub fn granted(reply: &[u8]) -> Option<bool> {
    let reply = reply.get(..REPLY_BYTES)?;
    Some(reply[0] == 0 && reply[1] == GRANTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_port_address_and_user() {
        let mut out = Vec::new();
        request(SocketAddrV4::new([10, 1, 2, 3].into(), 443), &mut out);
        assert_eq!(out, b"\x04\x01\x01\xbb\x0a\x01\x02\x03HAProxy\0");
    }

    #[test]
    fn replies() {
        assert_eq!(granted(&[0, 0x5a, 0, 0, 0, 0, 0]), None);
        assert_eq!(granted(&[0, 0x5a, 0, 0, 0, 0, 0, 0]), Some(true));
        assert_eq!(granted(&[0, 0x5b, 0, 0, 0, 0, 0, 0]), Some(false));
        assert_eq!(granted(&[4, 0x5a, 0, 0, 0, 0, 0, 0]), Some(false));
    }
}
