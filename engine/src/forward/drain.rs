//! Sends the lines of rings to their servers over TCP (manual, 12.5; framing: RFC 6587).
//!
//! A server that is away costs the ring nothing: it overwrites its oldest lines and the server
//! goes on with what is left when it is back. A server that is connected and slow holds its place,
//! so that new lines are dropped and counted once the ring is full.

use std::future::{Future, poll_fn};
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use reactor::{Core, Event, Readable, Sock, SockAddr, Timer};

use crate::limits::{
    IMPLICIT_RING_TIMEOUT_MS, RING_BATCH_BYTES, RING_RECONNECT_MAX_MS, RING_RECONNECT_MS,
};
use crate::mux::Link;
use crate::plan::{Endpoint, RingServer};
use crate::ring::{Reader, Ring, Start};
use crate::state::Runtime;
use crate::{rt, tls};

/// Begins to send the lines of every ring that has servers.
pub fn start(core: &Core, runtime: &Arc<Runtime>) {
    for (index, spec) in runtime.plan.rings.iter().enumerate() {
        for (number, _) in spec.servers.iter().enumerate() {
            let drain = Drain {
                core: core.clone(),
                timer: core.timer(),
                runtime: Arc::clone(runtime),
                index,
                number,
                arrived: Rc::new(core.event()),
            };
            rt::spawn(drain.run());
        }
    }
}

/// One server of one ring.
struct Drain {
    core: Core,
    timer: Timer,
    runtime: Arc<Runtime>,
    /// The ring's index, and the server's in the ring.
    index: usize,
    number: usize,
    arrived: Rc<Event>,
}

impl Drain {
    async fn run(self) {
        // A reader's wake comes from any thread, an event belongs to one: a mailbox lies between.
        let (mailbox, post) = self.core.mailbox::<()>();
        let arrived = Rc::clone(&self.arrived);
        rt::spawn(async move {
            while mailbox.recv().await.is_some() {
                arrived.notify();
            }
        });
        let mut at = Start::Oldest;
        let mut pause_ms = RING_RECONNECT_MS;
        loop {
            if let Some(link) = self.connect().await {
                pause_ms = RING_RECONNECT_MS;
                let post = post.clone();
                let wake = Box::new(move || {
                    let _ = post.send(());
                });
                let reader = self.ring().reader(at, wake);
                self.send(&link, &reader).await;
                at = Start::At(reader.next());
            }
            self.timer.set_after(pause_ms);
            self.timer.expired().await;
            pause_ms = (pause_ms * 2).min(RING_RECONNECT_MAX_MS);
        }
    }

    fn ring(&self) -> &Arc<Ring> {
        &self.runtime.rings[self.index]
    }

    fn server(&self) -> &RingServer {
        &self.runtime.plan.rings[self.index].servers[self.number]
    }

    async fn connect(&self) -> Option<Link> {
        let address = match &self.server().endpoint {
            Endpoint::Tcp(address) => SockAddr::from(*address),
            Endpoint::Unix(path) => SockAddr::unix(path).ok()?,
            Endpoint::Abstract(name) => SockAddr::unix(format!("\0{name}")).ok()?,
            Endpoint::TcpOffset(..) | Endpoint::Unresolved => return None,
        };
        let socket = reactor::net::stream_socket(&address).ok()?;
        let limit = self.runtime.plan.rings[self.index].connect_ms;
        let limit_ms = limit.unwrap_or(IMPLICIT_RING_TIMEOUT_MS);
        let connecting = self.core.connect(socket, &address);
        let sock = self.within(limit_ms, connecting).await?.ok()?;
        let Some(context) = self.runtime.tls_of_ring(self.index, self.number) else {
            return Some(Link::Plain(sock));
        };
        let secured = tls::Stream::new(sock, context.session(None).ok()?);
        self.within(limit_ms, secured.handshake()).await?.ok()?;
        Some(Link::Tls(Box::new(secured)))
    }

    /// Sends lines until the connection fails, ends, or takes nothing for too long.
    async fn send(&self, link: &Link, reader: &Reader) {
        let limit_ms = self.runtime.plan.rings[self.index].server_ms;
        let counts_octets = self.server().counts_octets;
        loop {
            let mut room = RING_BATCH_BYTES;
            let mut any = false;
            link.write(|out| {
                any = reader.read(|line| {
                    write_line(line, counts_octets, out);
                    room = room.saturating_sub(line.len());
                    room > 0
                });
            });
            if !any {
                if !self.wait(link.sock()).await {
                    return;
                }
                continue;
            }
            link.flush();
            let taken = match limit_ms {
                Some(ms) => self.within(ms, link.sent(0)).await,
                None => Some(link.sent(0).await),
            };
            if !matches!(taken, Some(Ok(()))) {
                link.abort();
                return;
            }
        }
    }

    /// Waits for lines; false if the server has ended the connection.
    async fn wait(&self, sock: &Sock) -> bool {
        let mut arrived = std::pin::pin!(self.arrived.wait());
        poll_fn(|cx| {
            // Whatever a server of logs may say, nobody listens.
            while let Poll::Ready(state) = sock.poll_readable(cx) {
                match state {
                    Readable::Data => sock.consume(sock.queued()),
                    Readable::Eof | Readable::Failed(_) => return Poll::Ready(false),
                }
            }
            arrived.as_mut().poll(cx).map(|()| true)
        })
        .await
    }

    async fn within<T>(&self, limit_ms: u64, action: impl Future<Output = T>) -> Option<T> {
        self.timer.set_after(limit_ms);
        let mut action = std::pin::pin!(action);
        let done = poll_fn(|cx| match action.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.timer.poll_expired(cx).map(|()| None),
        });
        let done = done.await;
        self.timer.clear();
        done
    }
}

/// RFC 6587, 3.4: the length in front, or a line feed behind.
fn write_line(line: &[u8], counts_octets: bool, out: &mut Vec<u8>) {
    if counts_octets {
        // Writing to a Vec cannot fail.
        drop(write!(out, "{} ", line.len()));
        out.extend_from_slice(line);
    } else {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framings() {
        let mut out = Vec::new();
        write_line(b"abc", true, &mut out);
        write_line(b"", true, &mut out);
        write_line(b"de", false, &mut out);
        assert_eq!(out, b"3 abc0 de\n");
    }
}
