//! The stages of an exchange, in the order in which a request meets them.

use super::connect::{self, ServerSide};
use super::exchange::Upload;
use super::relay::{self, Flow, Flows, Until};
use super::response::{self, NoResponse};
use super::retry::{self, Attempts};
use super::watch::Watch;
use super::{
    Fault, Next, Stream, buffer, cached, coding, decide, error, finish, journal, observe, persist,
    request, route, stick, track, tunnel,
};
use crate::mux::Link;
use crate::mux::h1::{Incoming, Outgoing};
use crate::plan::{ProxyId, Trouble};
use crate::pool::{self, Idle};
use crate::sample::LogOrigin;
use wire::h1::BodyLength;

/// Runs one HTTP exchange; the request's first byte is there.
pub async fn run(stream: &mut Stream<'_>) -> Next {
    let next = match exchange(stream).await {
        Ok(next) => next,
        Err(fault) => error::answer(stream, fault),
    };
    finish::record(stream);
    next
}

/// Ends an exchange that never came about: no request arrived, or in vain.
pub fn fail(stream: &mut Stream<'_>, fault: Fault) -> Next {
    // No byte ever came: all the time was spent on it, none was idle.
    stream.exchange.marks.first_byte_us = 0;
    finish::request_begins(stream);
    track::broken_request(stream, fault);
    // No byte came: the whole wait counts as the request's.
    stream.exchange.marks.first_byte_us = stream.exchange.marks.start_us;
    let next = error::answer(stream, fault);
    finish::record(stream);
    next
}

async fn exchange(stream: &mut Stream<'_>) -> Result<Next, Fault> {
    let understood = request::receive(stream).await;
    finish::request_begins(stream);
    if let Err(fault) = understood {
        track::broken_request(stream, fault);
        return Err(fault);
    }
    journal::connected(stream);
    persist::enter(stream);
    if let Some(next) = decide::frontend(stream).await? {
        return Ok(next);
    }
    let backend = route::choose(stream)?;
    stream.enter_backend(backend);
    if let Some(next) = decide::backend(stream).await? {
        return Ok(next);
    }
    stream.exchange.marks.request_is_fit = true;
    if let Some(fault) = stream.exchange.pending_fault {
        return Err(fault);
    }
    request::add_own_fields(stream);
    if stream.generation.plan().process.compresses {
        coding::on_request(stream);
    }
    let bound = persist::bind(stream);
    let bound = stick::bind(stream, bound).or_else(|| route::last_server(stream, backend));
    let mut attempts = Attempts::new(bound);
    loop {
        let side = connect::open(stream, backend, &mut attempts).await?;
        journal::passes(stream, LogOrigin::Connect, 0);
        let failed = side.id;
        let before = received(&side.link);
        let served = serve(stream, backend, &side, &attempts).await;
        stream.exchange.facts.bytes_out += received(&side.link) - before;
        match served? {
            Served::Over(next, fate) => {
                match fate {
                    Fate::Keep => keep(stream, side),
                    Fate::End => pool::end(&side.link),
                    Fate::Drop => {}
                }
                return Ok(next);
            }
            Served::Stale => {}
            Served::Failed => {
                retry::prepare(stream, backend, &mut attempts, failed, false).await?;
            }
        }
    }
}

/// What became of one attempt to have the request answered.
enum Served {
    /// The exchange is over.
    Over(Next, Fate),
    /// The connection turned out to be dead: the request goes out again as if never sent.
    Stale,
    /// Another attempt is granted.
    Failed,
}

/// What becomes of the server connection behind an exchange.
enum Fate {
    /// It may carry another request.
    Keep,
    /// It is closed in order.
    End,
    Drop,
}

/// Bytes taken off a link so far.
fn received(link: &Link) -> u64 {
    link.passed().0 - link.queued() as u64
}

/// One attempt to have the request answered.
async fn serve(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    side: &ServerSide,
    attempts: &Attempts,
) -> Result<Served, Fault> {
    let begun = received(&side.link);
    let mut up = send(stream, backend, side);
    let mut watch = watch(stream, backend);
    let received = response::receive(stream, side, &mut up, &mut watch).await;
    if up.finished && stream.exchange.upload == Upload::Begun {
        stream.exchange.upload = Upload::Done;
    }
    observe::answer(stream, side.id, received.as_ref().err());
    match received {
        Ok(()) => {
            let trouble = Trouble::Status(stream.exchange.response.status());
            if retry::applies(stream, backend, attempts, trouble) {
                return Ok(Served::Failed);
            }
        }
        Err(NoResponse::Stale) => return Ok(Served::Stale),
        Err(NoResponse::Trouble(trouble, _))
            if retry::applies(stream, backend, attempts, trouble) =>
        {
            return Ok(Served::Failed);
        }
        // The client has to ask again by itself: whether the server acted is not known (RFC 9110,
        // section 9.2.2).
        Err(NoResponse::Trouble(Trouble::EmptyResponse, fault))
            if side.is_reused && !stream.client.is_first_exchange() =>
        {
            return Err(fault.with_status(0));
        }
        Err(NoResponse::Trouble(_, fault) | NoResponse::Fault(fault)) => {
            stream.exchange.keep_rest(up);
            return Err(fault);
        }
    }
    stream.exchange.marks.response_us = stream.local.core.now_us();
    stream.exchange.facts.server_status = i32::from(stream.exchange.response.status());
    stream.client.is_private |= response::authenticates_connection(&stream.exchange.response);
    track::response(stream);
    stick::learn(stream);
    match decide::response(stream, side, &mut up).await {
        Ok(None) => {}
        replaced => {
            stream.exchange.keep_rest(up);
            return replaced.map(|next| Served::Over(next.unwrap_or(Next::Close), Fate::Drop));
        }
    }
    let (next, fate) = answer(stream, backend, side, up, watch, begun).await?;
    Ok(Served::Over(next, fate))
}

/// Passes the response on; `begun` bytes had come from the server before.
async fn answer(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    side: &ServerSide,
    up: Flow,
    mut watch: Watch,
    begun: u64,
) -> Result<(Next, Fate), Fault> {
    if stream.generation.plan().process.compresses {
        coding::on_response(stream, side);
    }
    let course = response::course(stream);
    stream.exchange.facts.status = i32::from(stream.exchange.response.status());
    response::write_head(stream, course);
    let come = side.link.passed().0 - begun;
    journal::passes(stream, LogOrigin::Response, come);
    if stream.exchange.response_framing.body == BodyLength::Tunnel {
        let up = tunnel::direction();
        tunnel::run(stream, backend, &side.link, up, &mut watch).await?;
        return Ok((Next::Close, Fate::Drop));
    }
    let mut flows = Flows {
        up,
        down: response::download(stream, course),
    };
    if !stream.generation.plan().caches.is_empty() {
        flows.down.keeping = cached::keeping(stream);
    }
    let (until, next) = if course.client_lives {
        (Until::Exchange, Next::Again)
    } else {
        (Until::Response, Next::Close)
    };
    let relayed = relay::bodies(stream, &side.link, &mut flows, &mut watch, until).await;
    if flows.up.finished && stream.exchange.upload == Upload::Begun {
        stream.exchange.upload = Upload::Done;
    }
    finish::count_spliced(stream, backend, &flows);
    coding::sent(stream, flows.up.coding.take());
    coding::received(stream, flows.down.coding.take());
    relayed?;
    cached::keep(stream, flows.down.keeping.take());
    let fate = if course.server_lives && flows.up.has_arrived() {
        Fate::Keep
    } else if flows.up.finished {
        Fate::End
    } else {
        Fate::Drop
    };
    Ok((next, fate))
}

/// Sends the request's head, and as much of its body as there is.
fn send(stream: &mut Stream<'_>, backend: ProxyId, side: &ServerSide) -> Flow {
    let is_held = retry::wants_request(stream, backend) && buffer::hold_request(stream);
    request::write_head(stream, side);
    let up = match stream.exchange.upload {
        Upload::Held => {
            buffer::send_request(stream, side);
            Flow::nothing()
        }
        _ => upload(stream),
    };
    debug_assert!(!is_held || up.finished, "what is held goes out at once");
    if up.finished {
        // A body that is still to come is sent with the head, when its upload is first polled.
        side.link.flush();
    }
    if stream.exchange.upload != Upload::Held {
        stream.exchange.upload = if up.finished {
            Upload::Done
        } else {
            Upload::Begun
        };
    }
    up
}

/// The request's body on its way to the server.
fn upload(stream: &Stream<'_>) -> Flow {
    let outgoing = match stream.exchange.request_framing.body {
        BodyLength::None => return Flow::nothing(),
        BodyLength::Chunked => Outgoing::Chunked,
        BodyLength::Length(_) | BodyLength::UntilClose | BodyLength::Tunnel => Outgoing::Plain,
    };
    let incoming = Incoming::new(stream.exchange.request_framing.body);
    let Some(algorithm) = stream.exchange.codings.request else {
        return Flow::new(incoming, outgoing);
    };
    let mut flow = Flow::new(incoming, Outgoing::Chunked);
    flow.coding = Some(Box::new(coding::begin(stream, algorithm)));
    flow
}

fn watch(stream: &Stream<'_>, backend: ProxyId) -> Watch {
    let plan = stream.generation.plan();
    let overrides = &stream.exchange.overrides;
    let client_ms = plan.proxy(stream.client.frontend).timeouts.client_ms;
    let server_ms = plan.proxy(backend).timeouts.server_ms;
    Watch::new(
        overrides.client_timeout_ms.map(u64::from).or(client_ms),
        overrides.server_timeout_ms.map(u64::from).or(server_ms),
        stream.local.core.now_ms(),
    )
}

/// Keeps a server connection whose exchange is over for the next request.
fn keep(stream: &mut Stream<'_>, side: ServerSide) {
    use cfgparse::model::proxy::HttpReuse;
    let server = stream.generation.server(side.id);
    let plan = stream.generation.plan().server(side.id);
    if plan.pool.reuse_max.is_some_and(|max| side.carried > max) {
        return pool::end(&side.link);
    }
    let idle = Idle {
        link: side.link,
        key: side.key,
        carried: side.carried,
        since_ms: stream.local.core.now_ms(),
        local: stream.exchange.facts.server_side_src,
        peer: stream.exchange.facts.server_side_dst,
    };
    if stream.backend_options().reuse == HttpReuse::Never || stream.client.is_private {
        stream.client.own = Some(Box::new((std::sync::Arc::clone(server), idle)));
    } else {
        stream.local.pool.put(server, idle, plan.pool);
    }
}
