//! Which backend a request goes to, and which server is named for it.

use super::{Fault, Stream};
use crate::log::{Cause, Format, Phase, Purpose};
use crate::plan::{Backend, ProxyId, RouteTarget, ServerId, ServerTarget};

/// `use_backend` in order, then `default_backend`, then the proxy itself if it has servers.
pub fn choose(stream: &Stream<'_>) -> Result<ProxyId, Fault> {
    let proxy = stream.generation.plan().proxy(stream.client.frontend);
    let Some(frontend) = &proxy.frontend else {
        return Err(nowhere());
    };
    for route in &frontend.routes {
        if stream.holds(route.condition.as_ref())
            && let Some(backend) = resolve(stream, &route.target)
        {
            return Ok(backend);
        }
    }
    if let Some(backend) = frontend
        .default_backend
        .as_ref()
        .and_then(|t| resolve(stream, t))
    {
        return Ok(backend);
    }
    if proxy.backend.is_some() {
        Ok(proxy.id)
    } else {
        Err(nowhere())
    }
}

/// A name that no backend has makes the rule not apply (manual, `use_backend`).
fn resolve(stream: &Stream<'_>, target: &RouteTarget) -> Option<ProxyId> {
    match target {
        RouteTarget::Backend(backend) => Some(*backend),
        RouteTarget::Named(format) => {
            let mut name = Vec::new();
            stream.with_cx(|cx| format.render(cx, Purpose::Raw, &mut name));
            let name = std::str::from_utf8(&name).ok()?;
            stream.generation.plan().find_backend(name)
        }
    }
}

/// No backend at all (manual, 8.5: `SC`, status 503).
fn nowhere() -> Fault {
    Fault::new(Cause::ServerAbort, Phase::Connect)
}

/// The server that `use-server` names: of the first rule that applies and whose server can take the
/// request, or must try (`option persist`); a rule with another one is passed over, as one that
/// names none.
pub fn bound_server(stream: &Stream<'_>, is_forced: bool) -> Option<ServerId> {
    let proxy = stream.generation.plan().proxy(stream.backend());
    let backend = proxy.backend.as_ref()?;
    backend.use_servers.iter().find_map(|rule| {
        if !stream.holds(rule.condition.as_ref()) {
            return None;
        }
        let server = match &rule.target {
            ServerTarget::Server(server) => *server,
            ServerTarget::Named(format) => named_server(stream, backend, format)?,
        };
        let is_usable = is_forced || stream.generation.server(server).is_usable();
        is_usable.then_some(server)
    })
}

fn named_server(stream: &Stream<'_>, backend: &Backend, format: &Format) -> Option<ServerId> {
    let mut name = Vec::new();
    stream.with_cx(|cx| format.render(cx, Purpose::Raw, &mut name));
    let plan = stream.generation.plan();
    let mut servers = backend.servers.iter().copied();
    servers.find(|&id| plan.server(id).name.as_bytes() == name)
}

/// The server that the client holds a connection of its own to, where the next request is to stay
/// with it (manual, `option prefer-last-server`; an authenticated connection) and need not wait.
pub fn last_server(stream: &Stream<'_>, backend: ProxyId) -> Option<ServerId> {
    let client = &*stream.client;
    if !(client.is_private || stream.backend_options().prefers_last_server) {
        return None;
    }
    let (state, _) = client.own.as_deref()?;
    let has_room = state.limit().is_none_or(|limit| state.in_use() < limit);
    let view = stream.generation.view(backend)?;
    view.id_of(state).filter(|_| state.is_usable() && has_room)
}
