//! The sockets of a `log-forward` section: lines come in and go to its targets (manual, 12.6).

use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::Poll;

use reactor::{Accepted, Listener, Readable, SockAddr};

use crate::forward::{Next, next_line};
use crate::gate::Pass;
use crate::limits::{BUFFER_BYTES, DATAGRAM_BYTES, LOG_FORWARD_LINGER_MS};
use crate::log::Incoming;
use crate::logger::Origin;
use crate::mux::Link;
use crate::plan::{LogForward, LogInput};
use crate::rt;
use crate::stream::Local;
use crate::tls;

/// Takes datagrams for ever: each is a line.
pub async fn datagrams(local: Rc<Local>, forward: usize, socket: OwnedFd) {
    let Ok(socket) = local.core.datagram(socket) else {
        return;
    };
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        // Whatever is wrong with one datagram is not with the next.
        if let Ok((length, from)) = socket.receive(&mut buffer).await {
            pass_on(&local, forward, &buffer[..length], &source(Some(&from)));
        }
    }
}

/// Accepts connections for ever, as many at once as `maxconn` allows.
pub async fn connections(local: Rc<Local>, input: LogInput, socket: Listener) {
    loop {
        let Ok(accepted) = socket.accept().await else {
            local.generation().stats.process.accept_errors.inc();
            continue;
        };
        let pass = loop {
            let generation = local.generation();
            let gates = [
                Some(&generation.runtime.process_gate),
                Some(&generation.runtime.log_forward_gates[input.forward]),
                None,
            ];
            if let Some(pass) = Pass::enter(gates, local.index, &local.wake, &local.loads) {
                break pass;
            }
            socket.pause();
            local.room.wait().await;
            socket.resume();
        };
        rt::spawn(client(Rc::clone(&local), input, accepted, pass));
    }
}

async fn client(local: Rc<Local>, input: LogInput, accepted: Accepted, pass: Pass) {
    let source = source(accepted.peer.as_ref());
    let sock = local.core.socket(accepted.fd);
    let link = match local.generation().runtime.tls_of_log_input(input) {
        None => Link::Plain(sock),
        Some(context) => {
            let Ok(session) = context.session() else {
                return;
            };
            let stream = tls::Stream::new(sock, session);
            let shaken = within(&local, input.forward, |cx| stream.poll_handshake(cx)).await;
            if !matches!(shaken, Some(Ok(()))) {
                return;
            }
            Link::Tls(Box::new(stream))
        }
    };
    // A handshake may have brought the first lines along.
    while take_lines(&local, input.forward, &link, &source) {
        let have = link.queued();
        let more = within(&local, input.forward, |cx| link.poll_more(have, cx)).await;
        if !matches!(more, Some(Readable::Data)) {
            // The last lines may have come with the end.
            take_lines(&local, input.forward, &link, &source);
            break;
        }
    }
    // What was not read would turn the close into a reset.
    link.consume(link.queued());
    link.shutdown_write();
    drop(pass);
}

/// Passes on the lines that are complete; false if what follows can be none.
fn take_lines(local: &Local, forward: usize, link: &Link, source: &[u8]) -> bool {
    let generation = local.generation();
    let lines_only = section(&generation, forward).lines_only;
    while let Some(bytes) = link.linearize() {
        let taken = match next_line(&bytes, lines_only, BUFFER_BYTES) {
            Next::Line(line, taken) => {
                pass_on(local, forward, line, source);
                taken
            }
            Next::Skip(taken) => taken,
            Next::More => return true,
            Next::Broken => return false,
        };
        drop(bytes);
        link.consume(taken);
    }
    true
}

fn pass_on(local: &Local, forward: usize, line: &[u8], source: &[u8]) {
    let generation = local.generation();
    generation.stats.process.received_logs.inc();
    let section = section(&generation, forward);
    let incoming = match line {
        b"" => None,
        _ if section.unparsed => Some(Incoming::unread(line.strip_suffix(b"\n").unwrap_or(line))),
        _ => Incoming::parse(line),
    };
    if let Some(incoming) = incoming {
        let origin = Origin {
            source,
            host: section.host,
            clock: local.clock(),
        };
        local.logger.forward(&section.targets, &incoming, &origin);
    }
}

fn section(generation: &crate::state::Generation, forward: usize) -> &LogForward {
    &generation.runtime.plan.log_forwards[forward]
}

/// The sender's address, if it has one.
fn source(address: Option<&SockAddr>) -> Vec<u8> {
    let address = address.and_then(SockAddr::as_socket);
    address.map_or_else(Vec::new, |address| {
        address.ip().to_canonical().to_string().into_bytes()
    })
}

/// What `poll` gives, or `None` after `timeout client`.
async fn within<T>(
    local: &Local,
    forward: usize,
    mut poll: impl FnMut(&mut std::task::Context<'_>) -> Poll<T>,
) -> Option<T> {
    let timer = local.core.timer();
    let limit = section(&local.generation(), forward).client_ms;
    timer.set_after(limit.unwrap_or(LOG_FORWARD_LINGER_MS));
    poll_fn(|cx| match poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => timer.poll_expired(cx).map(|()| None),
    })
    .await
}
