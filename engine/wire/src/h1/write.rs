//! Heads to bytes.

use crate::head::{Head, Version};
use crate::name::Known;

/// What the outgoing head says about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionOut {
    /// The connection lives on after this exchange.
    pub keep_alive: bool,
    /// The receiver speaks HTTP/1.0: keeping alive must be said (RFC 9112 section 9.3).
    pub peer_10: bool,
    /// Say nothing: an interim response, or the last HTTP message before a tunnel.
    pub silent: bool,
}

impl ConnectionOut {
    /// An HTTP/1.1 connection that stays open.
    pub const KEEP_ALIVE: ConnectionOut = ConnectionOut {
        keep_alive: true,
        peer_10: false,
        silent: false,
    };
    /// A connection that ends after this message.
    pub const CLOSE: ConnectionOut = ConnectionOut {
        keep_alive: false,
        peer_10: false,
        silent: false,
    };
    /// See [`ConnectionOut::silent`].
    pub const SILENT: ConnectionOut = ConnectionOut {
        keep_alive: true,
        peer_10: false,
        silent: true,
    };
}

/// Appends a request head: version 1.1 unless the client sent an older one.
pub fn write_request(head: &Head, connection: ConnectionOut, out: &mut Vec<u8>) {
    let (method, target) = (head.method(), head.target());
    out.reserve(method.len() + target.len() + head.fields_len() + SLACK_BYTES);
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(target);
    out.push(b' ');
    out.extend_from_slice(version_out(head.version()));
    out.extend_from_slice(b"\r\n");
    // A 1.0 request that asks for an upgrade has its `connection` field already, and a chunked one
    // is too doubtful to keep its connection.
    let silent = !head.version().is_11()
        && (head.contains_known(Known::Upgrade) || head.contains_known(Known::TransferEncoding));
    write_end(
        head,
        ConnectionOut {
            silent: connection.silent || silent,
            ..connection
        },
        out,
    );
}

/// Appends a response head: version 1.1 unless the server sent an older one.
pub fn write_response(head: &Head, connection: ConnectionOut, out: &mut Vec<u8>) {
    let reason = head.reason();
    out.reserve(reason.len() + head.fields_len() + SLACK_BYTES);
    out.extend_from_slice(version_out(head.version()));
    let status = head.status();
    let digit = |value: u16| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[
        b' ',
        digit(status / 100),
        digit(status / 10),
        digit(status),
        b' ',
    ]);
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
    write_end(head, connection, out);
}

/// Appends the fields behind the last chunk, and the empty line. They pass as they came, as
/// HAProxy has it; those that frame a message have been checked like a head's.
pub fn write_trailers(trailers: &Head, out: &mut Vec<u8>) {
    out.reserve(trailers.fields_len() + 2);
    for (name, value) in trailers.fields() {
        write_field(name, value, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Room for version, status, separators and the `connection` field.
const SLACK_BYTES: usize = 64;

fn write_end(head: &Head, connection: ConnectionOut, out: &mut Vec<u8>) {
    for (name, value) in head.fields() {
        write_field(name, value, out);
    }
    let sent_11 = head.version().is_11();
    if !connection.silent {
        if connection.keep_alive && (connection.peer_10 || !sent_11) {
            out.extend_from_slice(b"connection: keep-alive\r\n");
        } else if !connection.keep_alive && sent_11 {
            out.extend_from_slice(b"connection: close\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn version_out(version: Version) -> &'static [u8] {
    if version.is_11() {
        b"HTTP/1.1"
    } else {
        b"HTTP/1.0"
    }
}
