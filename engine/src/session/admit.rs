//! What a connection goes through before its first stream: rules on connections, handshakes.

use std::net::SocketAddr;

use cfgparse::model::{Bind, BindAddr, Mode};
use reactor::{Accepted, Sock, net};

use super::proxy_header;
use crate::mux::Link;
use crate::plan::Proxy;
use crate::sample::{ConnectionError, SessionFacts};
use crate::state::Generation;
use crate::stream::{self, Client, Interrupted, Local, Patience, wait};
use crate::tls::{self, HandshakeFault};

/// Where the connection comes from and where it went.
pub fn address(accepted: &Accepted, facts: &mut SessionFacts) {
    facts.src = accepted
        .peer
        .as_ref()
        .and_then(reactor::SockAddr::as_socket);
    facts.connection_src = facts.src;
}

/// Socket options of the client's side (manual, `option clitcpka`, `option nolinger`, and `mss`,
/// which says by how much segments fall short of the client's where it is negative).
pub fn tune(sock: &Sock, frontend: &Proxy, bind: &Bind) {
    if let Some(less @ ..0) = bind.mss {
        let _ = sock.options(|socket| net::reduce_segments(&*socket, less.unsigned_abs()));
    }
    stream::tune(
        sock,
        frontend.options.client_probes,
        frontend.options.nolinger,
    );
}

/// Runs the rules on the connection; false if it is to be closed.
pub fn connection(local: &Local, generation: &Generation, client: &mut Client) -> bool {
    client.facts.dst = destination(generation, client);
    client.facts.connection_dst = client.facts.dst;
    if stream::admits_connection(local, generation, client) {
        return true;
    }
    generation
        .stats
        .front(client.frontend)
        .denied_connections
        .inc();
    let listener = generation.stats.listener(client.facts.listener);
    listener.denied_connections.inc();
    false
}

/// Whether something must be said on the connection before the first stream.
pub fn shakes_hands(generation: &Generation, client: &Client) -> bool {
    let listener = client.facts.listener;
    client.expects_proxy || generation.runtime.tls_of_listener(listener).is_some()
}

/// Goes through the handshakes; false if the connection is to be closed.
pub async fn handshakes(local: &Local, generation: &Generation, client: &mut Client) -> bool {
    let Err(error) = shake(local, generation, client).await else {
        return true;
    };
    client.facts.error = error as u16;
    stream::refused(local, generation, client);
    false
}

async fn shake(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
) -> Result<(), ConnectionError> {
    if client.expects_proxy {
        proxy_header::receive(local, generation, client).await?;
    }
    handshake(local, generation, client).await
}

/// Runs the rules on the session and counts it; false if it is to be closed.
pub fn session(local: &Local, generation: &Generation, client: &mut Client) -> bool {
    let now_ms = local.core.now_ms();
    let front = generation.stats.front(client.frontend);
    let listener = generation.stats.listener(client.facts.listener);
    if !stream::admits_session(local, generation, client) {
        front.denied_sessions.inc();
        listener.denied_sessions.inc();
        return false;
    }
    stream::session_begins(client, now_ms);
    front.sessions.hit(now_ms);
    listener.sessions.inc();
    generation.stats.process.sessions.hit(now_ms);
    match generation.plan().proxy(client.frontend).mode {
        Mode::Http => {
            front.h1_sessions.inc();
            front.h1.connections.inc();
        }
        _ => front.other_sessions.inc(),
    }
    client.ready_us = local.core.now_us();
    true
}

/// The address that the client connected to; a listener on one address knows it without asking.
fn destination(generation: &Generation, client: &Client) -> Option<SocketAddr> {
    let listener = generation.plan().listener(client.facts.listener);
    match listener.address {
        BindAddr::Tcp(ip, port) if !ip.is_unspecified() && !listener.bind.transparent => {
            Some(SocketAddr::new(ip, port))
        }
        _ => client.link.sock().local_addr().ok()?.as_socket(),
    }
}

/// The handshakes in front of the first stream (manual, `timeout client-hs`).
async fn handshake(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
) -> Result<(), ConnectionError> {
    let Some(context) = generation.runtime.tls_of_listener(client.facts.listener) else {
        return Ok(());
    };
    let front = generation.stats.front(client.frontend);
    let listener = generation.stats.listener(client.facts.listener);
    let started_us = local.core.now_us();
    let Ok(session) = context.session() else {
        front.tls_failed_handshakes.inc();
        return Err(ConnectionError::TlsHandshake);
    };
    client.link = Link::Tls(Box::new(tls::Stream::new(
        client.link.sock().clone(),
        session,
    )));
    let Link::Tls(stream) = &client.link else {
        return Err(ConnectionError::TlsHandshake);
    };
    let timeouts = &generation.plan().proxy(client.frontend).timeouts;
    let patience = Patience {
        until_ms: timeouts.client_hs_ms.map(|ms| local.core.now_ms() + ms),
        watches_client: false,
    };
    let shaken = wait(local, client, patience, |cx| stream.poll_handshake(cx)).await;
    let error = match shaken {
        Ok(Ok(())) => None,
        Ok(Err(HandshakeFault::Closed)) => Some(ConnectionError::TlsEmpty),
        Ok(Err(HandshakeFault::Refused(_))) => Some(ConnectionError::TlsHandshake),
        Err(Interrupted::TimedOut) => Some(ConnectionError::TlsTimeout),
        Ok(Err(HandshakeFault::Connection(_))) | Err(_) => Some(ConnectionError::TlsAbort),
    };
    if let Some(error) = error {
        front.tls_failed_handshakes.inc();
        listener.tls_failed_handshakes.inc();
        return Err(error);
    }
    let Some(info) = stream.info() else {
        return Err(ConnectionError::TlsHandshake);
    };
    client.facts.handshake_ms = (local.core.now_us().saturating_sub(started_us) / 1000) as i32;
    generation
        .stats
        .process
        .tls_connections
        .hit(local.core.now_ms());
    if info.resumed {
        front.tls_resumed_sessions.inc();
    } else {
        front.tls_sessions.inc();
    }
    client.facts.tls = Some(Box::new(info.into()));
    Ok(())
}
