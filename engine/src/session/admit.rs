//! What a connection goes through before its first stream: rules on connections, handshakes.

use cfgparse::model::Mode;
use reactor::{Accepted, Sock};

use crate::plan::Proxy;
use crate::sample::SessionFacts;
use crate::state::Generation;
use crate::stream::{self, Client, Local};

/// Where the connection comes from and where it went.
pub fn address(accepted: &Accepted, facts: &mut SessionFacts) {
    facts.src = accepted.peer.as_ref().and_then(reactor::SockAddr::as_socket);
    facts.connection_src = facts.src;
}

/// Socket options of the client's side (manual, `option clitcpka`, `option nolinger`).
pub fn tune(sock: &Sock, frontend: &Proxy) {
    if frontend.options.client_keepalive {
        // A socket without keep-alive still serves.
        let _ = sock.options(|socket| socket.set_keepalive(true));
    }
}

/// Runs the rules and handshakes; false if the connection is to be closed.
pub async fn admit(local: &Local, generation: &Generation, client: &mut Client) -> bool {
    if let Some(sock) = client.link.plain() {
        client.facts.dst = sock.local_addr().ok().and_then(|address| address.as_socket());
        client.facts.connection_dst = client.facts.dst;
    }
    let now_ms = local.core.now_ms();
    let front = generation.stats.front(client.frontend);
    let listener = generation.stats.listener(client.facts.listener);
    if !stream::admits_connection(local, generation, client) {
        front.denied_connections.inc();
        listener.denied_connections.inc();
        return false;
    }
    if !handshake(local, generation, client).await {
        return false;
    }
    if !stream::admits_session(local, generation, client) {
        front.denied_sessions.inc();
        listener.denied_sessions.inc();
        return false;
    }
    front.sessions.hit(now_ms);
    listener.sessions.inc();
    generation.stats.process.sessions.hit(now_ms);
    match generation.plan().proxy(client.frontend).mode {
        Mode::Http => front.h1_sessions.inc(),
        _ => front.other_sessions.inc(),
    }
    client.ready_us = local.core.now_us();
    true
}

/// The handshakes in front of the first stream.
async fn handshake(_local: &Local, _generation: &Generation, _client: &mut Client) -> bool {
    true
}
