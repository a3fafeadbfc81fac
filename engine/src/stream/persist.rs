//! The server that something binds a request to: `use-server`, or the client's cookie.

use super::{Stream, route};
use crate::log::{CookieIn, CookieOut};
use crate::persist::{self, Seen, Sent, Standing};
use crate::plan::{Backend, Persist, ServerId};

/// What persistence knows of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Persistence {
    seen: Seen,
    is_ignored: bool,
    /// The request goes to the server that it was bound to.
    is_direct: bool,
    /// That server is used though it may be down.
    pub insists: bool,
}

impl Persistence {
    /// The request goes to another server than it was bound to.
    fn lost(&mut self) {
        self.is_direct = false;
        self.insists = false;
    }
}

/// The server that the request is bound to, if any. A cookie that has done its work is taken out
/// of the request.
pub fn bind(stream: &mut Stream<'_>) -> Option<ServerId> {
    let generation = stream.generation;
    let backend = generation.plan().proxy(stream.backend()).backend.as_ref()?;
    let persist = rule(stream, backend);
    let named = route::bound_server(stream, persist == Persist::Forced);
    let seen = read_cookie(stream, backend, persist, named.is_some());
    let bound = named.or(seen.server);
    stream.exchange.persistence = Persistence {
        seen,
        is_ignored: persist == Persist::Ignored,
        is_direct: bound.is_some(),
        insists: bound.is_some_and(|server| !generation.server(server).is_usable()),
    };
    bound
}

/// Binds the request to the server that a stick table has for it.
pub fn stick(stream: &mut Stream<'_>, server: ServerId) {
    let persistence = &mut stream.exchange.persistence;
    persistence.is_direct = true;
    persistence.insists = !stream.generation.server(server).is_usable();
}

/// Whether the request goes to a server that is down if it is bound to it.
pub fn is_forced(stream: &Stream<'_>) -> bool {
    let plan = stream.generation.plan();
    let backend = plan.proxy(stream.backend()).backend.as_ref();
    backend.is_some_and(|backend| rule(stream, backend) == Persist::Forced)
}

/// Notes that logs tell of a cookie from here on; none has been seen so far.
pub fn enter(stream: &mut Stream<'_>) {
    let backend = stream
        .generation
        .plan()
        .proxy(stream.backend())
        .backend
        .as_ref();
    if backend
        .and_then(|backend| backend.cookie.as_ref())
        .is_some_and(persist::Cookie::is_logged)
    {
        let termination = &mut stream.exchange.facts.termination;
        termination.cookie_in = CookieIn::None;
        termination.cookie_out = CookieOut::None;
    }
}

fn rule(stream: &Stream<'_>, backend: &Backend) -> Persist {
    let applies = backend
        .persist_rules
        .iter()
        .find(|rule| stream.holds(Some(&rule.condition)));
    match applies {
        Some(rule) => rule.persist,
        None if backend.persists => Persist::Forced,
        None => Persist::Usual,
    }
}

fn read_cookie(
    stream: &mut Stream<'_>,
    backend: &Backend,
    persist: Persist,
    is_named: bool,
) -> Seen {
    let (Some(cookie), true) = (&backend.cookie, stream.is_http()) else {
        return Seen::default();
    };
    let generation = stream.generation;
    let find = |value: &[u8]| {
        let has_value = |id: &&ServerId| {
            let server = generation.plan().server(**id);
            server.cookie.as_deref() == Some(value)
        };
        let server = *backend.servers.iter().find(has_value)?;
        let standing = match (generation.server(server).is_usable(), persist) {
            (true, _) => Standing::Usable,
            (false, Persist::Forced) => Standing::DownButWanted,
            (false, _) => Standing::Down,
        };
        Some((server, standing))
    };
    let mut scratch = stream.local.take_scratch();
    let now_s = now_s(stream);
    let ignores = is_named || persist == Persist::Ignored;
    let request = &mut stream.exchange.request;
    let seen = persist::read(cookie, request, now_s, ignores, &mut scratch, find);
    stream.local.keep_scratch(scratch);
    if cookie.is_logged() {
        stream.exchange.facts.termination.cookie_in = seen.state;
    }
    seen
}

/// The request goes to another server than the cookie's (manual, 8.5: `D`).
pub fn lose(stream: &mut Stream<'_>) {
    stream.exchange.persistence.lost();
    let state = &mut stream.exchange.facts.termination.cookie_in;
    if *state == CookieIn::Valid {
        *state = CookieIn::Down;
    }
    let seen = &mut stream.exchange.persistence.seen.state;
    if *seen == CookieIn::Valid {
        *seen = CookieIn::Down;
    }
}

/// Edits the response's cookies for the client.
pub fn write_cookie(stream: &mut Stream<'_>) {
    let generation = stream.generation;
    let plan = generation.plan();
    let backend = plan.proxy(stream.backend()).backend.as_ref();
    let Some(cookie) = backend.and_then(|backend| backend.cookie.as_ref()) else {
        return;
    };
    let Some(server) = stream.exchange.facts.server else {
        return;
    };
    let mut scratch = stream.local.take_scratch();
    let now_s = now_s(stream);
    let exchange = &mut *stream.exchange;
    let persistence = &exchange.persistence;
    let sent = Sent {
        value: plan.server(server).cookie.as_deref(),
        is_direct: persistence.is_direct,
        is_ignored: persistence.is_ignored,
        method: exchange.request.method(),
        now_s,
    };
    let response = &mut exchange.response;
    let outcome = persist::write(cookie, response, &persistence.seen, &sent, &mut scratch);
    if cookie.is_logged() {
        exchange.facts.termination.cookie_out = outcome;
    }
    stream.local.keep_scratch(scratch);
}

fn now_s(stream: &Stream<'_>) -> u32 {
    u32::try_from(stream.local.clock().unix_us / 1_000_000).unwrap_or(u32::MAX)
}
