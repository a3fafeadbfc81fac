//! A connection to a server: an idle one if the rules of reuse allow it, else a new one, with the
//! retries that the configuration grants.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use cfgparse::model::proxy::{HttpReuse, Keepalive};
use reactor::{Sock, SockAddr};

use super::observe::{self, Event};
use super::proxy_header;
use super::queue;
use super::retry::{self, Attempts};
use super::socks4;
use super::source::{self, Sockets};
use super::wait::{Interrupted, Patience, wait};
use super::{Fault, Stream};
use crate::limits::LEND_PATIENCE_MS;
use crate::log::{Cause, Phase};
use crate::mux::Link;
use crate::plan::{Endpoint, ProxyId, Server, ServerId, Trouble};
use crate::pool::{Idle, Key};
use crate::server::{Permit, ServerState};
use crate::tls;

/// A server that is ours for one exchange.
pub struct ServerSide {
    pub link: Link,
    pub id: ServerId,
    pub key: Key,
    /// The connection had carried a request before this one.
    pub is_reused: bool,
    /// Requests that it has carried, this one included.
    pub carried: u32,
    /// The right to use the server; given back when dropped.
    _permit: Permit,
}

/// Why there is no connection.
enum Failure {
    /// Refused, unreachable, broken in a handshake: the server is left alone for a moment.
    Refused,
    /// Another attempt may succeed at once.
    Passing(Cause),
    /// No other attempt is to be made.
    Final(Fault),
}

/// Gets a server connection for the request, waiting and retrying as configured.
pub async fn open(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    attempts: &mut Attempts,
) -> Result<ServerSide, Fault> {
    loop {
        let (server, permit) = queue::obtain(stream, backend, attempts.want()).await?;
        chosen(stream, backend, server, attempts.stays());
        let (cause, is_refused) = match attempt(stream, server, permit).await {
            Ok(side) => {
                if !side.is_reused {
                    observe::note(stream, server, Event::Connected);
                }
                stream.exchange.marks.connected_us = stream.local.core.now_us();
                stream.exchange.facts.server_is_reused = side.is_reused;
                stream.exchange.server_socket = Some(side.link.sock().clone());
                return Ok(side);
            }
            Err(Failure::Final(fault)) => return Err(fault),
            Err(Failure::Refused) => (Cause::ServerAbort, true),
            Err(Failure::Passing(cause)) => (cause, false),
        };
        observe::note(stream, server, Event::NotConnected);
        if !retry::applies(stream, backend, attempts, Trouble::ConnFailure) {
            let stats = &stream.generation.stats;
            stats.server(server).connect_errors.inc();
            stats.back(backend).service.connect_errors.inc();
            return Err(Fault::new(cause, Phase::Connect));
        }
        retry::prepare(stream, backend, attempts, server, is_refused).await?;
    }
}

/// Notes the server that the request goes to.
fn chosen(stream: &mut Stream<'_>, backend: ProxyId, server: ServerId, stays: bool) {
    // Time that is lost to another attempt belongs to the connection, not to the queue.
    if !stays && stream.exchange.marks.permit_us == 0 {
        stream.exchange.marks.permit_us = stream.local.core.now_us();
    }
    // Another attempt on the same server is no other choice.
    if stream.exchange.facts.server.replace(server) == Some(server) {
        let now_ms = stream.local.core.now_ms();
        stream.generation.stats.server(server).sessions.hit(now_ms);
        return;
    }
    stream.client.entry.server.set(Some(server));
    stream
        .client
        .entry
        .on_backup
        .set(stream.generation.server(server).is_backup());
    stream.generation.stats.server(server).chosen.inc();
    stream.generation.stats.back(backend).service.chosen.inc();
    stream.enter_server(server);
}

async fn attempt(
    stream: &mut Stream<'_>,
    id: ServerId,
    permit: Permit,
) -> Result<ServerSide, Failure> {
    let state = Arc::clone(stream.generation.server(id));
    let opening = Opening {
        header: proxy_header::of_server(stream, id),
        presented: source::presented(stream, id),
    };
    let key = key(stream, id, &opening);
    let idle = reusable(stream, id, &state, key).await;
    let is_reused = idle.is_some();
    let stats = &stream.generation.stats;
    let (back, server) = (stats.back(stream.backend()), stats.server(id));
    let (link, carried) = if let Some(idle) = idle {
        let facts = &mut stream.exchange.facts;
        (facts.server_side_src, facts.server_side_dst) = (idle.local, idle.peer);
        server.reuses.inc();
        back.service.reuses.inc();
        (idle.link, idle.carried + 1)
    } else {
        server.connects.inc();
        back.service.connects.inc();
        back.h1.connections.add(u64::from(stream.is_http()));
        (connect(stream, id, opening).await?, 1)
    };
    Ok(ServerSide {
        link,
        id,
        key,
        is_reused,
        carried,
        _permit: permit,
    })
}

/// An idle connection that this request may use (manual, `http-reuse`): of this client, of this
/// core, or else of another core.
async fn reusable(
    stream: &mut Stream<'_>,
    id: ServerId,
    state: &Arc<ServerState>,
    key: Key,
) -> Option<Idle> {
    if let Some((server, idle)) = stream.client.own.take().map(|own| *own)
        && Arc::ptr_eq(&server, state)
        && idle.key == key
        && idle.is_quiet()
    {
        return Some(idle);
    }
    let may_share = match stream.backend_options().reuse {
        HttpReuse::Never => false,
        HttpReuse::Safe => !stream.client.is_first_exchange(),
        HttpReuse::Aggressive | HttpReuse::Always => true,
    };
    if !stream.is_http() || !may_share || stream.client.is_private {
        return None;
    }
    let proven_only = stream.client.is_first_exchange()
        && stream.backend_options().reuse == HttpReuse::Aggressive;
    let carried_min = if proven_only { 2 } else { 1 };
    let pool = &stream.local.pool;
    if let Some(idle) = pool.take(state, key, carried_min) {
        return Some(idle);
    }
    let terms = stream.generation.plan().server(id).pool;
    let (core, wish, asking) = pool.wish(state, key, carried_min, terms)?;
    if !stream.local.neighbours.ask(core, wish) {
        return None;
    }
    let patience = Patience {
        until_ms: Some(stream.local.core.now_ms() + LEND_PATIENCE_MS),
        watches_client: false,
    };
    let answer = wait(stream.local, stream.client, patience, |cx| asking.poll(cx)).await;
    answer.ok().flatten().filter(Idle::is_quiet)
}

/// What makes a connection unlike others to the same server.
struct Opening {
    /// The PROXY header, which goes out before anything else.
    header: Vec<u8>,
    /// The address that the server sees (manual, `usesrc`).
    presented: Option<SocketAddr>,
}

async fn connect(stream: &mut Stream<'_>, id: ServerId, opening: Opening) -> Result<Link, Failure> {
    let server = stream.generation.plan().server(id);
    let timeouts = &stream.generation.plan().proxy(server.backend).timeouts;
    let overridden_ms = stream.exchange.overrides.connect_timeout_ms;
    let connect_ms = overridden_ms.map(u64::from).or(timeouts.connect_ms);
    let address = address(stream, server).ok_or(Failure::Refused)?;
    let address = address.map_err(|_| Failure::Final(resource()))?;
    stream.exchange.facts.server_side_src = None;
    stream.exchange.facts.server_side_dst = address.as_socket();
    let patience = Patience {
        until_ms: connect_ms.map(|ms| stream.local.core.now_ms() + ms),
        watches_client: stream.aborts_on_close(),
    };
    let proxy = server.socks4.map(SockAddr::from);
    let target = proxy.as_ref().unwrap_or(&address);
    let sock = establish(stream, server, target, opening.presented, patience).await?;
    if proxy.is_some() {
        match socks4::tunnel(stream, &sock, &address, patience).await {
            Ok(true) => {}
            Ok(false) => return Err(Failure::Refused),
            Err(Interrupted::TimedOut) => return Err(Failure::Passing(Cause::ServerTimeout)),
            Err(other) => {
                let fault = other.fault(Cause::ServerTimeout, Phase::Connect);
                return Err(Failure::Final(fault));
            }
        }
    }
    let options = stream.backend_options();
    tune(&sock, options.server_probes, options.nolinger);
    let local = sock.local_addr().ok();
    stream.exchange.facts.server_side_src = local.and_then(|local| local.as_socket());
    if !opening.header.is_empty() {
        sock.write(|out| out.extend_from_slice(&opening.header));
    }
    secure(stream, id, sock, patience).await
}

/// The transport connection, from a port that is free.
async fn establish(
    stream: &mut Stream<'_>,
    server: &Server,
    address: &SockAddr,
    presented: Option<SocketAddr>,
    patience: Patience,
) -> Result<Sock, Failure> {
    let random = stream.local.next_random();
    let mut sockets = Sockets::new(server.source.as_deref(), presented, random);
    while let Some(socket) = sockets.open(address) {
        let socket = match socket {
            Ok(socket) => socket,
            Err(_) if server.source.is_none() => return Err(Failure::Final(resource())),
            Err(error) if source::is_taken(&error) => continue,
            Err(_) => break,
        };
        mark(stream, &socket);
        let mut connecting = pin!(stream.local.core.connect(socket, address));
        let polled = |cx: &mut std::task::Context<'_>| connecting.as_mut().poll(cx);
        match wait(stream.local, stream.client, patience, polled).await {
            Ok(Ok(sock)) => return Ok(sock),
            Ok(Err(error)) if source::is_taken(&error) && sockets.has_more() => {}
            Ok(Err(_)) => return Err(Failure::Refused),
            Err(interrupted) => {
                let ours = connecting.local_addr();
                stream.exchange.facts.server_side_src = ours.and_then(|ours| ours.as_socket());
                return Err(match interrupted {
                    Interrupted::TimedOut => Failure::Passing(Cause::ServerTimeout),
                    other => Failure::Final(other.fault(Cause::ServerTimeout, Phase::Connect)),
                });
            }
        }
    }
    // The configured source cannot be had: another server may have one that can.
    Err(Failure::Passing(Cause::ServerAbort))
}

/// Marks what goes to the server; without the right to it packets stay unmarked.
fn mark(stream: &Stream<'_>, socket: &std::os::fd::OwnedFd) {
    use std::os::fd::AsFd;
    let overrides = &stream.exchange.overrides;
    if let Some(tos) = overrides.server_tos {
        let _ = reactor::net::set_type_of_service(socket.as_fd(), tos);
    }
    if let Some(mark) = overrides.server_mark {
        let _ = reactor::net::set_mark(socket.as_fd(), mark);
    }
}

/// Socket options of either side (manual, `option clitcpka`, `option srvtcpka`, `option nolinger`);
/// a socket without them still serves.
pub fn tune(sock: &Sock, probes: Option<Keepalive>, nolinger: bool) {
    if let Some(Keepalive {
        count,
        idle_s,
        interval_s,
    }) = probes
    {
        let _ =
            sock.options(|socket| reactor::net::set_keepalive(&*socket, count, idle_s, interval_s));
    }
    if nolinger {
        let _ = sock.options(|socket| socket.set_linger(Some(std::time::Duration::ZERO)));
    }
}

/// The TLS handshake with a server that wants one.
async fn secure(
    stream: &Stream<'_>,
    id: ServerId,
    sock: Sock,
    patience: Patience,
) -> Result<Link, Failure> {
    let runtime = &stream.generation.runtime;
    let context = runtime.tls_of_server(id);
    let Some(context) = context.filter(|_| runtime.plan.server(id).is_tls) else {
        return Ok(Link::Plain(sock));
    };
    let Ok(session) = context.session(server_name(stream)) else {
        return Err(Failure::Refused);
    };
    let secured = tls::Stream::new(sock, session);
    let shaken = wait(stream.local, stream.client, patience, |cx| {
        secured.poll_handshake(cx)
    })
    .await;
    match shaken {
        Ok(Ok(())) => Ok(Link::Tls(Box::new(secured))),
        Ok(Err(_)) => Err(Failure::Refused),
        Err(Interrupted::TimedOut) => Err(Failure::Passing(Cause::ServerTimeout)),
        Err(other) => Err(Failure::Final(
            other.fault(Cause::ServerTimeout, Phase::Connect),
        )),
    }
}

/// The name to ask for: that of the request (manual, `sni-auto`, the default for HTTP).
fn server_name<'s>(stream: &'s Stream<'_>) -> Option<&'s str> {
    let host = stream.is_http().then(|| stream.exchange.request.host());
    let host = std::str::from_utf8(host?).ok()?;
    Some(host.rsplit_once(':').map_or(host, |(name, _)| name)).filter(|name| !name.is_empty())
}

/// What connections to this server must share: its present address; for TLS, the name that was asked
/// for; the PROXY header, the address that the server was shown and the marks of packets, where there
/// are any; where the line leaves the address to the client or the rules (`set-dst`), that.
fn key(stream: &Stream<'_>, id: ServerId, opening: &Opening) -> Key {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let server = stream.generation.plan().server(id);
    let (is_tls, follows_client) = (server.is_tls, server.follows_client);
    let moves = stream.generation.server(id).moves();
    let overrides = &stream.exchange.overrides;
    let marks = (overrides.server_tos, overrides.server_mark);
    let is_plain =
        opening.header.is_empty() && opening.presented.is_none() && marks == (None, None);
    if !is_tls && is_plain && !follows_client {
        return Key(u64::from(moves));
    }
    let mut hasher = DefaultHasher::new();
    (moves, &opening.header).hash(&mut hasher);
    opening.presented.hash(&mut hasher);
    marks.hash(&mut hasher);
    if follows_client {
        meant(stream).hash(&mut hasher);
    }
    if is_tls {
        server_name(stream).hash(&mut hasher);
    }
    Key(hasher.finish())
}

/// No socket: we are out of descriptors or memory (manual, 8.5: `R`).
fn resource() -> Fault {
    Fault::new(Cause::Resource, Phase::Connect)
}

/// Where the server is now; `None` where its name has not been resolved.
fn address(stream: &Stream<'_>, server: &Server) -> Option<io::Result<SockAddr>> {
    Some(match stream.generation.endpoint(server) {
        Endpoint::Tcp(address) if !address.ip().is_unspecified() && address.port() != 0 => {
            Ok(address.into())
        }
        Endpoint::Tcp(address) => Ok(towards(stream, address, 0).into()),
        Endpoint::TcpOffset(ip, offset) => {
            Ok(towards(stream, SocketAddr::new(ip, 0), offset).into())
        }
        Endpoint::Unix(path) => SockAddr::unix(path),
        Endpoint::Abstract(name) => SockAddr::unix(format!("\0{name}")),
        Endpoint::Unresolved => return None,
    })
}

/// Where the client wanted to go, or a rule on its behalf (`set-dst`, `set-dst-port`).
fn meant(stream: &Stream<'_>) -> Option<SocketAddr> {
    stream.exchange.facts.dst.or(stream.client.facts.dst)
}

/// The same as far as the server's line leaves it open: the address where it says `0.0.0.0`, and the
/// port where it has none (manual 5.2, `server`).
fn towards(stream: &Stream<'_>, line: SocketAddr, offset: i32) -> SocketAddr {
    let meant = meant(stream);
    let own = meant.filter(|_| line.ip().is_unspecified());
    let ip = own.map_or(line.ip(), |meant| meant.ip());
    let port = match line.port() {
        0 => {
            let port = meant.map_or(0, |meant| i32::from(meant.port()));
            u16::try_from(port + offset).unwrap_or(0)
        }
        port => port,
    };
    SocketAddr::new(ip, port)
}
