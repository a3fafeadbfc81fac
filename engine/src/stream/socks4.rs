//! Connections through a SOCKS4 proxy (manual 5.2, `socks4`).

use std::task::{Context, Poll};

use reactor::{Readable, Sock, SockAddr};
use wire::socks4;

use super::Stream;
use super::wait::{Interrupted, Patience, wait};

/// Asks the proxy at the other end for a connection to the server; whether it gave one.
pub async fn tunnel(
    stream: &Stream<'_>,
    sock: &Sock,
    server: &SockAddr,
    patience: Patience,
) -> Result<bool, Interrupted> {
    // The protocol knows no other addresses.
    let Some(std::net::SocketAddr::V4(server)) = server.as_socket() else {
        return Ok(false);
    };
    sock.write(|out| socks4::request(server, out));
    sock.flush();
    let mut reply = Vec::new();
    loop {
        let seen = sock.queued();
        let more = |cx: &mut Context<'_>| -> Poll<Readable> { sock.poll_more(seen, cx) };
        match wait(stream.local, stream.client, patience, more).await? {
            Readable::Data => {}
            Readable::Eof | Readable::Failed(_) => return Ok(false),
        }
        // The server may have spoken already: only the reply is ours.
        while let Some(piece) = sock.take(socks4::REPLY_BYTES - reply.len()) {
            reply.extend_from_slice(&piece);
            if let Some(granted) = socks4::granted(&reply) {
                return Ok(granted);
            }
        }
    }
}
