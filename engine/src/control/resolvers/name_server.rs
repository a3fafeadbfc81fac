//! The way to one name server: datagrams, or messages on a TCP connection (RFC 7766).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use reactor::{Core, Datagram, Event, Readable, Sock, SockAddr};

use crate::limits::DNS_QUEUE_MAX;

/// What was asked and answered, in the words of `show resolvers`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub sent: u64,
    pub send_error: u64,
    pub valid: u64,
    pub update: u64,
    pub cname_error: u64,
    pub any_err: u64,
    pub nx: u64,
    pub timeout: u64,
    pub refused: u64,
    pub other: u64,
    pub invalid: u64,
    pub truncated: u64,
    pub outdated: u64,
}

/// One name server.
pub struct NameServer {
    pub name: Box<str>,
    address: SocketAddr,
    way: Way,
    pub counters: Cell<Counters>,
}

enum Way {
    /// `None` where no socket could be had.
    Udp(RefCell<Option<Rc<Datagram>>>),
    Tcp {
        waiting: RefCell<VecDeque<Vec<u8>>>,
        work: Event,
    },
}

impl NameServer {
    pub fn new(core: &Core, spec: &crate::resolve::NameServer) -> Self {
        let way = if spec.is_tcp {
            Way::Tcp {
                waiting: RefCell::default(),
                work: core.event(),
            }
        } else {
            Way::Udp(RefCell::new(None))
        };
        Self {
            name: spec.name.clone(),
            address: spec.address,
            way,
            counters: Cell::default(),
        }
    }

    pub fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// Sends a question; false if it cannot be sent now.
    pub fn send(&self, message: &[u8]) -> bool {
        let is_sent = match &self.way {
            Way::Udp(socket) => {
                let socket = socket.borrow();
                // The echo of an earlier refusal: the same again may go through.
                socket.as_ref().is_some_and(|socket| {
                    socket
                        .send(message)
                        .or_else(|_| socket.send(message))
                        .is_ok()
                })
            }
            Way::Tcp { waiting, work } => {
                let mut waiting = waiting.borrow_mut();
                let has_room = waiting.len() < DNS_QUEUE_MAX;
                if has_room {
                    waiting.push_back(message.to_vec());
                    work.notify();
                }
                has_room
            }
        };
        self.count(|counters| {
            if is_sent {
                counters.sent += 1;
            } else {
                counters.send_error += 1;
            }
        });
        is_sent
    }

    /// Takes answers for ever. `payload_max` bounds a datagram.
    pub async fn run(&self, core: &Core, payload_max: u16, take: impl Fn(&[u8])) {
        match &self.way {
            Way::Udp(socket) => {
                let opened = loop {
                    match open(core, self.address) {
                        Ok(opened) => break Rc::new(opened),
                        Err(_) => pause(core).await,
                    }
                };
                *socket.borrow_mut() = Some(Rc::clone(&opened));
                let mut buffer = vec![0; usize::from(payload_max)];
                loop {
                    // An error is the echo of a question that found nobody.
                    if let Ok((length, _)) = opened.receive(&mut buffer).await {
                        take(&buffer[..length]);
                    }
                }
            }
            Way::Tcp { waiting, work } => loop {
                if waiting.borrow().is_empty() {
                    work.wait().await;
                    continue;
                }
                let connected = connect(core, self.address).await;
                if let Ok(sock) = connected {
                    converse(&sock, waiting, work, &take).await;
                } else {
                    waiting.borrow_mut().clear();
                    self.count(|counters| counters.send_error += 1);
                    pause(core).await;
                }
            },
        }
    }
}

/// A socket of its own, at a port that the kernel chooses, which takes datagrams of this name
/// server alone.
fn open(core: &Core, to: SocketAddr) -> io::Result<Datagram> {
    let any: SocketAddr = if to.is_ipv6() {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(to)?;
    core.datagram(socket.into())
}

/// Before a socket is tried for again, or a connection.
async fn pause(core: &Core) {
    let timer = core.timer();
    timer.set_after(CONNECT_MS);
    timer.expired().await;
}

/// Milliseconds for a TCP connection to a name server to stand.
const CONNECT_MS: u64 = 1_000;
/// Milliseconds without a message after which a connection is closed (manual 5.3.2: 5 s).
const IDLE_MS: u64 = 5_000;

async fn connect(core: &Core, to: SocketAddr) -> io::Result<Sock> {
    let to = SockAddr::from(to);
    let socket = reactor::net::stream_socket(&to)?;
    let mut connecting = pin!(core.connect(socket, &to));
    let timer = core.timer();
    timer.set_after(CONNECT_MS);
    poll_fn(|context| {
        if let Poll::Ready(result) = connecting.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        timer
            .poll_expired(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}

/// Sends what waits and takes answers until the connection ends or idles.
async fn converse(
    sock: &Sock,
    waiting: &RefCell<VecDeque<Vec<u8>>>,
    work: &Event,
    take: &impl Fn(&[u8]),
) {
    let timer = sock.core().timer();
    loop {
        for message in std::mem::take(&mut *waiting.borrow_mut()) {
            sock.write(|out| {
                out.extend_from_slice(&(message.len() as u16).to_be_bytes());
                out.extend_from_slice(&message);
            });
        }
        sock.flush();
        while let Some(message) = next_message(sock) {
            take(&message);
        }
        timer.set_after(IDLE_MS);
        let seen = sock.queued();
        let mut called = pin!(work.wait());
        let goes_on = poll_fn(|context| {
            if called.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            match sock.poll_more(seen, context) {
                Poll::Ready(Readable::Data) => return Poll::Ready(true),
                Poll::Ready(_) => return Poll::Ready(false),
                Poll::Pending => {}
            }
            timer.poll_expired(context).map(|()| false)
        });
        if !goes_on.await {
            return;
        }
    }
}

/// Two bytes of length and as many of a message, once they are there.
fn next_message(sock: &Sock) -> Option<Vec<u8>> {
    let length = sock.peek_at_least(2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let whole = sock.peek_at_least(2 + length)?;
    let message = whole[2..2 + length].to_vec();
    drop(whole);
    sock.consume(2 + length);
    Some(message)
}
