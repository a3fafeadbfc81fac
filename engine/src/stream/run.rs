//! The stages of an exchange, in the order in which a request meets them.

use super::connect::{self, Attempts, ServerSide};
use super::exchange::Upload;
use super::relay::{self, Flow, Flows, Until};
use super::response::{self, NoResponse};
use super::watch::Watch;
use super::{Fault, Next, Stream, decide, error, finish, persist, request, route, tunnel};
use crate::mux::h1::{Incoming, Outgoing};
use crate::plan::ProxyId;
use crate::pool::{self, Idle};
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
    let next = error::answer(stream, fault);
    finish::record(stream);
    next
}

async fn exchange(stream: &mut Stream<'_>) -> Result<Next, Fault> {
    request::receive(stream).await?;
    finish::request_begins(stream);
    persist::enter(stream);
    if let Some(next) = decide::frontend(stream).await? {
        return Ok(next);
    }
    let backend = route::choose(stream)?;
    stream.enter_backend(backend);
    if let Some(next) = decide::backend(stream).await? {
        return Ok(next);
    }
    request::add_own_fields(stream);
    let mut attempts = Attempts::new(persist::bind(stream));
    loop {
        let side = connect::open(stream, backend, &mut attempts).await?;
        if let Some(next) = serve(stream, backend, side).await? {
            return Ok(next);
        }
    }
}

/// One attempt to have the request answered; `None` where the connection turned out to be dead and
/// the request may go out again.
async fn serve(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    side: ServerSide,
) -> Result<Option<Next>, Fault> {
    request::write_head(stream, &side);
    let mut up = upload(stream);
    let mut watch = watch(stream, backend);
    // Before the wait: most requests have no body, and this sends the head.
    side.link.flush();
    stream.exchange.upload = if up.finished {
        Upload::Done
    } else {
        Upload::Begun
    };
    match response::receive(stream, &side, &mut up, &mut watch).await {
        Ok(()) if up.finished => stream.exchange.upload = Upload::Done,
        Ok(()) => {}
        Err(NoResponse::Stale) => return Ok(None),
        Err(NoResponse::Fault(fault)) => return Err(fault),
    }
    stream.exchange.marks.response_us = stream.local.core.now_us();
    stream.exchange.facts.server_status = i32::from(stream.exchange.response.status());
    if let Some(next) = decide::response(stream).await? {
        return Ok(Some(next));
    }
    let course = response::course(stream, up.finished);
    stream.exchange.facts.status = i32::from(stream.exchange.response.status());
    response::write_head(stream, course);
    if stream.exchange.response_framing.body == BodyLength::Tunnel {
        tunnel::run(stream, backend, &side.link, &mut watch).await?;
        return Ok(Some(Next::Close));
    }
    let mut flows = Flows {
        up,
        down: response::download(stream, course),
    };
    relay::bodies(stream, &side.link, &mut flows, &mut watch, Until::Response).await?;
    if course.server_lives && flows.up.finished {
        keep(stream, side);
    } else if flows.up.finished {
        pool::end(&side.link);
    }
    Ok(Some(if course.client_lives {
        Next::Again
    } else {
        Next::Close
    }))
}

/// The request's body on its way to the server.
fn upload(stream: &Stream<'_>) -> Flow {
    let outgoing = match stream.exchange.request_framing.body {
        BodyLength::None => return Flow::nothing(),
        BodyLength::Chunked => Outgoing::Chunked,
        BodyLength::Length(_) | BodyLength::UntilClose | BodyLength::Tunnel => Outgoing::Plain,
    };
    Flow::new(
        Incoming::new(stream.exchange.request_framing.body),
        outgoing,
    )
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
    if plan.reuse_max.is_some_and(|max| side.carried > max) {
        return pool::end(&side.link);
    }
    let idle = Idle {
        link: side.link,
        key: side.key,
        carried: side.carried,
        since_ms: stream.local.core.now_ms(),
    };
    if stream.backend_options().reuse == HttpReuse::Never {
        stream.client.own = Some(Box::new((std::sync::Arc::clone(server), idle)));
    } else {
        stream.local.pool.put(server, idle, plan.pool_max);
    }
}
